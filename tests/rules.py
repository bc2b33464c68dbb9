"""The rules that the tests run under unless they say otherwise, and short ways to say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from luodi.domain.rules import ZONE_DEFAULT, Case, Limit, Rules, Version
from luodi.runtime import limits

PACKAGED = limits.packaged()
DEFAULT_RULES = PACKAGED
ONLY: Version = PACKAGED.presets[ZONE_DEFAULT][0]
"""The one version of the zone's default."""


def rules_of(*versions: Version, active: Sequence[str] | None = None) -> Rules:
    """Rules of these versions; active are their presets unless told."""
    presets: dict[str, tuple[Version, ...]] = {}
    for version in versions:
        presets[version.preset] = (*presets.get(version.preset, ()), version)
    return Rules(presets, default=tuple(active or presets))


def with_presets(*active: str) -> Rules:
    """The packaged rules with these presets active everywhere."""
    return replace(PACKAGED, default=active)


def with_limit(route: str, awaited: str, limit: Limit | None, valid_from: date | None = None, **more: Any) -> Version:
    """The zone's default with another limit (None: no limit) for one gap, in whatever lane."""
    cases = [case for case in ONLY.cases if not _is_of(case, route, awaited)]
    if limit is not None:
        gap = next(case.gap for case in ONLY.cases if _is_of(case, route, awaited))
        cases.append(Case(limit, gap, traits={"route": route}))
    return replace(ONLY, cases=tuple(cases), valid_from=valid_from or ONLY.valid_from, **more)


def limit_of(route: str, awaited: str, lane: str | None = None, version: Version = ONLY) -> Limit | None:
    """The limit that the zone's default sets."""
    return next((case.limit for case in version.cases if _is_of(case, route, awaited) and case.lane == lane), None)


def _is_of(case: Case, route: str, awaited: str) -> bool:
    return case.traits.get("route") == route and case.gap is not None and case.gap[1] == awaited
