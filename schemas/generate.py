"""`python -m schemas.generate [--check]`: write the generated contract, or say where the committed one differs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from schemas import asyncapi, openapi_ingest, openapi_notify, openapi_tracker
from schemas.events import EVENT_TYPES
from schemas.openapi import Json

FOLDER = Path(__file__).parent / "generated"


def documents() -> dict[str, Json]:
    """Every generated document by its path under `generated`."""
    return {
        "openapi-ingest.json": openapi_ingest.build(),
        "openapi-tracker.json": openapi_tracker.build(),
        "openapi-notify.json": openapi_notify.build(),
        "asyncapi.json": asyncapi.build(),
        **{f"jsonschema/{row.type}.json": asyncapi.event_schema(row) for row in EVENT_TYPES.values()},
    }


def render(document: Json) -> bytes:
    """The bytes of a document as committed."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def differences(folder: Path = FOLDER) -> list[str]:
    """What is missing, different or too many in the folder, one sentence each; empty when it is true."""
    wanted = {name: render(document) for name, document in documents().items()}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}
    found = [f"{name} is missing" for name in sorted(wanted.keys() - present)]
    found += [f"{name} is of no use any more" for name in sorted(present - wanted.keys())]
    found += [
        f"{name} differs" for name in sorted(wanted.keys() & present) if (folder / name).read_bytes() != wanted[name]
    ]
    return found


def write(folder: Path = FOLDER) -> None:
    """Make the folder hold exactly the generated documents."""
    wanted = {name: render(document) for name, document in documents().items()}
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something differs")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    found = differences()
    for difference in found:
        print(f"schemas/generated: {difference}: run `python -m schemas.generate`", file=sys.stderr)  # noqa: T201 - a command line
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
