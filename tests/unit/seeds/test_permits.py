"""The procedures of the demonstration zone: every query has something to show, on every day of loading."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from luodi.domain.clocks import LIGHTS, light_at
from luodi.domain.procedures import LANES, NOT_COUNTED, RESULTS, STATES
from seeds import staff
from tests.rules import PACKAGED
from tests.unit.seeds.test_demo import DAY, documents

LATER = date(2026, 12, 31)


def rows(day: date) -> list[dict[str, Any]]:
    return [row for document in documents(day).values() for row in document.get("procedures", ())]


def lights(day: date) -> Counter[tuple[str, str, str]]:
    return Counter(
        (row["kind"], row["state"], light_at(row["lights"], f"{day}T03:00:00.000Z")["light"]) for row in rows(day)
    )


def test_every_state_light_verdict_and_lane_occurs_and_most_kinds() -> None:
    found = rows(DAY)
    assert {row["state"] for row in found} == set(STATES)
    assert {light for _, _, light in lights(DAY)} == set(LIGHTS)
    assert {row["verdict"] for row in found} == {None, "in_time", "late"}
    assert {row["result"] for row in found} == {None, *RESULTS}
    assert {row["limit"]["lane"] for row in found if row["limit"]} == {None, "绿色通道"}
    assert {lane for document in documents(DAY).values() for lane in document["lanes"] or ()} == set(LANES)
    assert {stop["why"] for row in found for stop in row["paused_by"]} - {"补正"} < set(NOT_COUNTED)
    assert {row["kind"] for row in found} == set(PACKAGED.statutes.kinds()) - {"环评（报告书）"}
    assert any(item["supplied"] for row in found for item in row["missing"])
    assert any(row["limit"]["extended"] for row in found if row["limit"])


def test_every_procedure_has_a_limit_once_accepted_and_a_unit_of_the_zone() -> None:
    units = {unit for unit, _, _ in staff.UNITS}
    for row in rows(DAY):
        assert row["unit"] in units
        assert (row["limit"] is None) == (row["start"] is None)


@pytest.mark.parametrize("day", [LATER])
def test_the_lights_are_the_same_on_whichever_day_the_zone_is_loaded(day: date) -> None:
    assert lights(day) == lights(DAY)
