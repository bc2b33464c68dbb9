"""`python -m bench.assess`: what one project costs, from its events to its lights, beside a walk from day to day.

One project with three clocks (the zone's limit, and idle land after one and two years) and two approved pauses, told in
20 events. Rounds are interleaved: fold, assess, fold and assess together, and the walk take turns, so that what slows
the machine slows them all. No server is needed.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench import machine
from bench.baseline import day_walk
from luodi.domain import events
from luodi.domain.assess import assess, light_at
from luodi.domain.calendar import Calendar
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.handlers import State
from luodi.domain.rules import Rules
from luodi.runtime import calendars, limits

SUBJECT = "demo-2026-7K3F9A2M4Q"
LAND_SUPPLIED, AGREED_START = "2026-01-12", "2026-03-31"
PRESETS = ("zone-default", "idle-land")
ROUNDS = 60
CALLS = 200  # of one kind in a row: long enough for the clock, short enough to take turns often
ASSESS_BOUND_US, FOLD_BOUND_US = 50.0, 100.0


@dataclass(frozen=True)
class Row:
    """One thing measured: microseconds a call, of the rounds' readings."""

    name: str
    median: float
    least: float
    most: float
    bound: float | None


def story() -> list[Event]:
    """Twenty events of a project whose land is supplied, with two pauses and everything staff usually report."""
    told: list[tuple[str, dict[str, Any]]] = [
        (events.PROJECT_REGISTERED, {"name": "一号项目", "zone": "demo", "route": "land", "investment": 320_000_000}),
        (events.MILESTONE_REPORTED, {"stage": "signed", "date": "2025-10-20"}),
        (events.PROJECT_AMENDED, {"officer": "u-zhang", "group_head": "u-li", "lead_unit": "u-industry"}),
        (events.PLAN_SET, {"stage": "started", "date": "2026-05-20"}),
        (events.PLAN_SET, {"stage": "completed", "date": "2027-06"}),
        (events.NOTE_ADDED, {"text": "走访"}),
        (events.MILESTONE_REPORTED, {"stage": "land_supplied", "date": LAND_SUPPLIED}),
        (events.LAND_CONTRACT_RECORDED, {"contract_no": "示例-2026-001", "start_by": AGREED_START}),
        (events.BLOCKER_RAISED, _blocker("用电", "utility", "u-power", "2026-02-02", promise="2026-03-20")),
        (events.BLOCKER_PAUSED, _pause("e9", "2026-02-03", "2026-02-28")),
        (events.NOTE_ADDED, {"text": "电话"}),
        (events.BLOCKER_UPDATED, {"blocker_id": "e9", "promise": "2026-04-10", "reason": "设备未到"}),
        (events.PROGRESS_REPORTED, {"date": "2026-03-10", "percent": 0, "arrived_total": 20_000_000}),
        (events.BLOCKER_CLEARED, {"blocker_id": "e9", "date": "2026-03-25"}),
        (events.BLOCKER_RAISED, _blocker("规划", "government", "u-planning", "2026-04-02")),
        (events.BLOCKER_PAUSED, _pause("e15", "2026-04-03", "2026-05-06", document="示规函〔2026〕12号")),
        (events.STATISTICS_REPORTED, {"in_library": False}),
        (events.ANNUAL_PLAN_SET, {"year": 2026, "amount": 120_000_000}),
        (events.PLAN_SET, {"stage": "started", "date": "2026-07-15", "reason": "规划调整", "approver": "u-chief"}),
        (events.NOTE_ADDED, {"text": "现场"}),
    ]
    return [
        Event(SUBJECT, f"e{number}", type_, f"2026-06-01T01:00:{number:02d}.000Z", 0, "u-zhang", data)
        for number, (type_, data) in enumerate(told, 1)
    ]


def _blocker(kind: str, cause: str, owner: str, day: str, promise: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "cause": cause, "owner": owner, "date": day, "promise": promise}


def _pause(blocker: str, begin: str, until: str, document: str | None = None) -> dict[str, Any]:
    return {"blocker_id": blocker, "date": begin, "until": until, "approver": "u-chief", "document": document}


def inputs() -> tuple[State, Rules, Calendar]:
    """The folded story, the packaged rules with the presets active, and the calendar as packaged."""
    faults: list[str] = []
    calendar = calendars.load(ZoneInfo("Asia/Shanghai"), None, ("demo",), faults)
    assert not faults, faults
    return fold(story()), replace(limits.packaged(), default=PRESETS), calendar


def check(state: State, rules: Rules, calendar: Calendar) -> None:
    """Raises AssertionError unless product and walk agree on every change of light up to the first red day: figures for
    two things that differ would compare nothing."""
    document = assess(SUBJECT, state, rules, calendar)
    walked = day_walk.assess(date.fromisoformat(LAND_SUPPLIED), date.fromisoformat(AGREED_START), document["blockers"])
    assert len(document["clocks"]) == len(walked)
    for clock, changes in zip(document["clocks"], walked, strict=True):
        for light, day in changes:
            found = light_at(clock["lights"], calendar.midnight(day))["light"]
            assert found == light, f"{clock['rule']} on {day}: {found}, and the walk says {light}"


def measure(rounds: int) -> tuple[list[Row], float]:
    """The rows, and how many times longer the walk takes than the product's assess (median over the rounds)."""
    state, rules, calendar = inputs()
    told = story()
    check(state, rules, calendar)
    blockers = assess(SUBJECT, state, rules, calendar)["blockers"]
    supplied, agreed = date.fromisoformat(LAND_SUPPLIED), date.fromisoformat(AGREED_START)
    kinds: dict[str, tuple[Callable[[], object], float | None]] = {
        "assess, 3 clocks, 2 pauses": (lambda: assess(SUBJECT, state, rules, calendar), ASSESS_BOUND_US),
        "fold of 20 events": (lambda: fold(told), FOLD_BOUND_US),
        "fold and assess": (lambda: assess(SUBJECT, fold(told), rules, calendar), None),
        "baseline: the same clocks, day by day": (lambda: day_walk.assess(supplied, agreed, blockers), None),
    }
    readings: dict[str, list[float]] = {name: [] for name in kinds}
    for call, _ in kinds.values():
        timed(call)  # caches are warm on both sides
    for _ in range(rounds):
        for name, (call, _) in kinds.items():
            readings[name].append(timed(call))
    rows = [
        Row(name, statistics.median(values), min(values), max(values), kinds[name][1])
        for name, values in readings.items()
    ]
    product, *_, baseline = readings.values()
    return rows, statistics.median(walk / ours for ours, walk in zip(product, baseline, strict=True))


def timed(call: Callable[[], object]) -> float:
    """Microseconds a call, over CALLS of them; the collector waits outside."""
    gc.collect()
    gc.disable()
    try:
        begin = time.perf_counter()
        for _ in range(CALLS):
            call()
        return (time.perf_counter() - begin) / CALLS * 1e6
    finally:
        gc.enable()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when the figures keep their bounds, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.assess", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each; default {ROUNDS}")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there")
    options = parser.parse_args(arguments)
    described, meter = machine.describe(), machine.Meter()
    print(f"machine: {', '.join(f'{name} {value}' for name, value in described.items())}")
    rows, ratio = measure(max(1, options.rounds))
    steal = meter.spent().steal
    print("\n| µs a call | median | least | most | wanted |\n|---|---|---|---|---|")
    for row in rows:
        wanted = "" if row.bound is None else f"≤ {row.bound:g}: {'yes' if row.median <= row.bound else 'NO'}"
        print(f"| {row.name} | {row.median:.1f} | {row.least:.1f} | {row.most:.1f} | {wanted} |")
    print(f"\nthe walk takes {ratio:.0f} times as long as assess, which also makes the document; steal {steal:.1f} %")
    if options.json is not None:
        content = {"machine": described, "rows": [asdict(row) for row in rows], "ratio": ratio, "steal": steal}
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(row.bound is None or row.median <= row.bound for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
