"""Units, persons and posts: what is folded of them, and whom an id stands for on a day."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.events import (
    EVENT_RETRACTED,
    LEAVE_GRANTED,
    PERSON_AMENDED,
    PERSON_HANDED_OVER,
    PERSON_REGISTERED,
    POST_AMENDED,
    POST_HANDED_OVER,
    POST_REGISTERED,
    UNIT_REGISTERED,
    Event,
)
from luodi.domain.fold import fold
from luodi.domain.kinds import KINDS
from luodi.domain.people import FIELDS, deputies_on, holder_on, holders_line, leave_on, resolve, told
from luodi.domain.subjects import PERSON, POST, UNIT, id_of, is_project, kind_of, subject_of
from tests.unit.domain.builders import UNHURRIED
from tests.unit.domain.strategies import histories

OTHERS = sorted(FIELDS)


class Office:
    """What is recorded of people, told event by event."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = {}
        self._number = count(1)

    def tell(self, kind: str, id_: str, type_: str, **data: Any) -> str:
        number = next(self._number)
        subject = subject_of(kind, id_)
        event = Event(subject, f"e{number}", type_, f"2026-03-01T00:00:{number:02d}.000Z", 0, "u-clerk", data)
        self.events.setdefault(subject, []).append(event)
        return event.id

    def person(self, id_: str, **fields: Any) -> None:
        self.tell(PERSON, id_, PERSON_REGISTERED, **fields)

    def leave(self, id_: str, date: str, until: str, deputy: str | None = None) -> str:
        return self.tell(PERSON, id_, LEAVE_GRANTED, date=date, until=until, deputy=deputy)

    def post(self, id_: str, **fields: Any) -> None:
        self.tell(POST, id_, POST_REGISTERED, name=id_, **fields)

    def hands_over(self, id_: str, holder: str | None, date: str, until: str | None = None) -> str:
        return self.tell(POST, id_, POST_HANDED_OVER, holder=holder, date=date, until=until)

    def unit(self, id_: str, **fields: Any) -> None:
        self.tell(UNIT, id_, UNIT_REGISTERED, name=id_, **fields)

    def retract(self, kind: str, id_: str, event_id: str) -> None:
        self.tell(kind, id_, EVENT_RETRACTED, event_id=event_id, reason="误报")

    def document(self, subject: str) -> dict[str, Any] | None:
        events = self.events.get(subject)
        return None if events is None else told(subject, fold(events, KINDS[kind_of(subject)].empty))

    def acting(self, named: str, on: str = "2026-03-10") -> str:
        return resolve(named, on, self.document)

    def holders(self, id_: str) -> list[tuple[str, str, str | None]]:
        document = self.document(subject_of(POST, id_))
        assert document is not None
        return [(row["holder"], row["date"], row["until"]) for row in document["holders"]]


# Subjects.


@pytest.mark.parametrize("kind", OTHERS)
def test_a_subject_of_another_kind_is_its_kind_and_its_id(kind: str) -> None:
    subject = subject_of(kind, "a.b-c_1")
    assert (kind_of(subject), id_of(subject), is_project(subject)) == (kind, "a.b-c_1", False)


def test_the_subject_of_a_project_is_its_id() -> None:
    assert subject_of("project", "p1") == "p1"
    assert (kind_of("p1"), id_of("p1"), is_project("p1")) == ("project", "p1", True)


# Folding, whatever the order of arrival.


@UNHURRIED
@given(histories(kind=POST))
def test_on_no_day_two_persons_hold_one_post(events: list[Event]) -> None:
    document = told("post:x", fold(events, KINDS[POST].empty))
    ends = ["", *((row["until"] or "9999") for row in document["holders"])]
    assert all(end < row["date"] for end, row in zip(ends, document["holders"], strict=False))


# What is told.


def test_a_field_amended_holds_and_null_clears_it() -> None:
    office = Office()
    office.person("zhang", unit="u-1", role="专员", deputies=["li"])
    office.tell(PERSON, "zhang", PERSON_AMENDED, unit=None, role="组长", telephone="110")
    document = office.document("person:zhang")
    assert document is not None
    assert {name: document.get(name) for name in FIELDS[PERSON]} == {
        "zone": None,
        "unit": None,
        "role": "组长",
        "works_from": None,
        "works_until": None,
        "deputies": ["li"],
    }
    assert "telephone" not in document


def test_whoever_takes_over_ends_the_tenure_before() -> None:
    office = Office()
    office.hands_over("head", "zhang", "2026-01-01")
    office.hands_over("head", "li", "2026-03-09")
    assert office.holders("head") == [("zhang", "2026-01-01", "2026-03-08"), ("li", "2026-03-09", None)]


def test_a_tenure_recorded_late_takes_its_place_in_the_order_of_days() -> None:
    office = Office()
    office.hands_over("head", "li", "2026-03-09")
    office.hands_over("head", "zhang", "2026-01-01")
    assert office.holders("head") == [("zhang", "2026-01-01", "2026-03-08"), ("li", "2026-03-09", None)]


def test_a_tenure_that_ends_by_itself_leaves_the_post_vacant() -> None:
    office = Office()
    office.hands_over("head", "zhang", "2026-01-01", "2026-01-31")
    office.hands_over("head", "li", "2026-03-09")
    document = office.document("post:head")
    assert document is not None
    days = ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2026-03-08", "2026-03-09", "2030-01-01")
    assert [holder_on(document, day) for day in days] == [None, "zhang", "zhang", None, None, "li", "li"]


def test_a_tenure_that_ends_before_it_begins_is_none() -> None:
    office = Office()
    office.post("head")
    office.hands_over("head", "zhang", "2026-02-01", until="2026-01-31")
    assert office.holders("head") == []


def test_a_post_is_vacated_with_null() -> None:
    office = Office()
    office.hands_over("head", "zhang", "2026-01-01")
    office.hands_over("head", None, "2026-02-01")
    assert office.holders("head") == [("zhang", "2026-01-01", "2026-01-31")]


def test_of_two_who_took_over_on_one_day_the_one_recorded_last_did() -> None:
    office = Office()
    office.hands_over("head", "zhang", "2026-01-01")
    office.hands_over("head", "li", "2026-01-01")
    assert office.holders("head") == [("li", "2026-01-01", None)]


def test_a_handing_over_that_is_retracted_never_was() -> None:
    office = Office()
    office.hands_over("head", "zhang", "2026-01-01")
    wrong = office.hands_over("head", "li", "2026-03-09")
    office.retract(POST, "head", wrong)
    assert office.holders("head") == [("zhang", "2026-01-01", None)]


def test_a_leave_covers_its_first_and_its_last_day() -> None:
    office = Office()
    leave = office.leave("zhang", "2026-03-09", "2026-03-13")
    document = office.document("person:zhang")
    assert document is not None
    assert document["registered"] is False
    covered = [leave_on(document, day) for day in ("2026-03-08", "2026-03-09", "2026-03-13", "2026-03-14")]
    assert [found and found["id"] for found in covered] == [None, leave, leave, None]


def test_the_deputy_of_the_leave_comes_before_the_usual_ones() -> None:
    office = Office()
    office.person("zhang", deputies=["li", "wang"])
    office.leave("zhang", "2026-03-09", "2026-03-13", "wang")
    document = office.document("person:zhang")
    assert document is not None
    assert deputies_on(document, "2026-03-10") == ("wang", "li")
    assert deputies_on(document, "2026-03-20") == ("li", "wang")


# Whom an id stands for.


def test_of_two_leaves_that_cover_a_day_the_one_that_began_last_names_the_deputy() -> None:
    office = Office()
    office.person("zhang")
    office.leave("zhang", "2026-03-02", "2026-03-20", "li")
    office.leave("zhang", "2026-03-09", "2026-03-12", "wang")
    days = ("2026-03-05", "2026-03-10", "2026-03-13")
    assert [office.acting("zhang", day) for day in days] == ["li", "wang", "li"]


def test_an_id_that_nobody_registered_stands_for_itself() -> None:
    office = Office()
    office.leave("zhang", "2026-03-01", "2026-03-31", "li")  # events came in before the registration
    assert [office.acting(id_) for id_ in ("zhang", "zone:demo", "operators", "u-9")] == [
        "zhang",
        "zone:demo",
        "operators",
        "u-9",
    ]


def test_a_post_is_its_holder_on_the_day() -> None:
    office = Office()
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    office.hands_over("head", "li", "2026-03-09")
    assert [office.acting("head", day) for day in ("2026-03-08", "2026-03-09")] == ["zhang", "li"]


def test_a_vacant_post_is_the_head_of_its_unit_and_without_one_itself() -> None:
    office = Office()
    office.unit("power", head="chief")
    office.post("chief")
    office.hands_over("chief", "wang", "2026-01-01")
    office.post("head", unit="power")
    office.post("lonely")
    assert office.acting("head") == "wang"
    assert office.acting("lonely") == "lonely"


def test_a_unit_is_its_head_and_without_one_itself() -> None:
    office = Office()
    office.unit("power", head="zhang")
    office.unit("water")
    assert office.acting("power") == "zhang"
    assert office.acting("water") == "water"


def test_the_first_deputy_who_is_there_stands_in_for_somebody_on_leave() -> None:
    office = Office()
    office.person("zhang", deputies=["li", "wang"])
    office.person("li")
    office.leave("zhang", "2026-03-09", "2026-03-13")
    office.leave("li", "2026-03-10", "2026-03-10")
    assert [office.acting("zhang", f"2026-03-{day:02d}") for day in (8, 9, 10, 11, 14)] == [
        "zhang",
        "li",
        "wang",
        "li",
        "zhang",
    ]


def test_a_deputy_who_is_away_has_deputies_too() -> None:
    office = Office()
    office.person("zhang", deputies=["li"])
    office.person("li", deputies=["zhang", "wang"])
    for id_ in ("zhang", "li"):
        office.leave(id_, "2026-03-09", "2026-03-13")
    assert office.acting("zhang") == "wang"


def test_a_deputy_may_be_a_post() -> None:
    office = Office()
    office.person("zhang", deputies=["duty"])
    office.post("duty")
    office.hands_over("duty", "wang", "2026-01-01")
    office.leave("zhang", "2026-03-09", "2026-03-13")
    assert office.acting("zhang") == "wang"


def test_where_everybody_is_away_it_stays_with_whom_it_belongs_to() -> None:
    office = Office()
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    office.person("zhang", deputies=["li"])
    office.person("li", deputies=["zhang"])
    for id_ in ("zhang", "li"):
        office.leave(id_, "2026-03-09", "2026-03-13")
    assert office.acting("head") == "zhang"


def test_a_unit_led_by_a_post_of_its_own_that_is_vacant_stands_for_itself() -> None:
    office = Office()
    office.unit("power", head="chief")
    office.post("chief", unit="power")
    assert office.acting("power") == "power"
    assert office.acting("chief") == "chief"


def test_of_a_post_and_a_person_under_one_id_the_post_is_meant() -> None:
    office = Office()
    office.person("head")
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    assert office.acting("head") == "zhang"


def test_a_post_that_was_amended_before_it_was_registered_is_not_there_yet() -> None:
    office = Office()
    office.tell(POST, "head", POST_AMENDED, name="组长")
    office.hands_over("head", "zhang", "2026-01-01")
    assert office.acting("head") == "head"
    office.post("head")
    assert office.acting("head") == "zhang"


_ids = st.sampled_from("abcdef")
_days = st.sampled_from(["2026-03-09", "2026-03-10", "2026-03-11"])


@UNHURRIED
@given(
    people=st.dictionaries(
        _ids.map("person:".__add__),
        st.fixed_dictionaries(
            {
                "registered": st.booleans(),
                "deputies": st.lists(_ids, max_size=3),
                "leaves": st.lists(
                    st.fixed_dictionaries({"date": _days, "until": _days, "deputy": st.none() | _ids}), max_size=2
                ),
                "handovers": st.lists(
                    st.fixed_dictionaries({"to": _ids, "date": _days, "until": st.none() | _days}), max_size=1
                ),
            }
        ),
    ),
    posts=st.dictionaries(
        _ids.map("post:".__add__),
        st.fixed_dictionaries(
            {
                "registered": st.booleans(),
                "unit": st.none() | _ids,
                "holders": st.lists(
                    st.fixed_dictionaries({"holder": _ids, "date": _days, "until": st.none() | _days}), max_size=1
                ),
            }
        ),
    ),
    units=st.dictionaries(
        _ids.map("unit:".__add__), st.fixed_dictionaries({"registered": st.booleans(), "head": st.none() | _ids})
    ),
    named=_ids,
)
def test_whatever_is_recorded_somebody_acts_and_nobody_who_is_away_while_another_is_there(
    people: Mapping[str, Any], posts: Mapping[str, Any], units: Mapping[str, Any], named: str
) -> None:
    known = {**people, **posts, **units}
    acting = resolve(named, "2026-03-10", known.get)
    assert acting in set("abcdef")
    assert acting == resolve(named, "2026-03-10", known.get)
    kinds = [kind for kind in (POST, UNIT, PERSON) if known.get(subject_of(kind, acting), {}).get("registered")]
    line = holders_line(named, "2026-03-10", known.get)
    assert line[0] == named
    assert len(set(line)) == len(line)
    if kinds[:1] == [PERSON] and leave_on(people[f"person:{acting}"], "2026-03-10") is not None:
        # Somebody on leave acts only where each who would stand in leads on to somebody else, or nowhere.
        for deputy in deputies_on(people[f"person:{acting}"], "2026-03-10"):
            registered = any(known.get(subject_of(kind, deputy), {}).get("registered") for kind in FIELDS)
            assert registered or len(holders_line(deputy, "2026-03-10", known.get)) > 1


# Handing over all that a person holds.


def test_everything_that_names_a_person_who_has_handed_over_is_anothers_from_the_day_on() -> None:
    office = Office()
    for id_ in ("zhang", "li"):
        office.person(id_)
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    office.unit("power", head="head")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-03-09")
    for named in ("zhang", "head", "power"):
        assert [office.acting(named, day) for day in ("2026-03-08", "2026-03-09")] == ["zhang", "li"]


def test_a_person_nobody_registered_can_hand_over_too() -> None:
    office = Office()
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-03-09")
    assert office.acting("zhang") == "li"


def test_after_the_last_day_all_is_the_persons_own_again() -> None:
    office = Office()
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-03-09", until="2026-03-10")
    assert [office.acting("zhang", f"2026-03-{day:02d}") for day in (8, 9, 10, 11)] == ["zhang", "li", "li", "zhang"]


def test_null_takes_back_and_the_last_recorded_of_a_day_holds() -> None:
    office = Office()
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-03-01")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="wang", date="2026-03-01")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to=None, date="2026-03-09")
    assert [office.acting("zhang", day) for day in ("2026-03-08", "2026-03-09")] == ["wang", "zhang"]


def test_a_successor_on_leave_is_stood_in_for_and_the_line_still_ends_with_the_successor() -> None:
    office = Office()
    office.person("zhang", deputies=["wang"])
    office.person("li", deputies=["zhao"])
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-01-01")
    office.leave("li", "2026-03-09", "2026-03-13")
    assert office.acting("zhang") == "zhao"
    assert holders_line("zhang", "2026-03-10", office.document) == ("zhang", "li")


def test_a_person_may_hand_over_to_a_post_and_a_circle_leaves_each_what_is_theirs() -> None:
    office = Office()
    office.post("duty")
    office.hands_over("duty", "wang", "2026-01-01")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="duty", date="2026-01-01")
    assert holders_line("zhang", "2026-03-10", office.document) == ("zhang", "duty", "wang")
    office.tell(PERSON, "wang", PERSON_HANDED_OVER, to="zhang", date="2026-01-01")
    assert [holders_line(id_, "2026-03-10", office.document)[-1] for id_ in ("zhang", "wang")] == ["zhang", "wang"]


def test_what_came_down_to_somebody_comes_down_again_when_all_was_handed_back() -> None:
    office = Office()
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-02-01")
    office.tell(PERSON, "li", PERSON_HANDED_OVER, to="zhang", date="2026-03-01")
    acting = [office.acting("head", day) for day in ("2026-01-31", "2026-02-28", "2026-03-01")]
    assert acting == ["zhang", "li", "zhang"]
    assert holders_line("head", "2026-03-01", office.document) == ("head", "zhang")


def test_what_somebody_hands_over_to_themselves_stays_theirs() -> None:
    office = Office()
    office.post("head")
    office.hands_over("head", "zhang", "2026-01-01")
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="zhang", date="2026-02-01")
    assert office.acting("head") == "zhang"


def test_a_handover_that_is_retracted_never_was() -> None:
    office = Office()
    wrong = office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-03-01")
    office.retract(PERSON, "zhang", wrong)
    assert office.acting("zhang") == "zhang"
    assert "handovers" not in (office.document("person:zhang") or {})


def test_whoever_hands_over_in_a_circle_is_stood_in_for_like_anybody() -> None:
    office = Office()
    office.person("zhang", deputies=["wang"])
    office.tell(PERSON, "zhang", PERSON_HANDED_OVER, to="li", date="2026-01-01")
    office.tell(PERSON, "li", PERSON_HANDED_OVER, to="zhang", date="2026-01-01")
    office.leave("zhang", "2026-03-09", "2026-03-13")
    assert [office.acting("zhang", day) for day in ("2026-03-08", "2026-03-10")] == ["zhang", "wang"]
