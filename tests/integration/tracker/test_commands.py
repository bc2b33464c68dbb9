"""The operator's commands on real servers: `luodi rebuild`, `luodi rejects`, `luodi config`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

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


def test_a_comparison_finds_what_was_tampered_with_and_a_rebuild_mends_it(world: World, run: Run) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(6)]
    with world.tracker():
        world.await_applied(world.send(events))
        world.database["projects"].update_one({"_id": "p1"}, {"$set": {"name": "改过的"}})
        world.database["projects"].delete_one({"_id": "p2"})
        world.database["journal"].delete_one({"subject": "p3"})
        code, text = run(rebuild.main, "--compare", "--json")
        assert code == 1
        assert {
            (d["where"], d["id"].partition("/")[0], d["what"], *d["fields"]) for d in _value(text)["differences"]
        } == {
            ("projects", "p1", "different", "name"),
            ("projects", "p2", "missing"),
            ("journal", "p3", "missing"),
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
    assert (code, "luodi config activate" in text) == (1, True)
    assert run(config.main, "activate")[0] == 0
    assert run(config.main, "show")[0] == 0
    assert (world.database["rulesets"].find_one({"_id": 3}) or {})["digest"] == row["digest"]


def test_a_command_that_reaches_no_server_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    code, text = run(rejects.main)
    assert code == 69
    assert "Kafka" in text
