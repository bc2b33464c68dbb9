"""The process in which the Apprise library lives: `python -m …apprise.confined ALLOWED`, questions in, answers out.

What it must not do is made impossible for the whole process, before the library is loaded, by the interpreter's own
audit events (PEP 578): a connection goes only to a number that the guard has looked up and let through, a moment ago
and for this process; nothing is bound, sent or received without a connection; no program is started, no file written.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import requests

from services.notify.guard import Allowed, ForbiddenError, Found, Guard

FORBIDDEN_EVENTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.remove",
        "os.rename",
        "os.spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class RefusedError(OSError):
    """It would have left the confinement."""


class Confinement:
    """What this process may do, and what the present attempt has met."""

    def __init__(self, allowed: Allowed) -> None:
        self._lookup = socket.getaddrinfo
        self.guard = Guard(allowed, self._resolved)
        self.forbidden: str | None = None
        self.statuses: list[tuple[int, str | None]] = []
        self._pinned: set[tuple[str, int]] = set()
        self._closed = False

    def begin(self) -> None:
        """A new attempt: what the one before had looked up holds no longer."""
        self.forbidden, self.statuses = None, []
        self._pinned.clear()

    def close(self) -> None:
        """From here on, for as long as the process lives."""
        socket.getaddrinfo = self._looked_up  # type: ignore[assignment]  # fewer arguments are used than it knows
        request = requests.Session.request

        def once(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
            """One request: no redirect, and the certificate is checked whatever the address says."""
            answer = request(session, method, url, **{**more, "allow_redirects": False, "verify": True})
            self.statuses.append((answer.status_code, answer.headers.get("Retry-After")))
            return answer

        requests.Session.request = once  # type: ignore[method-assign,assignment]  # every request goes by it
        sys.addaudithook(self._audited)
        self._closed = True

    def _resolved(self, host: str, port: int) -> Sequence[Found]:
        return [(row[0], row[4]) for row in self._lookup(host, port, type=socket.SOCK_STREAM)]

    def _looked_up(self, host: str | bytes | None, port: str | int | None, *_: object, **__: object) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        try:
            found = self.guard.checked(name or "", int(port or 0))
        except ForbiddenError as exc:
            self.forbidden = str(exc)
            raise RefusedError("address") from exc
        self._pinned.update((str(place[0]), int(place[1])) for _, place in found)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place) for family, place in found]

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN_EVENTS:
            raise RefusedError(event)
        if event == "socket.connect":
            place = arguments[1]
            if not isinstance(place, tuple) or (str(place[0]), int(place[1])) not in self._pinned:
                self.forbidden = "address-forbidden"
                raise RefusedError(event)
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
            raise RefusedError(event)


def main() -> int:
    """Answer questions until there are no more."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever else is printed is no answer
    confinement = Confinement(Allowed.of(orjson.loads(sys.argv[1])))
    confinement.close()
    import apprise  # after the door is shut

    asset = apprise.AppriseAsset(storage_mode=apprise.PersistentStoreMode.MEMORY, app_id="Luodi", app_url="")
    for line in sys.stdin.buffer:
        question = orjson.loads(line)
        confinement.begin()
        answer = KINDS["check" if "check" in question else "send"](apprise, asset, confinement, question)
        answers.write(orjson.dumps(answer) + b"\n")
    return 0


def _check(apprise: Any, asset: Any, confinement: Confinement, question: dict[str, Any]) -> dict[str, Any]:
    """Whether the library can read an address, and whether its host, where it always is one, may be one."""
    service = apprise.Apprise.instantiate(question["check"], asset=asset, suppress_exceptions=True)
    if service is None:
        return {"fault": "not-apprise"}
    named = all("{host}" in template for template in service.templates)
    return {"fault": confinement.guard.fault_of_host(str(service.host)) if named else None}


def _send(apprise: Any, asset: Any, confinement: Confinement, question: dict[str, Any]) -> dict[str, Any]:
    """One message to one service."""
    services = apprise.Apprise(asset=asset)
    taken = services.add(question["send"]) and services.notify(
        body=question["body"], title=question["title"], body_format=apprise.NotifyFormat.TEXT
    )
    return {"taken": bool(taken), "forbidden": confinement.forbidden, "statuses": confinement.statuses}


KINDS: dict[str, Callable[[Any, Any, Confinement, dict[str, Any]], dict[str, Any]]] = {"check": _check, "send": _send}


if __name__ == "__main__":
    sys.exit(main())
