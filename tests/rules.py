"""The rules that the tests run under unless they say otherwise: the zone's defaults."""

from __future__ import annotations

from luodi.domain.rules import DEFAULT_RULES

__all__ = ["DEFAULT_RULES"]
