"""The golden records as data: what a type of event without examples of its own is tried with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

import schemas

GOLDEN = Path(schemas.__file__).parent / "golden" / "v1"


@cache
def golden_data(type_: str) -> dict[str, Any]:
    """The data of the golden of a type: every field it has."""
    data: dict[str, Any] = orjson.loads((GOLDEN / f"{type_}.json").read_bytes())["data"]
    return data
