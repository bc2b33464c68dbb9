"""Who is told next, and when? One sentence a case, in local time of March 2026; the 5th is a Thursday."""

# ruff: noqa: E501  # a table of sentences is read by the line

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from luodi.domain.days import END_OF_TIME, instant
from luodi.domain.rules import Ladder
from services.notify.decide import Act, Circumstances, Decision, decide
from services.notify.matters import HANDOVER, Entry, EntryKind, Matter, Opening, Telling, opened
from services.notify.watches import Broken, Deadline, Stretch, Watch
from tests.unit.notify.builders import CALENDAR, GAP, MATTER, PROJECT, overdue, watch

PEOPLE = {"officer": "o", "group_head": "g", "lead_unit": "u", "leader": "l", "vice_leader": "v"}
EVERYBODY = (*PEOPLE.values(), "h", "zone:demo")
USUAL, SAME_DAY = Ladder((1, 3, 5, 5)), Ladder((0, 0, 0, 5), same_day=True)
LONG_AGO = "2026-01-01T00:00:00.000Z"


def on(text: str) -> str:
    """An instant from day and time of day in March 2026, like "05 00:00:05"."""
    day, time = text.split(" ")
    return instant(datetime.fromisoformat(f"2026-03-{day}T{time}").replace(tzinfo=CALENDAR.timezone))


def lit(since: str, until: str = END_OF_TIME, rule: str = "zone-default") -> Stretch:
    return Stretch(since, until, rule, "2026-03-04", overdue("2026-03-04"))


RED = lit(on("05 00:00"))
YELLOW = lit(on("02 00:00"), on("05 00:00"))


def known(
    *reds: Stretch, yellows: tuple[Stretch, ...] = (), broken: tuple[Broken, ...] | None = None, **fields: Any
) -> Deadline:
    """A deadline that was known long before it came."""
    rules = broken if broken is not None else tuple(Broken(red, "zone-default") for red in reds)
    values = {"seen": LONG_AGO, "yellow_seen": LONG_AGO, **fields}
    return Deadline(MATTER, "gap", GAP, None, None, reds, yellows=yellows, broken=rules, **values)


STALLED = known(RED)
BOTH = known(RED, yellows=(YELLOW,))
PAUSED = known(RED, broken=(Broken(RED, "zone-default", paused=True),))
PAUSED_TO_10TH = known(RED, broken=(Broken(lit(RED.since, on("10 00:00")), "zone-default", paused=True),))
LAW = lit(on("06 00:00"), rule="idle-land-1")
WORSE = known(RED, broken=(Broken(RED, "zone-default"), Broken(LAW, "idle-land")))
WORSE_PAUSED = known(RED, broken=(Broken(RED, "zone-default"), Broken(LAW, "idle-land", paused=True)))
WORSE_QUIET = known(RED, broken=(Broken(RED, "zone-default"), Broken(LAW, "idle-land", quiet=True)))


def told(
    at: str = "05 00:00:05",
    level: int = 0,
    *acts: tuple[EntryKind, str, dict[str, Any]],
    ladder: Ladder = USUAL,
    warned: bool = False,
    complete: bool = True,
    round_: int = 1,
    held_before: int = 0,
) -> Matter:
    """A matter that was told last on this level at this time, and what was done since."""
    facts = {
        "gap": list(GAP),
        "rules": ["zone-default"],
        "ladder": {"waits": list(ladder.waits), "same_day": ladder.same_day},
        "due": "2026-03-04",
        "role": "officer",
    }
    kind: Any = "warning" if warned else "stalled"
    matter = opened(None, Opening(MATTER, "gap", 0, PROJECT, "demo", ("o", "g"), ("o",), facts, telling=kind), on(at))
    role = ("officer", "group_head", "lead_unit", "vice_leader", "head")[level]
    if level or round_ > 1:
        telling = Telling("escalated" if level else "stalled", level, round_, on(at), role, EVERYBODY, "not-signed")
        matter = matter.told(telling, None)
    before = tuple(Entry(f"h{n}", "reviewed", "g", on("05 09:00"), 1, {"accepted": True}) for n in range(held_before))
    entries = tuple(
        Entry(f"e{n}", what, "x", on(when), len(matter.tellings), data) for n, (what, when, data) in enumerate(acts)
    )
    return replace(matter, entries=(*before, *entries), complete=complete)


def handed_over(matter: Matter, to: str, level: int = 0) -> Matter:
    """The same after somebody who took over a step was told."""
    telling = Telling(HANDOVER, level, matter.round, on("05 18:00"), "officer", (to,), "handed-over")
    return matter.told(telling, None).completed()


def signed(at: str) -> tuple[EntryKind, str, dict[str, Any]]:
    return ("signed", at, {})


def feedback(at: str, recovery: str = "20") -> tuple[EntryKind, str, dict[str, Any]]:
    return ("feedback", at, {"text": "…", "recovery": f"2026-03-{recovery}"})


def reviewed(at: str, accepted: bool) -> tuple[EntryKind, str, dict[str, Any]]:
    return ("reviewed", at, {"accepted": accepted})


@dataclass(frozen=True)
class Case:
    sentence: str
    deadline: Deadline | None
    matter: Matter | None
    now: str
    act: Act | None
    reason: str
    to: str | None = None  # who is told next
    again: str | None = None  # when given, the instant of the next look, in local time
    w: str | None = ""  # the watermark; "" is now
    changed: str = "01 00:00"
    key: bool = False
    people: dict[str, str] | None = None


CASES = [
    # -- the warning
    Case("before four fifths of the limit nobody is warned", BOTH, None, "01 23:59:59", None, "in-time", again="02 00:00:05"),
    Case("a yellow light waits for its grace", BOTH, None, "02 00:00:04", None, "in-grace", again="02 00:00:05"),
    Case("a yellow light is a warning", BOTH, None, "02 00:00:05", Act.WARN, "warned"),
    Case("a warning waits for the watermark", BOTH, None, "02 00:00:10", None, "before-watermark", w="02 00:00:04"),
    Case("no warning without a watermark", BOTH, None, "02 09:00", None, "without-watermark", w=None),
    Case("one warning is enough", BOTH, told("02 00:00:05", warned=True), "03 09:00", None, "already-warned", again="05 00:00"),
    Case("a warning that broke off is finished", BOTH, told("02 00:00:05", warned=True, complete=False), "02 09:00", Act.FINISH, "not-completely-warned"),
    Case("a warning that other rules alone brought is none", known(RED, yellows=(YELLOW,), yellow_seen=None), None, "03 09:00", None, "warned-by-rules-alone", again="05 00:00"),
    Case("a yellow first seen as yellow settles first", known(RED, yellows=(YELLOW,), yellow_seen=on("03 09:00")), None, "03 09:00:05", None, "settling", changed="03 09:00"),
    Case("a yellow first seen as yellow is told once it has settled", known(RED, yellows=(YELLOW,), yellow_seen=on("03 09:00")), None, "03 09:00:10", Act.WARN, "warned-when-first-seen", changed="03 09:00"),
    Case("a yellow that ends before the red is over without an all-clear of its own", known(), told("02 00:00:05", warned=True), "03 09:00", Act.CLEAR, "no-longer-due", changed="03 08:00"),
    Case("the end of a warning waits for the watermark", known(), told("02 00:00:05", warned=True), "03 09:00", None, "clearing-before-watermark", w="03 07:00", changed="03 08:00"),
    Case("what was warned of turns red in the same episode", BOTH, told("02 00:00:05", warned=True), "05 00:00:05", Act.OPEN, "stalled"),
    Case("what was warned of and turned red waits for grace", BOTH, told("02 00:00:05", warned=True), "05 00:00:04", None, "in-grace"),
    Case("a warning that never got out does not hold up the red", BOTH, told("02 00:00:05", warned=True, complete=False), "05 00:00:05", Act.OPEN, "stalled"),
    # -- to be verified: officer and group head, one working day
    Case("a new red waits to be verified", STALLED, told(), "05 12:00", None, "waits-for-verification", again="06 00:00:05"),
    Case("the day of verification ends at midnight", STALLED, told(), "05 23:59:59", None, "waits-for-verification"),
    Case("after it there is grace as for any light", STALLED, told(), "06 00:00:04", None, "waits-for-verification"),
    Case("nobody verified it: the group head must sign", STALLED, told(), "06 00:00:05", Act.CLIMB, "not-verified", "g"),
    Case("it does not climb before the watermark", STALLED, told(), "06 00:00:05", None, "before-watermark", w="06 00:00:04"),
    Case("it does not climb without a watermark", STALLED, told(), "06 09:00", None, "without-watermark", w=None),
    Case("told at noon, the whole next working day is for verifying", STALLED, told("05 12:00"), "06 12:00", None, "waits-for-verification", again="09 00:00:05"),
    Case("told at half past eight it is too late to have the whole day", STALLED, told("05 08:30"), "06 00:00:05", None, "waits-for-verification", again="09 00:00:05"),
    Case("told one second before half past eight the day counts", STALLED, told("05 08:29:59"), "06 00:00:05", Act.CLIMB, "not-verified", "g"),
    Case("a weekend is no time to verify", STALLED, told("06 12:00"), "08 12:00", None, "waits-for-verification", again="10 00:00:05"),
    Case("without a group head it climbs to the lead unit", STALLED, told(), "06 00:00:05", Act.CLIMB, "not-verified", "u", people={"officer": "o", "lead_unit": "u"}),
    Case("without anybody between it climbs to the vice leader", STALLED, told(), "06 00:00:05", Act.CLIMB, "not-verified", "v", people={"officer": "o", "vice_leader": "v"}),
    Case("with nobody named above it climbs to the zone's desk", STALLED, told(), "06 00:00:05", Act.CLIMB, "not-verified", "zone:demo", people={"officer": "o"}),
    # -- the steps above
    Case("the group head has three working days to sign", STALLED, told("06 00:00:05", 1), "10 23:59:59", None, "waits-for-signature", again="11 00:00:05"),
    Case("unsigned after three it climbs to the lead unit", STALLED, told("06 00:00:05", 1), "11 00:00:05", Act.CLIMB, "not-signed", "u"),
    Case("the lead unit has five working days", STALLED, told("06 00:00:05", 2), "12 23:59:59", None, "waits-for-signature", again="13 00:00:05"),
    Case("unsigned after five it climbs to the vice leader", STALLED, told("06 00:00:05", 2), "13 00:00:05", Act.CLIMB, "not-signed", "v"),
    Case("a key project climbs to the responsible leader", STALLED, told("06 00:00:05", 2), "13 00:00:05", Act.CLIMB, "not-signed", "l", key=True),
    Case("a key project climbs on to the head of the zone", STALLED, told("06 00:00:05", 3), "13 00:00:05", Act.CLIMB, "not-signed", "h", key=True),
    Case("another project ends at the vice leader", STALLED, told("06 00:00:05", 3), "31 00:00", None, "everybody-told", again=""),
    Case("a key project ends at the head of the zone", STALLED, told("06 00:00:05", 4), "31 00:00", None, "everybody-told", again="", key=True),
    Case("a step taken over by another person is that person's", STALLED, told("06 00:00:05", 1), "11 00:00:05", Act.CLIMB, "not-signed", "u2", people=PEOPLE | {"lead_unit": "u2"}),
    Case("a climb that broke off is finished first", STALLED, told("06 00:00:05", 1, complete=False), "11 00:00:05", Act.FINISH, "not-completely-told"),
    # -- signed
    Case("signed for, it waits for feedback", STALLED, told("05 00:00:05", 0, signed("05 09:00")), "06 12:00", None, "waits-for-feedback", again="09 00:00:05"),
    Case("a signature without feedback expires", STALLED, told("05 00:00:05", 0, signed("05 09:00")), "09 00:00:05", Act.CLIMB, "signature-expired", "g"),
    Case("a signature before the day opens has that day", STALLED, told("05 00:00:05", 0, signed("05 08:00")), "06 00:00:05", Act.CLIMB, "signature-expired", "g"),
    Case("a second signature wins no time", STALLED, told("05 00:00:05", 0, signed("05 09:00"), signed("06 17:00")), "09 00:00:05", Act.CLIMB, "signature-expired", "g"),
    Case("the group head's signature has three days", STALLED, told("06 00:00:05", 1, signed("09 10:00")), "12 12:00", None, "waits-for-feedback", again="13 00:00:05"),
    Case("at the top a signature that expires is told again there", STALLED, told("06 00:00:05", 3, signed("09 10:00")), "17 00:00:05", Act.CLIMB, "signature-expired", "v"),
    Case("what was signed before the last step was told does not count", STALLED, replace(told("06 00:00:05", 1), entries=(Entry("e", "signed", "o", on("05 09:00"), 1, {}),)), "11 00:00:05", Act.CLIMB, "not-signed", "u"),
    # -- feedback and review
    Case("feedback waits for its review", STALLED, told("06 00:00:05", 1, feedback("09 10:00")), "12 12:00", None, "waits-for-review", again="13 00:00:05"),
    Case("feedback that nobody reviews in time climbs", STALLED, told("06 00:00:05", 1, feedback("09 10:00")), "13 00:00:05", Act.CLIMB, "feedback-not-reviewed", "u"),
    Case("a second feedback wins no time", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), feedback("12 16:00")), "13 00:00:05", Act.CLIMB, "feedback-not-reviewed", "u"),
    Case("accepted, its recovery date holds the ladder", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", True)), "20 23:59", None, "held-until-recovery", again="23 00:00:05"),
    Case("the recovery date passed: it climbs on the next working day", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", True)), "23 00:00:05", Act.CLIMB, "recovery-date-passed", "u"),
    Case("a recovery date on a Saturday holds over the weekend", STALLED, told("06 00:00:05", 1, feedback("09 10:00", "21"), reviewed("10 10:00", True)), "22 12:00", None, "held-until-recovery", again="23 00:00:05"),
    Case("refused, the signature's time holds as before", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", False)), "12 12:00", None, "waits-for-feedback", again="13 00:00:05"),
    Case("refused and not answered anew it climbs", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", False)), "13 00:00:05", Act.CLIMB, "feedback-refused", "u"),
    Case("refused and answered anew it waits for the review", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", False), feedback("11 10:00")), "16 12:00", None, "waits-for-review", again="17 00:00:05"),
    Case("a further feedback while it is held does not cut the hold short", STALLED, told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", True), feedback("11 10:00")), "19 12:00", None, "held-until-recovery", again="23 00:00:05"),
    Case("a further feedback on the last day of a hold has its time to be reviewed", STALLED, told("06 00:00:05", 1, feedback("09 10:00", "11"), reviewed("10 10:00", True), feedback("11 10:00", "25")), "12 12:00", None, "held-until-recovery", again="17 00:00:05"),
    Case("a stall that recovers while it is held is over", known(), told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", True)), "12 12:00", Act.CLEAR, "no-longer-due", changed="12 11:00"),
    # -- the same day
    Case("a rule of the same day climbs as soon as it is told", STALLED, told(ladder=SAME_DAY), "05 00:00:10", Act.CLIMB, "same-day", "g"),
    Case("on the same day it climbs to the lead unit", STALLED, told("05 00:00:15", 1, ladder=SAME_DAY), "05 00:00:20", Act.CLIMB, "same-day", "u"),
    Case("on the same day it reaches the leader", STALLED, told("05 00:00:25", 2, ladder=SAME_DAY), "05 00:00:30", Act.CLIMB, "same-day", "l", key=True),
    Case("above the leader there is time again", STALLED, told("05 00:00:35", 3, ladder=SAME_DAY), "11 12:00", None, "waits-for-signature", again="12 00:00:05", key=True),
    Case("above the leader it climbs after its wait", STALLED, told("05 00:00:35", 3, ladder=SAME_DAY), "12 00:00:05", Act.CLIMB, "not-signed", "h", key=True),
    Case("of the same day too, nothing climbs before the watermark", STALLED, told(ladder=SAME_DAY), "05 00:00:10", None, "before-watermark", w="05 00:00:09"),
    Case("signed for within seconds, of the same day too, it waits for feedback", STALLED, told("05 00:00:05", 0, signed("05 00:00:08"), ladder=SAME_DAY), "05 09:00", None, "waits-for-feedback", again="06 00:00:05"),
    Case("told again at the top and still unsigned it rests", STALLED, told("06 00:00:05", 3, round_=2), "31 00:00", None, "everybody-told", again=""),
    Case("a project that is no key project any more ends where it stands", STALLED, told("06 00:00:05", 4), "31 00:00", None, "everybody-told", again=""),
    Case("told to the desk of the zone, it rests there", STALLED, told("06 00:00:05", 3), "31 00:00", None, "everybody-told", again="", people={}),
    # -- a post handed over
    Case("whoever takes over a step that was told is told", STALLED, told(), "05 09:00", Act.HAND_OVER, "handed-over", "o2", people=PEOPLE | {"officer": "o2"}),
    Case("so is a new group head", STALLED, told(), "05 09:00", Act.HAND_OVER, "handed-over", "g2", people=PEOPLE | {"group_head": "g2"}),
    Case("of two who take over the higher one is told first", STALLED, told(), "05 09:00", Act.HAND_OVER, "handed-over", "g2", people=PEOPLE | {"officer": "o2", "group_head": "g2"}),
    Case("told once, whoever took over is not told again", STALLED, handed_over(told(), "o2"), "05 19:00", None, "waits-for-verification", again="06 00:00:05", people=PEOPLE | {"officer": "o2"}),
    Case("a handover gives the next step no more time", STALLED, handed_over(told(), "o2"), "06 00:00:05", Act.CLIMB, "not-verified", "g", people=PEOPLE | {"officer": "o2"}),
    Case("whoever takes back what was his is not told again", STALLED, handed_over(told(), "o2"), "05 19:00", None, "waits-for-verification", people=PEOPLE),
    Case("who takes over a step that was not reached hears nothing yet", STALLED, told(), "05 09:00", None, "waits-for-verification", people=PEOPLE | {"lead_unit": "u2"}),
    Case("who takes over a step below the one it stands on is told, too", STALLED, told("06 00:00:05", 2), "09 09:00", Act.HAND_OVER, "handed-over", "g2", people=PEOPLE | {"group_head": "g2"}),
    Case("a new head of the zone is told of what had reached the top", STALLED, replace(told("06 00:00:05", 4), tellings=(*told().tellings, Telling("escalated", 4, 1, on("06 00:00:05"), "head", ("l", "u", "h0"), ""))), "09 09:00", Act.HAND_OVER, "handed-over", "h", key=True),
    Case("what the one before signed for counts on", STALLED, handed_over(told("05 00:00:05", 0, signed("05 09:00")), "o2"), "06 12:00", None, "waits-for-feedback", again="09 00:00:05", people=PEOPLE | {"officer": "o2"}),
    Case("what the one before was granted holds on", STALLED, handed_over(told("06 00:00:05", 1, feedback("09 10:00"), reviewed("10 10:00", True)), "g2", 1), "20 23:59", None, "held-until-recovery", again="23 00:00:05", people=PEOPLE | {"group_head": "g2"}),
    Case("of an edit a moment ago a handover waits until it has settled", STALLED, told(), "05 09:00:05", None, "handover-settling", again="05 09:00:10", changed="05 09:00", people=PEOPLE | {"officer": "o2"}),
    Case("a handover is told from what is known for certain", STALLED, told(), "05 09:00:20", None, "before-watermark", w="05 09:00:09", changed="05 09:00", people=PEOPLE | {"officer": "o2"}),
    Case("what was not told to its end is finished before a handover", STALLED, told(complete=False), "05 09:00", Act.FINISH, "not-completely-told", people=PEOPLE | {"officer": "o2"}),
    Case("under a pause nobody is told of a handover", PAUSED_TO_10TH, told(), "09 09:00", None, "paused", again="10 00:00", people=PEOPLE | {"officer": "o2"}),
    Case("of what is over nobody takes over anything", known(), told(), "06 09:00", Act.CLEAR, "no-longer-due", changed="06 08:00", people=PEOPLE | {"officer": "o2"}),
    Case("of a warning nobody takes over anything", BOTH, told("02 00:00:05", warned=True), "03 09:00", None, "already-warned", people=PEOPLE | {"officer": "o2"}),
    # -- an approved pause
    Case("a red under an approved pause is not told", PAUSED, None, "05 09:00", None, "paused", again=""),
    Case("it is told when the pause ends and it is still red", known(RED, broken=(Broken(lit(RED.since, on("10 00:00")), "p", paused=True), Broken(lit(on("10 00:00")), "p"))), None, "10 00:00:05", Act.OPEN, "stalled"),
    Case("under a pause nothing climbs", PAUSED_TO_10TH, told(), "09 09:00", None, "paused", again="10 00:00"),
    Case("under a pause an all-clear is given all the same", known(), told(), "09 09:00", Act.CLEAR, "no-longer-due", changed="09 08:00"),
    Case("where only one of two rules is paused it climbs", WORSE_PAUSED, told(), "06 00:00:05", Act.CLIMB, "not-verified", "g"),
    # -- another rule
    Case("another rule broken opens a new round", WORSE, told("05 12:00"), "06 00:00:05", Act.REOPEN, "another-rule-broken"),
    Case("another rule broken waits for its grace", WORSE, told("05 12:00"), "06 00:00:04", None, "another-rule-settling", again="06 00:00:05"),
    Case("another rule broken waits for the watermark", WORSE, told("05 12:00"), "06 00:00:10", None, "before-watermark", w="06 00:00:04"),
    Case("another rule broken counts though the first was signed for", WORSE, told("05 12:00", 0, signed("05 13:00")), "06 00:00:05", Act.REOPEN, "another-rule-broken"),
    Case("another rule broken counts though the ladder is held", WORSE, told("05 00:00:05", 0, feedback("05 09:00"), reviewed("05 10:00", True)), "06 00:00:05", Act.REOPEN, "another-rule-broken"),
    Case("another rule under an approved pause opens no round", WORSE_PAUSED, told("05 12:00"), "06 09:00", None, "waits-for-verification"),
    Case("another rule that a change of rules brought opens no round", WORSE_QUIET, told("05 12:00"), "06 09:00", None, "waits-for-verification"),
    Case("a rule that was told opens no further round", WORSE, replace(told("06 00:00:05", 0, round_=2), facts={**told().facts, "rules": ["idle-land-1", "zone-default"]}), "06 09:00", None, "waits-for-signature"),
    Case("the look ahead knows when another rule will be broken", WORSE, told("05 12:00"), "05 13:00", None, "waits-for-verification", again="06 00:00:05"),
    # -- the all-clear
    Case("whatever step it stands on, the end is the end", known(), told("06 00:00:05", 3, signed("06 09:00")), "10 09:00", Act.CLEAR, "no-longer-due", changed="10 08:00"),
    Case("an end in sight but not known for certain changes nothing", known(), told("06 00:00:05", 1), "10 09:00", None, "clearing-before-watermark", w="10 07:00", changed="10 08:00"),
]  # fmt: skip


def decided(case: Case) -> Decision:
    people = PEOPLE if case.people is None else case.people
    found: Watch = watch(*([case.deadline] if case.deadline else []), people=people, key=case.key)
    found = replace(found, changed_at=on(case.changed))
    now = on(case.now)
    w = now if case.w == "" else on(case.w) if case.w is not None else None
    return decide(found, MATTER, case.matter, Circumstances(w, now, 10.0, CALENDAR, "h"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_decision(case: Case) -> None:
    decision = decided(case)
    assert (decision.act, decision.reason) == (case.act, case.reason)
    assert (decision.to.recipient if decision.to is not None else None) == case.to
    if case.again is not None:
        assert decision.again == (on(case.again) if case.again else END_OF_TIME)


def test_every_sentence_is_said_once_and_there_are_enough_of_them() -> None:
    sentences = [case.sentence for case in CASES]
    assert len(sentences) == len(set(sentences)) >= 80


@pytest.mark.parametrize("case", [case for case in CASES if case.act is None], ids=lambda case: case.sentence)
def test_a_look_that_does_nothing_never_asks_for_another_at_the_same_moment(case: Case) -> None:
    w = on(case.now) if case.w == "" else case.w and on(case.w)
    assert w is None or decided(case).again > min(w, on(case.now))
