from __future__ import annotations

from pathlib import Path

from bench import recompute
from luodi.domain.fold import fold
from luodi.runtime import configuration, settings
from services.tracker.folding import Folder

LOCAL = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URI": "mongodb://127.0.0.1:1"}


def test_every_project_that_is_made_anew_has_a_clock_that_runs() -> None:
    config = configuration.load(settings.read(LOCAL))
    folder = Folder(config.rules, config.calendar, 1)
    lives = recompute.open_lives(folder, 20)
    assert len(lives) == 20
    assert all(folder.assess(events[0].subject, fold(events))["clocks"] for events in lives)


def test_each_round_puts_another_limit_in_force(tmp_path: Path) -> None:
    packaged = configuration.load(settings.read(LOCAL)).rules
    found = [packaged.fingerprint()]
    for days in recompute.LIMITS:
        recompute.shortened(tmp_path, days)
        rules = configuration.load(settings.read({**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)})).rules
        assert {version.rule for version in rules.versions()} == {version.rule for version in packaged.versions()}
        found.append(rules.fingerprint())
    assert len(set(found)) == 1 + len(recompute.LIMITS)
