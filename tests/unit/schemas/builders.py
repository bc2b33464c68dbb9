"""Payloads for every event type: good ones, nearly good ones, and anything JSON can say."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from luodi.domain.rules import CAUSES
from luodi.domain.stages import ROUTES, STAGES
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.events import EVENT_TYPES, load_http
from schemas.invalid import Invalid
from tests.goldens import golden_data

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 3, 5)
RECORDED = "2026-03-05T01:02:03.004Z"  # on TODAY in Shanghai

GOOD: dict[str, dict[str, Any]] = {
    "project.registered": {"name": "示例项目", "zone": "demo", "route": "land"},
    "project.amended": {"officer": None},
    "milestone.reported": {"stage": "started", "date": "2026-03-05"},
    "milestone.verified": {"event_id": "e1", "result": "confirmed"},
    "plan.set": {"stage": "completed", "date": "2027-10"},
    "progress.reported": {"date": "2026-03-05"},
    "blocker.raised": {"kind": "用电", "date": "2026-03-05"},
    "blocker.paused": {
        "blocker_id": "b1",
        "date": "2026-03-05",
        "approver": "u-1",
        "until": "2026-03-05",
    },
    "blocker.updated": {"blocker_id": "b1", "promise": "2026-03-07"},
    "land_contract.recorded": {"start_by": "2026-06"},
    "annual_plan.set": {"year": 2026, "amount": 100_000_000},
    "statistics.reported": {"in_library": True},
    "blocker.cleared": {"blocker_id": "b1", "date": "2026-03-05"},
    "suspension.begun": {"date": "2026-03-05"},
    "suspension.ended": {"suspension_id": "s1", "date": "2026-03-05"},
    "project.withdrawn": {"date": "2026-03"},
    "unit.registered": {"name": "示例供电公司"},
    "unit.amended": {"head": None},
    "person.registered": {},
    "person.amended": {"unit": None},
    "leave.granted": {"date": "2026-03-09", "until": "2026-03-13"},
    "post.registered": {"name": "示例专班组长"},
    "post.amended": {"unit": None},
    "post.handed_over": {"holder": "u-1", "date": "2026-03-09"},
    "matter.signed": {"matter": "p1:signed-started"},
    "matter.answered": {"matter": "p1:signed-started", "text": "机械已进场", "recovery": "2026-03-20"},
    "matter.reviewed": {"matter": "p1:blocker:b1", "accepted": True},
    "matter.closed": {"matter": "p1:signed-started"},
    "silence.begun": {"silence": "s1", "reason": "整改中", "until": "2026-03-20"},
    "silence.ended": {"silence": "s1"},
    "note.added": {"text": "走访"},
    "event.retracted": {"event_id": "e1", "reason": "奠基不是开工"},
}
"""The least that each type needs."""


def _least(type_: str) -> dict[str, Any]:
    """Of a type that is not named above: the required fields of its golden, or all of it but the remark."""
    held = golden_data(type_)
    needed = {field.data_key or name for name, field in EVENT_TYPES[type_].schema.declared().items() if field.required}
    least = {name: value for name, value in held.items() if name in needed}
    try:
        return load_http(type_, least, TODAY)
    except Invalid:
        return load_http(type_, {name: value for name, value in held.items() if name != "note"}, TODAY)


GOOD |= {type_: _least(type_) for type_ in EVENT_TYPES if type_ not in GOOD}

types = st.sampled_from(sorted(EVENT_TYPES))

json_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(codec=None, categories=None), max_size=20)
)
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)

_likely: st.SearchStrategy[Any] = st.sampled_from(
    [
        *STAGES,
        *ROUTES,
        *BLOCKER_KINDS,
        *CAUSES,
        "2026-03-05",
        "2026-03-06",
        "2026-03-07",
        "2026-06-02",
        "2026-06-03",
        "2026-02-30",
        "1979-12-31",
        "1980",
        "2100-12",
        "2101",
        "9999",
        "9999-12-31",
        "u-1",
        ["u-1"],
        "b:1",
        "08:30",
        "18:00",
        "24:00",
        " ",
        "",
        "有\n换行",
        "\ud800",
        "\x07",
        "x" * 201,
        "91441802MA0000000X",
        "investment",
        0,
        1,
        -1,
        34.5,
        34.0,
        0.12345,
        100,
        10**15,
        10**15 + 1,
        True,
        False,
        None,
        [],
        ["拿地即开工"],
        ["investment"],
        [10**6] * 12,
        [1] * 11,
        2026,
        [{"kind": "证", "ref": "1"}],
        [{"system": "a", "id": "1"}],
        [{"kind": "证", "ref": "1", "more": 1}],
        [{"kind": "证"}],
        {},
    ]
)


@st.composite
def payloads(draw: st.DrawFn, type_: str) -> Any:
    """Mostly objects with this type's own fields, often right, sometimes not; now and then anything at all."""
    if draw(st.integers(0, 19)) == 0:
        return draw(json_values)
    names = [field.data_key or name for name, field in EVENT_TYPES[type_].schema.declared().items()]
    payload = dict(GOOD[type_]) if draw(st.integers(0, 3)) else {}
    for name in draw(st.lists(st.sampled_from(names), max_size=6)):
        payload[name] = draw(_likely | json_scalars)
    if draw(st.integers(0, 9)) == 0:
        payload[draw(st.text(max_size=8) | st.just("_schema"))] = draw(json_scalars)
    return payload
