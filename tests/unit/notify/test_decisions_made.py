"""Decisions worked off like any stall: told to whoever must do it, signed for, climbing to the leader, closed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from luodi.domain.days import BEGINNING, END_OF_TIME
from luodi.domain.events import MATTER_CLOSED, MATTER_SIGNED
from luodi.runtime.problems import ProblemError
from services.notify.acts import Acts
from services.notify.decisions import MAX_NAME, as_watched
from services.notify.directory import ActingWatches, Directory
from services.notify.documents import watch_document, watch_from
from services.notify.matters import Matter
from services.notify.watches import watch_of
from tests.unit.notify.builders import TELLER, at
from tests.unit.notify.fakes import MemoryDirectory
from tests.unit.notify.test_ladder import RED, YELLOW, Story
from tests.unit.notify.test_owners import entry, held

SUBJECT = "decision:d1"


def lights(red: str = RED, yellow: str = YELLOW, due: str = "2026-03-11") -> list[dict[str, Any]]:
    about = {"owner": "power", "start": "2026-02-20", "due": due, "limit": 19, "unit": "calendar_days"}
    begins = (
        ("green", "decision-in-time", BEGINNING),
        ("yellow", "decision-due-soon", yellow),
        ("red", "decision-overdue", red),
    )
    ends = [begin for _, _, begin in begins[1:]] + [END_OF_TIME]
    return [
        {"light": light, "from": begin, "to": end, "reason": {"code": code, **about}}
        for (light, code, begin), end in zip(begins, ends, strict=True)
    ]


class Decided(Story):
    """A decision of a leader that a unit must carry out by the 11th; somebody follows it up."""

    def __init__(self, **fields: Any) -> None:
        super().__init__()
        self.directory = MemoryDirectory()
        self.directory.put([entry("unit:power", head="power-head"), entry("post:power-head", holders=held("u-wang"))])
        acting = ActingWatches(self.watches, Directory(self.directory), lambda: date(2026, 3, 12), lambda _: None)
        self.watches = acting  # type: ignore[assignment]  # the same port, as the service puts it together
        self.decided: dict[str, Any] = {
            "registered": True,
            "text": "四月底前完成110千伏线路迁改",
            "zone": "demo",
            "owner": "power",
            "supervisor": "u-office",
            "leader": "l",
            "due": "2026-03-11",
            "course": {"lights": lights(), "done": None},
        } | fields
        self.recorded()

    def recorded(self, **fields: Any) -> None:
        self.events += 1
        self.decided |= fields
        state = {"id": SUBJECT, "events": self.events, "ruleset": 1, "updated_at": at(0), **self.decided}
        before = self.watches.get_many([SUBJECT]).get(SUBJECT)
        self.watches.put([watch_of(as_watched(state), before, self.clock.now_text(), 0)])

    def kept(self) -> Matter:
        return self.matters.rows[SUBJECT]

    def do(self, what: str, actor: str, **data: Any) -> Matter:
        acts = Acts(self.matters, self.watches, TELLER, self.clock)
        return acts.do(what, SUBJECT, f"{what}-{actor}", actor, data)


def test_whoever_must_do_it_and_whoever_follows_it_up_are_warned_and_told_and_it_climbs_to_the_leader() -> None:
    story = Decided()
    story.until("12 09:00")
    assert story.heard_by() == [
        ("assigned", 0, "u-wang"),
        *[("warning", 0, who) for who in ("u-office", "u-wang")],
        *[("stalled", 0, who) for who in ("u-office", "u-wang")],
    ]
    (row,) = (row for row in story.inbox("stalled") if row.recipient == "u-wang")
    assert row.texts.title_zh == "交办事项超期1天：四月底前完成110千伏线路迁改"
    assert "责任单位 u-wang签收" in row.texts.text_zh
    assert "power was to have done it by 2026-03-11" in row.texts.text_en
    story.until("13 01:00")
    assert story.heard_by()[-1] == ("escalated", 1, "u-office")
    story.until("19 01:00")
    assert story.heard_by()[-1] == ("escalated", 3, "l")


def test_it_is_signed_for_answered_reviewed_and_closed_once_it_is_done() -> None:
    story = Decided()
    story.until("12 09:00")
    with pytest.raises(ProblemError) as refused:
        story.do("close", "u-office")
    assert refused.value.code == "not-over"
    story.do("sign", "u-wang")
    story.do("feedback", "u-wang", text="设备已到", recovery="2026-03-20")
    story.do("review", "u-office", accepted=True)
    story.until("19 01:00")
    assert len(story.heard_by()) == 5, "its recovery date holds the ladder"
    story.recorded(course={"lights": [], "done": "2026-03-19"})
    story.until("19 09:00")
    assert story.kept().clearing is not None
    assert story.kept().clearing["code"] == "decision-done"  # type: ignore[index]
    assert {row.recipient for row in story.inbox("cleared")} == {"u-office", "u-wang"}
    assert "已于2026-03-19办结" in story.inbox("cleared")[0].texts.text_zh
    closed = story.do("close", "u-office")
    told = [(event.subject, event.type, event.actor) for event in closed.outbox]
    assert told[0] == (SUBJECT, MATTER_SIGNED, "u-wang")
    assert told[-1] == (SUBJECT, MATTER_CLOSED, "u-office")


def test_a_later_day_lifts_the_notice_and_says_until_when() -> None:
    story = Decided()
    story.until("12 09:00")
    red, yellow = "2026-03-30T16:00:00.000Z", "2026-03-25T16:00:00.000Z"
    story.recorded(due="2026-03-30", course={"lights": lights(red, yellow, "2026-03-30"), "done": None})
    story.until("12 12:00")
    assert story.kept().state == "cleared"
    assert "由2026-03-11推迟到2026-03-30" in story.inbox("cleared")[0].texts.text_zh


def test_a_grave_one_reaches_the_leader_at_once() -> None:
    story = Decided(level="重大")
    story.until("12 01:00")
    for _ in range(4):
        story.passes(61)
        story.look()
    assert [(kind, who) for kind, _, who in story.heard_by() if kind == "escalated"] == [
        ("escalated", "u-office"),
        ("escalated", "l"),
    ]


def test_one_that_is_done_in_time_or_not_registered_yet_tells_nobody() -> None:
    done = Decided(course={"lights": [], "done": "2026-03-10"})
    bare = Decided()
    bare.decided = {"registered": False}
    bare.recorded()
    for story in (done, bare):
        story.until("13 09:00")
        assert story.heard_by() == []


def test_what_is_known_of_a_decision_outlives_the_process_and_stands_in_no_list_of_projects() -> None:
    story = Decided(text="长" * 200)
    (watch,) = story.watches.get_many([SUBJECT]).values()
    stored = watch_document(watch)
    assert stored["outline"] is None
    assert watch_from(stored).deadlines == watch.deadlines
    assert len(watch.name or "") == MAX_NAME
    story.recorded(course={"lights": [], "done": "2026-03-05"})
    (watch,) = story.watches.get_many([SUBJECT]).values()
    assert watch_from(watch_document(watch)).done == "2026-03-05"


def test_whoever_must_carry_it_out_is_told_once_that_it_is_there_and_whoever_it_is_given_to_next() -> None:
    story = Decided(meeting="第三次调度会")
    story.until("05 18:00")
    assert story.heard_by() == [("assigned", 0, "u-wang")]
    (row,) = story.inbox("assigned")
    assert row.texts.title_zh == "交办：四月底前完成110千伏线路迁改"
    assert "第三次调度会交办" in row.texts.text_zh
    assert "2026-03-11前办结。下一步：u-wang办理" in row.texts.text_zh
    assert row.url == "https://luodi.example/decisions/d1"
    story.recorded(text="四月底前完成线路迁改")
    story.until("05 20:00")
    assert len(story.heard_by()) == 1, "whatever else is recorded about it is no news"
    story.recorded(owner="u-grid")
    story.until("05 21:00")
    assert story.heard_by()[1:] == [("assigned", 0, "u-grid")]


def test_one_that_is_overdue_when_it_comes_to_be_known_is_told_as_such_alone() -> None:
    story = Decided(course={"lights": lights(red="2026-03-01T16:00:00.000Z", yellow="2026-02-25T16:00:00.000Z")})
    story.until("05 18:00")
    assert story.heard_by() == [("stalled", 0, "u-office"), ("stalled", 0, "u-wang")]
