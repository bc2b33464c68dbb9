"""What a change of rules changes, and what of it would rewrite the past."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from luodi.domain.amendments import amendments
from luodi.domain.rules import ZONE_DEFAULT, Limit, Rules, Version
from tests.rules import ONLY, PACKAGED, with_limit, with_presets

TODAY = date(2026, 6, 15)


def told(before: Rules, after: Rules) -> list[tuple[str, bool]]:
    # What was in force before comes from a store, as JSON.
    stored = json.loads(json.dumps(before.content()))
    return [(str(change), change.rewrites) for change in amendments(stored, after.content(), TODAY)]


def having(*versions: Version, preset: str = ZONE_DEFAULT) -> Rules:
    return replace(PACKAGED, presets={**PACKAGED.presets, preset: versions})


def limited(days: int, valid_from: date | None = None) -> Version:
    return with_limit("land", "land_supplied", Limit(days, "calendar_days"), valid_from)


def test_equal_rules_change_nothing() -> None:
    assert told(PACKAGED, PACKAGED) == []


def test_a_version_that_holds_already_is_not_to_be_changed_or_removed() -> None:
    assert told(PACKAGED, having(limited(60))) == [("zone-default@1980-01-01 changed", True)]
    two = having(ONLY, limited(60, date(2026, 1, 1)))
    assert told(two, PACKAGED) == [("zone-default@2026-01-01 removed", True)]


@pytest.mark.parametrize(
    ("valid_from", "rewrites"), [("2026-06-15", True), ("2026-06-16", False), ("2026-01-01", True)]
)
def test_a_new_version_is_to_begin_after_today(valid_from: str, rewrites: bool) -> None:
    later = having(ONLY, limited(60, date.fromisoformat(valid_from)))
    assert told(PACKAGED, later) == [(f"zone-default@{valid_from} added", rewrites)]
    other = having(ONLY, limited(50, date.fromisoformat(valid_from)))
    assert told(later, other) == [(f"zone-default@{valid_from} changed", rewrites)]


def test_the_words_of_a_rule_may_change() -> None:
    for words in (
        {"basis": {"zh": "依据", "en": "basis"}},
        {"link": "https://example.org"},
        {"title": {"zh": "一", "en": "a"}},
    ):
        assert told(PACKAGED, having(replace(ONLY, **words))) == [("zone-default@1980-01-01 changed", False)]


def test_a_rule_that_was_active_nowhere_has_no_past() -> None:
    idle = PACKAGED.presets["idle-land"]
    changed = having(replace(idle[0], needs_document=False), *idle[1:], preset="idle-land")
    name = f"{idle[0].rule}@{idle[0].valid_from}"
    assert told(PACKAGED, changed) == [(f"{name} changed", False)]
    active = replace(PACKAGED, zones={"demo": (ZONE_DEFAULT, "idle-land")})
    assert told(active, replace(changed, zones=active.zones)) == [(f"{name} changed", True)]


def test_a_preset_may_be_activated_and_not_taken_away() -> None:
    more = replace(PACKAGED, zones={"demo": (ZONE_DEFAULT, "idle-land")})
    assert told(PACKAGED, more) == [("idle-land in demo activated", False)]
    assert told(more, PACKAGED) == [("idle-land in demo deactivated", True)]
    assert told(PACKAGED, with_presets(ZONE_DEFAULT, "jiangdong")) == [("jiangdong in * activated", False)]


def test_a_new_rule_in_an_active_preset_changes_no_verdict() -> None:
    new = replace(ONLY, rule="our-own")
    assert told(PACKAGED, having(ONLY, new)) == [("our-own@1980-01-01 added", False)]
    assert told(having(ONLY, new), PACKAGED) == [("our-own@1980-01-01 removed", True)]


def test_what_an_earlier_program_did_not_know_to_write_is_no_change() -> None:
    stored = json.loads(json.dumps(PACKAGED.content()))
    for version in stored["rules"].values():
        del version["needs_document"], version["yellow"]["postponed"]
    assert amendments(stored, PACKAGED.content(), TODAY) == []
