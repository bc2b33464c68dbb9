"""What is silenced, or held by an approved pause, does not go out while it lasts. The inbox shows it all the same."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.runtime.problems import ProblemError
from services.notify.recording import Recording
from services.notify.silences import Silence, Silences
from tests.unit.notify.builders import MATTER, PROJECT, TELLER
from tests.unit.notify.test_ladder import PEOPLE, RED, Story, stage
from tests.unit.notify.test_ladder_crashes import MemoryEvents
from tests.unit.notify.world import Notifier


class Quiet(Story):
    """A story with silences."""

    def use(self) -> Silences:
        return Silences(self.silences, self.matters, self.watches, TELLER, self.clock)

    def silence(self, id_: str = "s1", actor: str = "g", **asked: Any) -> Silence:
        told = {"matter": MATTER, "reason": "整改中", "until": "2026-03-16"} | asked
        return self.use().begin(id_, actor, {name: value for name, value in told.items() if value is not None})

    def sent(self) -> list[str]:
        """Kinds of what went out."""
        return [kind for _, kind, _, _ in self.receiver.got]


@pytest.fixture
def story() -> Quiet:
    made = Quiet()
    made.hears(clocks=[stage(None)], **PEOPLE)
    return made


def test_what_is_silenced_waits_and_goes_out_when_the_silence_ends_by_itself(story: Quiet) -> None:
    story.silence(matter=None, project_id=PROJECT)
    story.until("12 12:00")
    assert [kind for kind, *_ in story.heard_by()] == ["stalled", "stalled"]  # the inbox knows
    assert story.sent() == []
    story.until("16 23:59")
    assert story.sent() == []
    story.until("17 01:00")  # the 16th was its last day; what it climbed to meanwhile goes out, too
    assert story.sent().count("stalled") == 2
    assert story.sent().count("escalated") == len(story.inbox("escalated"))


def test_what_is_over_before_the_silence_ends_is_never_sent(story: Quiet) -> None:
    story.silence(matter=None, project_id=PROJECT)
    story.until("12 12:00")
    story.starts()
    story.until("18 01:00")
    assert story.sent() == []


def test_a_silence_on_a_matter_leaves_the_others_alone(story: Quiet) -> None:
    story.until("12 00:00:06")
    story.silence()
    promise = {"id": "b1", "kind": "用电", "owner": "供电公司", "promise": "2026-03-01", "cleared": None}
    red = {**stage(None)["lights"][1], "reason": {"code": "promise-overdue", "due": "2026-03-01", "owner": "供电公司"}}
    story.hears(clocks=[stage(None)], blockers=[{**promise, "lights": [red]}], **PEOPLE)
    story.until("13 12:00")
    about = {row.matter for row in story.inbox("escalated")}
    assert about == {MATTER, f"{PROJECT}:blocker:b1"}
    assert {matter for _, kind, matter, _ in story.receiver.got if kind == "escalated"} == {f"{PROJECT}:blocker:b1"}


def test_a_silence_on_the_parent_holds_for_its_parts(story: Quiet) -> None:
    story.hears(clocks=[stage(None)], parent="p-0", **PEOPLE)
    watch = story.watches.get_many([PROJECT])[PROJECT]
    story.until("12 00:00:06")
    matter = story.matters.rows[MATTER]
    silence = story.silence(until="2026-03-20")
    on_parent = Silence(**{**_fields(silence), "project_id": "p-0", "matter": None})
    assert on_parent.covers(matter, watch, story.clock.now_text())
    assert not Silence(**{**_fields(on_parent), "matter": "p-0:signed-started"}).covers(matter, watch, RED)
    story.silences.rows = {"s1": on_parent}
    story.until("13 12:00")
    assert "escalated" not in story.sent()


def _fields(silence: Silence) -> dict[str, Any]:
    return {name: getattr(silence, name) for name in Silence.__dataclass_fields__}


def test_an_edit_begins_another_and_ends_the_one_before(story: Quiet) -> None:
    story.silence(matter=None, project_id=PROJECT)
    story.clock.advance(60)
    longer = story.use().edit("s1", "s2", "u", {"until": "2026-03-20"})
    assert (longer.replaces, longer.reason, longer.author) == ("s1", "整改中", "u")
    assert story.silences.rows["s1"].over_at == longer.begins_at
    assert story.use().edit("s1", "s2", "u", {"until": "2026-03-20"}) == longer  # a retry
    with pytest.raises(ProblemError) as refused:
        story.use().edit("s1", "s3", "u", {"until": "2026-03-21"})
    assert refused.value.code == "silence-over"


def test_it_ends_early_when_somebody_ends_it(story: Quiet) -> None:
    story.silence(matter=None, project_id=PROJECT)
    story.until("12 12:00")
    assert story.use().end("s1", "v").ended_by == "v"
    story.until("12 13:00")
    assert story.sent() == ["stalled", "stalled"]
    assert story.use().end("s1", "g").ended_by == "v"


def test_begun_edited_and_ended_it_is_recorded(story: Quiet) -> None:
    story.silence(matter=None, project_id=PROJECT)
    story.clock.advance(60)
    story.use().edit("s1", "s2", "u", {"reason": "延期整改"})
    log = MemoryEvents()
    assert Recording([story.matters, story.silences], log, lambda: [0]).run() == 3
    assert sorted((event.type, event.data["silence"], event.actor) for _, event in log.rows) == [
        ("silence.begun", "s1", "g"),
        ("silence.begun", "s2", "u"),
        ("silence.ended", "s1", "u"),
    ]
    assert Recording([story.matters, story.silences], log, lambda: [0]).run() == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"actor": "o"}, "not-theirs"),  # the officer must not silence what the officer should report
        ({"matter": "none:such"}, "not-found"),
        ({"matter": None, "project_id": "none"}, "not-found"),
        ({"until": "2026-03-11"}, "invalid"),
        ({"until": "2026-04-12"}, "invalid"),
    ],
)
def test_what_may_not_be_silenced_is_refused(story: Quiet, asked: dict[str, Any], code: str) -> None:
    story.until("12 00:00:06")
    with pytest.raises(ProblemError) as refused:
        story.silence(**asked)
    assert refused.value.code == code


def test_the_same_id_is_the_same_silence_or_a_conflict(story: Quiet) -> None:
    story.until("12 00:00:06")
    assert story.silence() == story.silence()
    with pytest.raises(ProblemError) as refused:
        story.silence(reason="另一原因")
    assert refused.value.code == "conflict"


def test_a_pause_that_is_approved_between_telling_and_sending_holds_the_message(story: Quiet) -> None:
    story.until("11 23:59")
    story.passes(120)
    Notifier(story).sweep()  # told, and not sent yet
    assert len(story.inbox("stalled")) == 2
    paused = stage(None)
    paused["lights"][-1]["reason"] = {"code": "overdue-paused"}
    story.hears(clocks=[paused], **PEOPLE)
    story.until("13 12:00")
    assert story.sent() == []
    assert not story.inbox("escalated")
    story.hears(clocks=[stage(None)], **PEOPLE)
    story.until("13 13:00")
    assert story.sent() == ["stalled", "stalled", "escalated"]
