"""The rules, read from files: one file of `limits/` is one preset, the operator's in the place of packaged ones.

Every fault of every file is reported. docs/domain.md describes the form.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args

from marshmallow import ValidationError, fields, validate

from luodi.domain.rules import (
    CAUSES,
    PLAN,
    PROMISE,
    ZONE_DEFAULT,
    Case,
    Ladder,
    Limit,
    Red,
    Rules,
    Since,
    Unit,
    Until,
    Version,
    Yellow,
)
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.runtime import overlay, procedures
from luodi.runtime.forms import Form, day, flat, text, whole, words, yes

FOLDER = "limits"
MAX_YUAN = 10**15
RESERVED = (PLAN, PROMISE)  # names of clocks that are no rule's

_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
_UNITS: tuple[Unit, ...] = get_args(Unit)
_MOST = {"working_days": 2_500, "calendar_days": 3_650, "months": 120}  # ten years: more is a slip


def load(folder: Path | None, zones: Mapping[str, tuple[str, ...]], faults: list[str]) -> Rules:
    """The rules of all presets on file; every fault found is added to `faults`, and then no rules are active.

    `folder` is the operator's; `zones` says which presets are active in each zone that there is.
    """
    before = len(faults)
    presets: dict[str, tuple[Version, ...]] = {}
    for preset, source, told in _presets(folder, faults):
        presets[preset] = tuple(_versions(preset, source, told, zones, faults))
    _refuse_shared_ids(presets, faults)
    statutes = procedures.load(folder, zones.keys(), faults)
    faults.extend(
        f"zone {zone}: limits: there is no preset {preset!r} (limits/{preset}.toml)"
        for zone, active in zones.items()
        for preset in active
        if preset not in presets
    )
    if len(faults) > before:
        return Rules({}, default=())
    return Rules(presets, {zone: _default_first(active) for zone, active in zones.items()}, statutes=statutes)


def packaged() -> Rules:
    """The rules as shipped, with the zone's default active everywhere."""
    faults: list[str] = []
    rules = load(None, {}, faults)
    if faults:
        raise ValueError("; ".join(faults))
    return rules


def _default_first(active: tuple[str, ...]) -> tuple[str, ...]:
    """The zone's default gives the first clock of a project, wherever the zone's file lists it."""
    return tuple(sorted(active, key=lambda preset: preset != ZONE_DEFAULT))


def _presets(folder: Path | None, faults: list[str]) -> Iterator[overlay.File]:
    """The files whose name can be that of a preset."""
    for file in overlay.files(FOLDER, folder, faults):
        if _ID.fullmatch(file.stem):
            yield file
        else:
            faults.append(f"{file.source}: the file's name must match {_ID.pattern} before .toml: it names the preset")


def _versions(preset: str, source: str, text: str, zones: Collection[str], faults: list[str]) -> Iterator[Version]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        faults.append(f"{source}: {exc}")
        return
    faults.extend(f"{source}: unknown key {key!r}" for key in table if key != "rule")
    rows = table.get("rule", [])
    if not isinstance(rows, list) or not rows:
        faults.append(f"{source}: there is no [[rule]]")
        return
    for number, row in enumerate(rows, 1):
        named = f" ({row['id']})" if isinstance(row, dict) and isinstance(row.get("id"), str) else ""
        where = f"{source}: rule {number}{named}"
        try:
            told = _RuleForm().load(row)
        except ValidationError as exc:
            faults.extend(f"{where}: {fault}" for fault in flat(exc.messages))
            continue
        found = [*_misfits(told), *_unknown_zones(told, zones)]
        if not found:
            version = _version(preset, told)
            found = [f"cases {_case_text(one)} and {_case_text(other)} tie" for one, other in version.ties()]
            yield version
        faults.extend(f"{where}: {fault}" for fault in found)


def _refuse_shared_ids(presets: Mapping[str, tuple[Version, ...]], faults: list[str]) -> None:
    homes: dict[str, str] = {}
    for preset, versions in presets.items():
        seen: set[tuple[str, date]] = set()
        for version in versions:
            if homes.setdefault(version.rule, preset) != preset:
                faults.append(f"rule {version.rule} stands in {homes[version.rule]}.toml and in {preset}.toml")
            if (version.rule, version.valid_from) in seen:
                faults.append(f"{preset}.toml: rule {version.rule} has two versions of {version.valid_from}")
            seen.add((version.rule, version.valid_from))


# What one row may say.


class _LimitForm(Form):
    working_days = whole(1, _MOST["working_days"])
    calendar_days = whole(1, _MOST["calendar_days"])
    months = whole(1, _MOST["months"])


class _CaseForm(_LimitForm):
    gap = fields.List(fields.String(validate=validate.OneOf(STAGES)), validate=validate.Length(equal=2))
    route = fields.String(validate=validate.OneOf(tuple(ROUTES)))
    kind = fields.String(validate=validate.OneOf(KINDS))
    class_ = text(data_key="class", attribute="class")
    industry = text()
    zone = text()
    lane = text()
    investment_from = whole(0, MAX_YUAN)
    investment_to = whole(1, MAX_YUAN)


class _YellowForm(Form):
    used_percent = whole(1, 100)
    days_before = whole(1, 3_650)
    over_months = whole(0, 120)
    over_days = whole(0, 3_650)
    after = fields.Nested(_LimitForm)
    behind_plan = yes()
    plan_passed = yes()
    postponed = yes()
    points = whole(1, 100)


class _RedForm(Form):
    rounds = whole(1, 24, required=True)
    points = whole(1, 100)


class _LadderForm(Form):
    waits = fields.List(whole(0, 250), required=True, validate=validate.Length(1, 10))
    same_day = yes()


class _RuleForm(Form):
    id = fields.String(required=True, validate=[validate.Regexp(f"{_ID.pattern}$"), validate.NoneOf(RESERVED)])
    valid_from = day(required=True)
    repealed = yes()
    basis = words()
    link = fields.Url(schemes={"https", "http"})
    title = words()
    consequence = words()
    since = fields.String(validate=validate.OneOf(get_args(Since)))
    until = fields.String(validate=validate.OneOf(get_args(Until)))
    monthly = yes()
    pausing_causes = fields.List(fields.String(validate=validate.OneOf(CAUSES)))
    needs_document = yes()
    plan_for = fields.List(fields.String(validate=validate.OneOf(STAGES[1:])))
    satisfied_by = fields.String(validate=validate.OneOf(("in_library",)))
    invested_below_percent = whole(1, 100)
    yellow = fields.Nested(_YellowForm)
    red = fields.Nested(_RedForm)
    ladder = fields.Nested(_LadderForm)
    levels = fields.Dict(keys=fields.String(validate=validate.Length(1, 64)), values=fields.Nested(_LadderForm))
    case = fields.List(fields.Nested(_CaseForm), validate=validate.Length(min=1))


_LOOKED_FOR = ("plan_passed", "postponed", "points")  # by rounds
_WARNS = ("used_percent", "days_before", "over_months", "over_days", "after", "behind_plan")  # of a limit


def _misfits(row: Mapping[str, Any]) -> Iterator[str]:
    """What a row says that does not go together."""
    if row.get("repealed"):
        yield from (
            f"{name}: a repealed rule says nothing else" for name in row.keys() - {"id", "valid_from", "repealed"}
        )
        return
    yield from (f"{name}: is missing" for name in ("basis", "case") if name not in row)
    yellow, red, until = row.get("yellow", {}), row.get("red"), row.get("until")
    if until is not None and "since" in row:
        yield "since: a clock until a date runs from the stage reached"
    if red is None:
        yield from (
            f"yellow: {name}: only rounds look for it (red = {{ rounds = … }})"
            for name in _LOOKED_FOR
            if name in yellow
        )
        yield from _yellow_misfits(yellow, until)
    else:
        yield from (
            f"{name}: rounds are held against the plan and have no limit"
            for name in ("since", "until", "plan_for", "satisfied_by", "invested_below_percent")
            if name in row
        )
        yield from (f"yellow: {name}: rounds do not look for it" for name in _WARNS if name in yellow)
        if not any(yellow.get(name) for name in _LOOKED_FOR):
            yield f"yellow: rounds look for at least one of {', '.join(_LOOKED_FOR)}"
        if "points" in red and red["points"] < yellow.get("points", 101):
            yield "red: points: must be more than yellow's, which must be there"
    for number, case in enumerate(row.get("case", ()), 1):
        yield from (f"case {number}: {fault}" for fault in _case_misfits(case, has_limit=red is None and until is None))


def _yellow_misfits(yellow: Mapping[str, Any], until: str | None) -> Iterator[str]:
    share, before, after = (yellow.get(name) for name in ("used_percent", "days_before", "after"))
    if after is not None:
        if share is not None or before is not None or until is not None:
            yield "yellow: after: goes with no other time, nor with until"
        if len(after) != 1:
            yield f"yellow: after: one of {', '.join(_UNITS)} is needed"
    for name in ("over_months", "over_days"):
        if name in yellow and (share is None or before is None):
            yield f"yellow: {name}: decides between used_percent and days_before, which must both be there"


def _case_misfits(case: Mapping[str, Any], *, has_limit: bool) -> Iterator[str]:
    amounts = [unit for unit in _UNITS if unit in case]
    if len(amounts) != (1 if has_limit else 0):
        yield (
            f"one of {', '.join(_UNITS)} is needed" if has_limit else f"{amounts[0]}: this rule has no limit of its own"
        )
    if "gap" in case:
        gap = tuple(case["gap"])
        routes = [ROUTES[case["route"]]] if "route" in case else ROUTES.values()
        if not any(gap in zip(route.stages, route.stages[1:], strict=False) for route in routes):
            yield f"gap: {gap[0]} is not followed by {gap[1]} on {'the' if 'route' in case else 'any'} route"
    if case.get("investment_from", 0) >= case.get("investment_to", MAX_YUAN + 1):
        yield "investment_to: must be more than investment_from"


def _unknown_zones(row: Mapping[str, Any], zones: Collection[str]) -> Iterator[str]:
    for number, case in enumerate(row.get("case", ()), 1):
        if "zone" in case and zones and case["zone"] not in zones:
            yield f"case {number}: zone: there is no zone {case['zone']!r}"


def _version(preset: str, row: Mapping[str, Any]) -> Version:
    told = {name: value for name, value in row.items() if name not in ("id", "case", "repealed")}
    if "yellow" in told:
        yellow = dict(told["yellow"])
        if "after" in yellow:
            yellow["after"] = _limit(yellow["after"])
        told["yellow"] = Yellow(**yellow)
    if "red" in told:
        told["red"] = Red(**told["red"])
    if "ladder" in told:
        told["ladder"] = _ladder(told["ladder"])
    if "levels" in told:
        told["levels"] = {level: _ladder(row) for level, row in told["levels"].items()}
    for name in ("pausing_causes", "plan_for"):
        if name in told:
            told[name] = frozenset(told[name])
    return Version(rule=row["id"], preset=preset, cases=tuple(_case(case) for case in row.get("case", ())), **told)


def _ladder(row: Mapping[str, Any]) -> Ladder:
    return Ladder(tuple(row["waits"]), row.get("same_day", False))


def _case(row: Mapping[str, Any]) -> Case:
    return Case(
        limit=_limit(row),
        gap=(row["gap"][0], row["gap"][1]) if "gap" in row else None,
        lane=row.get("lane"),
        traits={name: row[name] for name in ("route", "kind", "class", "industry", "zone") if name in row},
        at_least=row.get("investment_from"),
        below=row.get("investment_to"),
    )


def _limit(row: Mapping[str, Any]) -> Limit | None:
    return next((Limit(row[unit], unit) for unit in _UNITS if unit in row), None)


def _case_text(case: Case) -> str:
    """A case as a fault names it: what it names."""
    named: dict[str, Any] = {"gap": "→".join(case.gap) if case.gap else None, **case.traits, "lane": case.lane}
    named |= {"investment_from": case.at_least, "investment_to": case.below}
    return "(" + ", ".join(f"{name} {value}" for name, value in named.items() if value is not None) + ")"
