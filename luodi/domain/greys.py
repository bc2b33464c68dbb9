"""Since when a project has been grey: grey must not be a place to hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from luodi.domain.clocks import GREY

BY_NATURE = frozenset({"no-clock", "phased", "pool", "published", "withdrawn"})
"""Reasons nobody is to end: nothing hides behind them."""


def greys(lights: Sequence[Mapping[str, Any]], since: str) -> list[dict[str, str]]:
    """The unbroken times ``{from, to}`` in which a project is grey and somebody could end it.

    ``since`` is an instant: a light that has always been grey counts from then on, e.g. from the day on which the
    project became known.
    """
    runs: list[dict[str, str]] = []
    for step in lights:
        if step["light"] != GREY or step["reason"]["code"] in BY_NATURE:
            continue
        begin, end = step["from"], step["to"]
        if begin < since:
            begin = since
        if begin >= end:
            continue
        if runs and runs[-1]["to"] == begin:
            runs[-1]["to"] = end
        else:
            runs.append({"from": begin, "to": end})
    return runs


def grey_since(runs: Sequence[Mapping[str, str]], now: str) -> str | None:
    """The instant since which the project has been grey at ``now``; None where it is not, or is so by nature."""
    return next((run["from"] for run in runs if run["from"] <= now < run["to"]), None)
