"""Fetching the broker's jars: checked, repaired, and done once for all stacks of a user."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from luodi.local.artifacts import Jar, ensure_jars
from luodi.local.faults import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENTS = {f"part-{number}": f"the classes of part {number}".encode() * 1000 for number in range(3)}
JARS = tuple(Jar("org.example", name, "1.0", hashlib.sha256(body).hexdigest()) for name, body in CONTENTS.items())


class Mirror:
    """A Maven repository of three jars; `served` overrides what is answered, `asked` counts."""

    def __init__(self) -> None:
        self.served = {f"/org/example/{name}/1.0/{name}-1.0.jar": body for name, body in CONTENTS.items()}
        self.asked: list[str] = []
        mirror = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = mirror.served.get(self.path)
                if self.path.endswith(".jar"):
                    mirror.asked.append(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    made = Mirror()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def environ(mirror: Mirror, tmp_path: Path) -> dict[str, str]:
    return {"LUODI_CACHE": str(tmp_path / "cache"), "LUODI_MAVEN_URL": mirror.url}


def quiet(_line: str) -> None:
    pass


def test_missing_jars_are_fetched_once_with_progress_and_found_in_the_order_of_the_lock(
    mirror: Mirror, environ: dict[str, str]
) -> None:
    told: list[str] = []
    paths = ensure_jars(environ, told.append, JARS)
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert told[0].startswith("fetching 3 jars")
    assert told[-1].startswith("fetched 3/3")
    assert ensure_jars(environ, told.append, JARS) == paths
    assert len(mirror.asked) == 3
    assert len(told) == 2


def test_what_a_broken_off_download_left_is_repaired(mirror: Mirror, environ: dict[str, str], tmp_path: Path) -> None:
    whole, torn, _ = ensure_jars(environ, quiet, JARS)
    torn.write_bytes(torn.read_bytes()[:100])
    leftover = tmp_path / "cache" / "jars" / ".fetch-killed"
    leftover.mkdir()
    (leftover / "half.jar").write_bytes(b"half")
    mirror.asked.clear()
    ensure_jars(environ, quiet, JARS)
    assert torn.read_bytes() == CONTENTS["part-1"]
    assert not leftover.exists()
    assert [path.rpartition("/")[2] for path in mirror.asked] == ["part-1-1.0.jar"]
    assert whole.exists()


def test_a_jar_that_is_not_what_the_lock_says_never_enters_the_cache(
    mirror: Mirror, environ: dict[str, str], tmp_path: Path
) -> None:
    mirror.served["/org/example/part-2/1.0/part-2-1.0.jar"] = b"something else"
    with pytest.raises(UnavailableError, match=r"org\.example:part-2:1\.0 .* sha256"):
        ensure_jars(environ, quiet, JARS)
    assert not (tmp_path / "cache" / "jars" / JARS[2].filename).exists()


def test_without_the_repository_the_message_names_the_setting_of_a_mirror(environ: dict[str, str]) -> None:
    environ["LUODI_MAVEN_URL"] = "http://127.0.0.1:9"
    with pytest.raises(UnavailableError) as caught:
        ensure_jars(environ, quiet, JARS)
    assert "LUODI_MAVEN_URL" in caught.value.mend


def test_stacks_that_start_at_the_same_time_fetch_each_jar_once(mirror: Mirror, environ: dict[str, str]) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: ensure_jars(environ, quiet, JARS), range(3)))
    assert found[0] == found[1] == found[2]
    assert len(mirror.asked) == 3
