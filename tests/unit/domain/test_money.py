from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.money import needs_confirmation, yi


@pytest.mark.parametrize(
    ("fields", "doubtful"),
    [
        ({}, []),
        ({"investment": None}, []),
        ({"investment": 0}, []),
        ({"investment": 100_000_000}, []),
        ({"investment": 10_000_000_000}, []),
        ({"investment": 10_000_000_001}, [("investment", "over-100-yi")]),
        ({"investment": 1_000_000}, []),
        ({"investment": 999_999}, [("investment", "under-100-wan")]),
        ({"investment": 1}, [("investment", "under-100-wan")]),
        ({"phase_investment": 5_000}, [("phase_investment", "under-100-wan")]),
        ({"paid_in": 5_000}, []),
        ({"paid_in": 10_000_000_001}, [("paid_in", "over-100-yi")]),
        ({"investment": 60_000_000, "paid_in": 60_000_000}, []),
        ({"investment": 60_000_000, "paid_in": 60_000_001}, [("paid_in", "over-total")]),
        ({"investment": 60_000_000, "paid_in": 60_000_001, "confirm": ["paid_in"]}, []),
        ({"investment": 60_000_000, "phase_investment": 600_000_000}, [("phase_investment", "over-total")]),
        (
            {"investment": 5_000, "phase_investment": 50_000_000},
            [("investment", "under-100-wan"), ("phase_investment", "over-total")],
        ),
        ({"investment": None, "paid_in": 60_000_000}, []),
        ({"investment": 5_000, "confirm": ["investment"]}, []),
        ({"investment": 5_000, "confirm": ["phase_investment"]}, [("investment", "under-100-wan")]),
        ({"investment": 5_000, "confirm": None}, [("investment", "under-100-wan")]),
    ],
)
def test_an_amount_that_looks_mistyped_asks_for_confirmation(
    fields: dict[str, Any], doubtful: list[tuple[str, str]]
) -> None:
    assert needs_confirmation(fields) == doubtful


def test_an_amount_is_told_in_yi_exactly() -> None:
    assert [yi(amount) for amount in (24_898_000_000, 3_200_000_000, 1, 0)] == ["248.98", "32", "0.00000001", "0"]
