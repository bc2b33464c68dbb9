"""A stall from its warning to its all-clear, as people meet it: who hears what, in which order, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from luodi.domain.days import instant, parse_instant
from luodi.runtime.problems import ProblemError
from services.notify.acts import Acts
from services.notify.matters import Matter
from tests.unit.notify.builders import CALENDAR, MATTER, TELLER, clock, overdue
from tests.unit.notify.world import Notifier, World, settled

PEOPLE = {"officer": "o", "group_head": "g", "lead_unit": "u", "leader": "l", "vice_leader": "v"}
YELLOW, RED = "2026-03-05T16:00:00.000Z", "2026-03-11T16:00:00.000Z"  # midnights that begin Friday 6 and Thursday 12


def stage(
    yellow: str | None = YELLOW, red: str | None = RED, rule: str = "zone-default", **more: Any
) -> dict[str, Any]:
    """A clock that turns yellow, then red."""
    made = clock(red, rule=rule)
    if yellow is not None:
        soon = {"light": "yellow", "from": yellow, "to": red, "reason": {**overdue("2026-03-11"), "code": "due-soon"}}
        made["lights"][0]["to"] = yellow
        made["lights"].insert(1, soon)
    return {**made, "due": "2026-03-11", **more}


def local(text: str) -> str:
    """An instant from local day and time in March 2026, like "12 00:00:05"."""
    day, time = text.split(" ")
    return instant(datetime.fromisoformat(f"2026-03-{day}T{time}").replace(tzinfo=CALENDAR.timezone))


class Story(World):
    """A world that is told by the calendar."""

    def until(self, text: str) -> None:
        """Time passes to this moment; a notifier looks whenever something may be due."""
        moment = parse_instant(local(text))
        while self.clock.now() < moment:
            left = (moment - self.clock.now()).total_seconds()
            self.passes(min(left, 6 * 3600.0))
            self.look()

    def starts(self) -> None:
        """The awaited stage is reported."""
        self.hears(reached={"signed": "2025-12-01", "started": "2026-03-04"}, **PEOPLE)

    def look(self) -> None:
        notifier = Notifier(self)
        while not notifier.sweep().idle:
            pass
        while notifier.deliver():
            pass

    def acts(self) -> Acts:
        return Acts(self.matters, self.watches, TELLER, self.clock)

    def act(self, what: str, actor: str, entry: str | None = None, **data: Any) -> Matter:
        matter = self.matters.rows[MATTER]
        return self.acts().do(what, MATTER, entry or f"{what}-{actor}-{matter.version}", actor, data)

    def heard_by(self) -> list[tuple[str, int, str]]:
        """Kind, level, recipient of everything in the inbox, in the order in which it came."""
        rows = sorted(self.inbox(), key=lambda row: (row.created_at, row.order, row.recipient))
        return [(row.kind, row.level, row.recipient) for row in rows]


@pytest.fixture
def story() -> Story:
    """A project whose stage is due on the 11th, with everybody named."""
    made = Story()
    made.hears(clocks=[stage()], **PEOPLE)
    return made


WARNED = [("warning", 0, "g"), ("warning", 0, "o")]
STALLED = [("stalled", 0, "g"), ("stalled", 0, "o")]


def test_officer_and_group_head_are_warned_then_told_then_it_climbs_to_the_vice_leader(story: Story) -> None:
    story.until("06 01:00")
    assert story.heard_by() == WARNED
    story.until("12 01:00")
    assert story.heard_by() == WARNED + STALLED
    story.until("13 01:00")  # the 12th was for verifying
    assert story.heard_by()[4:] == [("escalated", 1, "g")]
    story.until("19 01:00")  # three working days: 13, 16 and 17 are over on the 18th
    assert story.heard_by()[4:] == [("escalated", 1, "g"), ("escalated", 2, "u")]
    story.until("25 01:00")
    assert story.heard_by()[6:] == [("escalated", 3, "v")]
    story.until("31 23:00")
    assert len(story.heard_by()) == 7
    settled(story)
    assert all(row.status == "sent" for row in story.notifications.rows.values())


def test_everybody_who_was_told_of_the_stall_hears_once_that_it_is_over(story: Story) -> None:
    story.until("19 01:00")
    story.starts()
    story.passes(61)
    story.look()
    assert sorted(story.heard_by()[6:]) == [("cleared", 0, "g"), ("cleared", 0, "o"), ("cleared", 0, "u")]


def test_a_stage_reached_after_the_warning_alone_needs_no_all_clear(story: Story) -> None:
    story.until("07 01:00")
    story.starts()
    story.passes(61)
    story.look()
    assert story.heard_by() == WARNED
    assert story.matters.rows[MATTER].state == "cleared"


def test_a_stage_reached_within_its_grace_is_told_to_nobody_as_a_stall(story: Story) -> None:
    story.until("11 23:59")
    story.starts()
    story.until("12 01:00")
    assert story.heard_by() == WARNED


def test_a_signature_holds_the_step_and_its_expiry_lets_it_climb(story: Story) -> None:
    story.until("12 10:00")
    signed = story.act("sign", "o")
    assert [entry.kind for entry in signed.entries] == ["signed"]
    story.until("13 23:00")  # without it, it would have climbed this morning
    assert story.heard_by()[4:] == []
    story.until("16 01:00")
    assert story.heard_by()[4:] == [("escalated", 1, "g")]


def test_an_accepted_feedback_holds_the_ladder_until_its_date_and_at_most_twice(story: Story) -> None:
    story.until("12 10:00")
    story.act("feedback", "o", text="机械已进场", recovery="2026-03-18")
    story.act("review", "g", accepted=True)
    story.until("18 23:00")
    assert story.heard_by()[4:] == []
    story.until("19 10:00")
    assert story.heard_by()[4:] == [("escalated", 1, "g")]
    story.act("feedback", "g", text="下周开工", recovery="2026-03-24")
    story.act("review", "u", accepted=True)
    story.until("25 10:00")
    assert story.heard_by()[5:] == [("escalated", 2, "u")]
    story.act("feedback", "u", text="再等一周", recovery="2026-03-31")
    with pytest.raises(ProblemError) as refused:
        story.act("review", "v", accepted=True)
    assert refused.value.code == "held-too-often"


def test_at_the_top_whoever_lets_a_signature_expire_is_told_again(story: Story) -> None:
    story.until("25 10:00")
    story.act("sign", "v")
    story.until("31 23:00")
    story.passes(3 * 86_400)
    story.look()
    assert [(row.round, row.recipient) for row in story.inbox("escalated") if row.level == 3] == [(1, "v"), (2, "v")]


def test_the_text_says_by_when_and_who_is_told_next(story: Story) -> None:
    story.until("13 01:00")
    first, climbed = story.inbox("stalled")[0].texts, story.inbox("escalated")[0].texts
    assert "2026-03-12仍未办理的，报专班组长 g" in first.text_zh
    assert "if that is not done by 2026-03-12, group head g is told" in first.text_en
    assert "红灯到期未核实，现报专班组长 g" in climbed.text_zh
    assert "2026-03-17仍未办理的，报牵头单位 u" in climbed.text_zh
    assert "It climbs because nobody verified the red in time" in climbed.text_en


def test_a_rule_of_the_same_day_reaches_the_leader_at_once_and_is_urgent() -> None:
    story = Story()
    story.hears(clocks=[stage(None, rule="jiangdong", preset="jiangdong")], key=True, **PEOPLE)
    story.until("12 00:01")
    for _ in range(5):
        story.passes(10)
        story.look()
    assert story.heard_by() == [*STALLED, ("escalated", 1, "g"), ("escalated", 2, "u"), ("escalated", 3, "l")]
    assert all(row.urgent for row in story.inbox())
    assert "按规则当日报" in story.inbox("stalled")[0].texts.text_zh
    story.until("20 01:00")
    assert story.heard_by()[5:] == [("escalated", 4, "zone:demo")]


def test_nothing_but_the_same_day_and_faults_is_urgent(story: Story) -> None:
    story.until("13 01:00")
    assert not any(row.urgent for row in story.inbox())


def test_another_rule_that_breaks_is_a_new_round_that_no_signature_covers(story: Story) -> None:
    story.until("12 10:00")
    story.act("sign", "o")
    law = stage(None, "2026-03-12T16:00:00.000Z", "idle-land-1", preset="idle-land")
    story.hears(clocks=[stage(), law], **PEOPLE)
    story.until("13 01:00")
    matter = story.matters.rows[MATTER]
    assert (matter.round, matter.facts["rules"]) == (2, ["idle-land-1", "zone-default"])
    assert story.heard_by()[4:] == STALLED
    assert story.inbox("stalled")[-1].texts.title_zh.endswith("又有规则亮红灯")
    story.until("14 01:00")
    assert matter.entries_since() == ()


def test_who_takes_the_project_over_takes_over_what_must_be_signed(story: Story) -> None:
    story.until("13 10:00")
    story.hears(clocks=[stage()], **PEOPLE | {"group_head": "g2"})
    with pytest.raises(ProblemError) as refused:
        story.act("sign", "g")
    assert (refused.value.code, refused.value.params["allowed"]) == ("not-theirs", "g2, u, v")
    assert story.act("sign", "g2").entries[-1].by == "g2"


def test_the_same_act_again_is_the_same_act(story: Story) -> None:
    story.until("12 10:00")
    once = story.act("sign", "o", "e1", note="已知悉")
    assert story.act("sign", "o", "e1", note="已知悉") == once
    with pytest.raises(ProblemError) as refused:
        story.act("sign", "o", "e1", note="另一内容")
    assert refused.value.code == "conflict"


def test_what_may_not_be_done_is_refused_with_its_reason(story: Story) -> None:
    def refusal(what: str, actor: str, **data: Any) -> str:
        with pytest.raises(ProblemError) as refused:
            story.act(what, actor, **data)
        return refused.value.code

    story.until("06 01:00")
    assert refusal("sign", "o") == "not-stalled"  # it is only warned of
    story.until("12 10:00")
    assert refusal("sign", "stranger") == "not-theirs"
    assert refusal("review", "g", accepted=True) == "nothing-to-review"
    assert refusal("feedback", "o", text="…", recovery="2026-03-11") == "invalid"
    assert refusal("feedback", "o", text="…", recovery="2026-06-11") == "invalid"
    assert refusal("close", "g") == "not-over"
    story.act("feedback", "g", text="…", recovery="2026-06-10")
    assert refusal("review", "o", accepted=True) == "not-theirs"
    assert refusal("review", "g", accepted=True) == "own-feedback"
    story.act("review", "u", accepted=False, reason="日期过远")
    assert refusal("review", "u", accepted=True) == "nothing-to-review"


def test_a_matter_is_closed_once_its_stall_is_over(story: Story) -> None:
    story.until("12 10:00")
    story.starts()
    story.until("12 11:00")
    assert story.act("close", "g", note="现场核实").entries[-1].kind == "closed"
    with pytest.raises(ProblemError) as refused:
        story.act("close", "u")
    assert refused.value.code == "already-closed"


def test_a_fault_of_the_system_is_nobodys_to_sign(story: Story) -> None:
    story.clock.advance(3600)
    Notifier(story).sweep()
    (fault,) = [matter for matter in story.matters.rows.values() if matter.kind == "operations"]
    with pytest.raises(ProblemError) as refused:
        story.acts().do("sign", fault.id, "e1", "operators", {})
    assert refused.value.code == "not-a-stall"
