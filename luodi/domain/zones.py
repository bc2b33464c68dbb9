"""Zones: what is registered of one. That there is a zone, and its rules, is configuration; see `zones.toml`.

What is reported of a zone, aimed at in it and published about it stands in `figures`, `targets` and `publishing`.
"""

from __future__ import annotations

from collections.abc import Mapping

from luodi.domain.chapters import Chapter
from luodi.domain.handlers import Handler, amend, register
from luodi.domain.subjects import ZONE

ZONE_REGISTERED = "zone.registered"
ZONE_AMENDED = "zone.amended"

_NAMES = ("name", "name_en", "level", "place", "content")

FIELDS: Mapping[str, tuple[str, ...]] = {ZONE: _NAMES}
HANDLERS: Mapping[str, Handler] = {ZONE_REGISTERED: register(_NAMES), ZONE_AMENDED: amend(_NAMES)}
CHAPTERS: tuple[Chapter, ...] = ()
