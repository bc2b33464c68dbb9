"""Roll-ups: what a project is by its phases and a carrier by its tenants, whatever shape the links have."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain import reasons
from luodi.domain.assess import assess
from luodi.domain.clocks import LIGHTS, light_at
from luodi.domain.events import MILESTONE_REPORTED, PROGRESS_REPORTED, PROJECT_REGISTERED, PROJECT_WITHDRAWN, Event
from luodi.domain.fold import fold
from luodi.domain.pool import PROJECT_POOLED
from luodi.domain.rollup import MAX_DEPTH, READ, Family, counted, roll_up
from services.tracker.relations import Beside
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import UNHURRIED, published

NOW = "2026-06-01T04:00:00.000Z"
TODAY = date(2026, 6, 1)
IN_TIME, SOON, LATE = "2026-05-20", "2026-03-10", "2026-01-05"  # signatures: the land is due 90 days later


def project(
    subject: str,
    *milestones: tuple[str, str | None],
    withdrawn: bool = False,
    pooled: bool = False,
    arrived: int | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A document made of events like any other."""
    told: list[tuple[str, dict[str, Any]]] = [
        (PROJECT_REGISTERED, {"name": f"项目{subject}", "zone": "demo", "route": "land", **fields})
    ]
    told += [(MILESTONE_REPORTED, {"stage": stage, "date": day}) for stage, day in milestones]
    if arrived is not None:
        told.append((PROGRESS_REPORTED, {"date": "2026-05-01", "arrived_total": arrived}))
    if pooled:
        told.append((PROJECT_POOLED, {"date": "2026-01-05"}))
    if withdrawn:
        told.append((PROJECT_WITHDRAWN, {"date": "2026-05-01", "reason": "不来了"}))
    events = [
        Event(subject, f"e{n}", type_, f"2026-05-20T01:00:{n:02d}.000Z", 0, "u", data)
        for n, (type_, data) in enumerate(told)
    ]
    return assess(subject, fold(events), DEFAULT_RULES, published())


def rolled(subject: str, *documents: dict[str, Any]) -> dict[str, Any]:
    """Made from no more of the documents than is read of them."""
    made = roll_up(subject, Family.of([_read(document, {"_id", *READ}) for document in documents]))
    assert made == roll_up(subject, Family.of(documents))
    return made


def _read(value: Any, fields: Collection[str]) -> Any:
    """As much of a document as a query for these fields answers, `a.b` being one within `a`, which may be a list."""
    if isinstance(value, list):
        return [_read(one, fields) for one in value]
    if not isinstance(value, dict):
        return value
    within = {name: {field.partition(".")[2] for field in fields if field.startswith(f"{name}.")} for name in value}
    return {
        name: inner if name in fields else _read(inner, within[name])
        for name, inner in value.items()
        if name in fields or within[name]
    }


def shown(rollup: dict[str, Any]) -> tuple[str, str]:
    """Light and phase that shine now."""
    step = light_at(rollup["lights"], NOW)
    return step["light"], step["reason"]["phase"]


def test_a_phased_parent_shows_the_worst_light_of_its_phases_and_names_the_phase() -> None:
    made = rolled(
        "p",
        project("p", phased=True),
        project("p1", ("signed", IN_TIME), parent="p"),
        project("p2", ("signed", LATE), parent="p"),
        project("p3", ("signed", SOON), parent="p"),
    )
    assert made["phased"] is True
    assert shown(made) == ("red", "p2")
    reason = light_at(made["lights"], NOW)["reason"]
    assert reasons.text(reason, "zh-CN", TODAY).startswith("项目p2：应于2026-04-05前供地，已超期57天")
    assert reasons.text(reason, "en", TODAY).startswith(
        "项目p2: Overdue: land supply was due by 2026-04-05, 57 days over"
    )


def test_the_light_turns_with_the_phase_that_is_worst_at_the_time() -> None:
    made = rolled(
        "p",
        project("p", phased=True),
        project("p1", ("signed", IN_TIME), parent="p"),
        project("p2", ("signed", SOON), parent="p"),
    )
    lights = made["lights"]
    assert [(step["light"], step["reason"]["phase"]) for step in lights] == [
        ("green", "p1"),
        ("yellow", "p2"),
        ("red", "p2"),
        ("red", "p1"),  # of equal lights the first phase's
    ]
    assert all(step["to"] == later["from"] for step, later in pairwise(lights))


def test_a_parent_that_is_not_phased_keeps_its_own_clock() -> None:
    made = rolled("p", project("p", ("signed", IN_TIME)), project("p1", ("signed", LATE), parent="p"))
    assert made["phased"] is False
    assert shown(made) == ("red", "p1"), "still told, beside its own"


def test_a_withdrawn_phase_speaks_for_nothing_and_a_withdrawn_parent_for_itself() -> None:
    family = (
        project("p1", ("signed", "2025-01-05"), ("land_supplied", "2025-02-01"), withdrawn=True, parent="p"),
        project("p2", ("signed", IN_TIME), parent="p", investment=50),
    )
    made = rolled("p", project("p", phased=True, investment=70), *family)
    assert shown(made) == ("green", "p2")
    assert made["stage"] == "signed"
    assert made["money"]["investment"] == 50
    assert [row["id"] for row in made["phases"]] == ["p1", "p2"], "shown all the same"
    assert rolled("p", project("p", phased=True, withdrawn=True), *family)["phased"] is False


def test_a_phase_that_is_in_the_pool_yet_speaks_for_nothing_and_turns_no_light() -> None:
    made = rolled(
        "p",
        project("p", phased=True, investment=70),
        project("p1", parent="p", investment=20, pooled=True),
        project("p2", ("signed", IN_TIME), parent="p", investment=50),
    )
    assert shown(made) == ("green", "p2")
    assert made["money"]["investment"] == 50
    (p1, _) = Beside({"p": made}).rollup(project("p"), NOW)["phases"]["items"]  # type: ignore[index]  # it has phases
    assert (p1["id"], p1["status"], p1["light"]) == ("p1", "pool", None)


def test_tenants_in_the_pool_are_shown_and_not_counted() -> None:
    made = rolled(
        "c",
        project("c", kind="carrier"),
        project("t1", ("signed", IN_TIME), carrier="c", route="plant", floor_m2=300, enterprise="甲"),
        project("t2", carrier="c", route="plant", floor_m2=500, enterprise="乙", pooled=True),
    )
    told = Beside({"c": made | {"version": 1}}).rollup(project("c"), NOW)
    assert told is not None
    tenants = told["tenants"]
    assert (tenants["count"], tenants["withdrawn"], tenants["enterprises"]) == (1, 0, 1)
    assert [(row["id"], row["floor_m2"]) for row in tenants["items"]] == [("t1", 300), ("t2", 500)]


def test_facts_from_the_press_are_never_lit_by_their_phases() -> None:
    made = rolled("p", project("p", phased=True, source="published"), project("p1", ("signed", LATE), parent="p"))
    assert made["phased"] is False


def test_a_root_has_reached_a_stage_when_its_first_phase_has() -> None:
    made = rolled(
        "p",
        project("p", ("signed", "2025-01-20"), phased=True),
        project("p1", ("signed", "2025-01-05"), ("land_supplied", "2025-05-01"), ("started", None), parent="p"),
        project("p2", ("signed", "2025-03-05"), ("land_supplied", "2025-04"), ("started", "2025-06-01"), parent="p"),
    )
    assert made["reached"] == {"signed": "2025-01-05", "land_supplied": "2025-04", "started": "2025-06-01"}
    assert (made["stage"], made["stage_since"], made["next_stage"]) == ("started", "2025-06-01", "completed")


def test_stages_that_the_parents_route_does_not_have_are_left_out() -> None:
    made = rolled(
        "p",
        project("p", phased=True, route="plant"),
        project("p1", ("signed", "2025-01-05"), ("land_supplied", "2025-05-01"), parent="p"),
    )
    assert made["reached"] == {"signed": "2025-01-05"}
    assert made["next_stage"] == "started"


def test_all_in_production_is_told_apart_from_the_first_production() -> None:
    whole = [("signed", "2025-01-05"), ("producing", "2026-02-01")]
    first = project("p1", *whole, parent="p")
    made = rolled("p", project("p", phased=True), first, project("p2", ("signed", IN_TIME), parent="p"))
    assert made["stage"] == "producing"
    assert (made["all_producing"], made["all_producing_since"]) == (False, None)
    second = project("p2", ("producing", "2026-03-01"), parent="p")
    made = rolled("p", project("p", phased=True), first, second)
    assert (made["all_producing"], made["all_producing_since"]) == (True, "2026-03-01")
    assert made["stage_since"] == "2026-02-01"
    undated = rolled("p", project("p", phased=True), first, project("p2", ("producing", None), parent="p"))
    assert (undated["all_producing"], undated["all_producing_since"]) == (True, None)


def test_the_spread_counts_phases_by_stage() -> None:
    made = rolled(
        "p",
        project("p", phased=True),
        project("p1", ("signed", IN_TIME), parent="p"),
        project("p2", ("signed", IN_TIME), parent="p"),
        project("p3", parent="p"),
    )
    assert made["spread"] == [{"stage": None, "phases": 1}, {"stage": "signed", "phases": 2}]


def test_the_money_of_the_phases_stands_beside_the_parents_own() -> None:
    made = rolled(
        "p",
        project("p", phased=True, investment=100),
        project("p1", parent="p", investment=60, arrived=20),
        project("p2", parent="p", investment=30, paid_in=5),
    )
    assert made["money"] == {"investment": 90, "unknown": 0, "difference": 10, "arrived": 25}
    made = rolled("p", project("p", phased=True, investment=100, paid_in=40), project("p1", parent="p"))
    assert made["money"] == {"investment": 0, "unknown": 1, "difference": None, "arrived": 40}


def test_phases_are_followed_three_levels_down_and_a_phased_phase_speaks_through_its_own() -> None:
    documents = [
        project("p", phased=True),
        project("a", parent="p", phased=True),
        project("b", ("signed", IN_TIME), parent="a"),
        project("c", ("signed", LATE), parent="b"),
        project("d", ("signed", LATE), parent="c"),
    ]
    made = rolled("p", *documents)
    assert [(row["id"], row["depth"]) for row in made["phases"]] == [("a", 1), ("b", 2), ("c", 3)]
    assert made["members"] == ["a", "b", "c"]
    assert shown(made) == ("red", "c")
    assert made["reached"] == {"signed": LATE}
    assert light_at(made["phases"][0]["lights"], NOW)["light"] == "red", "a phased phase shows that of its phases"


def test_a_carrier_shows_its_tenants_once_each() -> None:
    made = rolled(
        "c",
        project("c", ("signed", IN_TIME), kind="carrier", carrier="c"),
        project("c1", parent="c", carrier="c"),
        project("t1", ("signed", LATE), carrier="c", credit_code="91X"),
        project("t2", ("signed", IN_TIME), carrier="c", phased=True),
        project("t2a", ("signed", "2026-04-01"), ("started", "2026-05-05"), parent="t2", carrier="c", route="plant"),
    )
    assert [row["id"] for row in made["tenants"]] == ["t1", "t2"]
    assert [row["id"] for row in made["phases"]] == ["c1"]
    assert made["members"] == ["c1", "t1", "t2"]
    late, phased = made["tenants"]
    assert light_at(late["lights"], NOW)["light"] == "red"
    assert "reason" not in late["lights"][0]
    assert (phased["stage"], phased["stage_since"]) == ("started", "2026-05-05")
    assert made["lights"], "a carrier that has phases shows theirs; its tenants never turn its light"
    assert shown(made)[1] == "c1"


def test_phases_of_a_parent_nobody_registered_are_counted_on_their_own() -> None:
    assert rolled("p", project("p1", parent="p"), project("p2", parent="p"))["roots"] == ["p1", "p2"]
    assert rolled("p", project("p"), project("p1", parent="p"))["roots"] == []


def test_of_a_ring_of_parents_exactly_one_is_a_root() -> None:
    for size in range(1, 6):
        names = [f"r{n}" for n in range(size)]
        ring = [project(name, parent=names[(n + 1) % size]) for n, name in enumerate(names)]
        roots = [root for name in names for root in rolled(name, *ring)["roots"]]
        assert roots == ["r0"], size
    hanging = [project("a", parent="b"), project("b", parent="a"), project("c", parent="a")]
    assert [rolled(name, *hanging)["roots"] for name in "abc"] == [[], ["a"], []]


LINKS = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.sampled_from("abcdefg-"), st.sampled_from("abcdef-"), st.booleans())
)


@settings(UNHURRIED, max_examples=100)
@given(LINKS, st.permutations("abcdef"))
def test_any_links_end_and_every_project_is_counted_at_most_once(
    links: dict[str, tuple[str, str, bool]], order: list[str]
) -> None:
    documents = [
        project(
            name,
            ("signed", IN_TIME if name < "c" else LATE),
            parent=None if links[name][0] == "-" else links[name][0],
            carrier=None if links[name][1] == "-" else links[name][1],
            phased=links[name][2],
        )
        for name in order
        if name in links
    ]
    named = {document[link] for document in documents for link in ("parent", "carrier") if document.get(link)}
    made = {name: rolled(name, *documents) for name in named}
    for name, rollup in made.items():
        assert len(set(rollup["members"])) == len(rollup["members"])
        assert name not in rollup["members"]
        assert all(step["light"] in LIGHTS for step in rollup["lights"])
        assert all(1 <= row["depth"] <= MAX_DEPTH for row in rollup["phases"])
    roots = [document["_id"] for document in documents if document.get("parent") is None]
    roots += [root for rollup in made.values() for root in rollup["roots"]]
    assert len(set(roots)) == len(roots)
    for document in documents:
        assert _lineage(document["_id"], documents) & set(roots), "everything hangs below something that is counted"


def _lineage(subject: str, documents: list[dict[str, Any]]) -> set[str]:
    known = {document["_id"]: document for document in documents}
    found: set[str] = set()
    while subject in known and subject not in found:
        found.add(subject)
        subject = known[subject].get("parent", "")
    return found


def test_what_a_funnel_counts_by_is_that_of_the_whole_roll_up() -> None:
    family = Family.of(
        [
            _counted("root", parent=None, reached={"signed": "2026-01-05"}, paid_in=None),
            _counted(
                "a", parent="root", reached={"signed": "2026-01-07", "started": None}, verified=["signed"], paid_in=3
            ),
            _counted("b", parent="root", reached={"signed": "2026-01-06"}, paid_in=4),
        ]
    )
    whole, part = roll_up("root", family), counted("root", family)
    assert part == {name: whole[name] for name in ("_id", "roots", "reached", "verified", "stage")} | {
        "money": {"arrived": whole["money"]["arrived"]}
    }
    assert part["money"] == {"arrived": 7}
    assert part["verified"] == ["signed"]


def _counted(id_: str, **fields: Any) -> dict[str, Any]:
    lights = [{"light": "green", "from": "1970-01-01T00:00:00.000Z", "to": "9999-12-31T00:00:00.000Z", "reason": {}}]
    return {"_id": id_, "route": "land", "status": "active", "registered": True, "lights": lights, **fields}
