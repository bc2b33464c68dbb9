"""What is told of the zones themselves: who they are, and of the demonstration zone its figures, targets and 月报.

The figures of the published zones stand in their files (`published/*.toml`) beside their projects.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from luodi.domain.subjects import ZONE as KIND
from luodi.domain.subjects import subject_of
from seeds.event import SeedEvent, derived_id
from seeds.story import AFTER_PUBLICATION, APPROVER, ZONE

PUBLISHED_WAVE = AFTER_PUBLICATION - 1  # everything else is recorded before it
SOURCE = "示例高新区月报（演示）"

YI = 100_000_000


def registered() -> Iterator[SeedEvent]:
    """Every published zone by its name."""
    for row in tomllib.loads(files("seeds").joinpath("zones.toml").read_text(encoding="utf-8"))["zone"]:
        if row["published"]:
            subject, data = subject_of(KIND, row["id"]), {"name": row["name"], "name_en": row["name_en"]}
            yield SeedEvent(subject, derived_id(subject, "zone.registered", data, None), "zone.registered", data)


def events(day: date, edition: str) -> list[SeedEvent]:
    """What is told of the demonstration zone on the day of loading."""
    month_end = day.replace(day=1) - timedelta(days=1)
    told: list[SeedEvent] = []
    for event_type, wave, data in _told(day, month_end):
        event_id = f"s{day:%Y%m%d}-{edition}-{len(told) + 1:02d}"
        told.append(SeedEvent(subject_of(KIND, ZONE), event_id, event_type, data, APPROVER, wave))
    return told


def _told(day: date, month_end: date) -> Iterator[tuple[str, int, dict[str, Any]]]:
    month = f"{month_end:%Y-%m}"
    yield "zone.registered", 0, {"name": "示例高新区 · 演示数据", "name_en": "Example High-tech Zone", "level": "省级"}
    yield "zone.amended", 1, {"place": "示例市（演示）"}
    reported = {"as_of": month_end.isoformat(), "source": SOURCE}
    for figure in _FIGURES:
        yield "figure.reported", 0, {**figure, **reported}
    slip = {**_FIGURES[-1], **reported, "value": 13.1, "note": "更正笔误（演示）"}
    yield "figure.reported", 1, slip
    for target in _TARGETS:
        yield "target.set", 0, {"year": day.year, **target}
    yield "target.set", 1, {"year": day.year, **_TARGETS[0], "value": 64, "reason": "年中调增（演示）"}
    title = f"示例高新区{month_end.year}年{month_end.month}月月报（演示）"
    yield "publication.made", PUBLISHED_WAVE, {"period": month, "as_of": month_end.isoformat(), "title": title}


_FIGURES: tuple[Mapping[str, Any], ...] = (
    {
        "figure": "enterprises-taken-in",
        "name": "累计引进企业",
        "name_en": "enterprises taken in to date",
        "value": 518,
        "unit": "家",
        "measure": "enterprises",
        "definition": "已登记项目的企业，按统一社会信用代码（演示）",
        "definition_en": "enterprises of registered projects, by credit code (demonstration)",
    },
    {
        "figure": "enterprises-producing",
        "name": "其中已投产",
        "name_en": "of these producing",
        "value": 171,
        "unit": "家",
        "measure": "enterprises_producing",
        "definition": "有项目投产的企业；月报含试生产2家（演示）",
        "definition_en": "enterprises with a project in production; the report counts two on trial (demonstration)",
    },
    {
        "figure": "key-projects",
        "name": "签约重点项目",
        "name_en": "key projects signed",
        "count": 180,
        "value": 1_200 * YI,
        "unit": "元",
        "word": "主要",
        "word_en": "mainly",
        "parts": [
            {"name": "新材料", "name_en": "new materials", "count": 60, "amount": 400 * YI},
            {"name": "高端装备制造", "name_en": "high-end equipment", "count": 70, "amount": 450 * YI},
        ],
        "measure": "key_projects",
    },
    {
        "figure": "industrial-investment",
        "name": "工业投资同比",
        "name_en": "industrial investment, year on year",
        "value": 31.1,
        "unit": "%",
    },
)
"""What the zone's monthly report says; its last figure is a slip, put right afterwards. All of it is invented."""

_TARGETS: tuple[Mapping[str, Any], ...] = (
    {"measure": "signed", "value": 60, "source": "年度工作要点（演示）"},
    {"measure": "signed_investment", "value": 150 * YI},
    {"measure": "started", "value": 48, "by_month": [2, 2, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4]},
    {"measure": "producing", "value": 36},
    {"measure": "invested", "value": 60 * YI},
    {"measure": "enterprises", "value": 540},
    {"measure": "started", "unit": "demo-unit-01", "value": 6},
    {"measure": "started", "unit": "demo-unit-02", "value": 5},
    {"measure": "producing", "leader": "demo-leader-01", "value": 2},
    {"figure": "industrial-investment", "value": 12.5},
)
"""What the zone, two lead units and a leader are to reach in the year of loading."""
