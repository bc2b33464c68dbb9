"""Services given to enterprises: who was helped with what and when, counted by month.

Told of an enterprise, or of one of its projects (the papers of a technical upgrade are obtained for the project). The
last are kept with what was done; the counts are of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, entry
from luodi.domain.subjects import ENTERPRISE, PROJECT

SERVICE_GIVEN = "service.given"
ENTERPRISE_SERVED = "enterprise.served"

KINDS: Mapping[str, tuple[str, str]] = {
    "代办": ("代办手续", "papers obtained"),
    "对接": ("对接高校、科研院所和服务商", "introductions"),
    "专家上门": ("专家上门诊断", "visits of experts"),
    "培训": ("培训", "training"),
    "其他": ("其他服务", "other services"),
}
"""Kind of service -> what it is called."""

KEPT = 60  # of one enterprise or project; more than a year of a service a week
MONTH_CHARS = 7


def _give(state: State, event: Event) -> None:
    _KEEP.apply(state, event)
    month, kind = event.data["date"][:MONTH_CHARS], event.data["kind"]
    months = state["entries"].get("service_months", {})
    counts = months.get(month, {})
    state["entries"]["service_months"] = months | {month: counts | {kind: counts.get(kind, 0) + 1}}


_KEEP = entry("services", keep=KEPT)


def told(telling: Telling) -> dict[str, Any]:
    """How many there were, by month and kind, and the last of them, oldest first."""
    months: Mapping[str, Mapping[str, int]] = telling.state["entries"]["service_months"]
    return {
        "count": telling.state["counted"]["services"],
        "months": [
            {"month": month, "count": sum(months[month].values()), "kinds": dict(sorted(months[month].items()))}
            for month in sorted(months)
        ],
        "latest": list(telling.rows("services")),
    }


HANDLERS: Mapping[str, Handler] = dict.fromkeys((SERVICE_GIVEN, ENTERPRISE_SERVED), Handler(_give, slots=_KEEP.slots))

CHAPTERS: tuple[Chapter, ...] = (
    Chapter(PROJECT, "services", ("services",), told),
    Chapter(ENTERPRISE, "services", ("services",), told),
)

FIELDS: Mapping[str, tuple[str, ...]] = {}
