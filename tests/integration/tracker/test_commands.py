"""The operator's commands on real servers: `luodi rebuild`, `luodi rejects`, `luodi config`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from luodi.runtime.errors import FatalError
from services.tracker import config, intake, rebuild, rejects
from tests.integration.tracker.test_projector import check
from tests.integration.tracker.world import World, until

pytestmark = pytest.mark.stack

Command = Callable[[Sequence[str]], int]
Run = Callable[..., tuple[int, str]]


def _value(text: str) -> Any:
    """The JSON that a command printed; a tracker in this process may have logged beside it."""
    return json.JSONDecoder().raw_decode(text[text.index("\n{") + 1 if not text.startswith("{") else 0 :])[0]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Run]:
    """Run a command as the operator does; gives the exit code and what it printed."""
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "luodi.runtime.logging.configure", lambda *_: None
    )  # it would keep this test's streams for ever

    def call(command: Command, *words: str) -> tuple[int, str]:
        capfdbinary.readouterr()
        code = command(words)
        out, err = capfdbinary.readouterr()
        return code, (out + err).decode()

    with capture_logs():  # the default logger writes to standard output, where the answers are
        yield call


def test_a_comparison_finds_nothing_after_an_ordinary_life(world: World, run: Run) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(30)]
    events += [world.recorder.milestone(f"p{n % 30}", "started") for n in range(60)]
    world.send_raw([(0, b"p0", b"{")])
    with world.tracker(max_poll_records=17):
        world.await_applied(world.send([*events, *events[:40]]))
        code, text = run(rebuild.main, "--compare", "--json")
    found = _value(text)
    assert (code, found["differences"]) == (0, [])
    assert (found["events"], found["projects"], found["rejects"]) == (90, 30, 1)
    assert not {"shadow_journal", "shadow_projects"} & set(world.database.list_collection_names())


def test_a_comparison_waits_for_what_is_still_coming_in(world: World, run: Run) -> None:
    with world.tracker():
        world.send(world.recorder.registered(f"p{n}") for n in range(300))
        code, text = run(rebuild.main, "--compare")
    assert code == 0, text
    assert "no difference" in text


def test_spoilt_roll_ups_are_found_and_made_anew(world: World, run: Run) -> None:
    r, rollups = world.recorder, world.database["rollups"]
    events = [r.registered("hall"), r.registered("t1", carrier="hall"), r.registered("p1", parent="p")]
    with world.tracker():
        world.await_applied(world.send(events))
        code, text = run(rebuild.main, "--compare")
        assert code == 0, text
        until(lambda: rollups.count_documents({"_id": {"$in": ["hall", "p"]}}) == 2, "both are rolled up")
    # Without a tracker, which would mend them by and by.
    rollups.update_one({"_id": "hall"}, {"$set": {"tenants": []}})
    rollups.delete_one({"_id": "p"})
    code, text = run(rebuild.main, "--compare", "--json")
    assert code == 1
    assert {(d["where"], d["id"], d["what"]) for d in _value(text)["differences"]} == {
        ("rollups", "hall", "different"),
        ("rollups", "p", "missing"),
    }
    code, text = run(rebuild.main)
    assert code == 0
    assert "2 roll-ups made anew" in text
    with world.tracker():  # histories follow the new activation
        code, text = run(rebuild.main, "--compare")
    assert code == 0, text


def test_a_comparison_finds_what_was_tampered_with_and_a_rebuild_mends_it(world: World, run: Run) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(6)]
    with world.tracker():
        world.await_applied(world.send(events))
        world.database["projects"].update_one({"_id": "p1"}, {"$set": {"name": "改过的"}})
        world.database["projects"].delete_one({"_id": "p2"})
        world.database["journal"].delete_one({"subject": "p3"})
        until(lambda: world.database["history"].find_one({"_id": "p4"}), "the history of p4")
        world.database["history"].update_one({"_id": "p4"}, {"$set": {"cells": b""}})
        code, text = run(rebuild.main, "--compare", "--json")
        assert code == 1
        assert {
            (d["where"], d["id"].partition("/")[0], d["what"], *d["fields"]) for d in _value(text)["differences"]
        } == {
            ("projects", "p1", "different", "name"),
            ("projects", "p2", "missing"),
            ("journal", "p3", "missing"),
            ("history", "p4", "different"),
        }
        code, text = run(rebuild.main)
        assert (code, "1 of them were missing" in text, "6 documents" in text) == (0, True, True), text
        code, text = run(rebuild.main, "--compare")
        assert code == 0, text
    check(world, events)
    assert {document["ruleset"] for document in world.documents().values()} == {2}


def test_rejects_are_listed_once_each_and_shown_whole(world: World, run: Run) -> None:
    last = world.send_raw([(0, b"p0", b"{"), (0, b"p0", b"\xff"), (1, b"p0", None)])
    with world.tracker():
        world.await_applied(last)
    code, text = run(rejects.main)
    assert code == 0
    assert "3 rejected records" in text
    code, text = run(rejects.main, "list", "--json", "--limit", "1")
    assert (_value(text)["total"], len(_value(text)["rejects"])) == (3, 1)
    identity = f"{world.settings.topics.events}-0-1"
    code, text = run(rejects.main, "show", identity)
    assert (code, _value(text)["encoding"]) == (0, "base64")
    assert run(rejects.main, "show", "nothing")[0] == 1


def test_a_partition_that_stands_still_goes_on_by_the_operators_word(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_REJECTS_IN_ROW", 5)
    subject = "p1"
    partition = world.partition(subject)
    world.send_raw([(partition, b"x", b"{")] * 8)
    event = world.recorder.registered(subject)
    last = world.send([event])
    with world.tracker() as tracker:
        client = tracker.app.test_client()
        until(lambda: "rejects resume" in client.get("/ready").text, "/ready says what to do")
        assert subject not in world.documents()
        _, text = run(rejects.main)
        assert f"partition {partition} stands still at offset 5" in text
        assert run(rejects.main, "resume", str(partition))[0] == 0
        world.await_applied(last)
        until(lambda: client.get("/ready").status_code == 200, "ready again")
        assert run(rejects.main, "resume", str(partition))[0] == 1
    assert len(world.rejected()) == 8
    check(world, [event])


def test_config_tells_what_is_in_force_and_activates(world: World, run: Run) -> None:
    code, text = run(config.main)
    assert (code, "nothing is activated yet" in text) == (0, True)
    with world.tracker():
        pass
    code, text = run(config.main, "show", "--json")
    assert (code, _value(text)["in_force"], len(_value(text)["activations"])) == (0, True, 1)
    row = world.database["rulesets"].find_one() or {}
    world.database["rulesets"].insert_one({**row, "_id": 2, "digest": "of another version"})
    code, text = run(config.main, "show")
    assert (code, "luodi config apply" in text) == (1, True)
    assert run(config.main, "activate")[0] == 0
    assert run(config.main, "show")[0] == 0
    assert (world.database["rulesets"].find_one({"_id": 3}) or {})["digest"] == row["digest"]


HOLIDAY = """
[[off]]
name = "全运会"
from = 2026-03-12
until = 2026-03-13
"""


@pytest.fixture
def folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's folder, empty so far, for the trackers and the commands alike."""
    own = tmp_path / "own"
    (own / "calendars").mkdir(parents=True)
    world.environ["LUODI_CONFIG_DIR"] = str(own)
    monkeypatch.setenv("LUODI_CONFIG_DIR", str(own))
    return own


def test_a_change_is_checked_tried_and_applied_while_trackers_run_on(world: World, run: Run, folder: Path) -> None:
    started = {"stage": "land_supplied", "date": "2026-03-02"}
    events = [e for n in range(40) for e in (world.recorder.registered(f"p{n}"), world.recorder.milestone(f"p{n}"))]
    events += [world.recorder.milestone(f"p{n}", **started) for n in range(10)]
    with world.tracker(max_poll_records=17), world.tracker("two"):
        world.await_applied(world.send(events))
        before = {name: document["clocks"][0]["due"] for name, document in world.documents().items()}
        assert before["p3"] == "2026-05-28"

        (folder / "calendars" / "games.toml").write_text("published = 2027", encoding="utf-8")
        code, text = run(config.main, "check")
        assert (code, "published must be a list" in text) == (78, True)
        assert run(config.main, "apply")[0] == 78
        (folder / "calendars" / "games.toml").write_text(HOLIDAY, encoding="utf-8")
        assert run(config.main, "check")[0] == 0

        code, text = run(config.main, "apply", "--dry-run", "--json")
        tried = _value(text)
        assert (code, tried["documents"], len(tried["changes"]), tried["new_reds"]) == (0, 40, 10, 0)
        assert [row["_id"] for row in world.database["rulesets"].find()] == [1]
        assert {document["ruleset"] for document in world.documents().values()} == {1}

        code, text = run(config.main, "apply", "--by", "u-clerk", "--rows", "3")
        assert code == 0, text
        assert "land_supplied→started  red (2026-05-28) → red (2026-06-01)  项目 p" in text
        assert ("… and 7 more" in text, "nothing is newly red" in text) == (True, True)
        assert {document["ruleset"] for document in world.documents().values()} == {2}
        row = world.database["rulesets"].find_one({"_id": 2}) or {}
        assert (row["by"], row["held_until"]) == ("u-clerk", None)

        world.await_applied(world.send([world.recorder.milestone("p30", **started)]))
        until(lambda: world.documents()["p30"]["ruleset"] == 2, "the trackers have read the files again")
        after = {name: document["clocks"][0]["due"] for name, document in world.documents().items()}
        assert (after["p3"], after["p30"]) == ("2026-06-01", "2026-06-01")
        published = world.published()
        assert {name: (s["events"], s["ruleset"]) for name, s in published.items()} == {
            name: (d["events"], d["ruleset"]) for name, d in world.documents().items()
        }
        code, text = run(config.main, "apply")
        assert (code, "same content" in text, "0 projects" in text) == (0, True, True)
        code, text = run(rebuild.main, "--compare")
        assert code == 0, text


def test_a_rule_that_holds_already_is_changed_only_when_that_is_ordered(world: World, run: Run, folder: Path) -> None:
    packaged = resources.files("seeds").joinpath("limits", "zone-default.toml").read_text(encoding="utf-8")
    own = folder / "limits" / "zone-default.toml"
    own.parent.mkdir()
    events = [e for n in range(6) for e in (world.recorder.registered(f"p{n}"), world.recorder.milestone(f"p{n}"))]
    events += [world.recorder.milestone("p5", "land_supplied", "2026-02-20")]  # 46 days after it was signed
    with world.tracker():
        world.await_applied(world.send(events))
        assert packaged.count("calendar_days = 90") == 1
        own.write_text(packaged.replace("calendar_days = 90", "calendar_days = 30"), encoding="utf-8")
        code, text = run(config.main, "apply")
        assert (code, "--rewrite-history" in text) == (1, True), text
        assert world.database["rulesets"].count_documents({}) == 1
        code, text = run(config.main, "apply", "--dry-run", "--json")
        assert (code, len(_value(text)["changes"]), _value(text)["verdicts"]) == (0, 5, 1)
        code, text = run(config.main, "apply", "--rewrite-history", "--by", "u-chief")
        assert (code, "1  verdicts on closed gaps changed" in text) == (0, True), text
        documents = world.documents()
        assert documents["p1"]["clocks"][0]["due"] == "2026-02-04"
        assert [closed["verdict"] for closed in documents["p5"]["closed"]] == ["late"]
    code, text = run(config.main)
    assert (code, "u-chief" in text, "zone-default@1980-01-01 changed" in text) == (0, True, True)
    own.write_text(packaged, encoding="utf-8")
    with pytest.raises(FatalError, match="took their place"), world.tracker():
        pass


def test_a_command_that_reaches_no_server_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    code, text = run(rejects.main)
    assert code == 69
    assert "Kafka" in text
