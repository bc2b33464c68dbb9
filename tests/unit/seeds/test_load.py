from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Sequence
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from seeds import demo, load
from seeds.event import SeedEvent
from seeds.load import Answer, Bar, Loader, LoadError, SampleState
from seeds.story import project_id

DAY = date(2026, 3, 5)


class FakeIngest:
    """Takes events and keeps them; `answers` are given first, one per request."""

    def __init__(self, *answers: Callable[[Sequence[SeedEvent]], Answer]) -> None:
        self.answers = list(answers)
        self.requests: list[list[SeedEvent]] = []
        self.taken: dict[tuple[str, str], SeedEvent] = {}

    def post(self, events: Sequence[SeedEvent]) -> Answer:
        self.requests.append(list(events))
        answer = self.answers.pop(0)(events) if self.answers else accepted(events)
        items = answer.body.get("items", ()) if isinstance(answer.body, dict) else ()
        for event, item in zip(events, items, strict=False):
            if item["status"] == 202:
                assert self.taken.setdefault((event.subject, event.id), event) == event
        return answer


def accepted(events: Sequence[SeedEvent]) -> Answer:
    return Answer(202, {"items": [{"status": 202, "id": event.id} for event in events]})


def away(_: Sequence[SeedEvent]) -> Answer:
    return Answer(0, "connection refused")


def busy(_: Sequence[SeedEvent]) -> Answer:
    return Answer(503, {"title": "Overloaded", "detail": "later"}, retry_after_s=2)


def every_other(status: int, **more: Any) -> Callable[[Sequence[SeedEvent]], Answer]:
    def answer(events: Sequence[SeedEvent]) -> Answer:
        items = [{"status": 202} if place % 2 else {"status": status, **more} for place in range(len(events))]
        return Answer(207, {"items": items})

    return answer


class Time:
    """A clock that moves only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def loader(ingest: FakeIngest, time: Time | None = None) -> Loader:
    time = time or Time()
    return Loader(ingest, lambda _done, _total: None, time.sleep, time.monotonic)


def some(count: int, wave: int = 0) -> list[SeedEvent]:
    return [SeedEvent(f"p-{n % 7}", f"e{wave}-{n}", "note.added", {"text": "x"}, wave=wave) for n in range(count)]


def test_a_load_posts_every_event_once_in_batches_of_at_most_500() -> None:
    ingest = FakeIngest()
    assert loader(ingest).load(some(1201)) == []
    assert [len(request) for request in ingest.requests] == [500, 500, 201]
    assert len(ingest.taken) == 1201


def test_a_batch_never_holds_an_event_and_one_that_builds_on_it() -> None:
    ingest = FakeIngest()
    loader(ingest).load([*some(3), *some(2, wave=1), *some(1, wave=2)])
    assert [{event.wave for event in request} for request in ingest.requests] == [{0}, {1}, {2}]


def test_what_has_an_unknown_outcome_is_posted_again_before_anything_later() -> None:
    ingest = FakeIngest(every_other(503))
    loader(ingest).load([*some(4), *some(1, wave=1)])
    assert [[event.id for event in request] for request in ingest.requests] == [
        ["e0-0", "e0-1", "e0-2", "e0-3"],
        ["e0-0", "e0-2"],
        ["e1-0"],
    ]


def test_a_refused_event_is_told_with_its_reason_and_the_rest_goes_in() -> None:
    errors = [{"pointer": "/data/stage", "code": "unknown-stage", "detail": "There is no such stage"}]
    ingest = FakeIngest(every_other(422, errors=errors))
    refusals = loader(ingest).load(some(4))
    assert [refusal.event.id for refusal in refusals] == ["e0-0", "e0-2"]
    assert str(refusals[0]) == "p-0 note.added e0-0: 422 /data/stage There is no such stage"
    assert len(ingest.taken) == 2


def test_an_ingest_that_is_away_or_busy_is_asked_again_with_growing_bounded_pauses() -> None:
    time = Time()
    ingest = FakeIngest(*[away] * 8, busy)
    loader(ingest, time).load(some(1))
    assert time.pauses == [0.25, 0.5, 1, 2, 4, 5, 5, 5, 5]
    assert len(ingest.taken) == 1


def test_the_wait_that_ingest_asks_for_is_kept() -> None:
    time = Time()
    loader(FakeIngest(busy), time).load(some(1))
    assert time.pauses == [2]


def test_patience_ends_and_the_message_says_how_to_go_on() -> None:
    time = Time()
    with pytest.raises(LoadError, match=r"no connection .*goes on where it stopped") as caught:
        loader(FakeIngest(*[away] * 1000), time).load(some(1))
    assert caught.value.exit_code == 75
    assert load.PATIENCE_S <= time.now <= load.PATIENCE_S + load.LONGEST_PAUSE_S


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415])
def test_a_refusal_of_the_whole_request_ends_the_load_at_once(status: int) -> None:
    ingest = FakeIngest(lambda _: Answer(status, {"title": "A key is needed", "detail": "Send one."}))
    with pytest.raises(LoadError, match=f"{status} A key is needed: Send one."):
        loader(ingest).load(some(1))
    assert len(ingest.requests) == 1


def test_the_sample_is_loaded_once(tmp_path: Path) -> None:
    ingest = FakeIngest()
    assert load.load_sample(loader(ingest), tmp_path, DAY) == []
    assert len(ingest.taken) == len(load.sample(DAY))
    requests = len(ingest.requests)
    assert load.load_sample(loader(ingest), tmp_path, date(2026, 4, 1)) == []
    assert len(ingest.requests) == requests
    assert load.read_state(tmp_path) == SampleState("2026-03-05", demo.edition(), len(load.sample(DAY)), done=True)


def test_a_load_that_broke_off_is_completed_with_the_same_events_on_a_later_day(tmp_path: Path) -> None:
    ingest = FakeIngest(accepted, accepted, lambda _: Answer(401, {"title": "key", "detail": "gone"}))
    with pytest.raises(LoadError):
        load.load_sample(loader(ingest), tmp_path, DAY)
    assert 0 < len(ingest.taken) < len(load.sample(DAY))
    load.load_sample(loader(ingest), tmp_path, date(2026, 4, 1))
    assert set(ingest.taken) == {(event.subject, event.id) for event in load.sample(DAY)}
    assert len(ingest.requests[3]) == 500  # it went on after the second batch, not from the start


def test_a_crash_between_the_answer_and_the_state_posts_the_same_events_again(tmp_path: Path) -> None:
    ingest = FakeIngest()
    load.load_sample(loader(ingest), tmp_path, DAY)
    load.write_state(tmp_path, SampleState("2026-03-05", demo.edition(), posted=500))
    before = dict(ingest.taken)
    load.load_sample(loader(ingest), tmp_path, DAY)  # the fake asserts that no id carries another content
    assert ingest.taken == before


def test_a_load_with_refusals_is_not_done(tmp_path: Path) -> None:
    refusals = load.load_sample(loader(FakeIngest(every_other(422))), tmp_path, DAY)
    assert refusals
    state = load.read_state(tmp_path)
    assert state is not None
    assert not state.done


def test_a_load_begun_by_another_edition_is_begun_anew_on_its_day(tmp_path: Path) -> None:
    load.write_state(tmp_path, SampleState("2026-03-05", "older", posted=1700))
    ingest = FakeIngest()
    load.load_sample(loader(ingest), tmp_path, date(2026, 4, 1))
    assert set(ingest.taken) == {(event.subject, event.id) for event in load.sample(DAY)}


class Tracker:
    """A tracker with one project, over real HTTP."""

    def __init__(self, told: str | None) -> None:
        refs = [{"system": "oa", "id": "17"}] + ([{"system": demo.MARK, "id": told}] if told else [])
        path, body = f"/v1/projects/{project_id(1)}", json.dumps({"refs": refs}).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == path
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's signature
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self.url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_new_home_takes_over_the_day_of_the_system_it_finds() -> None:
    with Tracker(demo.mark(DAY)) as url:
        assert load.earlier_load(url, None) == (DAY, demo.edition())


@pytest.mark.parametrize("told", [None, "", "yesterday abc"])
def test_a_system_without_a_sample_of_ours_tells_no_day(told: str | None) -> None:
    with Tracker(told) as url:
        assert load.earlier_load(url, None) is None
    assert load.earlier_load(url, None) is None  # gone by now
    assert load.earlier_load(None, None) is None


def test_a_system_with_the_sample_of_another_version_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Tracker("2026-03-05 older") as url:
        arguments = ["--ingest", "http://127.0.0.1:1", "--home", str(tmp_path), "--tracker", url]
        assert load.main(arguments, {}) == 0
    assert "another version, loaded on 2026-03-05: left as it is" in capsys.readouterr().out
    assert load.read_state(tmp_path) == SampleState("2026-03-05", "older", done=True)


def test_a_state_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / load.STATE).write_text("{", encoding="utf-8")
    with pytest.raises(LoadError, match="remove it"):
        load.read_state(tmp_path)


def test_two_loads_of_one_home_do_not_run_together(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with load.alone(home), pytest.raises(LoadError, match="another load"), load.alone(home):
        raise AssertionError
    with load.alone(home):
        pass


def test_the_bar_moves_on_a_terminal_and_writes_lines_elsewhere() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, file, time = Terminal(), io.StringIO(), Time()
    for stream in (terminal, file):
        bar = Bar("a.toml: ", stream, time.monotonic)
        for done in (0, 500, 1000):
            bar(done, 1000)
    assert terminal.getvalue().count("\r") == 3
    assert terminal.getvalue().endswith("[##############################]\n")
    assert file.getvalue() == "a.toml: 0 of 1000 events\na.toml: 1000 of 1000 events\n"


def test_the_business_date_follows_the_zone_and_the_offset_of_the_services() -> None:
    ahead = load.today({"LUODI_CLOCK_OFFSET": str(40 * 86_400)})
    assert (ahead - load.today({})).days in {40, 41}  # midnight may pass between the two
    assert (
        load.today({"LUODI_TIMEZONE": "Pacific/Kiritimati"}) - load.today({"LUODI_TIMEZONE": "Etc/GMT+12"})
    ).days >= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--ingest", "nowhere", "--home", "h"], "no http or https address"),
        (["--ingest", "http://127.0.0.1:1", "--home", "h", "--day", "5 March"], "is no date"),
        (["--home", "h"], "--ingest"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load.main(arguments, {})
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_a_key_file_that_is_missing_and_a_file_of_another_kind_end_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["--ingest", "http://127.0.0.1:1", "--home", str(tmp_path)]
    assert load.main([*base, "--api-key-file", str(tmp_path / "none")], {}) == 2
    assert "none: No such file" in capsys.readouterr().err
    assert load.main([*base, str(tmp_path / "ledger.xlsx")], {}) == 2
    assert "ends in .toml or .jsonl" in capsys.readouterr().err


def test_a_sample_that_is_in_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load.write_state(tmp_path, SampleState("2026-03-05", "old", 1, done=True))
    assert load.main(["--ingest", "http://127.0.0.1:1", "--home", str(tmp_path)], {}) == 0
    assert capsys.readouterr().out == "loaded on 2026-03-05: nothing to do\n"


def test_production_takes_no_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--ingest", "http://127.0.0.1:1", "--home", str(tmp_path)]
    assert load.main(arguments, {"LUODI_MODE": "production"}) == 78
    assert "takes no sample data" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_events_are_cloudevents_without_what_ingest_sets() -> None:
    envelope = SeedEvent("p-1", "e-1", "note.added", {"text": "x"}, "u-1").cloudevent()
    assert json.loads(json.dumps(envelope)) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/luodi/seeds",
        "type": "note.added",
        "subject": "p-1",
        "datacontenttype": "application/json",
        "data": {"text": "x"},
        "actor": "u-1",
    }
