"""How long will it still take: the product-limit estimate, against published figures and against plain counting."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.assess import assess
from luodi.domain.events import PROJECT_WITHDRAWN
from luodi.domain.fold import fold
from luodi.domain.forecast import MIN_ENDED, Curve, Group, Outlook, curves, outlook, sentence, spells, widened
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, Story, published

TODAY = date(2026, 6, 15)
GROUP = Group("land_supplied", "started", "land", "新材料")


def document(story: Story) -> dict[str, Any]:
    return assess(SUBJECT, fold(story.events), DEFAULT_RULES, published())


def told(story: Story, today: date = TODAY) -> list[tuple[str, int, bool]]:
    return [(s.group.awaited, s.days, s.ended) for s in spells(document(story), today.toordinal())]


def landed(start: str, **fields: Any) -> Story:
    story = Story()
    story.registered(industry="新材料", **fields)
    story.reached("land_supplied", start)
    return story


# Weeks in remission of leukaemia patients (Freireich and others, Blood 21, 1963), the example of most textbooks on the
# subject; the shares are those printed there for the group under 6-mercaptopurine. A plus sign: still in remission.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
SHARES = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}


def weeks(text: str) -> Curve:
    return Curve.of((int(word.rstrip("+")), not word.endswith("+")) for word in text.split())


def test_the_shares_are_those_of_the_textbook() -> None:
    curve = weeks(TREATED)
    assert (curve.n, curve.ended) == (21, 9)
    assert dict(zip(curve.days, (round(share, 3) for share in curve.left), strict=True)) == pytest.approx(
        SHARES, abs=0.0005
    )
    assert curve.quantile(0.5) == 23
    assert curve.quantile(0.85) is None  # the textbook's curve ends at 0.448: nobody knows


def test_without_open_cases_it_is_plain_counting() -> None:
    curve = weeks(PLACEBO)
    assert curve.quantile(0.5) == 8
    assert curve.left[-1] == pytest.approx(0, abs=1e-12)
    for week, share in {1: 19 / 21, 5: 12 / 21, 8: 8 / 21, 12: 4 / 21, 22: 1 / 21}.items():
        assert curve.share_left(week) == pytest.approx(share)


def test_what_has_passed_already_is_a_condition() -> None:
    curve = weeks(TREATED)
    assert curve.chance(16, used=9) == pytest.approx(1 - 0.6275 / 0.8067, abs=0.001)
    assert curve.chance(5, used=9) == 0.0
    assert curve.quantile(0.2, used=9) == 16
    assert weeks(PLACEBO).chance(30, used=23) is None  # none took longer, so nothing is known of one that does


CASES = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


@UNHURRIED
@given(CASES)
def test_the_share_left_never_rises_and_a_quantile_is_the_first_day_that_reaches_it(
    cases: list[tuple[int, bool]],
) -> None:
    curve = Curve.of(cases)
    left = [curve.share_left(day) for day in range(-1, 42)]
    assert left[0] == 1.0
    assert all(later <= earlier for earlier, later in pairwise(left))
    for share in (0.1, 0.5, 0.85):
        day = curve.quantile(share)
        reached = [d for d in range(42) if 1 - curve.share_left(d) >= share - 1e-9]
        assert day == (reached[0] if reached else None)


@UNHURRIED
@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_when_every_case_has_ended_the_shares_are_those_counted(days: list[int]) -> None:
    curve = Curve.of((day, True) for day in days)
    for day in range(42):
        assert curve.share_left(day) == pytest.approx(sum(d > day for d in days) / len(days))


def test_each_closed_gap_is_a_case_and_the_open_one_is_one_that_takes_longer() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-01")
    story.reached("land_supplied", "2026-02-01")
    story.reached("started", "2026-05-01")
    assert told(story) == [("land_supplied", 31, True), ("started", 89, True), ("completed", 44, False)]


def test_days_of_approved_pauses_are_no_time_taken() -> None:
    story = landed("2026-03-01")
    story.paused("2026-03-11", "2026-03-20")
    story.paused("2026-03-15", "2026-03-24", cause="enterprise")  # no cause of a pause
    assert told(story, date(2026, 4, 1)) == [("started", 20, False)]
    story.reached("started", "2026-03-31")
    assert told(story)[0] == ("started", 20, True)


def test_a_gap_that_was_passed_over_and_dates_out_of_order_tell_nothing() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-01")
    story.reached("started", "2026-03-01")
    story.reached("completed", "2026-02-01")
    story.reached("producing", None)
    assert told(story) == []


def test_a_withdrawn_project_was_open_until_it_withdrew() -> None:
    story = landed("2026-03-01")
    story.tell(PROJECT_WITHDRAWN, date="2026-03-31", reason="资金")
    assert told(story) == [("started", 30, False)]


@pytest.mark.parametrize("fields", [{"kind": "agreement"}, {"phased": True}, {"source": "published"}])
def test_what_has_no_clock_of_its_own_tells_nothing(fields: dict[str, Any]) -> None:
    story = landed("2026-03-01", **fields)
    assert told(story) == []
    assert outlook(document(story), {}, lambda _: None, TODAY.toordinal()) is None


def test_a_project_that_nobody_registered_tells_nothing() -> None:
    story = Story()
    story.reached("signed", "2026-01-01")
    assert told(story) == []


def clock_of(story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
    made = document(story)
    return made, made["clocks"][0]


def groups(days: range, group: Group = GROUP) -> dict[Group, Curve]:
    story_of = [(day, True) for day in days]
    return {group: Curve.of(story_of)}


def test_dates_follow_from_the_days_that_like_projects_took() -> None:
    made, clock = clock_of(landed("2026-06-01"))
    found = outlook(made, clock, groups(range(1, 41)).get, date(2026, 6, 1).toordinal())
    assert found is not None
    assert (found.group, found.n, found.ended) == (GROUP, 40, 40)
    assert (found.p50, found.p85) == (date(2026, 6, 21).toordinal(), date(2026, 7, 5).toordinal())
    assert found.chance == 1.0  # 60 working days are far


def test_what_has_been_used_moves_the_dates_and_approved_pauses_do_too() -> None:
    story = landed("2026-06-01")
    made, clock = clock_of(story)
    at = date(2026, 6, 22).toordinal()  # 20 days are over, and of those that took longer half took 30 or less
    found = outlook(made, clock, groups(range(1, 41)).get, at)
    assert found is not None
    assert found.p50 == date(2026, 7, 1).toordinal()
    story.paused("2026-06-22", "2026-06-26")
    made, clock = clock_of(story)
    found = outlook(made, clock, groups(range(1, 41)).get, at)
    assert found is not None
    assert found.p50 == date(2026, 7, 6).toordinal()


def test_on_the_due_date_itself_the_stage_may_still_be_reached_and_afterwards_not_in_time() -> None:
    made, clock = clock_of(landed("2026-06-01"))
    due = date.fromisoformat(clock["due"]).toordinal()
    long = groups(range(1, 201)).get
    on_it, after = outlook(made, clock, long, due), outlook(made, clock, long, due + 1)
    assert on_it is not None
    assert on_it.chance is not None
    assert on_it.chance > 0
    assert after is not None
    assert after.chance == 0.0


def test_too_few_cases_are_silent_and_wider_groups_stand_in() -> None:
    made, clock = clock_of(landed("2026-06-01"))
    wide = Group("land_supplied", "started", "land", None)
    few, enough = range(1, MIN_ENDED), range(1, MIN_ENDED + 1)
    assert outlook(made, clock, groups(few).get, TODAY.toordinal()) is None
    found = outlook(made, clock, (groups(few) | groups(enough, wide)).get, TODAY.toordinal())
    assert found is not None
    assert found.group == wide
    open_ones = Curve.of([(day, day % 2 == 0) for day in range(30)])  # 30 cases, 15 of them ended
    assert outlook(made, clock, {GROUP: open_ones}.get, TODAY.toordinal()) is None


def test_beyond_what_has_been_seen_there_is_no_date() -> None:
    made, clock = clock_of(landed("2026-01-05"))
    found = outlook(made, clock, groups(range(1, 41)).get, TODAY.toordinal())
    assert found is not None
    assert (found.p50, found.p85) == (None, None)


def test_cases_count_in_their_own_group_and_in_the_wider_ones() -> None:
    stories = [Story(), Story(), Story()]
    for story, route in zip(stories, ("land", "plant", "land"), strict=True):
        story.registered(industry="新材料", route=route)
        story.reached("started", "2026-03-01")
    stories[2].reached("completed", "2026-03-31")
    found = curves(spell for story in stories for spell in spells(document(story), TODAY.toordinal()))
    group = Group("started", "completed", "land", "新材料")
    by_route, by_gap = group._replace(industry=None), group._replace(industry=None, route=None)
    assert widened(group) == (group, by_route, by_gap)
    counted = {group: (curve.n, curve.ended) for group, curve in found.items() if group.awaited == "completed"}
    assert counted == {
        group: (2, 1),
        by_route: (2, 1),
        by_gap: (3, 1),
        group._replace(route="plant"): (1, 0),
        by_route._replace(route="plant"): (1, 0),
    }


SURE = Outlook(GROUP, 34, 25, date(2026, 7, 1).toordinal(), date(2026, 9, 1).toordinal(), 0.634)


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        (
            SURE,
            "据本区同类项目34例（新材料，供地路径）：有一半可能在2026-07-01前开工，85%可能在2026-09-01前；"
            "按期（2026-08-21）的可能性约63%",
            "From 34 like projects of the zone (新材料, route land): an even chance of the start of construction by "
            "2026-07-01, 85% by 2026-09-01; the chance to meet 2026-08-21 is about 63%",
        ),
        (
            Outlook(GROUP._replace(route=None, industry=None), 40, 30, SURE.p50, None, None),
            "据本区同类项目40例：有一半可能在2026-07-01前开工",
            "From 40 like projects of the zone: an even chance of the start of construction by 2026-07-01",
        ),
        (
            Outlook(GROUP._replace(industry=None), 40, 30, None, None, 0.0),
            "据本区同类项目40例（供地路径）：已超过同类项目的常见用时，无法推算开工日期",
            "From 40 like projects of the zone (route land): this has taken longer than can be told from them; "
            "no date for the start of construction",
        ),
    ],
)
def test_a_forecast_is_a_sentence(found: Outlook, zh: str, en: str) -> None:
    clock = {"due": "2026-08-21"}
    assert (sentence(found, clock, "zh-CN"), sentence(found, clock, "en")) == (zh, en)
