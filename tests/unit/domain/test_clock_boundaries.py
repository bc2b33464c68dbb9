"""The clock of one gap at its boundaries: every row is a sentence of the rules, with the days that prove it.

Each row is also checked, on all of its days, against the slow walk of ``oracle.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from luodi.domain.assess import days_used, light_at
from luodi.domain.days import last_day
from luodi.domain.rules import LANE_START_ON_LAND, Limit, Rules, Version
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import Story, light_on, published
from tests.unit.domain.oracle import Approval, Situation, judge

GREEN, YELLOW, GREY, RED = "green", "yellow", "grey", "red"


@dataclass(frozen=True)
class Case:
    sentence: str
    reached: tuple[str, str]
    on: dict[str, str]  # business date → light, or light and code: "red overdue"
    due: str | None = None
    warn: str | None = None
    route: str = "land"
    limit: Limit | None = None  # instead of the zone's own
    lanes: tuple[str, ...] = ()
    pauses: tuple[tuple[str | None, ...], ...] = ()  # begin, until[, cleared[, cause]]
    plan: str | None = None
    provisional: bool = False
    used: dict[str, int] = field(default_factory=dict)


SIGNED = ("signed", "2026-01-10")  # 90 calendar days: due 2026-04-10, yellow from the 72nd, 2026-03-23
LANE = (LANE_START_ON_LAND,)

CASES = [
    # Calendar days.
    Case(
        "the day the stage was reached is not counted",
        SIGNED,
        {"2026-01-10": "green in-time"},
        due="2026-04-10",
        used={"2026-01-09": 0, "2026-01-10": 0, "2026-01-11": 1, "2026-04-10": 90, "2026-04-11": 91},
    ),
    Case("four fifths of the limit turn the light yellow", SIGNED, {"2026-03-22": GREEN, "2026-03-23": YELLOW}),
    Case("the due date itself is still in time", SIGNED, {"2026-04-10": "yellow due-soon"}, due="2026-04-10"),
    Case("the day after the due date is red", SIGNED, {"2026-04-11": "red overdue"}, warn="2026-03-23"),
    Case("red stays red for ever", SIGNED, {"2031-01-01": RED, "2099-12-31": RED}),
    Case("before the stage was reached nothing is late", SIGNED, {"2025-12-01": GREEN, "1980-01-01": GREEN}),
    Case(
        "90 days across a leap day end on it",
        ("signed", "2023-12-01"),
        {"2024-02-29": YELLOW, "2024-03-01": RED},
        due="2024-02-29",
    ),
    # Working days.
    Case(
        "60 working days leave out the long holiday and count the make-up Saturdays",
        ("land_supplied", "2026-02-13"),
        {"2026-04-28": GREEN, "2026-04-29": YELLOW, "2026-05-19": YELLOW, "2026-05-20": RED},
        due="2026-05-19",
        warn="2026-04-29",
        used={"2026-02-14": 1, "2026-02-15": 1, "2026-02-23": 1, "2026-02-24": 2, "2026-02-28": 6, "2026-05-19": 60},
    ),
    Case(
        "a due date may fall on a make-up Saturday",
        ("land_supplied", "2026-04-08"),
        {"2026-05-09": YELLOW, "2026-05-10": RED},
        due="2026-05-09",
        lanes=LANE,
    ),
    Case(
        "red does not wait for the end of the weekend",
        ("land_supplied", "2026-03-06"),
        {"2026-04-03": YELLOW, "2026-04-04": RED},
        due="2026-04-03",
        lanes=LANE,
    ),
    Case(
        "a stage reached on a holiday counts from the first working day after it",
        ("land_supplied", "2026-10-01"),
        {"2026-10-01": GREEN},
        used={"2026-10-07": 0, "2026-10-08": 1},
    ),
    Case(
        "the lane 拿地即开工 has 20 working days",
        ("land_supplied", "2026-09-28"),
        {"2026-10-30": YELLOW, "2026-10-31": RED},
        due="2026-10-30",
        lanes=LANE,
    ),
    Case(
        "a lane of another route changes nothing",
        ("signed", "2026-02-13"),
        {"2026-05-19": YELLOW, "2026-05-20": RED},
        due="2026-05-19",
        route="plant",
        lanes=LANE,
    ),
    Case(
        "a lane nobody knows changes nothing",
        ("land_supplied", "2026-02-13"),
        {"2026-05-20": RED},
        due="2026-05-19",
        lanes=("快车道",),
    ),
    # Years without published holidays.
    Case(
        "in a later year that is not published Monday to Friday count, provisionally",
        ("land_supplied", "2026-12-01"),
        {"2027-02-23": YELLOW, "2027-02-24": RED},
        due="2027-02-23",
        provisional=True,
        used={"2026-12-31": 22, "2027-01-01": 23},
    ),
    Case(
        "a count that ends on the last published day is not provisional",
        ("land_supplied", "2026-12-03"),
        {"2027-01-01": RED},
        due="2026-12-31",
        lanes=LANE,
    ),
    Case(
        "a count that looks one day further is provisional",
        ("land_supplied", "2026-12-04"),
        {"2027-01-01": YELLOW},
        due="2027-01-01",
        lanes=LANE,
        provisional=True,
    ),
    Case(
        "a year before the first published one is not provisional",
        ("land_supplied", "2003-09-01"),
        {"2003-11-24": YELLOW, "2003-11-25": RED},
        due="2003-11-24",
    ),
    Case(
        "calendar days are never provisional",
        ("signed", "2026-12-01"),
        {"2027-03-01": YELLOW, "2027-03-02": RED},
        due="2027-03-01",
    ),
    # Months.
    Case(
        "31 January and one month is the last of February",
        ("land_supplied", "2026-01-31"),
        {"2026-02-28": YELLOW, "2026-03-01": RED},
        due="2026-02-28",
        limit=Limit(1, "months"),
    ),
    Case(
        "30 November and three months is the leap day",
        ("completed", "2023-11-30"),
        {"2024-02-29": YELLOW, "2024-03-01": RED},
        due="2024-02-29",
        route="plant",
    ),
    Case(
        "a leap day and 24 months is the last of February",
        ("started", "2024-02-29"),
        {"2026-01-28": GREEN, "2026-01-29": YELLOW, "2026-02-28": YELLOW, "2026-03-01": RED},
        due="2026-02-28",
        warn="2026-01-29",
    ),
    Case(
        "a limit of 3 months warns at four fifths of its calendar days",
        ("completed", "2025-12-01"),
        {"2026-02-10": GREEN, "2026-02-11": YELLOW},
        due="2026-03-01",
        route="plant",
    ),
    Case(
        "a limit of 6 months warns at four fifths, rounded up",
        ("completed", "2025-12-31"),
        {"2026-05-24": GREEN, "2026-05-25": YELLOW},
        due="2026-06-30",
    ),
    Case(
        "a limit of 12 months warns 30 days before its date",
        ("started", "2025-06-15"),
        {"2026-05-15": GREEN, "2026-05-16": YELLOW},
        due="2026-06-15",
        route="expansion",
    ),
    # Pauses.
    Case(
        "a paused day is grey and not counted",
        SIGNED,
        {"2026-01-31": GREEN, "2026-02-01": "grey paused", "2026-02-10": GREY, "2026-02-11": GREEN},
        due="2026-04-20",
        pauses=(("2026-02-01", "2026-02-10"),),
        used={"2026-01-31": 21, "2026-02-05": 21, "2026-02-10": 21, "2026-02-11": 22},
    ),
    Case(
        "the day a blocker is cleared counts again",
        SIGNED,
        {"2026-02-10": GREY, "2026-02-11": GREEN},
        due="2026-04-20",
        pauses=(("2026-02-01", "2026-03-31", "2026-02-11"),),
    ),
    Case(
        "a blocker cleared on its own day pauses nothing",
        SIGNED,
        {"2026-02-01": GREEN},
        due="2026-04-10",
        pauses=(("2026-02-01", "2026-03-31", "2026-02-01"),),
    ),
    Case(
        "a blocker cleared after its pause ran out does not lengthen it",
        SIGNED,
        {"2026-02-10": GREY, "2026-02-11": GREEN},
        due="2026-04-20",
        pauses=(("2026-02-01", "2026-02-10", "2026-05-01"),),
    ),
    Case(
        "a pause of one day begins and ends on it",
        SIGNED,
        {"2026-02-01": GREY, "2026-02-02": GREEN},
        due="2026-04-11",
        pauses=(("2026-02-01", "2026-02-01"),),
    ),
    Case(
        "overlapping pauses are united",
        SIGNED,
        {"2026-02-08": GREY, "2026-02-15": GREY, "2026-02-16": GREEN},
        due="2026-04-25",
        pauses=(("2026-02-01", "2026-02-10"), ("2026-02-06", "2026-02-15")),
    ),
    Case(
        "a pause inside another adds nothing",
        SIGNED,
        {"2026-02-20": GREY, "2026-02-21": GREEN},
        due="2026-04-30",
        pauses=(("2026-02-01", "2026-02-20"), ("2026-02-05", "2026-02-10")),
    ),
    Case(
        "a pause on day 0 leaves out only the days after it",
        SIGNED,
        {"2026-01-10": GREEN, "2026-01-11": GREY, "2026-01-12": GREY, "2026-01-13": GREEN},
        due="2026-04-12",
        pauses=(("2026-01-10", "2026-01-12"),),
    ),
    Case(
        "a pause that ended on day 0 is over",
        SIGNED,
        {"2026-01-10": GREEN, "2026-01-11": GREEN},
        due="2026-04-10",
        pauses=(("2025-12-01", "2026-01-10"),),
    ),
    Case(
        "a pause over a holiday moves no working day, but is grey",
        ("land_supplied", "2026-09-28"),
        {"2026-09-30": GREEN, "2026-10-01": GREY, "2026-10-07": GREY, "2026-10-08": GREEN},
        due="2026-10-30",
        lanes=LANE,
        pauses=(("2026-10-01", "2026-10-07"),),
    ),
    Case(
        "a pause of two working days moves the due date by two working days",
        ("land_supplied", "2026-09-28"),
        {"2026-11-03": YELLOW, "2026-11-04": RED},
        due="2026-11-03",
        lanes=LANE,
        pauses=(("2026-10-12", "2026-10-13"),),
    ),
    Case(
        "a pause that begins on the due date moves it behind the pause",
        SIGNED,
        {"2026-04-09": YELLOW, "2026-04-10": GREY, "2026-04-12": GREY, "2026-04-13": YELLOW, "2026-04-14": RED},
        due="2026-04-13",
        pauses=(("2026-04-10", "2026-04-12"),),
    ),
    Case(
        "a pause that begins overdue leaves the light red and says so",
        SIGNED,
        {"2026-04-11": "red overdue-paused", "2026-04-20": "red overdue-paused", "2026-04-21": "red overdue"},
        due="2026-04-10",
        pauses=(("2026-04-11", "2026-04-20"),),
    ),
    Case(
        "a pause within the warning is grey, then yellow again",
        SIGNED,
        {"2026-03-23": YELLOW, "2026-03-25": GREY, "2026-03-27": YELLOW},
        due="2026-04-12",
        warn="2026-03-23",
        pauses=(("2026-03-25", "2026-03-26"),),
    ),
    Case(
        "a pause before the warning moves the warning too",
        SIGNED,
        {"2026-04-01": GREEN, "2026-04-02": YELLOW},
        warn="2026-04-02",
        pauses=(("2026-02-01", "2026-02-10"),),
    ),
    Case(
        "what the enterprise causes pauses nothing",
        SIGNED,
        {"2026-02-01": GREEN, "2026-04-11": RED},
        due="2026-04-10",
        pauses=(("2026-02-01", "2026-02-10", None, "enterprise"),),
    ),
    Case(
        "government, utility and force majeure may pause",
        SIGNED,
        {"2026-02-01": GREY, "2026-02-03": GREY, "2026-02-05": GREY, "2026-02-06": GREEN},
        due="2026-04-13",
        pauses=(
            ("2026-02-01", "2026-02-01", None, "government"),
            ("2026-02-03", "2026-02-03", None, "utility"),
            ("2026-02-05", "2026-02-05", None, "force_majeure"),
        ),
    ),
    Case(
        "one approval pauses 90 days at most",
        SIGNED,
        {"2026-05-01": GREY, "2026-05-02": GREEN},
        due="2026-07-09",
        pauses=(("2026-02-01", "2026-12-31"),),
    ),
    Case(
        "a date set in months moves by the paused calendar days",
        ("started", "2024-03-01"),
        {"2026-04-01": YELLOW, "2026-04-02": RED},
        due="2026-04-01",
        warn="2026-03-02",
        pauses=(("2024-05-01", "2024-05-31"),),
    ),
    Case(
        "a pause between the date set in months and its moved date moves it again",
        ("completed", "2025-12-01"),
        {"2026-03-05": GREY, "2026-03-07": YELLOW, "2026-03-13": YELLOW, "2026-03-14": RED},
        due="2026-03-13",
        route="plant",
        pauses=(("2026-01-01", "2026-01-10"), ("2026-03-05", "2026-03-06")),
    ),
    Case(
        "a pause after the moved date moves nothing",
        ("completed", "2025-12-01"),
        {"2026-03-11": YELLOW, "2026-03-12": "red overdue-paused", "2026-03-20": RED},
        due="2026-03-11",
        route="plant",
        pauses=(("2026-01-01", "2026-01-10"), ("2026-03-12", "2026-03-15")),
    ),
    # Plans.
    Case(
        "a plan for completion takes the limit's place",
        ("started", "2026-01-01"),
        {
            "2026-05-24": "green plan-in-time",
            "2026-05-25": "yellow plan-due-soon",
            "2026-06-30": YELLOW,
            "2026-07-01": "red plan-overdue",
        },
        due="2026-06-30",
        plan="2026-06-30",
    ),
    Case(
        "a plan of 183 days warns at four fifths",
        ("started", "2026-01-01"),
        {"2026-05-27": GREEN, "2026-05-28": YELLOW},
        plan="2026-07-03",
    ),
    Case(
        "a plan of 184 days warns 30 days before",
        ("started", "2026-01-01"),
        {"2026-06-03": GREEN, "2026-06-04": YELLOW},
        plan="2026-07-04",
    ),
    Case(
        "a pause neither moves a plan nor makes it grey",
        ("started", "2026-01-01"),
        {"2026-02-05": GREEN, "2026-06-30": YELLOW, "2026-07-01": RED},
        due="2026-06-30",
        plan="2026-06-30",
        pauses=(("2026-02-01", "2026-02-28"),),
        used={"2026-02-28": 58},
    ),
    Case(
        "a plan before the start is yellow on day 0 and red from the day after",
        ("started", "2026-03-05"),
        {"2026-03-04": GREEN, "2026-03-05": YELLOW, "2026-03-06": RED},
        due="2026-03-01",
        plan="2026-03-01",
    ),
    Case(
        "a plan on the day of the start is the same",
        ("started", "2026-03-05"),
        {"2026-03-04": GREEN, "2026-03-05": YELLOW, "2026-03-06": RED},
        due="2026-03-05",
        plan="2026-03-05",
    ),
    Case(
        "a planned month is due on its last day",
        ("completed", "2025-12-10"),
        {"2026-02-28": YELLOW, "2026-03-01": RED},
        due="2026-02-28",
        plan="2026-02",
    ),
    Case(
        "a planned date of a start that has passed is a warning, the limit stays",
        ("land_supplied", "2026-02-13"),
        {"2026-03-10": GREEN, "2026-03-11": "yellow behind-plan", "2026-04-29": "yellow due-soon", "2026-05-20": RED},
        due="2026-05-19",
        warn="2026-03-11",
        plan="2026-03-10",
    ),
    Case(
        "a planned date later than the warning changes nothing",
        ("land_supplied", "2026-02-13"),
        {"2026-04-28": GREEN, "2026-04-29": YELLOW, "2026-05-19": YELLOW, "2026-05-20": RED},
        due="2026-05-19",
        warn="2026-04-29",
        plan="2026-05-10",
    ),
    Case(
        "a planned date later than the limit does not move it",
        ("land_supplied", "2026-02-13"),
        {"2026-05-20": RED},
        due="2026-05-19",
        plan="2026-12-31",
    ),
    # Dates known to the month or year.
    Case(
        "a stage reached in a month counts from its last day",
        ("signed", "2026-02"),
        {"2026-02-15": GREEN, "2026-05-29": YELLOW, "2026-05-30": RED},
        due="2026-05-29",
        used={"2026-02-20": 0, "2026-02-28": 0, "2026-03-01": 1},
    ),
    Case(
        "a stage reached in a year counts from its last day",
        ("signed", "2025"),
        {"2026-03-31": YELLOW, "2026-04-01": RED},
        due="2026-03-31",
    ),
    # Very short limits.
    Case(
        "a limit of one day warns on its due date",
        ("land_supplied", "2026-03-05"),
        {"2026-03-05": GREEN, "2026-03-06": YELLOW, "2026-03-07": RED},
        due="2026-03-06",
        limit=Limit(1, "working_days"),
    ),
    Case(
        "a limit of no days warns on day 0",
        ("land_supplied", "2026-12-31"),
        {"2026-12-30": GREEN, "2026-12-31": YELLOW, "2027-01-01": RED},
        due="2026-12-31",
        limit=Limit(0, "working_days"),
    ),
    Case(
        "a limit of no days ends on day 0, be it a holiday, and looks at no year",
        ("land_supplied", "2027-01-02"),
        {"2027-01-01": GREEN, "2027-01-02": YELLOW, "2027-01-03": RED},
        due="2027-01-02",
        limit=Limit(0, "working_days"),
    ),
]


def clock_of(case: Case) -> tuple[dict[str, Any], str]:
    """The clock that a case tells of, and the stage it awaits."""
    story = Story()
    story.registered(route=case.route, lanes=list(case.lanes))
    story.reached(*case.reached)
    for begin, until, *more in case.pauses:
        assert begin is not None
        assert until is not None
        story.paused(begin, until, *more)  # type: ignore[arg-type]  # a row is text but for the missing clear
    rules = DEFAULT_RULES
    awaited = str(story.document()["next_stage"])
    if case.plan is not None:
        story.planned(awaited, case.plan)
    if case.limit is not None:
        own = Version(date(1980, 1, 1), {(case.route, awaited): case.limit}, {}, rules.versions[0].pausing_causes)
        rules = Rules((own,))
    return story.document(rules)["clocks"][0], awaited


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_clock_keeps_the_rule(case: Case) -> None:
    clock, _ = clock_of(case)
    if case.due is not None:
        assert clock["due"] == case.due
    if case.warn is not None:
        assert clock["warn"] == case.warn
    assert clock["provisional"] is case.provisional
    for day, expected in case.on.items():
        light, _, code = expected.partition(" ")
        step = light_on(clock["lights"], day)
        assert step["light"] == light, day
        if code:
            assert step["reason"]["code"] == code, day
    for day, used in case.used.items():
        assert days_used(clock, published(), date.fromisoformat(day)) == used, day


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_walk_from_day_to_day_agrees(case: Case) -> None:
    clock, awaited = clock_of(case)
    planned = case.plan is not None and awaited in ("completed", "producing")
    approvals = tuple(
        Approval(
            date.fromisoformat(str(row[0])),
            date.fromisoformat(str(row[1])),
            date.fromisoformat(row[2]) if len(row) > 2 and row[2] else None,
            str(row[3]) if len(row) > 3 else "utility",
        )
        for row in case.pauses
    )
    plan = None if case.plan is None else last_day(case.plan)
    limit, unit = (0, "calendar_days") if planned else (clock["limit"], clock["unit"])
    situation = Situation(date.fromisoformat(clock["start"]), limit, unit, approvals, plan, planned)
    due = date.fromisoformat(clock["due"])
    verdict = judge(situation, max(due, situation.start) + timedelta(days=40))
    assert verdict.due == due
    assert verdict.provisional == clock["provisional"]
    for day, light in verdict.lights.items():
        assert light_on(clock["lights"], day)["light"] == light, day


def test_the_light_turns_at_local_midnight_and_not_a_millisecond_earlier() -> None:
    clock, _ = clock_of(Case("", SIGNED, {}))
    assert light_at(clock["lights"], "2026-04-10T15:59:59.999Z")["light"] == YELLOW
    assert light_at(clock["lights"], "2026-04-10T16:00:00.000Z")["light"] == RED


def test_a_light_is_found_before_and_after_all_time_too() -> None:
    clock, _ = clock_of(Case("", SIGNED, {}))
    assert light_at(clock["lights"], "1969-12-31T23:59:59.999Z")["light"] == GREEN
    assert light_at(clock["lights"], "9999-12-31T23:59:59.999Z")["light"] == RED


def test_the_clock_shows_the_paused_days_after_day_0_as_joined_intervals() -> None:
    pauses = (
        ("2025-12-01", "2026-01-10"),
        ("2026-01-05", "2026-01-12"),
        ("2026-02-01", "2026-02-05"),
        ("2026-02-06", "2026-02-10"),
    )
    clock, _ = clock_of(Case("", SIGNED, {}, pauses=pauses))
    assert clock["paused"] == [["2026-01-11", "2026-01-13"], ["2026-02-01", "2026-02-11"]]
    over, _ = clock_of(Case("", SIGNED, {}, pauses=pauses[:1]))
    assert over["paused"] == []


def test_a_day_under_two_pauses_is_charged_to_the_one_begun_first_then_recorded_first() -> None:
    story = Story()
    story.registered()
    story.reached(*SIGNED)
    recorded_first = story.paused("2026-02-05", "2026-02-20")
    story.paused("2026-02-05", "2026-02-25")
    begun_first = story.paused("2026-02-01", "2026-02-10")
    lights = story.document()["clocks"][0]["lights"]
    charged = {day: light_on(lights, day)["reason"]["blocker"] for day in ("2026-02-01", "2026-02-10", "2026-02-11")}
    assert charged == {"2026-02-01": begun_first, "2026-02-10": begun_first, "2026-02-11": recorded_first}
    assert light_on(lights, "2026-02-21")["reason"]["blocker"] not in (begun_first, recorded_first)


@pytest.mark.parametrize(
    ("reached", "plan", "approximate"),
    [("2026-02", None, True), ("2026-02-28", None, False), ("2026-02-28", "2026-09", True)],
)
def test_a_clock_tells_when_its_dates_are_known_to_the_month_only(
    reached: str, plan: str | None, approximate: bool
) -> None:
    clock, _ = clock_of(Case("", ("started", reached), {}, plan=plan))
    assert clock["approximate"] is approximate
    assert ("approximate" in clock["lights"][0]["reason"]) is approximate
