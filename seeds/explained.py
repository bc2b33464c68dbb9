"""Ten projects of the demonstration zone with their clocks explained: `python -m seeds.explained [--day 2026-03-05]`.

Needs no server: it folds the projects' own events under the rules and calendar on file, as the tracker would, and
prints what `GET /v1/projects/{id}/clock` says in Chinese and in English.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from luodi.domain import explain, reasons
from luodi.domain.assess import assess
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import shown_at
from luodi.domain.days import instant
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.rules import Rules
from luodi.domain.stages import Language
from luodi.runtime import configuration, settings
from seeds import demo
from seeds.demo import DemoProject

LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")

SCENARIOS = (
    "signed",
    "land supplied, lane",
    "tour",
    "land supplied, behind plan",
    "started, completion soon due",
    "plan changed with approval",
    "paused",
    "paused when overdue",
    "blocked, promise broken",
    "start of unknown date",
)
"""The stories whose first project is shown: every light that has a clock to explain, and one without a clock."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One project explained: its story, and what is said of it in each language, a sentence or two per clock."""

    id: str
    scenario: str
    said: dict[Language, list[str]]


def samples(day: date, rules: Rules, calendar: Calendar) -> Iterator[Sample]:
    """The ten projects as they stand on a day on which the zone was loaded."""
    first = {project.scenario: project for project in reversed(demo.projects(day))}
    for scenario in SCENARIOS:
        project = first[scenario]
        said = {language: _said(project, day, rules, calendar, language) for language in LANGUAGES}
        yield Sample(project.id, scenario, said)


def _said(project: DemoProject, day: date, rules: Rules, calendar: Calendar, language: Language) -> list[str]:
    document = assess(project.id, fold(_recorded(project, day)), rules, calendar)
    own = calendar.of(document.get("zone"))
    said = [explain.clock(clock, document, day, own, language)["text"] for clock in document["clocks"]]
    said += [
        explain.promise(blocker, document, day, own, language)["text"]
        for blocker in document["blockers"]
        if blocker["lights"]
    ]
    if not said:
        shown = shown_at(document["lights"], own.midnight(day), document)
        said.append(reasons.text(shown["reason"], language, day))
    said += [explain.closed(gap, document, language)["text"] for gap in document.get("closed", ())]
    return said


def _recorded(project: DemoProject, day: date) -> list[Event]:
    """The project's events as a load records them: wave by wave, a moment apart."""
    return [
        Event(project.id, told.id, told.type, f"{day}T02:00:00.{place:03d}Z", 0, told.actor, told.data)
        for place, told in enumerate(sorted(project.events, key=lambda told: told.wave))
    ]


def main(words: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m seeds.explained", description=__doc__)
    parser.add_argument("--day", type=date.fromisoformat, help="the business date looked at; today when absent")
    asked = parser.parse_args(words)
    # Only the folder of the operator's own files matters here; nothing is connected to.
    nowhere = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "MONGODB_URI": "mongodb://127.0.0.1:9"}
    own = {name: value for name, value in os.environ.items() if name in ("LUODI_CONFIG_DIR", "LUODI_TIMEZONE")}
    config = configuration.load(settings.read(nowhere | own))
    day = asked.day or config.calendar.business_date(instant(datetime.now(UTC)))
    for sample in samples(day, config.rules, config.calendar):
        lines = [f"{sample.id}  {sample.scenario}", *(f"  {text}" for said in sample.said.values() for text in said)]
        sys.stdout.write("\n".join(lines) + "\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
