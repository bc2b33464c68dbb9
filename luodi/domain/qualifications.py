"""Qualifications of enterprises: what was granted, until when it holds, when it must be examined again (复核).

The ladders (梯度) are data: a level stands on one, and a higher one is the next thing to grow into. A level that stands
on none is taken as it is told. Nothing is guessed: where neither the paper nor the rule behind the level says how long
it holds, no end is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.days import add_months, day_text, last_day
from luodi.domain.handlers import Handler, entry
from luodi.domain.lights import FIRST_DAY, GREEN, GREY, RED, YELLOW, DayStep, light_at, render
from luodi.domain.subjects import ENTERPRISE

QUALIFICATION_GRANTED = "qualification.granted"
QUALIFICATION_RENEWED = "qualification.renewed"
QUALIFICATION_ENDED = "qualification.ended"

RECHECK_DAYS = 90  # calendar days before the last day of validity from which the re-examination is due soon

VALID, RECHECK, EXPIRED, ENDED = "valid", "recheck", "expired", "ended"
STATES: Mapping[str, str] = {GREEN: VALID, YELLOW: RECHECK, RED: EXPIRED, GREY: ENDED}
"""Light -> what a qualification is on a day on which it shows that light."""

HOLDING = (VALID, RECHECK)
"""The states in which it holds."""

_MONTHS = 12
_QUOTES = str.maketrans("", "", "“”\"'‘’「」『』 \u3000")


@dataclass(frozen=True, slots=True)
class Level:
    """One level. `years`: how long it holds by the rule behind it; None where the rule says nothing."""

    id: str
    zh: str
    en: str
    years: int | None = None
    also: tuple[str, ...] = ()  # what people call it, too


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels one above the other, the lowest first. `basis`: where their years stand. `extends`: passing the
    re-examination moves the former end by the years; else they run anew from the day of the new certificate."""

    id: str
    zh: str
    en: str
    levels: tuple[Level, ...]
    basis: str = ""
    extends: bool = False


LADDERS: tuple[Ladder, ...] = (
    Ladder(
        "growth",
        "优质中小企业梯度培育",
        "growing small and medium firms",
        (
            Level("innovative", "创新型中小企业", "innovative small or medium firm", 3),
            Level("specialised", "专精特新中小企业", "specialised small or medium firm", 3, ("专精特新",)),
            Level(
                "little-giant",
                "专精特新“小巨人”企业",
                "specialised 'little giant' firm",
                3,
                ("专精特新小巨人", "小巨人企业", "小巨人"),
            ),
        ),
        "《优质中小企业梯度培育管理暂行办法》（工信部企业〔2022〕63号）：有效期三年，复核通过的延长三年",
        extends=True,
    ),
    Ladder(
        "green-factory",
        "绿色工厂",
        "green factories",
        (
            Level("green-factory-city", "市级绿色工厂", "green factory of the city"),
            Level("green-factory-province", "省级绿色工厂", "green factory of the province"),
            Level("green-factory-state", "国家级绿色工厂", "green factory of the state", None, ("国家绿色工厂",)),
        ),
    ),
    Ladder(
        "zero-carbon",
        "零碳工厂",
        "zero-carbon factories",
        (
            Level("near-zero-carbon", "近零碳工厂", "factory near zero carbon"),
            Level("zero-carbon", "零碳工厂", "zero-carbon factory"),
        ),
    ),
    Ladder(
        "green-design",
        "绿色设计示范企业",
        "examples of green design",
        (Level("green-design", "绿色设计示范企业", "example of green design"),),
    ),
    Ladder(
        "high-tech",
        "高新技术企业",
        "high-tech firms",
        (Level("high-tech", "高新技术企业", "high-tech firm", 3),),
        "《高新技术企业认定管理办法》（国科发火〔2016〕32号）：资格自颁发证书之日起有效期为三年",
    ),
)


def level_of(told: str) -> tuple[Ladder, int] | None:
    """The ladder and the step that a level stands on, by its id or by what people call it; None: on none."""
    return _LEVELS.get(_plain(told))


def level_id(told: str) -> str:
    """What a level is counted under: its id on a ladder, else as it was told."""
    found = level_of(told)
    return told if found is None else found[0].levels[found[1]].id


def _plain(text: str) -> str:
    return text.translate(_QUOTES)


_LEVELS: Mapping[str, tuple[Ladder, int]] = {
    _plain(name): (ladder, step)
    for ladder in LADDERS
    for step, level in enumerate(ladder.levels)
    for name in (level.id, level.zh, *level.also)
}


def told(telling: Telling) -> list[Row]:
    """The qualifications, in the order of recording, each with its light by day and with what became of it."""
    renewed = telling.by("qualification_renewals", "qualification_id")
    ended = telling.by("qualification_ends", "qualification_id")
    return [
        _qualification(row, renewed.get(row["id"], []), ended.get(row["id"], []), telling)
        for row in telling.rows("qualifications")
    ]


def _qualification(row: Row, renewals: list[Row], ends: list[Row], telling: Telling) -> Row:
    found = level_of(row["level"])
    level = None if found is None else found[0].levels[found[1]]
    latest = renewals[-1] if renewals else row
    until, by_rule = _until(
        row, renewals, None if level is None else level.years, found is not None and found[0].extends
    )
    end = ends[-1] if ends else None
    return {
        "id": row["id"],
        "level": row["level"],
        "level_id": level_id(row["level"]),
        "ladder": None if found is None else found[0].id,
        "step": None if found is None else found[1] + 1,
        "date": row.get("date"),
        "valid_until": until,
        "by_rule": by_rule,
        "certificate": latest.get("certificate") or row.get("certificate"),
        "issuer": row.get("issuer"),
        "note": row.get("note"),
        "actor": row["actor"],
        "recorded_at": row["recorded_at"],
        "renewals": [
            {name: again.get(name) for name in ("id", "date", "valid_until", "note", "actor", "recorded_at")}
            for again in renewals
        ],
        "ended": None
        if end is None
        else {name: end.get(name) for name in ("date", "reason", "note", "actor", "recorded_at")},
        "lights": render(steps(until, None if end is None else end.get("date")), telling.calendar),
    }


def _until(row: Row, renewals: list[Row], years: int | None, extends: bool) -> tuple[str | None, bool]:
    """The last day on which it holds, and whether that follows from the rule behind the level alone."""
    until, by_rule = _holds(row, years)
    for renewal in renewals:
        if until is None or years is None or not extends or renewal.get("valid_until") is not None:
            until, by_rule = _holds(renewal, years)
        elif last_day(until) < add_months(last_day(renewal["date"]), _MONTHS * years // 2):
            # Told long before the end it is the re-examination by which that end was reached, told again.
            until, by_rule = add_months(last_day(until), _MONTHS * years).isoformat(), True
    return until, by_rule


def _holds(told: Mapping[str, Any], years: int | None) -> tuple[str | None, bool]:
    """The end that a certificate names, else so many years from its day."""
    if told.get("valid_until") is not None:
        return last_day(told["valid_until"]).isoformat(), False
    if years is None or told.get("date") is None:
        return None, False
    # Granted on 5 March for three years it holds up to and including 4 March.
    last = add_months(last_day(told["date"]), _MONTHS * years).toordinal() - 1
    return day_text(last), True


def steps(until: str | None, ended: str | None) -> list[DayStep]:
    """The light of a qualification by day: green while it holds, yellow in the last 90 days, red after the last one;
    grey from the day it was ended."""
    if until is None:
        found: list[DayStep] = [(FIRST_DAY, GREEN, {"code": "qualification-open"})]
    else:
        last = last_day(until).toordinal()
        found = [
            (FIRST_DAY, GREEN, {"code": "qualification-valid", "due": until}),
            (last - RECHECK_DAYS, YELLOW, {"code": "qualification-recheck", "due": until}),
            (last + 1, RED, {"code": "qualification-expired", "due": until}),
        ]
    if ended is not None:
        day = last_day(ended).toordinal()
        found = [step for step in found if step[0] < day or step[0] == FIRST_DAY]
        found.append((day, GREY, {"code": "qualification-ended", "date": ended}))
    return found


def state_at(qualification: Mapping[str, Any], now: str) -> str:
    """What it is at an instant: `valid`, `recheck`, `expired` or `ended`."""
    return STATES[light_at(qualification["lights"], now)["light"]]


def held(qualifications: Iterable[Mapping[str, Any]], now: str) -> dict[str, Mapping[str, Any]]:
    """Of each ladder the highest level that holds at an instant; a level on no ladder stands for itself."""
    best: dict[str, Mapping[str, Any]] = {}
    for row in qualifications:
        if state_at(row, now) in HOLDING:
            key = row["ladder"] or row["level_id"]
            if key not in best or (best[key]["step"] or 0) < (row["step"] or 0):
                best[key] = row
    return best


HANDLERS: Mapping[str, Handler] = {
    QUALIFICATION_GRANTED: entry("qualifications"),
    QUALIFICATION_RENEWED: entry("qualification_renewals"),
    QUALIFICATION_ENDED: entry("qualification_ends"),
}

CHAPTERS: tuple[Chapter, ...] = (Chapter(ENTERPRISE, "qualifications", ("qualifications",), told),)

FIELDS: Mapping[str, tuple[str, ...]] = {}
