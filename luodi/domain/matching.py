"""Projects that wait for land or for a plant × plots and buildings that fit, and why, in a sentence.

Nothing is guessed: a project that has not said how much it needs gets no match, and is told so; a plot of unknown size
is no match for anybody. What is offered fits when enough of it is free and it takes the project's industry; the park
never rules anything out, for a project may well be talked into another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain import resources
from luodi.domain.assess import ACTIVE, POOL, PUBLISHED, SUSPENDED
from luodi.domain.carriers import House
from luodi.domain.resources import M2, MU, OFFERED, Row
from luodi.domain.stages import AGREEMENT, LAND, LAND_SUPPLIED, PLANT, STARTED, Language

SEEKS_LAND = "land"
SEEKS_PLANT = "plant"
SEEKS = (SEEKS_LAND, SEEKS_PLANT)

_MEASURES = {SEEKS_LAND: (MU, "area_mu"), SEEKS_PLANT: (M2, "floor_m2")}
_ENDS = {LAND: (SEEKS_LAND, LAND_SUPPLIED), PLANT: (SEEKS_PLANT, STARTED)}
"""Route -> what a project on it looks for, and the stage with which it has found it."""


def seeks(document: Mapping[str, Any]) -> str | None:
    """What a project waits for, by its document: land, a plant, or nothing.

    It waits from its signature, or from its entry into the pool, until the land is supplied or the fitting out begins.
    A tenant that names its carrier has found its plant. Published facts, agreements and the parents of phases wait for
    nothing of their own.
    """
    if not document["registered"] or document["status"] not in {ACTIVE, SUSPENDED, POOL}:
        return None
    if document.get("source") == PUBLISHED or document.get("kind") == AGREEMENT or document.get("phased"):
        return None
    sought, end = _ENDS.get(document.get("route") or "", (None, ""))
    if sought is None or (sought == SEEKS_PLANT and document.get("carrier")):
        return None
    stage = document["stage"]
    if stage is None:
        return sought if document["status"] == POOL else None
    return sought if document["next_stage"] == end else None


@dataclass(frozen=True, slots=True)
class Need:
    """A project that waits. `amount` is in the measure of what it seeks; None where it was never told."""

    project: str
    zone: str | None
    seeks: str
    amount: float | None
    park: str | None
    parcel: str | None
    trades: tuple[str, ...]  # its industry and its chain

    @property
    def measure(self) -> str:
        return _MEASURES[self.seeks][0]


def need_of(document: Mapping[str, Any]) -> Need:
    """What a project that seeks something needs; ``document`` holds `seeks`."""
    sought = document["seeks"]
    trades = (document.get("industry"), document.get("chain"))
    return Need(
        document["_id"],
        document.get("zone"),
        sought,
        document.get(_MEASURES[sought][1]),
        document.get("park"),
        document.get("parcel"),
        tuple(dict.fromkeys(trade for trade in trades if trade)),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A plot, a building, or what a carrier has vacant. `trades`: the industries it takes; none named: all."""

    kind: str  # "resource" or "carrier"
    id: str
    name: str | None
    what: str | None  # the kind of resource
    zone: str | None
    measure: str
    free: float
    state: str
    ready_by: str | None
    park: str | None
    parcel: str | None
    trades: tuple[str, ...]


def offer_of(resource: Mapping[str, Any], id_: str, day: str) -> Offer | None:
    """What is left of a resource on a business date; None where nothing is, or its size is not known."""
    stand = resources.stand_on(resource, day)
    if not stand["free"]:
        return None
    return Offer(
        "resource",
        id_,
        resource.get("name"),
        resource.get("kind"),
        resource.get("zone"),
        resources.measure_of(resource.get("kind")),
        stand["free"],
        stand["state"],
        resource.get("ready_by"),
        resource.get("park"),
        resource.get("parcel"),
        tuple(resource.get("industries") or ()),
    )


def vacancy_of(house: House) -> Offer | None:
    """What a carrier has vacant; None where that is nothing or not known for certain, or it is not built yet, or its
    floor is another's."""
    carrier, vacant = house.carrier, house.letting["vacant_m2"]
    if not vacant or house.letting["untold"] or not house.built or not house.counts:
        return None
    return Offer(
        "carrier",
        carrier["_id"],
        carrier.get("name"),
        None,
        carrier.get("zone"),
        M2,
        vacant,
        OFFERED,
        None,
        carrier.get("park"),
        carrier.get("parcel"),
        (),
    )


@dataclass(frozen=True, slots=True)
class Match:
    """An offer that fits a need. `why`: what speaks for it, as reasons to be put into words."""

    offer: Offer
    spare: float
    why: tuple[Row, ...]


def matches(need: Need, offers: Iterable[Offer], most: int) -> tuple[list[Match], Row | None]:
    """The offers that fit, best first, at most so many; and where there is none the reason why.

    Better is, in this order: the parcel the project names, what is to be had now, the same park, what names the
    project's industry, what leaves least over.
    """
    of_kind = [offer for offer in offers if offer.zone == need.zone and offer.measure == need.measure]
    if need.amount is None:
        return [], {"code": "need-not-told", "measure": need.measure}
    if not of_kind:
        return [], {"code": "nothing-free", "measure": need.measure}
    large = [offer for offer in of_kind if offer.free >= need.amount]
    if not large:
        most_free = max(offer.free for offer in of_kind)
        return [], {"code": "nothing-large-enough", "amount": need.amount, "free": most_free, "measure": need.measure}
    fitting = [offer for offer in large if _takes(offer, need)]
    if not fitting:
        return [], {"code": "no-industry", "trades": list(need.trades), "places": len(large)}
    ranked = sorted(fitting, key=lambda offer: _rank(offer, need))
    return [_match(offer, need) for offer in ranked[:most]], None


def _takes(offer: Offer, need: Need) -> bool:
    return not offer.trades or bool(set(offer.trades) & set(need.trades))


def _rank(offer: Offer, need: Need) -> tuple[Any, ...]:
    return (
        not _is_its_parcel(offer, need),
        offer.state != OFFERED,
        not _is_in_its_park(offer, need),
        not offer.trades,
        offer.free,
        offer.kind,
        offer.id,
    )


def _is_its_parcel(offer: Offer, need: Need) -> bool:
    return need.parcel is not None and offer.parcel == need.parcel


def _is_in_its_park(offer: Offer, need: Need) -> bool:
    return need.park is not None and offer.park == need.park


def _match(offer: Offer, need: Need) -> Match:
    assert need.amount is not None  # or nothing fits it
    why: list[Row] = [{"code": "large-enough", "amount": need.amount, "free": offer.free, "measure": need.measure}]
    if _is_its_parcel(offer, need):
        why.append({"code": "its-parcel", "parcel": offer.parcel})
    if _is_in_its_park(offer, need):
        why.append({"code": "same-park", "park": offer.park})
    elif need.park is not None and offer.park is not None:
        why.append({"code": "other-park", "park": offer.park})
    taken = [trade for trade in need.trades if trade in offer.trades]
    why.append({"code": "takes-trade", "trades": taken} if taken else {"code": "takes-all"})
    if offer.state != OFFERED:
        why.append({"code": "ready-later", "state": offer.state, "day": offer.ready_by})
    return Match(offer, resources.exact(offer.free - need.amount), tuple(why))


def sentence(why: Sequence[Mapping[str, Any]], language: Language) -> str:
    """Reasons of a match, or of there being none, in one sentence."""
    zh = language == "zh-CN"
    said = [SENTENCES[reason["code"]](reason, zh) for reason in why]
    return "；".join(said) if zh else "; ".join(said)


def _size(number: float, measure: str, zh: bool) -> str:
    unit = {MU: ("亩", " mu"), M2: ("平方米", " m²")}[measure][0 if zh else 1]
    return f"{number:,.10g}{unit}" if not zh else f"{number:.10g}{unit}"


def _large_enough(reason: Mapping[str, Any], zh: bool) -> str:
    amount, free = (_size(reason[name], reason["measure"], zh) for name in ("amount", "free"))
    return f"需{amount}，空余{free}" if zh else f"needs {amount}, {free} free"


def _nothing_large_enough(reason: Mapping[str, Any], zh: bool) -> str:
    amount, free = (_size(reason[name], reason["measure"], zh) for name in ("amount", "free"))
    return f"需{amount}，最大空余{free}" if zh else f"needs {amount}, the largest free is {free}"


def _not_told(reason: Mapping[str, Any], zh: bool) -> str:
    if reason["measure"] == MU:
        return "项目未报用地亩数" if zh else "how much land it needs was not told"
    return "项目未报厂房面积" if zh else "how much floor it needs was not told"


def _nothing_free(reason: Mapping[str, Any], zh: bool) -> str:
    if reason["measure"] == MU:
        return "本区暂无空余用地" if zh else "the zone has no free land on record"
    return "本区暂无空余厂房" if zh else "the zone has no free floor on record"


def _ready_later(reason: Mapping[str, Any], zh: bool) -> str:
    day = reason["day"]
    if zh:
        return f"{reason['state']}，预计{day}可供" if day else f"{reason['state']}，可供时间未定"
    return f"not free yet, expected by {day}" if day else "not free yet, no date given"


def _no_industry(reason: Mapping[str, Any], zh: bool) -> str:
    if not reason["trades"]:
        said = f"{reason['places']}处面积够，但均限定产业，项目未报产业"
        return said if zh else f"{reason['places']} large enough take certain industries only, and its own was not told"
    trades = ("、" if zh else ", ").join(reason["trades"])
    return (
        f"{reason['places']}处面积够，但不接受{trades}"
        if zh
        else f"{reason['places']} large enough do not take {trades}"
    )


def _takes_trade(reason: Mapping[str, Any], zh: bool) -> str:
    trades = ("、" if zh else ", ").join(reason["trades"])
    return f"可入{trades}" if zh else f"takes {trades}"


SENTENCES: Mapping[str, Callable[[Mapping[str, Any], bool], str]] = {
    "large-enough": _large_enough,
    "its-parcel": lambda r, zh: f"即其拟用地块{r['parcel']}" if zh else f"the parcel it names, {r['parcel']}",
    "same-park": lambda r, zh: f"同在{r['park']}" if zh else f"in its park, {r['park']}",
    "other-park": lambda r, zh: f"在{r['park']}，不在其意向园区" if zh else f"in another park, {r['park']}",
    "takes-trade": _takes_trade,
    "takes-all": lambda _r, zh: "不限产业" if zh else "takes any industry",
    "ready-later": _ready_later,
    "need-not-told": _not_told,
    "nothing-free": _nothing_free,
    "nothing-large-enough": _nothing_large_enough,
    "no-industry": _no_industry,
}
