"""What a change of rules changes, and whether it would rewrite history.

A closed gap keeps the verdict of the version that was valid when it closed. So a version whose ``valid_from`` has come
stays as it is: whoever wants another limit writes a new version with a later date. Words about a rule may change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Told = Mapping[str, Any]  # of ``Rules.content``

WORDS = frozenset({"basis", "link", "title", "consequence", "ladder", "levels", "authority", "name_en"})
"""Of a version or a statute: no verdict depends on them."""

EVERYWHERE = "*"  # in the place of a zone: those that list no presets of their own


@dataclass(frozen=True, slots=True)
class Amendment:
    """One change: what was done to what, and whether verdicts of the past would change by it."""

    what: str  # added, changed, removed (a version of a rule); activated, deactivated (a preset in a zone)
    name: str
    rewrites: bool

    def __str__(self) -> str:
        return f"{self.name} {self.what}"


def amendments(before: Told, after: Told, today: date) -> list[Amendment]:
    """Every change from one content of the rules to another, as seen on a business date."""
    return [*_of_versions(before, after, today), *_of_presets(before, after), *_of_statutes(before, after, today)]


def _of_versions(before: Told, after: Told, today: date) -> Iterator[Amendment]:
    was_active = {preset for active in (*before["zones"].values(), before["default"]) for preset in active}
    old, new = before["rules"], after["rules"]
    known = {version["rule"] for version in old.values()}
    for key in sorted(old.keys() | new.keys()):
        was, is_now = old.get(key), new.get(key)
        version = was or is_now
        # Of a rule that was active nowhere there are no verdicts; nor are there of one that is new.
        bears = version["preset"] in was_active and version["rule"] in known and version["valid_from"] <= str(today)
        if was is None:
            yield Amendment("added", key, bears)
        elif is_now is None:
            yield Amendment("removed", key, bears)
        elif not _agree(was, is_now):
            same_verdicts = _agree(_without_words(was), _without_words(is_now))
            yield Amendment("changed", key, bears and not same_verdicts)


def _of_presets(before: Told, after: Told) -> Iterator[Amendment]:
    for zone in sorted({*before["zones"], *after["zones"], EVERYWHERE}):
        was, is_now = (content["zones"].get(zone, content["default"]) for content in (before, after))
        for preset in sorted({*was, *is_now}):
            if (preset in was) != (preset in is_now):
                what = "activated" if preset in is_now else "deactivated"
                yield Amendment(what, f"{preset} in {zone}", preset in was)


def _of_statutes(before: Told, after: Told, today: date) -> Iterator[Amendment]:
    """What changes of procedures: one decided under a statute keeps its verdict, which unit decides may change."""
    if "procedures" not in before or "procedures" not in after:
        return  # an earlier version of the program knew none
    old, new = before["procedures"]["statutes"], after["procedures"]["statutes"]
    known = {statute["kind"] for statute in old.values()}
    for key in sorted(old.keys() | new.keys()):
        was, is_now = old.get(key), new.get(key)
        statute = was or is_now
        bears = statute["kind"] in known and statute["valid_from"] <= str(today)
        if was is None:
            yield Amendment("added", key, bears)
        elif is_now is None:
            yield Amendment("removed", key, bears)
        elif not _agree(was, is_now):
            yield Amendment("changed", key, bears and not _agree(_without_words(was), _without_words(is_now)))
    old, new = before["procedures"]["units"], after["procedures"]["units"]
    for zone in sorted(old.keys() | new.keys()):
        if old.get(zone) != new.get(zone):
            yield Amendment("changed", f"units of procedures in {zone}", rewrites=False)


def _without_words(version: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name not in WORDS}


def _agree(one: Any, other: Any) -> bool:
    """Whether two values say the same, as far as both know of it: a newer program may have written more names."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return all(_agree(value, other[name]) for name, value in one.items() if name in other)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_agree, one, other))
    return bool(one == other)
