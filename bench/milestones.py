"""The load: milestones that look like the real ones, the same for both sides."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

STAGES = ("signed", "land_supplied", "started", "completed", "producing")
FIRST_DATE = date(2019, 1, 1)  # so that hundreds of days later still lie in the past


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone of one project; no two of a project share their date."""

    project_id: str
    stage: str
    date: str

    def payload(self) -> dict[str, Any]:
        """As it is posted, without an id: the server gives one, so a prebuilt request may be sent again and again."""
        return {"project_id": self.project_id, "stage": self.stage, "date": self.date, **DETAILS}


DETAILS: dict[str, Any] = {
    "note": "桩基施工，现场已核对",
    "evidence": [{"kind": "施工许可证", "ref": "441802202603050101"}],
    "actor": "u-zhang",
}


def of_project(name: str, nth: int, first: date = FIRST_DATE) -> Milestone:
    """The nth milestone of a project: through the stages in turn, each time a day after the one before."""
    return Milestone(name, STAGES[nth % len(STAGES)], (first + timedelta(days=nth)).isoformat())


def shuffled(projects: int, each: int, seed: int, prefix: str = "bench") -> list[Milestone]:
    """`each` milestones of each of `projects` projects; projects mixed by `seed`, each project's own in order."""
    names = [f"{prefix}-{number:05d}" for number in range(projects)]
    turns = [name for name in names for _ in range(each)]
    random.Random(seed).shuffle(turns)
    told = dict.fromkeys(names, 0)
    found = []
    for name in turns:
        found.append(of_project(name, told[name]))
        told[name] += 1
    return found
