"""Events as people and programs could have recorded them: every type, in every order, about a handful of things."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from hypothesis import strategies as st

from luodi.domain import events, performance, procedures
from luodi.domain.days import day_text
from luodi.domain.events import Event
from luodi.domain.rules import CAUSES, LANE_START_ON_LAND
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.domain.subjects import PERSON, POST, PROJECT, UNIT, subject_of
from luodi.domain.verifying import RESULTS
from schemas.events import ANY_KIND, EVENT_TYPES
from tests.goldens import golden_data
from tests.unit.domain.builders import SUBJECT

# Few ids and instants, so that events often speak of each other and are often recorded at once.
IDS = [f"e{number}" for number in range(12)]
INSTANTS = [f"2026-03-0{day}T0{hour}:00:00.000Z" for day in (1, 2, 3) for hour in (1, 2)]
UNKNOWN_TYPE = "unheard.of"

_ids = st.sampled_from(IDS)
_text = st.none() | st.sampled_from(["", "说明", "a note"])
_full_days = st.integers(date(2025, 6, 1).toordinal(), date(2026, 12, 31).toordinal()).map(day_text)
_days = _full_days | st.sampled_from(["2025", "2025-10", "2026-02"])
_stage = st.sampled_from(STAGES)
_unit = st.none() | st.sampled_from(["u-power", "u-water"])


def _data(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields, optional={"note": _text})


_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["一号项目", "二号项目"]),
    "route": st.sampled_from([*ROUTES]),
    "kind": st.none() | st.sampled_from(KINDS),
    "phased": st.none() | st.booleans(),
    "lanes": st.none() | st.just([LANE_START_ON_LAND]),
    "source": st.none() | st.sampled_from(["published", "import"]),
    "investment": st.none() | st.integers(0, 10**15),
    "officer": st.none() | st.sampled_from(["u-li", "u-wang"]),
    "confirm": st.just(["investment"]),
    "a_field_of_a_later_version": st.just(1),
}

_state = st.sampled_from(procedures.STATES)
_paper = st.sampled_from(["资金证明", "图纸"])
_missing = st.none() | st.lists(st.fixed_dictionaries({"what": _paper, "due": st.none() | _full_days}), max_size=2)

DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    events.PROJECT_REGISTERED: st.fixed_dictionaries(
        {"name": _FIELDS["name"], "zone": st.just("demo"), "route": _FIELDS["route"]},
        optional={name: values for name, values in _FIELDS.items() if name not in ("name", "route")},
    ),
    events.PROJECT_AMENDED: st.fixed_dictionaries({}, optional=_FIELDS),
    events.MILESTONE_REPORTED: _data(stage=_stage, date=st.none() | _days),
    events.MILESTONE_VERIFIED: _data(event_id=_ids, result=st.sampled_from(RESULTS), reason=_text),
    events.PLAN_SET: _data(stage=_stage, date=_days, reason=_text, approver=st.none() | st.just("u-chief")),
    events.PROGRESS_REPORTED: _data(date=_days, percent=st.none() | st.integers(0, 100)),
    events.BLOCKER_RAISED: _data(
        kind=st.sampled_from(["用电", "用水", "其他"]),
        cause=st.sampled_from(CAUSES),
        owner=_unit,
        date=st.none() | _full_days,
        promise=st.none() | _days,
        approver=st.none() | st.just("u-chief"),
        until=st.none() | _full_days,
    ),
    events.BLOCKER_PAUSED: _data(
        blocker_id=_ids,
        date=_full_days,
        approver=st.just("u-chief"),
        until=_full_days,
        document=st.none() | st.just("园管函〔2026〕3号"),
    ),
    events.BLOCKER_UPDATED: _data(blocker_id=_ids, owner=_unit, promise=st.none() | _days, reason=_text),
    events.BLOCKER_CLEARED: _data(blocker_id=_ids, date=st.none() | _full_days),
    events.LAND_CONTRACT_RECORDED: _data(
        contract_no=_text, price=st.none() | st.integers(0, 10**9), start_by=st.none() | _days
    ),
    events.ANNUAL_PLAN_SET: _data(
        year=st.sampled_from([2025, 2026]),
        amount=st.none() | st.integers(0, 10**9),
        by_month=st.none() | st.lists(st.integers(0, 10**8), min_size=12, max_size=12),
    ),
    events.STATISTICS_REPORTED: _data(in_library=st.booleans(), since=st.none() | _days),
    events.SUSPENSION_BEGUN: _data(date=_days, reason=_text),
    events.SUSPENSION_ENDED: _data(suspension_id=_ids, date=_days),
    events.PROJECT_WITHDRAWN: _data(date=_days, reason=_text),
    events.MATTER_SIGNED: _data(matter=_ids),
    events.MATTER_ANSWERED: _data(matter=_ids, text=_text, recovery=_days),
    events.MATTER_REVIEWED: _data(matter=_ids, accepted=st.booleans()),
    events.MATTER_CLOSED: _data(matter=_ids),
    events.SILENCE_BEGUN: _data(silence=_ids, reason=_text, until=_days),
    events.SILENCE_ENDED: _data(silence=_ids),
    events.NOTE_ADDED: st.fixed_dictionaries({"text": st.text(max_size=5)}),
    events.EVENT_RETRACTED: _data(event_id=_ids, reason=_text),
    procedures.PROCEDURE_BEGUN: _data(
        kind=st.sampled_from(["施工许可", "环评", "无此事项"]), state=_state, date=_days, missing=_missing
    ),
    procedures.PROCEDURE_MOVED: _data(procedure_id=_ids, state=_state, date=_days, missing=_missing),
    procedures.PROCEDURE_SUPPLIED: _data(procedure_id=_ids, what=_paper, date=_full_days),
    procedures.PROCEDURE_PAUSED: _data(
        procedure_id=_ids,
        why=st.sampled_from(procedures.NOT_COUNTED),
        date=_full_days,
        until=st.none() | _full_days,
    ),
    procedures.PROCEDURE_RESUMED: _data(procedure_id=_ids, date=_full_days),
    performance.COMMITMENT_MADE: _data(
        measure=st.sampled_from([*performance.MEASURES, "of_a_later_version"]),
        due=_days,
        value=st.none() | st.integers(0, 10**9),
        area_mu=st.none() | st.sampled_from([12, 34.5, 33.3333]),
    ),
    performance.PERFORMANCE_REPORTED: _data(
        period=st.sampled_from(["2025", "2026", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]),
        **{name: st.none() | st.integers(0, 10**9) for name in performance.FIGURES},
    ),
    UNKNOWN_TYPE: st.just({"anything": [1, {"deep": None}]}),
}

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _like(name: str, value: Any) -> st.SearchStrategy[Any]:
    """Values like one that a golden holds."""
    if name.endswith("_id"):
        return _ids
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int | float):
        return st.sampled_from([value, value + 1])
    if isinstance(value, str):
        return _full_days if DAY.fullmatch(value) else st.sampled_from([value, f"{value}2"])
    return st.just(value)


def _golden(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    """Data like that of the golden of a type; what is not required may be missing."""
    schema = EVENT_TYPES[type_].schema.declared()
    needed = {field.data_key or name for name, field in schema.items() if field.required}
    values = {name: _like(name, value) for name, value in golden_data(type_).items()}
    return st.fixed_dictionaries(
        {name: strategy for name, strategy in values.items() if name in needed},
        optional={name: strategy for name, strategy in values.items() if name not in needed},
    )


DATA |= {type_: _golden(type_) for type_, row in EVENT_TYPES.items() if type_ not in DATA and row.kind == PROJECT}

_ANY = {name: DATA[name] for name in (events.NOTE_ADDED, events.EVENT_RETRACTED, UNKNOWN_TYPE)}
_person = st.none() | st.sampled_from(["u-li", "u-wang"])


def _fields(kind: str, **values: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[dict[str, Any]]]:
    both = st.fixed_dictionaries({}, optional={**values, "a_field_of_a_later_version": st.just(1)})
    return {f"{kind}.registered": both, f"{kind}.amended": both, **_ANY}


DATA_OF_OTHERS: dict[str, dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    UNIT: _fields(UNIT, name=st.sampled_from(["供电", "供水"]), head=_person, zone=st.none() | st.just("demo")),
    PERSON: _fields(PERSON, unit=_unit, deputies=st.none() | st.lists(st.sampled_from(["u-li", "u-wang"]), max_size=2))
    | {events.LEAVE_GRANTED: _data(date=_full_days, until=_full_days, deputy=_person)},
    POST: _fields(POST, name=st.sampled_from(["组长", "副组长"]), unit=_unit)
    | {events.POST_HANDED_OVER: _data(holder=_person, date=_full_days, until=st.none() | _full_days)},
}
"""Kind of subject -> its types of events with their data."""

for _type, _row in EVENT_TYPES.items():
    if _row.kind not in (PROJECT, ANY_KIND):
        DATA_OF_OTHERS.setdefault(_row.kind, {**_ANY}).setdefault(_type, _golden(_type))


@st.composite
def histories(
    draw: st.DrawFn, types: tuple[str, ...] = tuple(DATA), max_size: int = len(IDS), kind: str = PROJECT
) -> list[Event]:
    """Events of one subject with distinct ids, in no particular order."""
    data_of = DATA if kind == PROJECT else DATA_OF_OTHERS[kind]
    types = types if kind == PROJECT else tuple(data_of)
    ids = draw(st.lists(_ids, unique=True, max_size=max_size))
    return [
        Event(
            subject=subject_of(kind, SUBJECT),
            id=event_id,
            type=(type_ := draw(st.sampled_from(types))),
            recordedtime=draw(st.sampled_from(INSTANTS)),
            sequence=draw(st.integers(0, 2)),
            actor=draw(st.none() | st.sampled_from(["u-zhang", "u-li"])),
            data=draw(data_of[type_]),
        )
        for event_id in ids
    ]
