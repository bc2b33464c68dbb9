"""Publications (月报, 通报): what was known of a business date at an instant, frozen.

A publication is an event on its zone (``publication.made``). It holds no number: what it published is what was known
at the instant at which it was recorded of the day it names, and that is answered from the journal alike for ever.
What people correct afterwards changes no published number; it comes out as 差异说明 (see ``corrections``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.handlers import Handler, entry
from luodi.domain.subjects import ZONE

PUBLICATION_MADE = "publication.made"


def _told(telling: Telling) -> list[dict[str, Any]]:
    """Every publication, the latest last; ``number`` counts those of one period, each in place of the one before."""
    told: list[dict[str, Any]] = []
    numbers: dict[str, tuple[int, str]] = {}
    for row in telling.rows(PUBLICATIONS):
        number, earlier = numbers.get(row["period"], (0, None))
        numbers[row["period"]] = (number + 1, row["id"])
        told.append({**row, "number": number + 1, "replaces": earlier})
    return told


PUBLICATIONS = "publications"

FIELDS: Mapping[str, tuple[str, ...]] = {}
HANDLERS: Mapping[str, Handler] = {PUBLICATION_MADE: entry(PUBLICATIONS)}
CHAPTERS: tuple[Chapter, ...] = (Chapter(ZONE, PUBLICATIONS, (PUBLICATIONS,), _told),)
