"""The statutes of procedures, read from the files of `procedures/`, the operator's in the place of packaged ones.

Every fault of every file is reported. docs/domain.md describes the form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from marshmallow import ValidationError, fields, validate

from luodi.domain.statutes import NO_STATUTES, CountedIn, Statute, Statutes
from luodi.runtime import overlay
from luodi.runtime.forms import Form, day, flat, text, whole, words

FOLDER = "procedures"
MOST_DAYS = 366  # a year: more is a slip
_NAME = 64  # characters of a kind, as events may name it
_UNIT_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_COUNTED: tuple[CountedIn, ...] = get_args(CountedIn)


def load(folder: Path | None, zones: Collection[str], faults: list[str]) -> Statutes:
    """The statutes on file; every fault found is added to `faults`, and then there are none.

    `folder` is the operator's; `zones` are those that there are.
    """
    before = len(faults)
    rows: list[Statute] = []
    units: dict[str, dict[str, str]] = {}
    homes: dict[str, str] = {}
    for file in overlay.files(FOLDER, folder, faults):
        for where, row in _rows(file, faults):
            if isinstance(row, Statute):
                if row.key in homes:
                    faults.append(f"{where}: {row.key} stands in {homes[row.key]}, too")
                homes.setdefault(row.key, file.source)
                rows.append(row)
            else:
                if zones and row["id"] not in zones:
                    faults.append(f"{where}: there is no zone {row['id']!r}")
                units.setdefault(row["id"], {}).update(row["units"])
    kinds = {row.kind for row in rows}
    faults.extend(
        f"{FOLDER}: zone {zone}: there is no procedure {kind!r}"
        for zone, named in units.items()
        for kind in named
        if kind not in kinds
    )
    return NO_STATUTES if len(faults) > before else Statutes(tuple(rows), units)


def packaged() -> Statutes:
    """The statutes as shipped."""
    faults: list[str] = []
    found = load(None, (), faults)
    if faults:
        raise ValueError("; ".join(faults))
    return found


def _rows(file: overlay.File, faults: list[str]) -> Iterator[tuple[str, Statute | Mapping[str, Any]]]:
    try:
        table = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as exc:
        faults.append(f"{file.source}: {exc}")
        return
    faults.extend(f"{file.source}: unknown key {key!r}" for key in table if key not in _FORMS)
    for name, form in _FORMS.items():
        for number, row in enumerate(table.get(name, ()), 1):
            where = f"{file.source}: {name} {number}"
            try:
                told = form().load(row)
            except ValidationError as exc:
                faults.extend(f"{where}: {fault}" for fault in flat(exc.messages))
                continue
            if name == "zone":
                yield where, told
                continue
            counted = [unit for unit in _COUNTED if unit in told]
            if len(counted) != 1:
                faults.append(f"{where}: one of {', '.join(_COUNTED)} is needed")
                continue
            amount = told.pop(counted[0])
            longer = [lane for lane, days in told.get("lanes", {}).items() if days > amount]
            faults.extend(f"{where}: lanes: {lane} takes longer than the {amount} days of all" for lane in longer)
            yield where, Statute(amount=amount, unit=counted[0], **told)


class _ProcedureForm(Form):
    kind = fields.String(required=True, validate=validate.Length(1, _NAME))
    name_en = text(required=True)
    valid_from = day(required=True)
    working_days = whole(1, MOST_DAYS)
    calendar_days = whole(1, MOST_DAYS)
    extendable = whole(0, MOST_DAYS)
    pledged = whole(0, MOST_DAYS)
    lanes = fields.Dict(keys=fields.String(validate=validate.Length(1, _NAME)), values=whole(0, MOST_DAYS))
    authority = words()
    basis = words(required=True)
    link = fields.Url(schemes={"https", "http"})


class _ZoneForm(Form):
    id = fields.String(required=True)
    units = fields.Dict(keys=fields.String(), values=fields.String(validate=validate.Regexp(_UNIT_ID)), required=True)


_FORMS: Mapping[str, type[Form]] = {"procedure": _ProcedureForm, "zone": _ZoneForm}
