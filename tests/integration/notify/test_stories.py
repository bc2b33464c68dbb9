"""Whole stories through HTTP: reported at ingest, folded by the tracker, told and worked off in notify, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from luodi.domain.calendar import Calendar
from luodi.local.harness import Servers
from luodi.runtime import configuration
from luodi.runtime import settings as settings_module
from tests.integration.drill import LAND_DAYS, SHANGHAI, Drill
from tests.integration.notify.receiver import SECRET, Receiver
from tests.integration.notify.world import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

PROJECT = "p-1"
OFFICER, GROUP_HEAD, LEAD_UNIT = "u-p-1", "u-head", "d-land"


class Days:
    """Working days that follow each other without a day off between: the stage is due on the first, red on the next."""

    def __init__(self, calendar: Calendar) -> None:
        day = datetime.now(SHANGHAI).date() + timedelta(days=1)
        while not all(calendar.is_workday(day + timedelta(days=n)) for n in range(4)):
            day += timedelta(days=1)
        self.calendar, self.due = calendar, day

    def workday(self, number: int) -> date:
        """The working day so many after the one on which it is due."""
        return self.calendar.add_workdays(self.due, number)


@pytest.fixture
def days(servers: Servers, tmp_path: Path) -> Days:
    where = {"KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap, "MONGODB_URI": servers.mongodb_uri}
    settings = settings_module.read({"LUODI_HOME": str(tmp_path), "LUODI_MODE": "local", **where})
    return Days(configuration.load(settings).calendar)


@pytest.fixture
def drill(servers: Servers, tmp_path: Path, days: Days, peer: Receiver) -> Iterator[Drill]:
    """All three services, at noon of the day on which the project's stage is due."""
    hook = {"LUODI_WEBHOOK_URL": peer.url, "LUODI_WEBHOOK_SECRET": SECRET}
    made = Drill(servers, tmp_path, datetime.combine(days.due, time(12), SHANGHAI), hook)
    try:
        made.starts("tracker", "notify")
        made.signs(PROJECT, days.due - timedelta(days=LAND_DAYS))
        until(lambda: made.knows(PROJECT), "its deadline known to notify")
        yield made
    finally:
        made.close()


def comes(drill: Drill, day: date, hour: int = 0, minute: int = 1) -> None:
    """That time of a day, and everything due by then told."""
    drill.clock.goes_to(datetime.combine(day, time(hour, minute), SHANGHAI))
    drill.rests()


def phase(drill: Drill) -> str:
    return str(drill.matter(PROJECT)["ladder"]["phase"])


def test_an_approved_pause_mutes_the_ladder_of_an_open_red_and_it_climbs_when_the_pause_is_over(
    drill: Drill, days: Days
) -> None:
    comes(drill, days.workday(1))
    assert drill.told(PROJECT) == drill.told(PROJECT, GROUP_HEAD) == ("stalled",)
    begins, until_day = days.workday(1), days.workday(6)
    blocker = drill.posts(
        f"/v1/projects/{PROJECT}/blockers",
        kind="用电",
        cause="utility",
        owner="power",
        date=begins.isoformat(),
        approver="u-vice",
        until=until_day.isoformat(),
        actor=OFFICER,
    )
    drill.rests()
    assert drill.matter(PROJECT)["state"] == "open"  # overdue before the pause began, it stays red
    comes(drill, days.workday(4))  # without the pause it would stand on the group head's step since two days
    assert (drill.told(PROJECT), drill.told(PROJECT, GROUP_HEAD)) == (("stalled",), ("stalled",))
    drill.posts(f"/v1/projects/{PROJECT}/blockers/{blocker}/clear", date=days.workday(4).isoformat(), actor=OFFICER)
    until(lambda: drill.told(PROJECT, GROUP_HEAD) == ("stalled", "escalated"), "it climbs again")
    assert [telling["why"] for telling in drill.matter(PROJECT)["tellings"]][1:] == ["not-verified"]
    drill.reports_stage(PROJECT, "land_supplied", days.workday(4))
    until(lambda: drill.told(PROJECT) == ("stalled", "cleared"), "the officer hears that it is over")
    assert drill.told(PROJECT, GROUP_HEAD) == ("stalled", "escalated", "cleared")


def test_an_accepted_feedback_holds_until_its_date_climbs_again_and_holds_twice_at_most(
    drill: Drill, days: Days
) -> None:
    comes(drill, days.workday(1), 9)
    recovery = days.workday(4)
    status, _ = drill.acts(PROJECT, "feedback", OFFICER, text="机械已进场", recovery=recovery.isoformat())
    assert (status, phase(drill)) == (200, "in-review")
    status, _ = drill.acts(PROJECT, "review", GROUP_HEAD, accepted=True)
    assert (status, phase(drill)) == (200, "held")
    comes(drill, recovery, 23)
    assert drill.told(PROJECT, GROUP_HEAD) == ("stalled",)  # unsigned it would have climbed twice by now
    comes(drill, days.workday(5))
    assert drill.told(PROJECT, GROUP_HEAD) == ("stalled", "escalated")
    assert drill.matter(PROJECT)["tellings"][-1]["why"] == "recovery-date-passed"
    assert phase(drill) == "to-sign"  # what was promised before covers the new step no longer

    again = days.workday(7)
    assert drill.acts(PROJECT, "feedback", GROUP_HEAD, text="再延", recovery=again.isoformat())[0] == 200
    assert drill.acts(PROJECT, "review", LEAD_UNIT, accepted=True)[0] == 200
    comes(drill, days.workday(8))
    assert drill.told(PROJECT, LEAD_UNIT) == ("escalated",)
    last = days.workday(12)
    assert drill.acts(PROJECT, "feedback", LEAD_UNIT, text="三延", recovery=last.isoformat())[0] == 200
    status, refused = drill.acts(PROJECT, "review", "u-vice", accepted=True)
    assert (status, refused["code"]) == (409, "held-too-often")
    assert drill.acts(PROJECT, "review", "u-vice", accepted=False, reason="不再延期")[0] == 200

    acted = [f"matter.{act}" for act in ("answered", "reviewed") * 3]
    until(lambda: [t for t in drill.timeline(PROJECT) if t.startswith("matter.")] == acted, "all of it in the timeline")


def test_a_post_handed_over_hands_over_what_is_open_with_one_event(drill: Drill, days: Days) -> None:
    drill.posts("/v1/posts", post_id="lead-desk", name="牵头处长", zone="qingyuan", unit="d-land", actor="u-vice")
    begun = {"holder": "u-zhang", "date": days.due.isoformat(), "actor": "u-vice"}
    drill.posts("/v1/posts/lead-desk/holders", **begun)
    drill.signs("p-2", days.due - timedelta(days=LAND_DAYS), officer="lead-desk")
    until(lambda: drill.knows("p-2"), "the other project known, too")
    until(lambda: drill.database["directory"].find_one({"_id": "post:lead-desk", "events": 2}), "its holder known")
    comes(drill, days.workday(1), 9)
    assert drill.told("p-2", "u-zhang") == ("stalled",)
    status, _ = drill.ask("POST", "/v1/matters/p-2:signed-land_supplied/sign", actor="u-zhang")
    assert status == 200
    drill.posts("/v1/posts/lead-desk/holders", holder="u-li", date=days.workday(2).isoformat(), actor="u-vice")
    comes(drill, days.workday(1), 20)
    assert drill.told("p-2", "u-li") == ()
    comes(drill, days.workday(2), 7)
    until(lambda: drill.told("p-2", "u-li") == ("handover",), "the new holder told in the morning")
    ladder = drill.matter("p-2")["ladder"]
    assert (ladder["phase"], ladder["to_sign"][0]) == ("signed", "u-li")  # what was signed for counts on
    drill.reports_stage("p-2", "land_supplied", days.workday(2))
    until(lambda: drill.told("p-2", "u-li") == ("handover", "cleared"), "who took over hears that it is over")
    assert drill.told("p-2", "u-zhang") == ("stalled", "cleared")


def test_a_silence_on_the_parent_keeps_in_what_its_parts_would_send_and_stands_in_its_timeline(
    drill: Drill, days: Days, peer: Receiver
) -> None:
    whole = "p-whole"
    drill.signs(whole, days.due - timedelta(days=1), phased=True)
    until(lambda: drill.database["watches"].find_one({"_id": whole}), "the parent known")
    drill.signs("p-part", days.due - timedelta(days=LAND_DAYS), parent=whole)
    until(lambda: drill.knows("p-part"), "its part known")
    asked = {"id": "s1", "project_id": whole, "reason": "整改中", "until": days.workday(3).isoformat()}
    status, silence = drill.ask("POST", "/v1/silences", actor=GROUP_HEAD, **asked)
    assert (status, silence["active"]) == (200, True)
    comes(drill, days.workday(1), 9)
    assert drill.told("p-part", "u-p-part") == ("stalled",)  # the inbox knows
    until(lambda: peer.about(PROJECT), "what is not silenced goes out")
    assert peer.about("p-part") == []
    status, ended = drill.ask("POST", "/v1/silences/s1/end", actor=GROUP_HEAD)
    assert (status, ended["ended_by"]) == (200, GROUP_HEAD)
    until(lambda: len(peer.about("p-part")) == 2, "both messages go out")
    assert [m.body["data"]["kind"] for m in peer.about("p-part")] == ["stalled", "stalled"]
    told = ["silence.begun", "silence.ended"]
    until(lambda: [t for t in drill.timeline(whole) if t.startswith("silence.")] == told, "both in its timeline")
