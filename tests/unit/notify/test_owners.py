"""The unit that made a promise: told through whoever acts for it, and heard."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from luodi.runtime.problems import ProblemError
from services.notify.acts import Acts
from services.notify.directory import ActingWatches, Directory, Entry
from services.notify.matters import Matter
from services.notify.watches import promise_matter
from tests.unit.notify.builders import PROJECT, TELLER
from tests.unit.notify.fakes import MemoryDirectory
from tests.unit.notify.test_ladder import PEOPLE, Story, stage

PROMISE = promise_matter(PROJECT, "b1")


def promise(owner: str = "power", cleared: str | None = None) -> dict[str, Any]:
    """A blocker whose promise turns yellow and red as the stage of the story does."""
    lights = stage()["lights"]
    told = {"yellow": "promise-due-soon", "red": "promise-overdue"}
    for step in lights[1:]:
        step["reason"] = {"code": told[step["light"]], "owner": owner, "kind": "用电", "due": "2026-03-11"}
    return {"id": "b1", "owner": owner, "promise": "2026-03-11", "cleared": cleared, "lights": lights}


def entry(subject: str, events: int = 1, registered: bool = True, **told: Any) -> Entry:
    return Entry(subject, 0, events, 1, {"registered": registered, "holders": [], "leaves": [], **told})


def held(by: str) -> list[dict[str, Any]]:
    return [{"holder": by, "date": "2026-01-01", "until": None}]


class Told(Story):
    """A story whose promise is that of a unit which the directory knows."""

    def __init__(self, *entries: Entry, owner: str = "power") -> None:
        super().__init__()
        self.directory = MemoryDirectory()
        self.directory.put(entries)
        acting = ActingWatches(self.watches, Directory(self.directory), lambda: date(2026, 3, 12), lambda _: None)
        self.watches = acting  # type: ignore[assignment]  # the same port, as the service puts it together
        self.hears(clocks=[], blockers=[promise(owner)], **PEOPLE)

    def kept(self) -> Matter:
        return self.matters.rows[PROMISE]

    def act_on_it(self, what: str, actor: str, **data: Any) -> Matter:
        acts = Acts(self.matters, self.watches, TELLER, self.clock)
        return acts.do(what, PROMISE, f"{what}-{actor}", actor, data)


@pytest.fixture
def told() -> Told:
    """The unit is led by a post, which somebody holds."""
    return Told(entry("unit:power", head="power-head"), entry("post:power-head", holders=held("u-wang")))


def test_whoever_acts_for_the_unit_is_warned_of_its_promise_told_that_it_is_broken_and_that_it_is_kept(
    told: Told,
) -> None:
    told.until("12 09:00:00")
    assert told.heard_by() == [
        *[("warning", 0, who) for who in ("g", "o", "u-wang")],
        *[("stalled", 0, who) for who in ("g", "o", "u-wang")],
    ]
    told.hears(clocks=[], blockers=[promise(cleared="2026-03-12")], **PEOPLE)
    told.until("12 10:00:00")
    assert told.heard_by()[-3:] == [("cleared", 0, who) for who in ("g", "o", "u-wang")]


def test_the_text_names_the_project_s_own_people_as_those_who_follow_it_up(told: Told) -> None:
    told.until("12 09:00:00")
    (row,) = (row for row in told.inbox("stalled") if row.recipient == "u-wang")
    assert "power解决问题后销号" in row.texts.text_zh
    assert "专员 o跟进" in row.texts.text_zh


def test_the_unit_may_sign_on_the_first_step_and_say_by_when_it_will_have_kept_its_word(told: Told) -> None:
    told.until("12 09:00:00")
    told.act_on_it("sign", "u-wang")
    told.act_on_it("feedback", "u-wang", measures="架设专线", recovery="2026-03-20")
    assert [(one.kind, one.by) for one in told.kept().entries] == [("signed", "u-wang"), ("feedback", "u-wang")]
    with pytest.raises(ProblemError, match="not-theirs"):
        told.act_on_it("review", "u-wang", accepted=True)


def test_once_it_has_climbed_the_unit_s_signature_covers_it_no_longer_and_its_feedback_is_still_heard(
    told: Told,
) -> None:
    told.until("17 09:00:00")
    assert told.kept().last_telling.level > 0
    with pytest.raises(ProblemError, match="not-theirs"):
        told.act_on_it("sign", "u-wang")
    told.act_on_it("feedback", "u-wang", measures="架设专线", recovery="2026-03-20")


@pytest.mark.parametrize("entries", [(), (entry("unit:power", registered=False),)])
def test_an_owner_that_nobody_registered_is_a_name_and_is_told_nothing(entries: tuple[Entry, ...]) -> None:
    told = Told(*entries)
    told.until("12 09:00:00")
    assert {who for _, _, who in told.heard_by()} == {"o", "g"}
    with pytest.raises(ProblemError, match="not-theirs"):
        told.act_on_it("sign", "power")


def test_a_unit_that_nobody_leads_is_told_under_its_own_id() -> None:
    told = Told(entry("unit:power"))
    told.until("12 09:00:00")
    assert {who for _, _, who in told.heard_by()} == {"o", "g", "power"}


def test_the_unit_hears_nothing_of_the_project_s_own_stalls() -> None:
    told = Told(entry("unit:power", head="u-wang"))
    told.hears(clocks=[stage()], blockers=[{**promise(), "lights": []}], **PEOPLE)
    told.until("12 09:00:00")
    assert {who for _, _, who in told.heard_by()} == {"o", "g"}


def test_one_who_is_both_is_told_once() -> None:
    told = Told(entry("unit:power", head="o"))
    told.until("12 09:00:00")
    assert told.heard_by() == [(kind, 0, who) for kind in ("warning", "stalled") for who in ("g", "o")]


def test_whoever_comes_to_lead_the_unit_is_told_of_the_promise_that_is_open(told: Told) -> None:
    told.until("12 09:00:00")
    told.directory.put([entry("post:power-head", 2, holders=held("u-sun"))])
    told.until("13 09:00:00")
    (row,) = told.inbox("handover")
    assert (row.recipient, row.level) == ("u-sun", 0)
    assert "现由责任单位 u-sun接手" in row.texts.text_zh
    told.act_on_it("feedback", "u-sun", measures="架设专线", recovery="2026-03-20")
