"""Stages and routes: which stages a project passes through on its route, and what people call them there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh-CN", "en"]

SIGNED = "signed"
LAND_SUPPLIED = "land_supplied"
STARTED = "started"
COMPLETED = "completed"
PRODUCING = "producing"
STAGES = (SIGNED, LAND_SUPPLIED, STARTED, COMPLETED, PRODUCING)  # the order of every route
PERFORMING = "performing"  # where the last gap leads: all that was committed is reached. No stage: nothing reports it

LAND = "land"
PLANT = "plant"
EXPANSION = "expansion"

# Kinds of project.
FACTORY = "factory"
CARRIER = "carrier"
UPGRADE = "upgrade"
AGREEMENT = "agreement"
KINDS = (FACTORY, CARRIER, UPGRADE, AGREEMENT)


@dataclass(frozen=True, slots=True)
class StageName:
    """What a stage is called: on a label, and in an English sentence ("… is due by …")."""

    zh: str
    en: str
    noun: str


@dataclass(frozen=True, slots=True)
class Route:
    """A way from the signature to production: its stages in order with their names."""

    id: str
    zh: str
    en: str
    names: Mapping[str, StageName]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that apply, first to last."""
        return tuple(self.names)


def route(route_id: str | None) -> Route:
    """The route of a project; ``land`` for one that is not registered (or names a route of a newer version)."""
    return ROUTES.get(route_id or LAND, ROUTES[LAND])


def stages_of(route_id: str | None) -> tuple[str, ...]:
    """The stages that apply on a route, first to last."""
    return _STAGES_OF.get(route_id or LAND, _STAGES_OF[LAND])


def next_stage(route_id: str | None, stage: str) -> str | None:
    """The stage after this one on the route; None after the last, or for a stage that is not on the route."""
    stages = stages_of(route_id)
    if stage not in stages[:-1]:
        return None
    return stages[stages.index(stage) + 1]


def name(route_id: str | None, stage: str, language: Language) -> str:
    """The label of a stage on a route; a stage that is not on the route has the name it bears on ``land``."""
    label = _label(route_id, stage)
    return label.zh if language == "zh-CN" else label.en


def noun(route_id: str | None, stage: str, language: Language) -> str:
    """The name of a stage as it stands inside a sentence."""
    label = _label(route_id, stage)
    return label.zh if language == "zh-CN" else label.noun


def gap_name(route_id: str | None, gap: Sequence[str], language: Language) -> str:
    """The name of the gap from one stage to the next, e.g. 供地→开工."""
    arrow = "→" if language == "zh-CN" else " → "
    return arrow.join(name(route_id, stage, language) for stage in gap)


def _label(route_id: str | None, stage: str) -> StageName:
    return _AFTER.get(stage) or route(route_id).names.get(stage) or ROUTES[LAND].names[stage]


_AFTER = {PERFORMING: StageName("达产达效", "Performing", "the committed performance")}


ROUTES: dict[str, Route] = {
    LAND: Route(
        LAND,
        "供地",
        "Land",
        {
            SIGNED: StageName("签约", "Signed", "the signature"),
            LAND_SUPPLIED: StageName("供地", "Land supplied", "land supply"),
            STARTED: StageName("开工", "Started", "the start of construction"),
            COMPLETED: StageName("竣工", "Completed", "completion"),
            PRODUCING: StageName("投产", "Producing", "production"),
        },
    ),
    PLANT: Route(
        PLANT,
        "厂房",
        "Plant",
        {
            SIGNED: StageName("签约", "Signed", "the signature"),
            STARTED: StageName("进场装修", "Fitting out", "the start of fitting out"),
            COMPLETED: StageName("装修完成", "Fitted out", "completion of fitting out"),
            PRODUCING: StageName("投产", "Producing", "production"),
        },
    ),
    EXPANSION: Route(
        EXPANSION,
        "增资",
        "Expansion",
        {
            SIGNED: StageName("签约/备案", "Signed or filed", "the signature or filing"),
            STARTED: StageName("开工", "Started", "the start of work"),
            COMPLETED: StageName("完工", "Completed", "completion"),
            PRODUCING: StageName("投产", "Producing", "production"),
        },
    ),
}
_STAGES_OF = {route_id: row.stages for route_id, row in ROUTES.items()}
