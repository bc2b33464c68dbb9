"""Files of events: the packaged published facts and whatever an operator writes in the same two forms.

`.toml` holds projects with what is known of them; `.jsonl` holds one event per line. docs/events.md describes both.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from seeds.event import SeedEvent, derived_id


class UnreadableFileError(Exception):
    """The file cannot be used as it is; the message names the file, the place in it and what is expected."""


def read(path: Path) -> tuple[SeedEvent, ...]:
    """Read one file of events; raises UnreadableFileError.

    An event without an id is given one made of its content, so that loading the file again changes nothing.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableFileError(f"{path}: a file of events ends in {' or '.join(READERS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise UnreadableFileError(f"{path}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise UnreadableFileError(f"{path}: byte {exc.start} is not UTF-8: save the file as UTF-8") from exc
    return tuple(reader(str(path), text))


def read_toml(name: str, text: str) -> Iterator[SeedEvent]:
    """The events of a TOML file: `[[project]]` tables with their reports, the figures of a zone in `[[figure]]` and
    `[[breakdown]]`, and `[[event]]` tables as they are."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise UnreadableFileError(f"{name}: {exc}") from exc
    defaults = document.get("defaults", {})
    if not isinstance(defaults, dict):
        raise UnreadableFileError(f"{name}: [defaults] is a table of project fields")
    for number, project in enumerate(_tables(name, document, "project"), 1):
        yield from _project_events(f"{name}: project {number}", {**defaults, **project})
    for kind in FIGURES:
        for number, figure in enumerate(_tables(name, document, kind), 1):
            yield _figure_event(f"{name}: {kind} {number}", document, defaults, figure)
    for number, event in enumerate(_tables(name, document, "event"), 1):
        yield _event(f"{name}: event {number}", _plain(event))


def read_lines(name: str, text: str) -> Iterator[SeedEvent]:
    """The events of a JSON-lines file, one object per line; empty lines are left out."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as exc:
            raise UnreadableFileError(f"{name}: line {number}: not JSON: {exc}") from exc
        yield _event(f"{name}: line {number}", event)


def _project_events(where: str, project: dict[str, Any]) -> Iterator[SeedEvent]:
    """`project.registered` first, then the reports in the order of REPORTS."""
    subject = project.pop("id", None)
    if not isinstance(subject, str) or not subject:
        raise UnreadableFileError(f"{where}: `id` is missing, the id of the project")
    actor = project.pop("actor", None)
    reports = [(kind, _tables(where, project, kind)) for kind in REPORTS]
    fields = {key: value for key, value in project.items() if key not in REPORTS}
    yield _event(where, {"subject": subject, "type": "project.registered", "actor": actor, "data": _plain(fields)})
    for kind, tables in reports:
        event_type, empty = REPORTS[kind]
        for report in tables:
            data = {**empty, **_plain(report)}
            yield _event(f"{where}: {kind}", {"subject": subject, "type": event_type, "actor": actor, "data": data})


def _figure_event(
    where: str, document: Mapping[str, Any], defaults: Mapping[str, Any], figure: dict[str, Any]
) -> SeedEvent:
    """`figure.reported` on the zone of the file; `source` and `as_of` stand at its top, or in the figure."""
    zone = figure.pop("zone", None) or document.get("zone") or defaults.get("zone")
    if not isinstance(zone, str) or not zone:
        raise UnreadableFileError(f"{where}: `zone` is missing, the id of the zone")
    header = {key: document[key] for key in ("source", "as_of") if key in document}
    unit = {"unit": "元"} if "amount" in figure else {}
    data = {_RENAMED.get(key, key): value for key, value in {**header, **figure, **unit}.items()}
    return _event(where, {"subject": f"zone:{zone}", "type": "figure.reported", "data": _plain(data)})


def _event(where: str, event: Any) -> SeedEvent:
    if not isinstance(event, dict):
        raise UnreadableFileError(f"{where}: an event is an object with subject, type and data")
    unknown = event.keys() - {"subject", "type", "id", "actor", "data"}
    if unknown:
        raise UnreadableFileError(f"{where}: {', '.join(sorted(unknown))}: not known here; ingest sets the rest")
    subject, event_type, data = event.get("subject"), event.get("type"), event.get("data")
    if not isinstance(subject, str) or not isinstance(event_type, str) or not isinstance(data, dict):
        raise UnreadableFileError(f"{where}: an event needs subject and type as text and data as an object")
    actor, identity = event.get("actor"), event.get("id")
    if not isinstance(actor, str | None) or not isinstance(identity, str | None):
        raise UnreadableFileError(f"{where}: id and actor are text")
    return SeedEvent(subject, identity or derived_id(subject, event_type, data, actor), event_type, data, actor)


def _tables(where: str, table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UnreadableFileError(f"{where}: `{key}` stands in double brackets: [[{key}]]")
    return found


def _plain(value: Any) -> Any:
    """TOML's own dates as the text that the contract wants."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


REPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "milestone": ("milestone.reported", {"date": None}),  # without a date: reached, date unknown
    "plan": ("plan.set", {}),
    "progress": ("progress.reported", {}),
    "measure": ("measure.reported", {}),
    "note": ("note.added", {}),
}
"""Table below `[[project]]` -> event type, and the fields that may be left out."""

FIGURES = ("figure", "breakdown")
"""Tables that tell what was reported of a zone: a number (or words), and a sum with its parts."""

_RENAMED = {"id": "figure", "amount": "value", "part": "parts"}

READERS = {".toml": read_toml, ".jsonl": read_lines}
