"""Limits between stages and how they warn, as data: versions that each hold from a date on.

A version rules every business date from its ``valid_from`` until the next version's; the first also rules all dates
before it. Amounts are whole numbers of their unit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from luodi.domain.stages import COMPLETED, EXPANSION, LAND, LAND_SUPPLIED, PLANT, PRODUCING, STARTED

Unit = Literal["working_days", "calendar_days", "months"]
Cause = Literal["enterprise", "government", "utility", "force_majeure"]

CAUSES: tuple[Cause, ...] = ("enterprise", "government", "utility", "force_majeure")
LANE_START_ON_LAND = "拿地即开工"  # the lane of a site handed over with its plan approved: start on receiving the land
PLANNED_STAGES = frozenset({COMPLETED, PRODUCING})  # here a plan takes the place of the zone's default


@dataclass(frozen=True, slots=True)
class Limit:
    """The time allowed from one stage to the next."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Version:
    """The limits and warnings in force from ``valid_from`` on."""

    valid_from: date
    limits: Mapping[tuple[str, str], Limit]  # by (route, awaited stage); it runs from the stage reached before
    lanes: Mapping[tuple[str, str, str], Limit]  # by (route, awaited stage, lane): a lane's own limit goes before
    pausing_causes: frozenset[str]  # an approved pause of any other cause is recorded and pauses nothing
    warn_share: tuple[int, int] = (4, 5)  # yellow from the day on which this share of the limit is used, rounded up
    long_months: int = 6  # a limit of more months than this warns a fixed time ahead instead
    long_plan_days: int = 183  # so does a plan of more days than this
    warn_days: int = 30  # that fixed time, in calendar days before the due date

    def limit(self, route: str, stage: str, lanes: Iterable[str] = ()) -> Limit | None:
        """The limit for reaching a stage: that of the first of its lanes with one of its own, else the route's."""
        for lane in lanes:
            own = self.lanes.get((route, stage, lane))
            if own is not None:
                return own
        return self.limits.get((route, stage))


@dataclass(frozen=True, slots=True)
class Rules:
    """All versions of the rules on file, oldest first. Raises ValueError when they are out of order or none."""

    versions: tuple[Version, ...]

    def __post_init__(self) -> None:
        starts = [version.valid_from for version in self.versions]
        if not starts or any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("rule versions must exist and be in ascending order of valid_from")

    def fingerprint(self) -> str:
        """A digest of the content: equal rules have equal digests, whatever order their tables were written in."""
        content = [
            asdict(version)
            | {
                "valid_from": version.valid_from.isoformat(),
                "limits": sorted([*key, limit.amount, limit.unit] for key, limit in version.limits.items()),
                "lanes": sorted([*key, limit.amount, limit.unit] for key, limit in version.lanes.items()),
                "pausing_causes": sorted(version.pausing_causes),
            }
            for version in self.versions
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


DEFAULT_RULES = Rules(
    versions=(
        Version(
            valid_from=date(1980, 1, 1),
            limits={
                (LAND, LAND_SUPPLIED): Limit(90, "calendar_days"),
                (LAND, STARTED): Limit(60, "working_days"),
                (LAND, COMPLETED): Limit(24, "months"),
                (LAND, PRODUCING): Limit(6, "months"),
                (PLANT, STARTED): Limit(60, "working_days"),
                (PLANT, COMPLETED): Limit(6, "months"),
                (PLANT, PRODUCING): Limit(3, "months"),
                (EXPANSION, STARTED): Limit(60, "working_days"),
                (EXPANSION, COMPLETED): Limit(12, "months"),
                (EXPANSION, PRODUCING): Limit(3, "months"),
            },
            lanes={(LAND, STARTED, LANE_START_ON_LAND): Limit(20, "working_days")},
            pausing_causes=frozenset({"government", "utility", "force_majeure"}),
        ),
    )
)
