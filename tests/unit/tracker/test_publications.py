"""差异说明 in words: amounts as people say them, and what was not known is not called None."""

from __future__ import annotations

from typing import Any

from services.tracker.publications import explained

ROW = {"period": "2026-04", "as_of": "2026-04-30"}
NUMBERS: list[dict[str, Any]] = [
    {"name": "total.investment", "title": "总投资（元）", "published": 24_898_000_000, "now": 25_000_000_000},
    {"name": "rates.landed", "title": "落地率（%）", "published": None, "now": 50.0},
]


def test_money_is_said_in_yi_and_a_rate_of_nothing_is_none() -> None:
    assert "总投资由248.98亿元改为250亿元、落地率（%）由无改为50.0" in explained(ROW, NUMBERS, "zh-CN")
    said = explained(ROW, NUMBERS, "en")
    assert "investment 248.98 hundred million yuan, now 250 hundred million yuan" in said
    assert said.endswith("none, now 50.0")
