"""`luodi status` and `luodi doctor` say what notify has found out about the system."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from luodi.local import doctor, selfwatch, status
from luodi.local.home import Home
from luodi.local.settings import StackSettings, read_settings
from schemas.openapi_notify import FAULTS

FAULT = {"matter": "operations:late:a:sweep", "fault": "late", "opened_at": "2026-03-05T04:00:00.000Z"}
TOLD = {
    "faults": [{**FAULT, "title": "A job hangs", "text": "The job sweep of notifier a hangs."}],
    "notifiers": [],
    "failing": [
        {"channel": "email", "recipient": "u-1", "attempts": 2, "since": "…", "last": "…", "error": "timed-out"},
        {"channel": "webhook", "recipient": None, "attempts": 1, "since": "…", "last": "…", "error": "http-503"},
    ],
}


@dataclass
class Notify:
    """What stands in for notify's API."""

    port: int = 0
    status: int = 200
    body: Any = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def notify() -> Iterator[Notify]:
    kept = Notify()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept.asked.append((self.path, self.headers.get("Authorization")))
            content = json.dumps(kept.body).encode()
            self.send_response(kept.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def settings(notify: Notify, tmp_path: Path) -> StackSettings:
    return read_settings({"LUODI_NOTIFY_LISTEN": f"127.0.0.1:{notify.port}", "LUODI_API_KEY": "k"}, tmp_path)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "is_held", lambda _home: True)


def test_notify_is_asked_with_the_key_that_it_wants(notify: Notify, settings: StackSettings) -> None:
    notify.body = TOLD
    told = selfwatch.ask(settings)
    assert notify.asked == [("/v1/self-watch", "Bearer k")]
    assert told is not None
    assert [fault.kind for fault in told.faults] == ["late"]


@pytest.mark.parametrize(
    ("answer", "body"),
    [(503, TOLD), (200, {"other": 1}), (200, []), (404, None)],
    ids=["not ready", "other", "list", "old"],
)
def test_one_that_answers_otherwise_is_of_another_version_and_no_fault(
    notify: Notify, settings: StackSettings, answer: int, body: Any
) -> None:
    notify.status, notify.body = answer, body
    assert selfwatch.ask(settings) is None


def test_where_nobody_answers_nothing_is_told(tmp_path: Path) -> None:
    nobody = read_settings({"LUODI_NOTIFY_LISTEN": "127.0.0.1:1"}, tmp_path)
    assert selfwatch.ask(nobody) is None


@pytest.mark.usefixtures("running")
def test_the_doctor_names_each_alert_with_what_mends_it_and_each_address_that_fails(
    notify: Notify, settings: StackSettings
) -> None:
    notify.body = TOLD
    alert, person, receiver = doctor._selfwatch(settings)
    assert (alert.what, alert.fault) == ("alert late", True)
    assert "The job sweep of notifier a hangs." in alert.detail
    assert "start that notifier again" in alert.mend
    assert (person.fault, person.detail.startswith("email of u-1: 2 attempts failed")) == (False, True)
    assert receiver.detail.startswith("the operator's webhook: 1 attempt failed")


@pytest.mark.usefixtures("running")
def test_the_doctor_says_so_when_nothing_is_wrong(notify: Notify, settings: StackSettings) -> None:
    notify.body = {"faults": [], "notifiers": [], "failing": []}
    (finding,) = doctor._selfwatch(settings)
    assert (finding.what, finding.fault) == ("self-watch", False)


def test_a_stack_that_does_not_run_is_not_asked(notify: Notify, settings: StackSettings) -> None:
    assert list(doctor._selfwatch(settings)) == []
    assert notify.asked == []


def test_status_counts_the_alerts_and_names_their_kinds(notify: Notify, settings: StackSettings) -> None:
    notify.body = TOLD
    told = selfwatch.ask(settings)
    assert "alerts    1: late" in status.table(settings, 1, [], told)
    assert status.shape(1, [], told)["alerts"] == ["late"]
    assert status.shape(None, [])["alerts"] is None
    assert "  alerts  " not in status.table(settings, None, [])


def test_every_fault_that_there_is_has_something_that_mends_it_here_and_in_the_runbook() -> None:
    runbook = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert set(doctor.MENDS) == set(FAULTS)
    assert [fault for fault in FAULTS if f"\n| `{fault}` |" not in runbook] == []
