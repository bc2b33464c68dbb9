"""Whatever is sent, the answer is 2xx or 4xx, and what was accepted can be read by every consumer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.events import ENDPOINTS, SUBJECTS, Endpoint
from tests.unit.ingest.world import World
from tests.unit.schemas.builders import GOOD, json_values, payloads

NAMED = {kind.id_field: "p1" for kind in SUBJECTS.values()}
ADDRESS = {name: "e1" for endpoint in ENDPOINTS for name in endpoint.path_fields} | NAMED
SHARED = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])

endpoints = st.sampled_from(ENDPOINTS)


@st.composite
def bodies(draw: st.DrawFn, endpoint: Endpoint) -> Any:
    body = draw(payloads(endpoint.row.type))
    if isinstance(body, dict):
        for name in endpoint.path_fields:
            body.pop(name, None)
        more: st.SearchStrategy[Any] = st.sampled_from(["p1", "e1", "a/b", "", None, 7, "\ud800", []])
        for name in draw(st.lists(st.sampled_from(["id", *NAMED, "actor"]), max_size=3)):
            body[name] = draw(more)
        if not endpoint.subject_in_path and draw(st.booleans()):
            body[endpoint.subject.id_field] = "p1"
    return body


def send(world: World, endpoint: Endpoint, raw: bytes, **headers: str) -> int:
    path, method = endpoint.path.format(**ADDRESS), endpoint.row.method
    answer = world.client.open(path, method=method, data=raw, content_type="application/json", headers=headers)
    assert answer.status_code < 500, answer.text
    assert answer.content_type in {"application/json", "application/problem+json"}
    return answer.status_code


@SHARED
@given(data=st.data(), endpoint=endpoints)
def test_any_json_to_any_endpoint_is_accepted_or_refused(world: World, data: st.DataObject, endpoint: Endpoint) -> None:
    body = data.draw(bodies(endpoint) | st.lists(bodies(endpoint), max_size=3))
    before = len(world.log.values)
    # The standard encoder writes NaN, infinities and half characters, as careless clients do.
    status = send(world, endpoint, json.dumps(body).encode())
    written = len(world.events) - before
    assert (written > 0) is (status in {202, 207})


@SHARED
@given(raw=st.binary(max_size=200), endpoint=endpoints)
def test_any_bytes_to_any_endpoint_are_refused(world: World, raw: bytes, endpoint: Endpoint) -> None:
    assert send(world, endpoint, raw) in {400, 422}


@SHARED
@given(body=json_values, kind=st.sampled_from(["cloudevents+json", "cloudevents-batch+json", "json"]))
def test_anything_to_the_events_endpoint_is_accepted_or_refused(world: World, body: Any, kind: str) -> None:
    answer = world.client.post("/v1/events", data=json.dumps(body), content_type=f"application/{kind}")
    assert 400 <= answer.status_code < 500


@SHARED
@given(
    attributes=st.dictionaries(
        st.sampled_from(["id", "source", "type", "subject", "actor", "time", "data", "other", "specversion"]),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=20)
        | st.sampled_from(["p1", "note.added", "1.0"]),
    ),
    body=json_values,
)
def test_any_headers_of_the_binary_mode_are_accepted_or_refused(
    world: World, attributes: dict[str, str], body: Any
) -> None:
    headers = {f"ce-{name}": value for name, value in {"specversion": "1.0", **attributes}.items()}
    answer = world.client.post("/v1/events", data=json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code < 500


@SHARED
@given(key=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=300), endpoint=endpoints)
def test_any_idempotency_key_is_taken_or_refused(world: World, key: str, endpoint: Endpoint) -> None:
    body = {name: value for name, value in GOOD[endpoint.row.type].items() if name not in endpoint.path_fields}
    if not endpoint.subject_in_path and endpoint.row.type != "project.registered":
        body[endpoint.subject.id_field] = "p1"
    assert send(world, endpoint, json.dumps(body).encode(), **{"Idempotency-Key": key}) in {202, 400}


@pytest.mark.parametrize("segment", ["..", ".", "%00", "%2e%2e%2f", "a" * 5000, "%ff", "p1;x", "p1%2Fnotes"])
def test_any_address_is_known_or_not(tmp_path: Path, segment: str) -> None:
    answer = World(tmp_path).post(f"/v1/projects/{segment}/notes", {"text": "x"})
    assert answer.status_code in {202, 308, 404, 405, 422}
