"""`luodi link ENTERPRISE`: the link by which an enterprise raises requests and sees what became of its own.

The link is made of the secret alone; the tracker is asked for the generation of links that counts now, so that a new
link is good after older ones were revoked. `--revoke` ends all of them first.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from luodi.local.faults import MisconfiguredError, RefusedError, UnavailableError
from luodi.local.settings import read_settings
from luodi.runtime.links import MAX_DAYS, USUAL_DAYS, Link, address, issue
from luodi.runtime.settings import Settings

ANSWER_S = 10.0  # the tracker waits up to 5 s until it shows what was just recorded
ENTERPRISE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ACCEPTED, NOT_FOUND, OK = 202, 404, 200


def main(argv: Sequence[str]) -> int:
    """Prints the link; returns the exit code.

    Raises:
        LocalError: it cannot be made; the message says why and what mends it.
    """
    asked = _parser().parse_args(argv)
    if ENTERPRISE.fullmatch(asked.enterprise) is None:
        raise MisconfiguredError(f"{asked.enterprise!r} is not the id of an enterprise")
    stack = read_settings(os.environ, Path.cwd())
    settings = stack.services
    if settings.link_secret is None:
        raise MisconfiguredError(
            "there is no LUODI_LINK_SECRET", mend="set it for every service, or start with luodi up"
        )
    services = Services(stack.url("ingest"), stack.url("tracker"), settings.api_key)
    at = services.revoke(asked.enterprise, asked.reason) if asked.revoke else None
    name, generation = services.enterprise(asked.enterprise, at)
    until = _today(settings) + timedelta(days=asked.days)
    token = issue(settings.link_secret, Link(asked.enterprise, generation, until))
    sys.stdout.write(told(asked.enterprise, name, generation, until, token, settings.public_url, stack.url("ingest")))
    return 0


def told(
    enterprise: str,
    name: str | None,
    generation: int,
    until: date,
    token: str,
    public_url: str | None,
    ingest: str,
) -> str:
    """What is printed: whose link it is, how long it is good, the link, the token for programs."""
    link = address(public_url, token)
    where = f"{link}\n" if link else "LUODI_PUBLIC_URL is not set, so there is no page to link to yet\n"
    return (
        f"{name or '(not registered yet)'} ({enterprise}), good until {until}, generation {generation}\n{where}"
        "Whoever has it speaks for the enterprise: hand it to one person there. Revoke it with --revoke.\n"
        f"token: {token}\n"
        f"  curl {ingest}/v1/link/requests -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' "
        '-d \'{"kind": "用电", "text": "变压器容量不足"}\'\n'
    )


class Services:
    """Ingest and tracker, as the command needs them. Every call raises UnavailableError or RefusedError."""

    def __init__(self, ingest: str, tracker: str, api_key: str | None) -> None:
        self._ingest = ingest
        self._tracker = tracker
        self._headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})

    def revoke(self, enterprise: str, reason: str | None) -> str:
        """End all links of the enterprise; returns the position at which that is visible."""
        url = f"{self._ingest}/v1/enterprises/{enterprise}/link/revoke"
        body = {"reason": reason} if reason else {}
        # One key for one call of the command: a request repeated below it revokes once.
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"luodi-link-{time.time_ns()}"}
        answer = self._ask("POST", url, ACCEPTED, json.dumps(body).encode(), headers)
        return str(answer["position"])

    def enterprise(self, enterprise: str, at: str | None) -> tuple[str | None, int]:
        """Its name, and the generation of its links; (None, 0) of one that nothing is recorded of."""
        url = f"{self._tracker}/v1/enterprises/{enterprise}" + (f"?after={quote(at)}" if at else "")
        found = self._ask("GET", url, OK)
        return found.get("name"), (found.get("link") or {}).get("generation", 0)

    def _ask(
        self, method: str, url: str, wanted: int, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = urllib3.request(
                method, url, body=body, headers={**self._headers, **(headers or {})}, timeout=ANSWER_S, retries=False
            )
        except urllib3.exceptions.HTTPError as exc:
            raise UnavailableError(f"{url} does not answer: {exc}", mend="luodi up starts it") from exc
        if answer.status == NOT_FOUND and method == "GET":
            return {}
        if answer.status != wanted:
            raise RefusedError(f"{url} answered {answer.status}: {answer.data[:300].decode(errors='replace')}")
        found: dict[str, Any] = json.loads(answer.data)
        return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="luodi link", description="Make the link by which an enterprise raises requests."
    )
    parser.add_argument("enterprise", metavar="ENTERPRISE", help="its id")
    parser.add_argument(
        "--days", type=_days, default=USUAL_DAYS, metavar="N", help=f"good for so many days; {USUAL_DAYS} unless told"
    )
    parser.add_argument("--revoke", action="store_true", help="first end every link it has")
    parser.add_argument("--reason", metavar="TEXT", help="why they are revoked")
    return parser


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"0 to {MAX_DAYS}")
    return int(text)


def _today(settings: Settings) -> date:
    """By the real time: tokens do not follow a shifted business clock."""
    return datetime.now(settings.timezone).date()
