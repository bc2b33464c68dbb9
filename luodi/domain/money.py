"""Amounts that ask for a second look before they are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

YI = 100_000_000  # yuan in one 亿
WAN = 10_000  # yuan in one 万

MAX_YUAN = 10**15  # what an amount may be at all
LARGE_YUAN = 100 * YI  # above this a project is one in many years, or typed with four zeros too many
SMALL_YUAN = 100 * WAN  # under this an investment was most likely typed in 万元 or 亿元 and taken as yuan

INVESTMENTS = ("investment", "phase_investment")  # what arrived may well be small; what is planned is not
PARTS = ("phase_investment", "paid_in")  # of the investment: none is larger than the whole
CONFIRMED = (*INVESTMENTS, "paid_in")  # what may be asked about


def needs_confirmation(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Fields whose amount must be confirmed, each with its reason: ``over-100-yi``, ``under-100-wan``, ``over-total``.

    An investment of over 100 亿 yuan needs it, and one of more than 0 but under 100 万 yuan: 5000 stands for 5000 万元
    far more often than for 5000 yuan. So does a part of an investment that is larger than the investment told with it:
    one of the two was typed in another unit. Unknown and 0 do not; nor does a field that ``fields["confirm"]`` names.
    """
    confirmed = fields.get("confirm") or ()
    whole = fields.get("investment")
    doubtful = []
    for name in CONFIRMED:
        amount = fields.get(name)
        if amount is None or name in confirmed:
            continue
        if amount > LARGE_YUAN:
            doubtful.append((name, "over-100-yi"))
        elif name in INVESTMENTS and 0 < amount < SMALL_YUAN:
            doubtful.append((name, "under-100-wan"))
        elif name in PARTS and whole is not None and amount > whole:
            doubtful.append((name, "over-total"))
    return doubtful


def yi(amount: int) -> str:
    """An amount in yuan as 亿元, exactly: 24898000000 is 248.98."""
    return format((Decimal(amount) / YI).normalize(), "f")
