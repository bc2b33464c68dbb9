"""Clocks at their boundaries: every row is a sentence of the rules, with the days that prove it.

The figures were worked out by hand from the sentence; the tests check them against the product and against the slow
walk of ``oracle.py``, and those two against each other on every day around the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.unit.domain.builders import Story

GREEN, YELLOW, GREY, RED = "green", "yellow", "grey", "red"
Step = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A gap that begins with ``reached``. Events are e1 (registered), e2 (reached), the pauses and their clears, the
    plan, then the steps of ``then``: a method of ``Story`` with its arguments, a last dict being named ones."""

    sentence: str
    reached: tuple[str, str]
    on: dict[str, str]  # business date → light, or light and code: "red overdue"
    due: str | None = None
    warn: str | None = None
    route: str = "land"
    limit: tuple[int, str] | None = None  # instead of the zone's own
    lanes: tuple[str, ...] = ()
    pauses: tuple[tuple[str | None, ...], ...] = ()  # begin, until[, cleared[, cause]]
    plan: str | None = None
    provisional: bool = False
    used: dict[str, int] = field(default_factory=dict)
    then: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Whole:
    """A whole project: the steps after its registration (e1), and the light it shows on a day, with its reason."""

    sentence: str
    steps: tuple[Step, ...]
    on: dict[str, str]
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ruled:
    """One clock among those of a preset that a zone may list: ``rule`` of ``preset``, after the steps (from e2 on)."""

    sentence: str
    preset: str
    rule: str
    steps: tuple[Step, ...]
    on: dict[str, str]
    due: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


def told(case: Case | Whole | Ruled) -> Story:
    """The events of a row."""
    story = Story()
    if isinstance(case, Whole | Ruled):
        story.registered(**case.fields)
        tell(story, case.steps)
        return story
    story.registered(route=case.route, lanes=list(case.lanes))
    story.reached(*case.reached)
    for begin, until, *more in case.pauses:
        assert begin is not None
        assert until is not None
        story.paused(begin, until, *more)  # type: ignore[arg-type]  # a row is text but for the missing clear
    if case.plan is not None:
        story.planned(NEXT[case.route, case.reached[0]], case.plan)
    tell(story, case.then)
    return story


def tell(story: Story, steps: tuple[Step, ...]) -> None:
    """Tell the steps one after the other."""
    for method, *arguments in steps:
        named = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        getattr(story, method)(*arguments, **named)


NEXT = {
    ("land", "signed"): "land_supplied",
    ("land", "land_supplied"): "started",
    ("land", "started"): "completed",
    ("land", "completed"): "producing",
    ("plant", "signed"): "started",
    ("plant", "started"): "completed",
    ("plant", "completed"): "producing",
    ("expansion", "signed"): "started",
    ("expansion", "started"): "completed",
    ("expansion", "completed"): "producing",
}

SIGNED = ("signed", "2026-01-10")  # 90 calendar days: due 2026-04-10, yellow from the 72nd, 2026-03-23
LANE = ("拿地即开工",)

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
        limit=(1, "months"),
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
        limit=(1, "working_days"),
    ),
    Case(
        "a limit of no days warns on day 0",
        ("land_supplied", "2026-12-31"),
        {"2026-12-30": GREEN, "2026-12-31": YELLOW, "2027-01-01": RED},
        due="2026-12-31",
        limit=(0, "working_days"),
    ),
    Case(
        "a limit of no days ends on day 0, be it a holiday, and looks at no year",
        ("land_supplied", "2027-01-02"),
        {"2027-01-01": GREEN, "2027-01-02": YELLOW, "2027-01-03": RED},
        due="2027-01-02",
        limit=(0, "working_days"),
    ),
    # The working calendar, both directions.
    Case(
        "a make-up Saturday is the first counted day after it",
        ("land_supplied", "2026-02-13"),
        {"2026-02-14": GREEN},
        lanes=LANE,
        used={"2026-02-13": 0, "2026-02-14": 1, "2026-02-15": 1},
    ),
    Case(
        "a stage reached on a make-up Saturday does not count that day",
        ("land_supplied", "2026-02-14"),
        {"2026-02-14": GREEN},
        lanes=LANE,
        due="2026-03-20",
        used={"2026-02-14": 0, "2026-02-24": 1, "2026-02-28": 5},
    ),
    Case(
        "the day after a make-up Saturday on which the limit ended is red, a Sunday",
        ("land_supplied", "2026-09-07"),
        {"2026-10-10": "yellow due-soon", "2026-10-11": "red overdue"},
        due="2026-10-10",
        lanes=LANE,
    ),
    Case(
        "a make-up Sunday counts as well",
        ("land_supplied", "2026-09-18"),
        {"2026-09-20": GREEN},
        lanes=LANE,
        due="2026-10-22",
        used={"2026-09-19": 0, "2026-09-20": 1, "2026-09-21": 2},
    ),
    Case(
        "an eight-day holiday leaves out eight days",
        ("land_supplied", "2025-09-26"),
        {"2025-10-30": "yellow due-soon", "2025-10-31": "red overdue"},
        due="2025-10-30",
        lanes=LANE,
        used={"2025-09-28": 1, "2025-09-30": 3, "2025-10-08": 3, "2025-10-09": 4, "2025-10-11": 6},
    ),
    Case(
        "the eight days of 2020, when the moon festival fell on the national day, are left out",
        ("land_supplied", "2020-09-30"),
        {"2020-10-08": "green in-time"},
        due="2020-11-04",
        lanes=LANE,
        used={"2020-10-08": 0, "2020-10-09": 1, "2020-10-10": 2},
    ),
    Case(
        "the spring festival that was prolonged in 2020 is left out as it was prolonged",
        ("land_supplied", "2020-01-23"),
        {"2020-02-02": GREEN},
        due="2020-02-28",
        lanes=LANE,
        used={"2020-01-31": 0, "2020-02-02": 0, "2020-02-03": 1},
    ),
    Case(
        "nine days of spring festival with both make-up Saturdays",
        ("land_supplied", "2026-02-11"),
        {"2026-03-17": YELLOW, "2026-03-18": RED},
        due="2026-03-17",
        lanes=LANE,
        used={"2026-02-14": 3, "2026-02-23": 3, "2026-02-27": 7, "2026-02-28": 8},
    ),
    Case(
        "a holiday of one bridged Monday is left out",
        ("land_supplied", "2026-04-03"),
        {"2026-04-07": GREEN},
        lanes=LANE,
        used={"2026-04-06": 0, "2026-04-07": 1},
    ),
    Case(
        "a leap day that is worked is counted",
        ("land_supplied", "2024-02-28"),
        {"2024-02-29": GREEN},
        lanes=LANE,
        due="2024-03-27",
        used={"2024-02-29": 1, "2024-03-01": 2},
    ),
    Case(
        "a limit that ends before a holiday is red within it",
        ("land_supplied", "2026-09-01"),
        {"2026-09-29": YELLOW, "2026-09-30": RED, "2026-10-03": RED},
        due="2026-09-29",
        lanes=LANE,
    ),
    Case(
        "yellow may begin on the last working day before a holiday and lasts through it",
        ("land_supplied", "2026-09-08"),
        {"2026-09-29": GREEN, "2026-09-30": "yellow due-soon", "2026-10-04": YELLOW},
        due="2026-10-12",
        warn="2026-09-30",
        lanes=LANE,
    ),
    Case(
        "60 working days over three holidays of the spring",
        ("signed", "2026-01-30"),
        {"2026-05-06": YELLOW, "2026-05-07": RED},
        due="2026-05-06",
        route="plant",
    ),
    Case(
        "an expansion has 60 working days to begin",
        ("signed", "2026-06-01"),
        {"2026-08-25": YELLOW, "2026-08-26": RED},
        due="2026-08-25",
        route="expansion",
    ),
    # Years without published holidays, and the turn of the year.
    Case(
        "1 January of a year not published is worked when it is a Friday",
        ("land_supplied", "2026-12-31"),
        {"2027-01-01": GREEN},
        due="2027-01-28",
        lanes=LANE,
        provisional=True,
        used={"2026-12-31": 0, "2027-01-01": 1, "2027-01-02": 1, "2027-01-04": 2},
    ),
    Case(
        "a clock that runs wholly in a year not published is provisional",
        ("land_supplied", "2027-02-01"),
        {"2027-03-01": YELLOW, "2027-03-02": RED},
        due="2027-03-01",
        lanes=LANE,
        provisional=True,
    ),
    Case(
        "months over the turn of a year not published are not provisional",
        ("completed", "2026-10-31"),
        {"2027-04-30": YELLOW, "2027-05-01": RED},
        due="2027-04-30",
    ),
    Case(
        "a clock overdue before the turn of the year stays red in the year not published",
        ("land_supplied", "2026-11-20"),
        {"2026-12-18": YELLOW, "2026-12-19": RED, "2027-01-01": RED},
        due="2026-12-18",
        lanes=LANE,
    ),
    Case(
        "a pause that pushes the count into a year not published makes it provisional",
        ("land_supplied", "2026-12-01"),
        {"2026-12-14": "grey paused", "2027-01-05": YELLOW, "2027-01-06": RED},
        due="2027-01-05",
        lanes=LANE,
        provisional=True,
        pauses=(("2026-12-14", "2026-12-18"),),
    ),
    Case(
        "a count from the year before the first published one reads the published one as it is",
        ("land_supplied", "2003-12-22"),
        {"2004-01-01": GREEN},
        due="2004-01-18",
        lanes=LANE,
        used={"2003-12-31": 7, "2004-01-01": 7, "2004-01-02": 8, "2004-01-17": 19, "2004-01-18": 20},
    ),
    # Months: the end of the month is kept inside.
    Case(
        "31 August and six months is the last of February",
        ("completed", "2025-08-31"),
        {"2026-02-28": YELLOW, "2026-03-01": RED},
        due="2026-02-28",
    ),
    Case(
        "31 August and six months is the leap day in a leap year",
        ("completed", "2023-08-31"),
        {"2024-02-29": YELLOW, "2024-03-01": RED},
        due="2024-02-29",
    ),
    Case(
        "the last of February and six months is 28 August, not the end of August",
        ("completed", "2026-02-28"),
        {"2026-08-28": YELLOW, "2026-08-29": RED},
        due="2026-08-28",
    ),
    Case(
        "31 December and three months is 31 March",
        ("completed", "2025-12-31"),
        {"2026-03-31": YELLOW, "2026-04-01": RED},
        due="2026-03-31",
        route="expansion",
    ),
    Case(
        "a leap day and 12 months is the last of February",
        ("started", "2024-02-29"),
        {"2025-02-28": YELLOW, "2025-03-01": RED},
        due="2025-02-28",
        warn="2025-01-29",
        route="expansion",
    ),
    Case(
        "24 months to a leap year's 29 February that is not asked for",
        ("started", "2022-02-28"),
        {"2024-02-28": YELLOW, "2024-02-29": RED},
        due="2024-02-28",
    ),
    Case(
        "a limit of six months is no long one: it warns at four fifths",
        ("started", "2026-01-15"),
        {"2026-06-08": GREEN, "2026-06-09": "yellow due-soon"},
        due="2026-07-15",
        warn="2026-06-09",
        route="plant",
    ),
    Case(
        "the 30 days before a long limit's date are counted from the moved date",
        ("started", "2025-06-15"),
        {"2026-05-26": GREEN, "2026-05-27": "yellow due-soon", "2026-06-26": YELLOW, "2026-06-27": RED},
        due="2026-06-26",
        warn="2026-05-27",
        route="expansion",
        pauses=(("2025-09-01", "2025-09-11"),),
    ),
    # Pauses on and around holidays, due dates and each other.
    Case(
        "a pause that starts on a holiday leaves out its working days alone",
        ("land_supplied", "2026-09-28"),
        {"2026-10-05": "grey pause-ending", "2026-10-09": GREY, "2026-10-10": GREEN},
        due="2026-11-03",
        lanes=LANE,
        pauses=(("2026-10-05", "2026-10-09"),),
        used={"2026-09-30": 2, "2026-10-09": 2, "2026-10-10": 3},
    ),
    Case(
        "a pause on a make-up Saturday moves the due date by that one working day",
        ("land_supplied", "2026-09-28"),
        {"2026-10-10": "grey pause-ending", "2026-10-11": GREEN},
        due="2026-11-02",
        lanes=LANE,
        pauses=(("2026-10-10", "2026-10-10"),),
    ),
    Case(
        "a pause over a weekend alone moves nothing",
        ("land_supplied", "2026-03-06"),
        {"2026-03-14": "grey pause-ending", "2026-03-16": GREEN, "2026-04-04": RED},
        due="2026-04-03",
        lanes=LANE,
        pauses=(("2026-03-14", "2026-03-15"),),
    ),
    Case(
        "a pause across the due date moves the due date behind it, day for working day",
        ("land_supplied", "2026-03-06"),
        {"2026-04-01": YELLOW, "2026-04-02": GREY, "2026-04-08": GREY, "2026-04-10": YELLOW, "2026-04-11": RED},
        due="2026-04-10",
        lanes=LANE,
        pauses=(("2026-04-02", "2026-04-08"),),
    ),
    Case(
        "a pause that ends on the eve of the due date leaves one day",
        SIGNED,
        {"2026-04-10": GREY, "2026-04-19": GREY, "2026-04-20": YELLOW, "2026-04-21": RED},
        due="2026-04-20",
        pauses=(("2026-04-10", "2026-04-19"),),
    ),
    Case(
        "two approvals that touch leave no day between them",
        SIGNED,
        {"2026-02-10": GREY, "2026-02-11": GREY, "2026-02-20": GREY, "2026-02-21": GREEN},
        due="2026-04-30",
        pauses=(("2026-02-01", "2026-02-10"), ("2026-02-11", "2026-02-20")),
    ),
    Case(
        "two approvals a day apart let that day count",
        SIGNED,
        {"2026-02-10": GREY, "2026-02-11": GREEN, "2026-02-12": GREY},
        due="2026-04-29",
        pauses=(("2026-02-01", "2026-02-10"), ("2026-02-12", "2026-02-20")),
        used={"2026-02-10": 21, "2026-02-11": 22, "2026-02-12": 22},
    ),
    Case(
        "a pause of exactly 90 days is whole",
        SIGNED,
        {"2026-02-01": GREY, "2026-05-01": GREY, "2026-05-02": GREEN},
        due="2026-07-09",
        pauses=(("2026-02-01", "2026-05-01"),),
    ),
    Case(
        "a second approval prolongs the first: 180 days in two acts",
        SIGNED,
        {"2026-05-01": GREY, "2026-05-02": GREY, "2026-07-30": GREY, "2026-07-31": GREEN},
        due="2026-10-07",
        then=(
            ("blocked", "2026-02-01"),
            ("approved", "e3", "2026-02-01", "2026-05-01"),
            ("approved", "e3", "2026-05-02", "2026-07-30"),
        ),
    ),
    Case(
        "a blocker alone pauses nothing, however bad it is",
        SIGNED,
        {"2026-02-15": "green in-time", "2026-04-11": "red overdue"},
        due="2026-04-10",
        then=(("blocked", "2026-02-01"),),
    ),
    Case(
        "a pause approved later for a time in the past is left out of the count",
        SIGNED,
        {"2026-02-05": "grey pause-ending", "2026-02-11": GREEN, "2026-04-20": YELLOW, "2026-04-21": RED},
        due="2026-04-20",
        then=(("blocked", "2026-01-20"), ("approved", "e3", "2026-02-01", "2026-02-10")),
    ),
    Case(
        "a pause recorded before its blocker holds all the same",
        SIGNED,
        {"2026-02-05": "grey pause-ending", "2026-02-11": GREEN},
        due="2026-04-20",
        then=(("approved", "e4", "2026-02-01", "2026-02-10"), ("blocked", "2026-02-01")),
    ),
    Case(
        "a pause for a blocker nobody raised pauses nothing",
        SIGNED,
        {"2026-02-05": "green in-time"},
        due="2026-04-10",
        then=(("approved", "e99", "2026-02-01", "2026-02-10"),),
    ),
    Case(
        "a retracted pause was never approved",
        SIGNED,
        {"2026-02-05": "green in-time", "2026-04-11": "red overdue"},
        due="2026-04-10",
        then=(
            ("blocked", "2026-02-01"),
            ("approved", "e3", "2026-02-01", "2026-02-10"),
            ("retracted", "e4"),
        ),
    ),
    Case(
        "with its blocker retracted a pause has nothing to stand on",
        SIGNED,
        {"2026-02-05": "green in-time"},
        due="2026-04-10",
        then=(
            ("blocked", "2026-02-01"),
            ("approved", "e3", "2026-02-01", "2026-02-10"),
            ("retracted", "e3"),
        ),
    ),
    Case(
        "a clear ends every pause of its blocker",
        SIGNED,
        {"2026-02-14": GREY, "2026-02-15": GREEN},
        due="2026-04-24",
        then=(
            ("blocked", "2026-02-01"),
            ("approved", "e3", "2026-02-01", "2026-02-10"),
            ("approved", "e3", "2026-02-11", "2026-03-20"),
            ("cleared", "e3", "2026-02-15"),
        ),
    ),
    Case(
        "a retracted clear lets the pause run on",
        SIGNED,
        {"2026-02-20": "grey paused", "2026-03-21": GREEN},
        due="2026-05-28",
        pauses=(("2026-02-01", "2026-03-20", "2026-02-15"),),
        then=(("retracted", "e4"),),
    ),
    Case(
        "of two clears the one recorded last says the day",
        SIGNED,
        {"2026-02-19": GREY, "2026-02-20": GREEN},
        due="2026-04-29",
        pauses=(("2026-02-01", "2026-03-20", "2026-02-15"),),
        then=(("cleared", "e3", "2026-02-20"),),
    ),
    Case(
        "the clear of one blocker leaves another's pause running",
        SIGNED,
        {"2026-02-05": GREY, "2026-02-15": GREY, "2026-02-16": GREEN},
        due="2026-04-25",
        pauses=(("2026-02-01", "2026-02-28", "2026-02-06"), ("2026-02-04", "2026-02-15")),
    ),
    Case(
        "a pause may end before it begins, by a clear; then it was none",
        SIGNED,
        {"2026-02-05": GREEN},
        due="2026-04-10",
        pauses=(("2026-02-01", "2026-02-10", "2026-01-20"),),
    ),
    Case(
        "a pause wholly before day 0 is no affair of this gap",
        SIGNED,
        {"2025-12-20": GREEN, "2026-04-11": RED},
        due="2026-04-10",
        pauses=(("2025-12-01", "2025-12-31"),),
    ),
    Case(
        "a clock late from the start is red although a pause began later",
        ("signed", "2026-01-10"),
        {"2026-04-10": YELLOW, "2026-04-12": "red overdue-paused", "2026-05-12": "red overdue"},
        due="2026-04-10",
        pauses=(("2026-04-12", "2026-05-11"),),
    ),
    Case(
        "a pause in force majeure longer than a month stays grey to its end",
        SIGNED,
        {"2026-02-01": "grey paused", "2026-03-15": GREY, "2026-03-16": GREEN},
        due="2026-05-23",
        pauses=(("2026-02-01", "2026-03-15", None, "force_majeure"),),
    ),
    Case(
        "of mixed causes only the allowed ones pause",
        SIGNED,
        {"2026-02-03": GREEN, "2026-02-06": "grey pause-ending", "2026-02-11": GREEN},
        due="2026-04-15",
        pauses=(("2026-02-01", "2026-02-10", None, "enterprise"), ("2026-02-06", "2026-02-10", None, "government")),
    ),
    Case(
        "the months' due date moved over a second pause takes that one in too",
        ("completed", "2025-12-01"),
        {"2026-03-02": GREY, "2026-03-12": GREY, "2026-03-22": YELLOW, "2026-03-23": RED},
        due="2026-03-22",
        route="plant",
        pauses=(("2026-01-01", "2026-01-10"), ("2026-03-03", "2026-03-12"), ("2026-03-02", "2026-03-05")),
        used={"2026-01-10": 30, "2026-03-01": 80, "2026-03-12": 80, "2026-03-22": 90},
    ),
    Case(
        "a pause in the months moves four fifths as well",
        ("completed", "2025-12-01"),
        {"2026-02-20": GREEN, "2026-02-21": "yellow due-soon"},
        due="2026-03-11",
        warn="2026-02-21",
        route="plant",
        pauses=(("2026-01-01", "2026-01-10"),),
    ),
    Case(
        "a pause that runs out within a holiday says so with three working days left before it",
        ("land_supplied", "2026-09-08"),
        {
            "2026-09-23": "grey paused",
            "2026-09-24": "grey pause-ending",
            "2026-10-05": "grey pause-ending",
            "2026-10-06": GREEN,
        },
        due="2026-11-02",
        lanes=LANE,
        pauses=(("2026-09-10", "2026-10-05"),),
    ),
    Case(
        "a pause that its clear ends does not run out",
        SIGNED,
        {"2026-02-13": "grey paused", "2026-02-14": GREEN},
        due="2026-04-23",
        pauses=(("2026-02-01", "2026-02-20", "2026-02-14"),),
    ),
    Case(
        "a pause that another one prolongs does not run out, the other does",
        SIGNED,
        {"2026-02-10": "grey paused", "2026-03-02": "grey paused", "2026-03-03": "grey pause-ending"},
        due="2026-05-15",
        pauses=(("2026-02-01", "2026-02-10"), ("2026-02-11", "2026-03-07")),
    ),
    # 停工, and other things that change no light.
    Case(
        "work standing still pauses nothing",
        ("started", "2025-06-15"),
        {"2026-05-16": "yellow due-soon", "2026-06-16": "red overdue"},
        due="2026-06-15",
        route="expansion",
        then=(("tell", "suspension.begun", {"date": "2025-12-01", "reason": "资金"}),),
    ),
    Case(
        "notes and progress change no light",
        SIGNED,
        {"2026-03-22": GREEN, "2026-03-23": YELLOW, "2026-04-11": RED},
        due="2026-04-10",
        then=(
            ("tell", "note.added", {"text": "走访"}),
            ("tell", "progress.reported", {"date": "2026-02-01", "percent": 50}),
        ),
    ),
    # Corrections and retractions.
    Case(
        "a correction to a later day turns red back to green",
        SIGNED,
        {"2026-04-11": "green in-time", "2026-06-29": YELLOW, "2026-06-30": RED},
        due="2026-06-29",
        then=(("reached", "signed", "2026-03-31"),),
    ),
    Case(
        "a correction to an earlier day brings red earlier",
        SIGNED,
        {"2026-03-11": YELLOW, "2026-03-12": "red overdue"},
        due="2026-03-11",
        then=(("reached", "signed", "2025-12-11"),),
    ),
    Case(
        "a correction after red, back into the paused days, leaves out those after the new day 0",
        SIGNED,
        {"2026-02-05": "green in-time", "2026-02-06": "grey pause-ending", "2026-02-11": GREEN, "2026-05-12": RED},
        due="2026-05-11",
        pauses=(("2026-02-01", "2026-02-10"),),
        then=(("reached", "signed", "2026-02-05"),),
    ),
    Case(
        "a retracted correction restores the day before it",
        SIGNED,
        {"2026-04-10": YELLOW, "2026-04-11": "red overdue"},
        due="2026-04-10",
        then=(("reached", "signed", "2026-03-31"), ("retracted", "e3")),
    ),
    Case(
        "a retraction of the next stage reopens the gap as if it had never closed",
        SIGNED,
        {"2026-04-11": "red overdue", "2026-05-20": RED},
        due="2026-04-10",
        then=(("reached", "land_supplied", "2026-03-01"), ("retracted", "e3")),
    ),
    Case(
        "a retracted retraction of the next stage closes the gap again",
        SIGNED,
        {"2026-05-20": YELLOW},
        due="2026-05-27",
        then=(("reached", "land_supplied", "2026-03-01"), ("retracted", "e3"), ("retracted", "e4")),
    ),
    Case(
        "a back-dated next stage moves the clock to its own gap",
        SIGNED,
        {"2026-04-11": GREEN, "2026-06-30": YELLOW, "2026-07-01": RED},
        due="2026-06-30",
        then=(("reached", "land_supplied", "2026-04-01"),),
    ),
    Case(
        "with a stage missing between, the clock runs from the furthest",
        SIGNED,
        {"2026-05-16": "green in-time", "2028-02-15": YELLOW, "2028-03-16": RED},
        due="2028-03-15",
        warn="2028-02-14",
        then=(("reached", "started", "2026-03-15"),),
    ),
    Case(
        "a change of route judges the record by the new route",
        ("signed", "2026-02-13"),
        {"2026-05-15": YELLOW, "2026-05-19": "yellow due-soon", "2026-05-20": "red overdue"},
        due="2026-05-19",
        then=(("tell", "project.amended", {"route": "plant"}),),
    ),
    Case(
        "a project moved into the quick lane later has its limit at once",
        ("land_supplied", "2026-03-06"),
        {"2026-04-03": YELLOW, "2026-04-04": RED},
        due="2026-04-03",
        then=(("tell", "project.amended", {"lanes": list(LANE)}),),
    ),
    # Plans and their changes.
    Case(
        "a plan changed with reason and approver rules by its new date",
        ("started", "2026-01-01"),
        {
            "2026-07-01": GREEN,
            "2026-08-01": "yellow plan-due-soon",
            "2026-08-31": YELLOW,
            "2026-09-01": "red plan-overdue",
        },
        due="2026-08-31",
        plan="2026-06-30",
        then=(("planned", "completed", "2026-08-31", {"reason": "雨季", "approver": "u-chief"}),),
    ),
    Case(
        "a plan changed without an approver does not hold",
        ("started", "2026-01-01"),
        {"2026-06-30": YELLOW, "2026-07-01": "red plan-overdue"},
        due="2026-06-30",
        plan="2026-06-30",
        then=(("planned", "completed", "2026-08-31", {"reason": "雨季"}),),
    ),
    Case(
        "a plan changed without a reason does not hold",
        ("started", "2026-01-01"),
        {"2026-06-30": YELLOW, "2026-07-01": "red plan-overdue"},
        due="2026-06-30",
        plan="2026-06-30",
        then=(("planned", "completed", "2026-08-31", {"approver": "u-chief"}),),
    ),
    Case(
        "a retracted change brings the baseline back",
        ("started", "2026-01-01"),
        {"2026-07-01": "red plan-overdue"},
        due="2026-06-30",
        plan="2026-06-30",
        then=(("planned", "completed", "2026-08-31", {"reason": "雨季", "approver": "u-chief"}), ("retracted", "e4")),
    ),
    Case(
        "a retracted plan leaves the zone's limit",
        ("started", "2026-01-01"),
        {"2026-07-01": "green in-time", "2027-12-02": "yellow due-soon", "2028-01-02": "red overdue"},
        due="2028-01-01",
        plan="2026-06-30",
        then=(("retracted", "e3"),),
    ),
    Case(
        "a plan known to the year is due on its last day",
        ("started", "2026-01-01"),
        {"2026-12-01": "yellow plan-due-soon", "2026-12-31": YELLOW, "2027-01-01": "red plan-overdue"},
        due="2026-12-31",
        warn="2026-12-01",
        plan="2026",
    ),
    Case(
        "a plan for production takes the place of its limit too",
        ("completed", "2026-01-01"),
        {"2026-02-09": "green plan-in-time", "2026-02-10": "yellow plan-due-soon", "2026-02-21": "red plan-overdue"},
        due="2026-02-20",
        plan="2026-02-20",
    ),
    Case(
        "a passed planned month of the start is a warning from its end on",
        ("land_supplied", "2026-02-13"),
        {"2026-03-31": "green in-time", "2026-04-01": "yellow behind-plan", "2026-05-20": "red overdue"},
        due="2026-05-19",
        plan="2026-03",
    ),
    Case(
        "behind plan and paused is grey, and yellow again after the pause",
        ("land_supplied", "2026-02-13"),
        {"2026-03-11": "yellow behind-plan", "2026-03-16": "grey paused", "2026-03-21": "yellow behind-plan"},
        due="2026-05-26",
        plan="2026-03-10",
        pauses=(("2026-03-16", "2026-03-20"),),
    ),
    Case(
        "a plan of the stage after the next one is no affair of this gap",
        ("land_supplied", "2026-02-13"),
        {"2026-03-11": "green in-time"},
        due="2026-05-19",
        then=(("planned", "completed", "2026-03-10"),),
    ),
    # Dates known to the month or year.
    Case(
        "working days of a start known to the month count from the month's last day",
        ("land_supplied", "2026-09"),
        {"2026-10-08": GREEN},
        due="2026-11-03",
        lanes=LANE,
        used={"2026-09-15": 0, "2026-09-30": 0, "2026-10-08": 1},
    ),
    Case(
        "months of a start known to the month count from the month's last day",
        ("completed", "2026-02"),
        {"2026-08-28": YELLOW, "2026-08-29": RED},
        due="2026-08-28",
    ),
    Case(
        "a pause within the month in which the stage was reached begins to tell on its last day",
        ("signed", "2026-02"),
        {"2026-02-20": GREEN, "2026-02-28": GREEN, "2026-03-01": GREY, "2026-03-05": GREY, "2026-03-06": GREEN},
        due="2026-06-03",
        pauses=(("2026-02-10", "2026-03-05"),),
    ),
    Case(
        "a date made exact by a correction counts from its day",
        ("signed", "2026-02"),
        {"2026-05-03": YELLOW, "2026-05-04": RED},
        due="2026-05-03",
        then=(("reached", "signed", "2026-02-02"),),
    ),
]

WHOLES = [
    # No clock.
    Whole("nothing is reported yet", (), {"2026-03-05": "grey no-milestone"}),
    Whole(
        "the only milestone was retracted",
        (("reached", "signed", "2026-01-10"), ("retracted", "e2")),
        {"2026-04-11": "grey no-milestone"},
    ),
    Whole("the date of the stage is unknown", (("reached", "signed", None),), {"2026-04-11": "grey date-unknown"}),
    Whole(
        "a date became unknown by a correction",
        (("reached", "signed", "2026-01-10"), ("reached", "signed", None)),
        {"2026-04-11": "grey date-unknown"},
    ),
    Whole(
        "a later stage with a date has a clock although an earlier one has no date",
        (("reached", "signed", None), ("reached", "land_supplied", "2026-02-13")),
        {"2026-05-19": "yellow due-soon", "2026-05-20": "red overdue"},
    ),
    Whole("the route is finished", (("reached", "producing", "2026-01-10"),), {"2030-01-01": "blue finished"}),
    Whole(
        "with the last stage retracted the gap before it runs again",
        (("reached", "completed", "2025-12-31"), ("reached", "producing", "2026-03-01"), ("retracted", "e3")),
        {"2026-05-24": "green in-time", "2026-05-25": "yellow due-soon", "2026-07-01": "red overdue"},
    ),
    Whole(
        "an agreement has no clock",
        (("reached", "signed", "2020-01-10"),),
        {"2026-03-05": "grey no-clock"},
        {"kind": "agreement"},
    ),
    Whole(
        "a phased project has none of its own",
        (("reached", "signed", "2020-01-10"),),
        {"2026-03-05": "grey phased"},
        {"phased": True},
    ),
    Whole(
        "a published fact is grey whatever is known of it",
        (("reached", "signed", "2020-01-10"), ("blocked", "2020-02-01", {"promise": "2020-03-01"})),
        {"2026-03-05": "grey published"},
        {"source": "published", "as_of": "2024-09-30"},
    ),
    Whole(
        "a withdrawn project is grey, its broken promises too",
        (
            ("reached", "signed", "2020-01-10"),
            ("blocked", "2020-02-01", {"promise": "2020-03-01"}),
            ("tell", "project.withdrawn", {"date": "2020-06-01", "reason": "投资方放弃"}),
        ),
        {"2026-03-05": "grey withdrawn"},
    ),
    Whole(
        "a retracted withdrawal leaves the clock as it was",
        (
            ("reached", "signed", "2026-01-10"),
            ("tell", "project.withdrawn", {"date": "2026-02-01", "reason": "误报"}),
            ("retracted", "e3"),
        ),
        {"2026-04-10": "yellow due-soon", "2026-04-11": "red overdue"},
    ),
    # Promises beside the clock.
    Whole(
        "a promise kept in time hides behind the clock's colour",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-11"})),
        {
            "2026-02-08": "green in-time",
            "2026-02-09": "yellow promise-due-soon",
            "2026-02-11": "yellow promise-due-soon",
        },
    ),
    Whole(
        "a broken promise makes the project red",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-11"})),
        {"2026-02-12": "red promise-overdue", "2026-04-10": "red promise-overdue"},
    ),
    Whole(
        "of two reds the gap's clock speaks",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-11"})),
        {"2026-04-11": "red overdue"},
    ),
    Whole(
        "a promise is never paused, not even by its own blocker's pause",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("approved", "e3", "2026-02-01", "2026-04-30"),
        ),
        {"2026-02-08": "grey paused", "2026-02-09": "yellow promise-due-soon", "2026-02-12": "red promise-overdue"},
    ),
    Whole(
        "a postponed promise runs to its new day",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("updated", "e3", {"promise": "2026-02-21", "reason": "设备未到"}),
        ),
        {"2026-02-16": "green in-time", "2026-02-17": "yellow promise-due-soon", "2026-02-22": "red promise-overdue"},
    ),
    Whole(
        "a retracted postponement brings the first promise back",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("updated", "e3", {"promise": "2026-02-21", "reason": "设备未到"}),
            ("retracted", "e4"),
        ),
        {"2026-02-12": "red promise-overdue"},
    ),
    Whole(
        "a promise first given by an update has a clock from the blocker's day",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01"),
            ("updated", "e3", {"promise": "2026-02-11"}),
        ),
        {"2026-02-08": "green in-time", "2026-02-09": "yellow promise-due-soon", "2026-02-12": "red promise-overdue"},
    ),
    Whole(
        "another unit changes nothing about the promised day",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("updated", "e3", {"owner": "u-grid"}),
        ),
        {"2026-02-12": "red promise-overdue"},
    ),
    Whole(
        "a cleared blocker's promise is forgotten, kept or not",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("cleared", "e3", "2026-03-01"),
        ),
        {"2026-02-20": "green in-time", "2026-03-05": "green in-time"},
    ),
    Whole(
        "a promise known to the month is due on its last day",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02"})),
        {"2026-02-28": "yellow promise-due-soon", "2026-03-01": "red promise-overdue"},
    ),
    Whole(
        "a promise for the very day is yellow on it and red after it",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-01"})),
        {"2026-01-31": "green in-time", "2026-02-01": "yellow promise-due-soon", "2026-02-02": "red promise-overdue"},
    ),
    Whole(
        "an agreement with a promise in time stays grey, and is red when it breaks",
        (("reached", "signed", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-11"})),
        {"2026-02-08": "grey no-clock", "2026-02-09": "yellow promise-due-soon", "2026-02-12": "red promise-overdue"},
        {"kind": "agreement"},
    ),
    Whole(
        "a finished route with a broken promise is red",
        (("reached", "producing", "2026-01-10"), ("blocked", "2026-02-01", {"promise": "2026-02-11"})),
        {"2026-02-08": "green promise-in-time", "2026-02-12": "red promise-overdue"},
    ),
    Whole(
        "the worst of two promises counts",
        (
            ("reached", "signed", "2026-01-10"),
            ("blocked", "2026-02-01", {"promise": "2026-03-31"}),
            ("blocked", "2026-02-01", {"promise": "2026-02-11"}),
            ("cleared", "e4", "2026-02-20"),
        ),
        {"2026-02-12": "green in-time", "2026-03-20": "yellow promise-due-soon", "2026-04-01": "red promise-overdue"},
    ),
]

LAND = ("reached", "land_supplied", "2026-01-10")
CONTRACT = ("tell", "land_contract.recorded", {"contract_no": "示例-1", "start_by": "2026-03-01"})
PAPER = "示规函〔2026〕12号"


def idle(sentence: str, steps: tuple[Step, ...], on: dict[str, str], due: str, **more: Any) -> Ruled:
    """A row of the first legal clock: one year after the agreed start."""
    return Ruled(sentence, "idle-land", "idle-land-fee", (LAND, *steps), on, due, **more)


def quiet(sentence: str, steps: tuple[Step, ...], on: dict[str, str], due: str | None = None) -> Ruled:
    """A row of the clock that asks for news of a project."""
    return Ruled(
        sentence, "handan-2024", "handan-2024-progress", (("reached", "signed", "2026-01-10"), *steps), on, due
    )


def progress(day: str, percent: int | None = None) -> Step:
    return ("tell", "progress.reported", {"date": day, "percent": percent})


RULED = [
    # Idle land: the law counts from the agreed start, and only what the law names delays it.
    idle(
        "idle land is red a year after the agreed start, yellow from 60 days before",
        (CONTRACT,),
        {
            "2026-12-30": "green in-time",
            "2026-12-31": "yellow due-soon",
            "2027-03-01": YELLOW,
            "2027-03-02": "red overdue",
        },
        "2027-03-01",
    ),
    Ruled(
        "after two years the land may be taken back",
        "idle-land",
        "idle-land-recovery",
        (LAND, CONTRACT),
        {
            "2027-12-31": "green in-time",
            "2028-01-01": "yellow due-soon",
            "2028-03-01": YELLOW,
            "2028-03-02": "red overdue",
        },
        "2028-03-01",
    ),
    idle(
        "a delay caused by the government, with a paper, moves the year by its days",
        (CONTRACT, ("blocked", "2026-06-01", "government"), ("approved", "e4", "2026-06-01", "2026-06-30", PAPER)),
        {
            "2026-06-15": "grey paused",
            "2027-01-29": GREEN,
            "2027-01-30": YELLOW,
            "2027-03-31": YELLOW,
            "2027-04-01": RED,
        },
        "2027-03-31",
    ),
    idle(
        "a delay caused by the government without a paper moves nothing by the law",
        (CONTRACT, ("blocked", "2026-06-01", "government"), ("approved", "e4", "2026-06-01", "2026-06-30")),
        {"2026-06-15": "green in-time", "2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "what the power company delays is no excuse by the law, paper or not",
        (CONTRACT, ("blocked", "2026-06-01", "utility"), ("approved", "e4", "2026-06-01", "2026-06-30", PAPER)),
        {"2026-06-15": "green in-time", "2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "what the enterprise delays is none either",
        (CONTRACT, ("blocked", "2026-06-01", "enterprise"), ("approved", "e4", "2026-06-01", "2026-06-30", PAPER)),
        {"2026-06-15": "green in-time", "2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "force majeure with a paper moves the year",
        (CONTRACT, ("blocked", "2026-06-01", "force_majeure"), ("approved", "e4", "2026-06-01", "2026-06-10", PAPER)),
        {"2027-03-11": YELLOW, "2027-03-12": "red overdue"},
        "2027-03-11",
    ),
    idle(
        "necessary preliminary work with a paper moves the year",
        (
            CONTRACT,
            ("blocked", "2026-06-01", "preliminary_work"),
            ("approved", "e4", "2026-06-01", "2026-06-10", PAPER),
        ),
        {"2027-03-11": YELLOW, "2027-03-12": "red overdue"},
        "2027-03-11",
    ),
    Ruled(
        "the zone's own limit knows no preliminary work",
        "zone-default",
        "zone-default",
        (
            ("reached", "land_supplied", "2026-02-13"),
            ("blocked", "2026-03-02", "preliminary_work"),
            ("approved", "e3", "2026-03-02", "2026-03-31", PAPER),
        ),
        {"2026-03-10": "green in-time", "2026-05-20": "red overdue"},
        "2026-05-19",
    ),
    idle(
        "a delay before the agreed start moves nothing",
        (CONTRACT, ("blocked", "2026-01-20", "government"), ("approved", "e4", "2026-01-20", "2026-02-28", PAPER)),
        {"2026-02-01": "green in-time", "2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "a delay over the agreed start moves by its days after it",
        (CONTRACT, ("blocked", "2026-02-20", "government"), ("approved", "e4", "2026-02-20", "2026-03-10", PAPER)),
        {"2026-03-01": "green in-time", "2026-03-02": "grey paused", "2027-03-10": YELLOW, "2027-03-11": RED},
        "2027-03-10",
    ),
    idle(
        "a delay within the added days moves the date again",
        (
            CONTRACT,
            ("blocked", "2026-06-01", "government"),
            ("approved", "e4", "2026-06-01", "2026-06-30", PAPER),
            ("approved", "e4", "2027-03-10", "2027-03-14", PAPER),
        ),
        {"2027-03-12": "grey pause-ending", "2027-04-05": YELLOW, "2027-04-06": RED},
        "2027-04-05",
    ),
    idle(
        "a delay that begins after the year leaves it red",
        (CONTRACT, ("blocked", "2027-03-05", "government"), ("approved", "e4", "2027-03-05", "2027-03-31", PAPER)),
        {"2027-03-10": "red overdue-paused", "2027-04-01": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "a delay that its clear ended counts up to the day before",
        (
            CONTRACT,
            ("blocked", "2026-06-01", "government"),
            ("approved", "e4", "2026-06-01", "2026-08-29", PAPER),
            ("cleared", "e4", "2026-06-11"),
        ),
        {"2026-06-10": "grey paused", "2026-06-11": GREEN, "2027-03-12": "red overdue"},
        "2027-03-11",
    ),
    idle(
        "a supplement to the land contract agrees on another start",
        (CONTRACT, ("tell", "land_contract.recorded", {"start_by": "2026-06-01"})),
        {"2027-03-02": GREEN, "2027-06-01": YELLOW, "2027-06-02": RED},
        "2027-06-01",
    ),
    idle(
        "a retracted supplement brings the first agreement back",
        (CONTRACT, ("tell", "land_contract.recorded", {"start_by": "2026-06-01"}), ("retracted", "e4")),
        {"2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    idle(
        "without a land contract the agreed start is the registered one",
        (),
        {"2027-02-15": YELLOW, "2027-02-16": RED},
        "2027-02-15",
        fields={"agreed_start_date": "2026-02-15"},
    ),
    idle(
        "the land contract goes before the registered date",
        (CONTRACT,),
        {"2027-02-16": YELLOW, "2027-03-02": RED},
        "2027-03-01",
        fields={"agreed_start_date": "2026-02-15"},
    ),
    idle(
        "an agreed month begins to count on its last day",
        (("tell", "land_contract.recorded", {"start_by": "2026-02"}),),
        {"2027-02-28": YELLOW, "2027-03-01": RED},
        "2027-02-28",
    ),
    idle(
        "a year from a leap day ends on the last of February",
        (("tell", "land_contract.recorded", {"start_by": "2024-02-29"}),),
        {"2025-02-28": YELLOW, "2025-03-01": RED},
        "2025-02-28",
    ),
    idle(
        "a plan moves no limit of law and gives no warning in it",
        (
            CONTRACT,
            ("planned", "started", "2026-05-01"),
            ("planned", "started", "2027-09-01", {"reason": "缓", "approver": "u"}),
        ),
        {"2026-05-02": "green in-time", "2027-03-02": "red overdue"},
        "2027-03-01",
    ),
    # News of a project.
    quiet(
        "two months without news are yellow, three red",
        (),
        {
            "2026-03-10": "green in-time",
            "2026-03-11": "yellow due-soon",
            "2026-04-10": YELLOW,
            "2026-04-11": "red overdue",
        },
        "2026-04-10",
    ),
    quiet(
        "news before the warning begins the count anew",
        (progress("2026-03-01"),),
        {"2026-03-11": "green in-time", "2026-05-02": "yellow due-soon", "2026-06-02": "red overdue"},
        "2026-06-01",
    ),
    quiet(
        "news after a red turns it green from its day on",
        (progress("2026-05-01"),),
        {"2026-04-11": "red overdue", "2026-04-30": RED, "2026-05-01": "green in-time", "2026-07-02": YELLOW},
        "2026-08-01",
    ),
    quiet(
        "news twice within days after a red leaves none of those days red",
        (progress("2026-05-01"), progress("2026-05-04")),
        {
            "2026-04-30": "red overdue",
            "2026-05-01": "green in-time",
            "2026-05-03": "green in-time",
            "2026-05-04": GREEN,
        },
        "2026-08-04",
    ),
    quiet(
        "news of a day before the newest changes nothing",
        (progress("2026-03-01"), progress("2026-02-01")),
        {"2026-05-02": "yellow due-soon", "2026-06-02": "red overdue"},
        "2026-06-01",
    ),
    Ruled(
        "half a year without news leads out of the pool",
        "handan-2024",
        "handan-2024-pool",
        (("reached", "signed", "2026-01-10"),),
        {"2026-07-10": "green in-time", "2026-07-11": "red overdue"},
        "2026-07-10",
    ),
    # Monthly rounds.
    Ruled(
        "a planned month passed is yellow on the next first and red on the third",
        "yinchuan-2025",
        "yinchuan-2025-start",
        (LAND, ("planned", "started", "2026-03")),
        {
            "2026-03-31": "green judged-in-order",
            "2026-04-01": "yellow judged-behind",
            "2026-05-31": "yellow judged-behind",
            "2026-06-01": "red judged-late",
        },
        "2026-03-31",
    ),
    Ruled(
        "a plan moved with approval is judged by its new month",
        "yinchuan-2025",
        "yinchuan-2025-start",
        (
            LAND,
            ("planned", "started", "2026-03"),
            ("planned", "started", "2026-05", {"reason": "雨季", "approver": "u-chief"}),
        ),
        {"2026-05-31": "green judged-in-order", "2026-06-01": YELLOW, "2026-07-31": YELLOW, "2026-08-01": RED},
        "2026-05-31",
    ),
    Ruled(
        "a month that ends within an approved pause is not judged and breaks no row",
        "yinchuan-2025",
        "yinchuan-2025-start",
        (
            LAND,
            ("planned", "started", "2026-03"),
            ("blocked", "2026-04-20"),
            ("approved", "e4", "2026-04-20", "2026-05-10"),
        ),
        {"2026-04-01": YELLOW, "2026-05-01": GREY, "2026-05-11": YELLOW, "2026-06-01": YELLOW, "2026-07-01": RED},
        "2026-03-31",
    ),
    Ruled(
        "ten points behind plan are yellow, more than thirty red at once",
        "yinchuan-2025",
        "yinchuan-2025-progress",
        (
            ("reached", "started", "2025-12-31"),
            ("planned", "completed", "2026-12-31"),
            progress("2026-03-31", 15),  # 24 planned: 9 behind
            progress("2026-04-30", 22),  # 32 planned: 10 behind
            progress("2026-05-31", 11),  # 41 planned: 30 behind
            progress("2026-06-30", 18),  # 49 planned: 31 behind
        ),
        {
            "2026-04-30": "green judged-in-order",
            "2026-05-01": "yellow judged-behind",
            "2026-06-01": "yellow judged-behind",
            "2026-07-01": "red judged-late",
        },
        "2026-12-31",
    ),
    Ruled(
        "progress caught up is green on the next first",
        "yinchuan-2025",
        "yinchuan-2025-progress",
        (
            ("reached", "started", "2025-12-31"),
            ("planned", "completed", "2026-12-31"),
            progress("2026-04-30", 22),
            progress("2026-05-20", 40),
        ),
        {"2026-05-01": YELLOW, "2026-05-31": YELLOW, "2026-06-01": "green judged-in-order"},
        "2026-12-31",
    ),
    Ruled(
        "not in the library a month after the start is yellow on the next first, after two months red",
        "yinchuan-2025",
        "yinchuan-2025-statistics",
        (("reached", "started", "2026-01-15"),),
        {"2026-02-16": GREEN, "2026-02-28": GREEN, "2026-03-01": "yellow due-soon", "2026-04-01": "red overdue"},
        "2026-03-15",
    ),
    Ruled(
        "in the library the light is green from that day on",
        "yinchuan-2025",
        "yinchuan-2025-statistics",
        (
            ("reached", "started", "2026-01-15"),
            ("tell", "statistics.reported", {"in_library": True, "since": "2026-03-10"}),
        ),
        {"2026-03-09": "yellow due-soon", "2026-03-10": "green in-library", "2026-04-01": "green in-library"},
        "2026-03-15",
    ),
    Ruled(
        "two yellow months in a row are red",
        "jiangdong",
        "jiangdong",
        (LAND, ("planned", "started", "2026-03-15")),
        {"2026-03-31": GREEN, "2026-04-01": "yellow judged-behind", "2026-05-01": "red judged-late"},
        "2026-03-15",
    ),
]
