"""Carriers (载体): how much of their floor is let, to whom, and how much is vacant.

A tenant names its carrier and says how much floor it takes; so what is let is a sum over tenants, made when somebody
asks. Tenants that were withdrawn or have not signed take nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain.resources import exact
from luodi.domain.rollup import MUTE
from luodi.domain.stages import COMPLETED, PRODUCING, Language


def is_built(carrier: Mapping[str, Any]) -> bool:
    """Whether a carrier stands: only then is its vacancy to be had."""
    reached = carrier.get("reached") or {}
    return COMPLETED in reached or PRODUCING in reached


def letting(floor: float | None, tenants: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What is let of a carrier's floor, in square metres, by its tenants as its roll-up shows them.

    ``vacant`` and ``rate`` (vacant ÷ floor) are None where the floor is not known. ``untold`` tenants have not said how
    much they take: with any of them, ``vacant`` is the most it can be. ``over``: more is let than there is.
    """
    living = [tenant for tenant in tenants if tenant["status"] not in MUTE]
    told = [tenant["floor_m2"] for tenant in living if tenant.get("floor_m2") is not None]
    let = exact(sum(told))
    vacant = None if floor is None else max(0, exact(floor - let))
    return {
        "floor_m2": floor,
        "let_m2": let,
        "vacant_m2": vacant,
        "over_m2": 0 if floor is None else max(0, exact(let - floor)),
        "rate": None if vacant is None or not floor else round(vacant / floor, 4),
        "tenants": len(living),
        "untold": len(living) - len(told),
    }


@dataclass(frozen=True, slots=True)
class House:
    """A carrier with what is let of it. `root` is the one it is a phase of, itself where it is none; `counts`: its
    floor is not part of another's, so the sums have it."""

    carrier: Mapping[str, Any]
    built: bool
    letting: dict[str, Any]
    root: str
    counts: bool


def houses(carriers: Sequence[Mapping[str, Any]], tenants: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[House]:
    """Carriers with what is let of them, ``tenants`` by carrier. A phase is a carrier, too.

    Floor is counted once: where a carrier says how much it has, that is with all its phases, and their tenants are its
    own; where it does not, its phases stand for themselves. It is built when it, or every one of its phases, is.
    """
    known = {carrier["_id"]: carrier for carrier in carriers}
    lines = {id_: _line(id_, known) for id_ in known}
    holder = {
        id_: next((one for one in reversed(line) if known[one].get("floor_m2") is not None), id_)
        for id_, line in lines.items()
    }
    under: dict[str, list[str]] = {}
    for id_, line in lines.items():
        for above in line[1:]:
            under.setdefault(above, []).append(id_)
    found: list[House] = []
    for id_, carrier in known.items():
        below = under.get(id_, [])
        held = [other for other in below if holder[other] == id_]
        lodged = [tenant for each in (id_, *held) for tenant in tenants.get(each, ())]
        built = is_built(carrier) or (bool(below) and all(is_built(known[phase]) for phase in below))
        counts = holder[id_] == id_ and (carrier.get("floor_m2") is not None or not below)
        found.append(House(carrier, built, letting(carrier.get("floor_m2"), lodged), lines[id_][-1], counts))
    return found


def _line(id_: str, known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A carrier and those it is a phase of, upwards, as far as they are known; a ring of parents ends."""
    line = [id_]
    while True:
        parent = known[line[-1]].get("parent")
        if parent is None or parent not in known or parent in line:
            return line
        line.append(parent)


def together(houses: Iterable[House]) -> dict[str, Any]:
    """The sums over several carriers, phases counted with their root. Only known floors stand in the sums and the
    rate."""
    all_ = list(houses)
    known = [house.letting for house in all_ if house.counts and house.letting["floor_m2"] is not None]
    told = {house.root for house in all_ if house.letting["floor_m2"] is not None}
    floor, vacant = exact(sum(row["floor_m2"] for row in known)), exact(sum(row["vacant_m2"] for row in known))
    counted = [house.letting for house in all_ if house.counts]
    return {
        "carriers": len({house.root for house in all_}),
        "unknown": len({house.root for house in all_} - told),
        "floor_m2": floor,
        "let_m2": exact(sum(row["let_m2"] for row in known)),
        "vacant_m2": vacant,
        "rate": round(vacant / floor, 4) if floor else None,
        "tenants": sum(row["tenants"] for row in counted),
        "untold": sum(row["untold"] for row in counted),
    }


def definitions(language: Language) -> dict[str, str]:
    """What the numbers mean."""
    return {name: words[0 if language == "zh-CN" else 1] for name, words in _DEFINITIONS.items()}


_DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "carriers": (
        "载体项目（分期并入总项目），不含已退出和储备",
        "Carriers, phases counted with their root; withdrawn ones and those in the pool left out",
    ),
    "unknown": ("其中建筑面积未报的", "Those of them whose floor was not told"),
    "floor_m2": ("建筑面积合计（平方米），不含面积未报的", "Floor in square metres, of carriers whose floor was told"),
    "let_m2": (
        "已租：入驻项目所报面积之和，不含已退出和储备",
        "Let: the sum of what tenants take; withdrawn ones and those in the pool left out",
    ),
    "vacant_m2": (
        "空置：建筑面积减已租；有入驻项目未报面积的，为至多空置",
        "Vacant: floor less what is let; where a tenant has not said how much it takes, the most it can be",
    ),
    "rate": ("空置率 = 空置 ÷ 建筑面积", "Vacancy: vacant ÷ floor"),
    "tenants": ("入驻项目数", "Tenants: projects that name the carrier"),
    "untold": ("其中未报面积的", "Those of them that have not said how much they take"),
}
