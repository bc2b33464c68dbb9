"""Blockers worked off: the level picks the ladder, and 销号 needs the word of the enterprise."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.runtime.problems import ProblemError
from services.notify.documents import matter_document, matter_from, watch_document, watch_from
from services.notify.matters import Matter
from tests.unit.notify.test_ladder import PEOPLE, Story
from tests.unit.notify.test_owners import PROMISE, promise


class Hampered(Story):
    """A project with one blocker, promised for the 11th."""

    def __init__(self, level: str | None = None) -> None:
        super().__init__()
        self.now_known(level)

    def now_known(self, level: str | None = None, cleared: str | None = None, **fields: Any) -> None:
        self.hears(clocks=[], blockers=[promise(cleared=cleared) | {"level": level}], **PEOPLE | fields)

    def minutes(self, number: int) -> None:
        for _ in range(number):
            self.passes(61)
            self.look()

    def kept(self) -> Matter:
        return self.matters.rows[PROMISE]

    def close(self, actor: str = "g") -> Matter:
        return self.acts().do("close", PROMISE, f"close-{actor}", actor, {})

    def refusal(self) -> str:
        with pytest.raises(ProblemError) as refused:
            self.close()
        return refused.value.code


def confirmed(satisfied: bool) -> dict[str, Any]:
    return {"confirmations": [{"id": "c1", "blocker_id": "b1", "by": "p-1", "satisfied": satisfied}]}


def test_an_ordinary_blocker_climbs_by_the_ladder_of_the_zone() -> None:
    story = Hampered("一般")
    story.until("13 01:00")
    assert story.heard_by()[-1] == ("escalated", 1, "g")
    story.until("17 01:00")
    assert story.heard_by()[-1] == ("escalated", 1, "g"), "three working days are not over"


def test_one_that_needs_coordination_climbs_sooner() -> None:
    story = Hampered("协调")
    story.until("17 01:00")  # two working days: 13 and 16 are over
    assert story.heard_by()[-1] == ("escalated", 2, "u")


def test_a_grave_one_reaches_the_leader_on_its_first_day_and_at_once() -> None:
    story = Hampered("重大")
    story.until("12 01:00")
    story.minutes(4)
    assert [(kind, level, who) for kind, level, who in story.heard_by() if kind == "escalated"] == [
        ("escalated", 1, "g"),
        ("escalated", 2, "u"),
        ("escalated", 3, "v"),
    ]
    assert all(row.urgent for row in story.inbox("escalated"))


def test_one_of_a_level_that_has_no_ladder_of_its_own_climbs_as_all_do() -> None:
    story = Hampered("特殊")
    story.until("17 01:00")
    assert story.heard_by()[-1] == ("escalated", 1, "g")
    assert story.kept().facts["level"] == "特殊"


def test_a_blocker_whose_level_is_raised_climbs_by_the_other_ladder_from_then_on_without_a_word_about_it() -> None:
    story = Hampered("一般")
    story.until("12 01:00")
    told = len(story.heard_by())
    story.now_known("重大")
    story.minutes(4)
    assert [kind for kind, _, _ in story.heard_by()[told:]] == ["escalated"] * 3
    assert story.kept().facts["ladder"]["same_day"] is True
    assert (story.kept().episode, story.kept().facts["level"]) == (1, "重大")


def test_what_is_known_of_level_and_confirmation_outlives_the_process() -> None:
    story = Hampered("协调")
    story.until("12 01:00")
    story.now_known("协调", "2026-03-12", **confirmed(satisfied=True))
    (watch,) = story.watches.get_many([story.kept().project_id or ""]).values()
    assert watch.confirmed == {"b1"}
    stored = watch_document(watch)
    assert watch_from(stored).confirmed == {"b1"}
    assert watch_from({k: v for k, v in stored.items() if k != "confirmed"}).confirmed == set(), "of an earlier version"
    assert matter_from(matter_document(story.kept())).facts["level"] == "协调"


def test_a_blocker_is_not_closed_before_the_enterprise_says_that_it_is_out_of_the_way() -> None:
    story = Hampered()
    story.until("12 01:00")
    story.now_known(cleared="2026-03-12")
    story.until("12 02:00")
    assert story.refusal() == "not-confirmed"
    story.now_known(cleared="2026-03-12", **confirmed(satisfied=False))
    assert story.refusal() == "not-confirmed", "the enterprise says that it is not"
    story.now_known(cleared="2026-03-12", **confirmed(satisfied=True))
    assert story.close().entries[-1].kind == "closed"


def test_another_promise_does_not_deal_with_a_blocker() -> None:
    story = Hampered()
    story.until("12 01:00")
    later = promise() | {"promise": "2026-06-11", "lights": [], "cleared": None}
    story.hears(clocks=[], blockers=[later], **PEOPLE)
    story.until("12 02:00")
    assert story.kept().state == "cleared"
    assert story.refusal() == "not-cleared"


@pytest.mark.parametrize("fields", [{"blockers": []}, {"status": "withdrawn", "withdrawn": {"date": "2026-03-12"}}])
def test_of_a_blocker_that_was_taken_back_or_of_a_project_given_up_no_enterprise_is_asked(
    fields: dict[str, Any],
) -> None:
    story = Hampered()
    story.until("12 01:00")
    story.hears(**{"clocks": [], "blockers": [promise(cleared="2026-03-12")], **PEOPLE, **fields})
    story.until("12 02:00")
    assert story.close().entries[-1].kind == "closed"
