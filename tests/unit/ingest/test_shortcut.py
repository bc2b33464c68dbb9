"""The short way for the ordinary milestone answers as the application does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import Client, TestResponse

from luodi.runtime.metrics import Metrics
from luodi.runtime.rates import RateLimit
from services.ingest import ids
from services.ingest.limits import Gate
from tests.unit.ingest.world import World

GOOD = b'{"project_id": "p1", "stage": "started", "date": "2026-03-05", "note": "\xe6\xa1\xa9\xe5\x9f\xba"}'
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

REQUESTS: dict[str, tuple[bytes, dict[str, str]]] = {
    "an ordinary milestone": (GOOD, {}),
    "with an id": (GOOD.replace(b"{", b'{"id": "e1", ', 1), {}),
    "with an actor": (GOOD.replace(b"{", b'{"actor": "u1", ', 1), {}),
    "with a trace": (GOOD, {"traceparent": PARENT}),
    "with a trace that is none": (GOOD, {"traceparent": "00-1-2-3"}),
    "with an idempotency key": (GOOD, {"Idempotency-Key": "k1"}),
    "with a charset": (GOOD, {"Content-Type": "application/json; charset=utf-8"}),
    "of another type": (GOOD, {"Content-Type": "text/plain"}),
    "an array": (b"[" + GOOD + b", " + GOOD + b"]", {}),
    "an array of one": (b"[" + GOOD + b"]", {}),
    "an empty array": (b"[]", {}),
    "an array that is too long": (b"[" + b", ".join([GOOD] * 1001) + b"]", {}),
    "an array with a bad item": (b"[" + GOOD + b", 7]", {}),
    "an empty body": (b"", {}),
    "no JSON": (b"{", {}),
    "NaN": (GOOD.replace(b'"p1"', b"NaN"), {}),
    "a key twice": (GOOD.replace(b"{", b'{"stage": "signed", ', 1), {}),
    "sixty levels": (b'{"note": ' + b"[" * 40 + b"]" * 40 + b"}", {}),
    "a string": (b'"p1"', {}),
    "an unknown stage": (GOOD.replace(b"started", b"exploded"), {}),
    "an unknown field": (GOOD.replace(b"note", b"nota"), {}),
    "a bad date in English": (GOOD.replace(b"03-05", b"02-30"), {"Accept-Language": "en"}),
    "more than the short way takes": (GOOD + b" " * 2**20, {}),
}


def both(tmp_path: Path, **how: Any) -> list[tuple[World, Client]]:
    """Two like worlds: one asked the short way, one asked past it."""
    worlds = [World(tmp_path / name, **how) for name in ("short", "long")]
    return [(worlds[0], Client(worlds[0].ingest.wsgi)), (worlds[1], Client(worlds[1].ingest.app))]


def seen(answer: TestResponse, *, traced: bool) -> tuple[Any, ...]:
    headers = dict(answer.headers)
    if not traced:
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers.pop("traceparent"))
    return answer.status, headers, answer.data


@pytest.mark.parametrize("name", REQUESTS)
def test_both_ways_answer_alike(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body, headers = REQUESTS[name]
    monkeypatch.setattr(ids, "new_event_id", lambda: "given")
    answers, events, told = [], [], []
    for world, client in both(tmp_path):
        with capture_logs() as logs:
            answer = client.post("/v1/milestones", data=body, headers={"Content-Type": "application/json", **headers})
        answers.append(seen(answer, traced=headers.get("traceparent") == PARENT))
        events.append([(e.id, e.subject, e.actor, e.data, e.recordedtime, e.sequence) for e in world.events])
        told.append([{k: v for k, v in line.items() if k not in {"traceparent", "ms"}} for line in logs])
    assert answers[0] == answers[1]
    assert events[0] == events[1]
    assert told[0] == told[1]


@pytest.mark.parametrize("key", ["right", "wrong", None])
def test_both_ways_ask_for_the_key(tmp_path: Path, key: str | None) -> None:
    answers = []
    for world, client in both(tmp_path, environ={"LUODI_API_KEY": "right"}):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        answers.append(client.post("/v1/milestones", data=GOOD, headers=headers).status_code)
        assert [event.actor for event in world.events] == (["key"] if key == "right" else [])
    assert answers == [202, 202] if key == "right" else answers == [401, 401]


def test_an_outcome_that_is_unknown_is_told_and_nothing_is_posted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for world, client in both(tmp_path):
        appended: list[int] = []
        append = world.log.append

        def counting(records: Any, append: Any = append, appended: list[int] = appended) -> Any:
            appended.append(len(records))
            return append(records)

        monkeypatch.setattr(world.log, "append", counting)
        world.log.unknown_after = 0
        answer = client.post("/v1/milestones", data=GOOD, headers={"Content-Type": "application/json"})
        assert answer.json is not None
        answers.append((answer.status_code, answer.headers["Retry-After"], sorted(answer.json)))
        assert appended == [1]
    assert answers[0] == answers[1]
    assert answers[0][0] == 503


@pytest.mark.parametrize("way", [0, 1], ids=["short", "long"])
def test_both_ways_keep_the_bounds(tmp_path: Path, way: int) -> None:
    world, client = both(tmp_path / "gate", overrides={"gate": Gate(0)})[way]
    answer = client.post("/v1/milestones", data=GOOD, headers={"Content-Type": "application/json"})
    assert (answer.status_code, world.events) == (503, [])
    bound = RateLimit(lambda: 0.0, per_second=0.1, burst=1)
    world, client = both(tmp_path / "rate", overrides={"rate": bound})[way]
    answers = [client.post("/v1/milestones", data=GOOD, headers={"Content-Type": "application/json"}) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert len(world.events) == 1


def test_both_ways_count_alike(tmp_path: Path) -> None:
    counted = []
    for number in range(2):
        metrics = Metrics()
        _, client = both(tmp_path / str(number), overrides={"metrics": metrics})[number]
        client.post("/v1/milestones", data=GOOD, headers={"Content-Type": "application/json"})
        samples = [line for line in metrics.render().decode().splitlines() if line.startswith("luodi_http_requests_t")]
        counted.append(samples)
        assert 'luodi_http_request_seconds_count{route="/v1/milestones"} 1.0' in metrics.render().decode()
    assert counted[0] == counted[1] != []
