"""The pool before signing: who is in it, how it is left, and what its rate of success counts."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.assess import assess
from luodi.domain.clocks import LIGHTS
from luodi.domain.events import PROJECT_WITHDRAWN, SUSPENSION_BEGUN
from luodi.domain.fold import advance, fold
from luodi.domain.pool import PROJECT_DROPPED, PROJECT_POOLED, TALK_HELD, TALKS_KEPT, definitions, success
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, Story, published


def pooled(date: str = "2026-01-05", **told: Any) -> Story:
    """A registered project that entered the pool."""
    story = Story()
    story.registered()
    story.tell(PROJECT_POOLED, date=date, introducer="链主", introduced_by="示例链主公司", **told)
    return story


def stored(story: Story) -> dict[str, Any]:
    """The document as it is stored."""
    return assess(SUBJECT, fold(story.events), DEFAULT_RULES, published())


def test_only_an_event_brings_a_project_into_the_pool() -> None:
    story = Story()
    story.registered()
    document = story.document()
    assert document["status"] == "active"
    assert "pool" not in document


def test_what_is_in_the_pool_has_no_clock_and_its_blockers_promises_do_not_count() -> None:
    story = pooled()
    story.blocked("2026-01-06", promise="2026-01-10")
    document = story.document()
    assert (document["status"], document["stage"], document["clocks"]) == ("pool", None, [])
    assert [(step["light"], step["reason"]["code"]) for step in document["lights"]] == [("grey", "pool")]
    assert document["greys"] == []


def test_the_first_milestone_takes_it_out_under_the_same_id_and_its_clock_runs() -> None:
    story = pooled()
    story.reached("signed", "2026-03-02")
    document = story.document()
    assert document["status"] == "active"
    assert document["clocks"][0]["gap"] == ["signed", "land_supplied"]
    assert document["pool"]["standing"] == "signed"
    assert document["pool"]["signed"] == {"stage": "signed", "date": "2026-03-02"}


def test_a_signature_taken_back_puts_it_into_the_pool_again() -> None:
    story = pooled()
    story.retracted(story.reached("signed", "2026-03-02"))
    assert story.document()["status"] == "pool"


def test_a_later_stage_without_the_signature_takes_it_out_too() -> None:
    story = pooled()
    story.reached("started", "2026-03-02")
    document = story.document()
    assert document["status"] == "active"
    assert document["pool"]["signed"] == {"stage": "started", "date": "2026-03-02"}


def test_a_stage_that_is_not_on_its_route_takes_nothing_out() -> None:
    story = Story()
    story.registered(route="plant")
    story.tell(PROJECT_POOLED, date="2026-01-05")
    story.reached("land_supplied", "2026-03-02")
    assert story.document()["status"] == "pool"


def test_it_is_in_reserve_until_somebody_talks_with_it() -> None:
    story = pooled()
    assert story.document()["pool"]["standing"] == "reserve"
    story.tell(TALK_HELD, date="2026-01-12", way="来访", text="看地", next="报方案", next_date="2026-01-20")
    pool = story.document()["pool"]
    assert (pool["standing"], pool["talks"], pool["last_talk"]) == ("talking", 1, "2026-01-12")
    assert (pool["next"], pool["next_date"]) == ("报方案", "2026-01-20")


def test_what_comes_next_is_what_the_latest_talk_says_however_late_it_was_recorded() -> None:
    story = pooled()
    story.tell(TALK_HELD, date="2026-02-10", way="电话", text="谈条件", next="签约", next_date="2026-03-01")
    story.tell(TALK_HELD, date="2026-01-12", way="来访", text="看地", next="报方案", next_date="2026-01-20")
    pool = story.document()["pool"]
    assert [talk["date"] for talk in pool["log"]] == ["2026-01-12", "2026-02-10"]
    assert (pool["last_talk"], pool["next"]) == ("2026-02-10", "签约")


def test_of_many_talks_the_last_recorded_are_kept_and_all_are_counted() -> None:
    story = pooled()
    for number in range(TALKS_KEPT + 3):
        story.tell(TALK_HELD, date="2026-02-10", way="电话", text=f"第{number}次")
    pool = story.document()["pool"]
    assert pool["talks"] == TALKS_KEPT + 3
    assert [talk["text"] for talk in pool["log"]] == [f"第{number}次" for number in range(3, TALKS_KEPT + 3)]


def test_dropped_it_stays_in_the_pool_with_the_reason() -> None:
    story = pooled()
    story.tell(PROJECT_DROPPED, date="2026-02-01", reason="改投外地")
    document = story.document()
    assert document["status"] == "pool"
    assert document["pool"]["standing"] == "dropped"
    assert document["pool"]["dropped"] == {"date": "2026-02-01", "reason": "改投外地", "actor": "u-zhang"}


def test_entered_again_it_is_taken_up_again() -> None:
    story = pooled()
    story.tell(PROJECT_DROPPED, date="2026-02-01", reason="改投外地")
    story.tell(PROJECT_POOLED, date="2026-04-01", introducer="商会")
    pool = story.document()["pool"]
    assert (pool["standing"], pool["date"], pool["introducer"], pool["dropped"]) == (
        "reserve",
        "2026-04-01",
        "商会",
        None,
    )


def test_a_drop_taken_back_leaves_it_where_it_was() -> None:
    story = pooled()
    story.retracted(story.tell(PROJECT_DROPPED, date="2026-02-01", reason="改投外地"))
    assert story.document()["pool"]["standing"] == "reserve"


def test_what_is_given_up_before_anything_was_signed_is_dropped_and_still_in_the_pool() -> None:
    story = pooled()
    story.tell(PROJECT_WITHDRAWN, date="2026-02-01", reason="不来了")
    document = story.document()
    assert (document["status"], document["pool"]["standing"]) == ("pool", "dropped")
    assert document["pool"]["dropped"]["reason"] == "不来了"


def test_signed_and_then_given_up_it_is_withdrawn_like_any_other_and_counts_as_signed() -> None:
    story = pooled()
    story.reached("signed", "2026-03-02")
    story.tell(PROJECT_WITHDRAWN, date="2026-05-01", reason="资金断裂")
    document = story.document()
    assert (document["status"], document["pool"]["standing"]) == ("withdrawn", "signed")


def test_a_stop_of_work_makes_nothing_of_it_but_a_project_in_the_pool() -> None:
    story = pooled()
    story.tell(SUSPENSION_BEGUN, date="2026-02-01")
    assert story.document()["status"] == "pool"


def test_a_project_that_had_signed_before_never_was_in_the_pool() -> None:
    story = pooled(date="2026-05-01")
    story.reached("signed", "2026-03-02")
    pool = story.document()["pool"]
    assert (pool["standing"], pool["date"]) == (None, None)


@pytest.mark.parametrize("signed", ["2026-05-01", "2026-05", "2026", None])
def test_a_signature_that_may_have_come_after_counts(signed: str | None) -> None:
    story = pooled(date="2026-05-01")
    story.reached("signed", signed)
    assert story.document()["pool"]["standing"] == "signed"


def test_talks_alone_bring_no_project_into_the_pool() -> None:
    story = Story()
    story.registered()
    story.tell(TALK_HELD, date="2026-02-10", way="电话", text="回访")
    document = story.document()
    assert document["status"] == "active"
    assert (document["pool"]["standing"], document["pool"]["talks"]) == (None, 1)


def test_event_by_event_the_state_becomes_the_same() -> None:
    story = pooled()
    story.tell(TALK_HELD, date="2026-02-10", way="电话", text="谈条件")
    story.tell(PROJECT_DROPPED, date="2026-02-01", reason="改投外地")
    story.tell(PROJECT_POOLED, date="2026-04-01")
    state = fold(story.events[:1])
    for event in story.events[1:]:
        before = fold(story.events[: story.events.index(event)])
        after = advance(state, event)
        assert after is not None
        assert state == before  # what was given is left as it was
        state = after
    assert state == fold(reversed(story.events))


def test_the_light_in_the_pool_is_one_that_steps_can_hold() -> None:
    assert {step["light"] for step in stored(pooled())["lights"]} <= set(LIGHTS)


# The rate.


def row(standing: str, count: int, *, talked: bool = True) -> dict[str, Any]:
    return {"standing": standing, "count": count, "talked": talked}


def test_the_rate_is_signed_by_talked_with_and_dropped_ones_stay_below_the_line() -> None:
    rows = [row("signed", 3), row("talking", 4), row("dropped", 2), row("reserve", 5, talked=False)]
    told = success(rows)
    assert (told["entered"], told["talked"]) == (14, 9)
    assert told["success"] == {"numerator": 3, "denominator": 9, "rate": 0.3333}


def test_dropped_before_any_talk_it_was_not_talked_with() -> None:
    assert success([row("dropped", 2, talked=False), row("talking", 1)])["talked"] == 1


def test_whoever_signed_was_talked_with_whether_or_not_it_was_written_down() -> None:
    assert success([row("signed", 1, talked=False)])["success"] == {"numerator": 1, "denominator": 1, "rate": 1.0}


def test_nobody_talked_with_is_no_rate() -> None:
    assert success([row("reserve", 2, talked=False)])["success"]["rate"] is None
    assert success([])["entered"] == 0


def test_every_number_says_what_it_means_in_both_languages() -> None:
    told = success([row("signed", 1)])
    assert set(definitions("zh-CN")) == set(told) == set(definitions("en"))
