"""How a project stands, as its watch keeps it for reports: its stage, its lights to come and why, and what is due.

Lights and dates stand as steps of time, so an outline says what is so on any day until the project changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from luodi.domain.clocks import reason_of
from luodi.domain.days import last_day, last_ordinal


@dataclass(frozen=True, slots=True)
class Lit:
    """A light from an instant on, and why."""

    light: str
    since: str
    reason: Mapping[str, Any]


Due = tuple[tuple[str, str], ...]
"""The due date of one clock by the day from which on it holds, as versions of its rule follow each other."""


@dataclass(frozen=True, slots=True)
class Outline:
    """`lights` ascending, the first one also before its instant; `dues` of the open clocks and promises."""

    stage: str | None
    since: str | None  # the date on which the stage was reached, as far as it is known
    awaited: str | None
    lights: tuple[Lit, ...]
    dues: tuple[Due, ...]

    def lit_at(self, now: str) -> Lit | None:
        """The light at an instant; None where there is none at all."""
        return next((lit for lit in reversed(self.lights) if lit.since <= now), next(iter(self.lights), None))

    def next_due(self, day: str) -> str | None:
        """The first date that is still to come or today; where all have passed the first of them."""
        dues = sorted((_held(due, day) for due in self.dues), key=last_ordinal)
        ahead = (due for due in dues if last_day(due).isoformat() >= day)
        return next(ahead, dues[0] if dues else None)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it is listed."""

    id: str
    name: str | None
    zone: str | None
    route: str | None
    status: str
    outline: Outline | None  # None: an earlier version wrote what is known, and nothing has happened since


def outline_of(state: Mapping[str, Any], now: str) -> Outline:
    """The outline of a project's state; of lights that are over at `now` nothing is kept."""
    reached = state.get("reached") or {}
    stage = state["stage"]
    shown = [step for step in state["lights"] if step["to"] > now]
    return Outline(
        stage=stage,
        since=state.get("stage_since"),
        awaited=state.get("next_stage"),
        lights=tuple(Lit(step["light"], step["from"], reason_of(step, state)) for step in shown),
        dues=tuple(_dues(state, reached)),
    )


def _dues(state: Mapping[str, Any], reached: Mapping[str, Any]) -> Iterable[Due]:
    for clock in state["clocks"]:
        if clock["gap"][1] in reached:
            continue
        yield tuple((figures["version"], figures["due"]) for figures in clock.get("versions", ())) or (
            ("", clock["due"]),
        )
    for blocker in state["blockers"]:
        if blocker.get("cleared") is None and blocker.get("lights"):
            yield (("", blocker["promise"]),)


def _held(due: Due, day: str) -> str:
    return next((date for since, date in reversed(due) if since <= day), due[0][1])


def outline_document(outline: Outline) -> dict[str, Any]:
    """An outline as stored."""
    return {
        "stage": outline.stage,
        "since": outline.since,
        "awaited": outline.awaited,
        "lights": [[lit.light, lit.since, dict(lit.reason)] for lit in outline.lights],
        "dues": [[list(held) for held in due] for due in outline.dues],
    }


def outline_from(row: Mapping[str, Any]) -> Outline:
    """An outline as read."""
    return Outline(
        stage=row["stage"],
        since=row["since"],
        awaited=row["awaited"],
        lights=tuple(Lit(*lit) for lit in row["lights"]),
        dues=tuple(tuple((since, date) for since, date in due) for due in row["dues"]),
    )
