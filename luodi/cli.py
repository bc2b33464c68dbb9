"""The `luodi` command: a table of verbs, each leading to the room that does the work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from luodi.local.faults import LocalError
from luodi.local.settings import read_settings
from luodi.local.telling import spelled

USAGE = 64  # EX_USAGE of sysexits.h


@dataclass(frozen=True)
class Verb:
    """One verb: what it is called with, what it does, and `module:function` of who does it."""

    name: str
    arguments: str
    help: str
    target: str
    service: bool = False  # its function takes no arguments
    stack: bool = False  # it works on the Kafka and MongoDB of the local stack, unless the environment names others


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code: 64 wrong usage, 69 something is missing, 78 wrong settings."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0 if words else USAGE
    verb = VERBS.get(" ".join(words[:2])) or VERBS.get(words[0])
    if verb is None or (verb.service and len(words) > 1):
        sys.stderr.write(f"luodi: {' '.join(words)!r} is no command\n\n{usage()}")
        return USAGE
    module, _, function = verb.target.partition(":")
    run: Callable[..., int | None] = getattr(import_module(module), function)
    try:
        if verb.stack:
            os.environ.update(read_settings(os.environ, Path.cwd()).environ)
        return (run() if verb.service else run(words[len(verb.name.split()) :])) or 0
    except LocalError as exc:
        sys.stderr.write(f"luodi {verb.name}: {exc}\n" + (f"  {spelled(exc.mend)}\n" if exc.mend else ""))
        return exc.exit_code
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    """What `luodi --help` prints."""
    rows = "".join(f"  {f'{verb.name} {verb.arguments}':<22} {verb.help}\n" for verb in VERBS.values())
    return f"usage: luodi COMMAND\n\n{rows}\nluodi COMMAND --help tells more. Settings are environment variables.\n"


VERBS = {
    verb.name: verb
    for verb in (
        Verb("up", "[--detach]", "start Kafka, MongoDB and the services", "luodi.local.up:main"),
        Verb("down", "", "stop the stack; the data stays", "luodi.local.down:main"),
        Verb("reset", "[--yes]", "delete the data of the stopped stack, after asking", "luodi.local.reset:main"),
        Verb("status", "[--json]", "show what runs, and where", "luodi.local.status:main"),
        Verb("doctor", "", "find what is wrong, and the command that mends it", "luodi.local.doctor:main"),
        Verb("seed", "[FILE…]", "load the sample, or files, through ingest", "luodi.local.sample:main"),
        Verb("ask", "WHAT [NAME=VALUE…]", "ask what the services know, as a table", "luodi.local.ask:main"),
        Verb("ingest", "", "run the service that takes events", "services.ingest.__main__:main", service=True),
        Verb("tracker", "", "run the service that folds and answers", "services.tracker.__main__:main", service=True),
        Verb("notify", "", "run the service that sends notices", "services.notify.__main__:main", service=True),
        Verb("notify test", "WHO", "send one recipient a test", "services.notify.trial:main", stack=True),
        Verb("notify resend", "ID…", "send again what was given up", "services.notify.resending:main", stack=True),
        Verb("link", "ENTERPRISE", "make the link by which it raises requests", "luodi.local.link:main"),
        Verb("rebuild", "[--compare]", "fold everything again from Kafka", "services.tracker.rebuild:main", stack=True),
        Verb("rejects", "", "show rejected records, go on after a fuse", "services.tracker.rejects:main", stack=True),
        Verb("config", "", "show, check and apply rules and calendars", "services.tracker.config:main", stack=True),
    )
}


if __name__ == "__main__":
    sys.exit(main())
