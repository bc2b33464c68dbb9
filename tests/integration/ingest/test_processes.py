"""The service as it runs: a parent, its workers, and what becomes of requests when either ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from luodi.local import harness
from luodi.local.harness import Servers
from luodi.local.net import free_address
from luodi.runtime.http import wait_until
from tests.integration.ingest.topic import read_topic, unique_prefix

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

MILESTONE = {"project_id": "p1", "stage": "started", "date": "2026-03-05"}
DRAIN_S = 20.0


class Service:
    """`python -m services.ingest` in a process group of its own."""

    def __init__(self, bootstrap: str, home: Path, **environ: str) -> None:
        self.address = free_address()
        self.bootstrap = bootstrap
        self.prefix = unique_prefix()
        self.log = home / "ingest.log"
        settings = {
            **os.environ,
            "LUODI_MODE": "local",
            "LUODI_HOME": str(home),
            "LUODI_INGEST_LISTEN": str(self.address),
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "MONGODB_URI": "mongodb://127.0.0.1:1",
            "LUODI_TOPIC_PREFIX": self.prefix,
            **environ,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.ingest"], env=settings, stderr=log, stdout=log, start_new_session=True
            )

    @property
    def workers(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=15)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in (answer.getheader("content-type") or "") else text
        finally:
            connection.close()

    def ready(self) -> bool:
        with suppress(OSError):
            # Each connection goes to either worker: several answers in turn mean that both are there.
            return all(self.call("GET", "/ready")[0] == 200 for _ in range(8))
        return False

    def await_ready(self) -> None:
        assert wait_until(self.ready, 60, 0.1), self.log.read_text()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(bootstrap: str, home: Path, **environ: str) -> Iterator[Service]:
    service = Service(bootstrap, home, **environ)
    try:
        service.await_ready()
        yield service
    finally:
        service.end()


@pytest.fixture
def service(servers: Servers, tmp_path: Path) -> Iterator[Service]:
    with running(servers.bootstrap, tmp_path) as service:
        yield service


class Load:
    """Posts on kept connections until told to stop; remembers what was answered and what was cut off."""

    def __init__(self, service: Service, writers: int = 6) -> None:
        self.service = service
        self.accepted: list[str] = []
        self.others: list[int] = []
        self.cut_off: list[str] = []
        self.unanswered: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(writer,)) for writer in range(writers)]
        for thread in self._threads:
            thread.start()

    def _write(self, writer: int) -> None:
        host, port = self.service.address.host, self.service.address.port
        connection = http.client.HTTPConnection(host, port, timeout=15)
        number = 0
        while not self._stop.is_set():
            name = f"w{writer}-{number}"
            number += 1
            try:
                connection.request(
                    "POST",
                    "/v1/milestones",
                    json.dumps({**MILESTONE, "id": name}),
                    {"Content-Type": "application/json"},
                )
            except OSError:
                # The server closes idle connections when it ends; this one never reached it.
                connection.close()
                time.sleep(0.01)
                continue
            try:
                answer = connection.getresponse()
                answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError):
                # Closed before a byte of an answer: fine when the request was never taken up, which the topic tells.
                self.unanswered.append(name)
                connection.close()
                continue
            except (OSError, http.client.HTTPException):
                self.cut_off.append(name)
                connection.close()
                continue
            if answer.status == 202:
                self.accepted.append(name)
            else:
                self.others.append(answer.status)
        connection.close()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_sigterm_under_load_answers_what_is_under_way_and_loses_nothing(service: Service) -> None:
    load = Load(service)
    try:
        assert wait_until(lambda: len(load.accepted) > 100, 30)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(DRAIN_S + 5) == 0
        assert time.monotonic() - began < DRAIN_S
    finally:
        load.stop()
    assert load.cut_off == []
    assert load.others == []
    found = {written.event.id for written in read_topic(service.bootstrap, f"{service.prefix}project-events")}
    assert set(load.accepted) <= found
    assert not set(load.unanswered) & found


def test_workers_end_when_their_parent_is_killed(service: Service) -> None:
    workers = service.workers
    assert len(workers) == 2
    service.process.kill()
    service.process.wait()
    assert wait_until(lambda: not any(psutil.pid_exists(worker) for worker in workers), 10)
    with pytest.raises(OSError, match="refused"):
        service.call("GET", "/live")


def test_a_killed_worker_is_replaced(service: Service) -> None:
    first = service.workers
    os.kill(first[0], signal.SIGKILL)
    assert wait_until(lambda: len(set(service.workers) - {first[0]}) == 2, 20, 0.1)
    service.await_ready()
    assert service.call("POST", "/v1/milestones", MILESTONE)[0] == 202
    assert first[1] in service.workers
    shared = service.log.parent / "run" / f"ingest-{service.address.port}"
    assert not list(shared.glob(f"gauge_live*_{first[0]}.db"))
    assert list(shared.glob(f"gauge_live*_{first[1]}.db"))


def test_the_metrics_of_all_workers_are_one(service: Service) -> None:
    for _ in range(20):
        assert service.call("POST", "/v1/milestones", MILESTONE)[0] == 202
    for _ in range(4):  # whichever worker answers
        status, text = service.call("GET", "/metrics")
        assert status == 200
        assert "luodi_ingest_events_acked_total 20.0" in text


def test_a_conflict_is_known_to_every_worker(service: Service) -> None:
    assert service.call("POST", "/v1/milestones", {**MILESTONE, "id": "e1"})[0] == 202
    for _ in range(8):
        assert service.call("POST", "/v1/milestones", {**MILESTONE, "id": "e1", "stage": "signed"})[0] == 409


def test_an_oversized_body_is_read_to_its_end_and_told_413(service: Service) -> None:
    assert service.call("POST", "/v1/milestones", {**MILESTONE, "note": "x" * 10_000_000})[0] == 413


def test_bodies_in_chunks_are_read(service: Service) -> None:
    raw = json.dumps(MILESTONE).encode()
    with socket.create_connection((service.address.host, service.address.port), timeout=15) as connection:
        head = b"POST /v1/milestones HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw))
        assert connection.recv(100).startswith(b"HTTP/1.1 202")


def test_an_address_in_use_is_named_with_the_setting_that_moves_it(servers: Servers, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        service = Service(servers.bootstrap, tmp_path, LUODI_INGEST_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
        assert service.process.wait(60) == 1
    assert "LUODI_INGEST_LISTEN" in service.log.read_text()


def test_faulty_settings_end_the_service_with_every_fault_named(tmp_path: Path) -> None:
    service = Service("127.0.0.1:1", tmp_path, LUODI_PARTITIONS="x", LUODI_TIMEZONE="Mars/Olympus")
    assert service.process.wait(60) == 78
    text = service.log.read_text()
    assert "LUODI_PARTITIONS" in text
    assert "LUODI_TIMEZONE" in text


def test_a_faulty_file_of_the_operator_ends_the_service_with_the_fault_named(tmp_path: Path) -> None:
    (tmp_path / "zones.toml").write_text("[[zone]]\nid = 7\n", encoding="utf-8")
    service = Service("127.0.0.1:1", tmp_path, LUODI_CONFIG_DIR=str(tmp_path))
    assert service.process.wait(60) == 78
    assert "id must be str" in service.log.read_text()


def test_every_request_leaves_one_line(service: Service) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    service.call("POST", "/v1/milestones", {**MILESTONE, "id": "e9"}, traceparent=trace)
    wanted = [json.loads(line) for line in service.log.read_text().splitlines() if "0af7651916cd43dd" in line]
    assert [(line["event"], line["status"], line["event_id"]) for line in wanted] == [("http.answered", 202, "e9")]


def test_a_request_that_waits_for_a_slow_broker_is_answered_before_the_service_ends(tmp_path: Path) -> None:
    with harness.servers(tmp_path / "own") as own, running(own.bootstrap, tmp_path) as service:
        assert service.call("POST", "/v1/milestones", MILESTONE)[0] == 202
        answers: list[int] = []
        own.pause("kafka")
        try:
            post = threading.Thread(target=lambda: answers.append(service.call("POST", "/v1/milestones", MILESTONE)[0]))
            post.start()
            assert wait_until(lambda: unacknowledged(service) == 1, 5)
            service.process.send_signal(signal.SIGTERM)
            assert wait_until(lambda: not service.ready(), 5)
        finally:
            own.resume("kafka")
        post.join()
        assert answers == [202]
        assert service.process.wait(DRAIN_S) == 0


def unacknowledged(service: Service) -> float:
    text: str = service.call("GET", "/metrics")[1]
    (line,) = (line for line in text.splitlines() if line.startswith("luodi_ingest_unacknowledged_events "))
    return float(line.split()[1])
