from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from luodi.runtime import http, problems, settings
from luodi.runtime.clock import ManualClock
from luodi.runtime.errors import TransientError
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from luodi.runtime.problems import ProblemError

LOCAL = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "k:1", "MONGODB_URI": "mongodb://m"}
NOON = datetime(2026, 3, 5, 4, tzinfo=UTC)


def app_with(probes: Probes | None = None, **environ: str) -> Flask:
    app = http.create_app(
        "tracker", settings.read({**LOCAL, **environ}), ManualClock(NOON), Metrics(), probes or Probes()
    )

    @app.post("/v1/echo")
    def echo() -> Response:
        return http.answer(http.read_json())

    @app.get("/v1/broken")
    def broken() -> Response:
        raise ZeroDivisionError

    @app.get("/v1/away")
    def away() -> Response:
        raise TransientError("MongoDB", "no primary")

    return app


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "duplicate key 'a'"),
        (b'{"x":{"b":1,"b":2},"note":"a:b"}', "duplicate key 'b'"),
        (b'{"a":NaN}', "unexpected character"),
        (b'{"a":Infinity}', "unexpected character"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'"\xff"', "UTF-8"),
        (b"[" * 33 + b"]" * 33, "levels"),
        (b"[" * 100_000, "depth"),
        (b"", "empty"),
    ],
)
def test_json_that_could_be_read_two_ways_is_refused(body: bytes, reason: str) -> None:
    answer = app_with().test_client().post("/v1/echo", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert reason.lower() in answer.get_json()["detail"].lower()


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@given(_values)
def test_any_json_value_is_read_as_it_was_written(value: object) -> None:
    assert http.parse_json(json.dumps(value).encode()) == value


def test_a_body_of_another_kind_is_told_what_is_expected() -> None:
    answer = app_with().test_client().post("/v1/echo", data=b"a=1", content_type="text/plain")
    assert (answer.status_code, answer.get_json()["detail"]) == (415, "请使用 application/json。")


def test_a_body_too_large_is_read_to_its_end_and_refused() -> None:
    body = b'"' + b"x" * http.MAX_BODY_BYTES + b'"'
    assert app_with().test_client().post("/v1/echo", data=body, content_type="application/json").status_code == 413


def test_a_problem_speaks_the_callers_language() -> None:
    client = app_with().test_client()
    chinese = client.get("/v1/nothing")
    english = client.get("/v1/nothing", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.1"})
    assert (chinese.get_json()["title"], english.get_json()["title"]) == ("没有找到", "Not found")
    assert english.content_type == "application/problem+json"
    assert english.get_json()["instance"] == "/v1/nothing"
    assert english.headers["Content-Language"] == "en"


def test_a_key_is_asked_for_everywhere_but_at_the_probes() -> None:
    client = app_with(LUODI_API_KEY="opensesame").test_client()
    assert client.get("/v1/away").status_code == 401
    assert client.get("/v1/away", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/v1/away", headers={"Authorization": "Bearer 错"}).status_code == 401
    assert client.get("/v1/away", headers={"Authorization": "Bearer opensesame"}).status_code == 503
    assert [client.get(path).status_code for path in ("/live", "/ready", "/metrics")] == [200, 200, 200]


def test_a_passing_fault_is_503_with_a_time_to_retry() -> None:
    answer = app_with().test_client().get("/v1/away")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "MongoDB" in answer.get_json()["detail"]


def test_a_defect_is_500_with_the_trace_and_no_inner_words() -> None:
    sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = app_with().test_client().get("/v1/broken", headers={"traceparent": sent})
    assert answer.status_code == 500
    assert "0af7651916cd43dd8448eb211c80319c" in answer.get_json()["detail"]
    assert "ZeroDivision" not in answer.text


def test_ready_names_what_is_missing() -> None:
    probes = Probes()
    probes.add("fine", lambda: None)
    probes.add("broker", lambda: "no broker answers")
    probes.add("raises", lambda: str(1 / 0))
    answer = app_with(probes).test_client().get("/ready")
    assert answer.status_code == 503
    assert answer.get_json()["missing"] == [
        {"check": "broker", "detail": "no broker answers"},
        {"check": "raises", "detail": "ZeroDivisionError: division by zero"},
    ]


def test_requests_are_counted_by_route_and_status() -> None:
    client = app_with().test_client()
    client.get("/v1/nothing")
    client.post("/v1/echo", data=b"{}", content_type="application/json")
    text = client.get("/metrics").text
    assert 'luodi_http_requests_total{route="unknown",status="404"} 1.0' in text
    assert 'luodi_http_requests_total{route="/v1/echo",status="200"} 1.0' in text


@pytest.mark.parametrize("code", sorted(problems.PROBLEMS))
def test_every_problem_has_both_languages_and_fills_its_template(code: str) -> None:
    words = problems.PROBLEMS[code]
    assert all((words.title_zh, words.title_en, words.detail_zh, words.detail_en))
    assert words.title_zh != words.title_en
    names: dict[str, Any] = dict.fromkeys(
        ["reason", "allowed", "subject", "id", "limit", "expected", "seconds", "what", "who", "trace_id"], "x"
    )
    for language in http.LANGUAGES:
        body = problems.body(ProblemError(code, **names), language, "/v1/x")
        assert body["status"] == words.status
        assert "{" not in body["detail"]
