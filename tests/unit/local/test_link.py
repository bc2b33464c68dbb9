"""`luodi link`: the link is made of the home's secret and of the generation that the tracker knows."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from luodi.local import link
from luodi.local.faults import MisconfiguredError, RefusedError, UnavailableError
from luodi.local.home import SIGNS_LINKS, Home
from luodi.local.net import free_address
from luodi.local.settings import read_settings
from luodi.runtime import links


class Services(ThreadingHTTPServer):
    """Ingest and tracker at one address, as far as the command asks them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.generation = 0
        self.asked: list[tuple[str, str]] = []
        self.refuses = False

    @property
    def listen(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Services

    def do_GET(self) -> None:
        self.server.asked.append(("GET", self.path))
        if "/firm" not in self.path:
            self._answer(404, {})
        else:
            self._answer(200, {"name": "示例一号", "link": {"generation": self.server.generation, "refused": 0}})

    def do_POST(self) -> None:
        self.server.asked.append(("POST", self.path))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.generation += 1
        self._answer(500 if self.server.refuses else 202, {"id": "e1", "position": "p.1"})

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    server = Services()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    home = Home(tmp_path / "home")
    home.make()
    home.make_link_secret()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUODI_HOME", str(home.path))
    monkeypatch.setenv("LUODI_TRACKER_LISTEN", server.listen)
    monkeypatch.setenv("LUODI_INGEST_LISTEN", server.listen.replace("127.0.0.1", "localhost"))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, links.Link]:
    """What was printed, and what its token says to the services of this home."""
    text = capsys.readouterr().out
    (token,) = re.findall(r"^token: (\S+)$", text, re.MULTILINE)
    (path,) = re.findall(r"Authorization: Bearer (\S+)'", text)
    assert path == token
    home = read_settings({"LUODI_HOME": "home"}, Path.cwd()).services
    assert home.link_secret is not None
    return text, links.read(home.link_secret, token, datetime.now(UTC).date())


def test_the_token_is_good_for_the_services_of_the_same_home(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    services.generation = 4
    assert link.main(["firm"]) == 0
    text, told = printed(capsys)
    assert (told.enterprise, told.generation) == ("firm", 4)
    assert "示例一号 (firm), good until" in text
    assert "LUODI_PUBLIC_URL is not set" in text
    assert services.asked == [("GET", "/v1/enterprises/firm")]


def test_where_the_pages_have_an_address_the_link_leads_there(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUODI_PUBLIC_URL", "https://luodi.example")
    assert link.main(["stranger", "--days", "7"]) == 0
    text, told = printed(capsys)
    assert "(not registered yet) (stranger)" in text
    assert "https://luodi.example/requests#ll1~stranger~0~" in text
    assert told.generation == 0
    assert services.asked == [("GET", "/v1/enterprises/stranger")]


def test_a_revocation_is_visible_before_the_new_link_is_made(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert link.main(["firm", "--revoke", "--reason", "外泄"]) == 0
    assert printed(capsys)[1].generation == 1
    assert services.asked == [
        ("POST", "/v1/enterprises/firm/link/revoke"),
        ("GET", "/v1/enterprises/firm?after=p.1"),
    ]


def test_what_does_not_work_is_told_with_what_mends_it(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    services.refuses = True
    with pytest.raises(RefusedError, match="answered 500"):
        link.main(["firm", "--revoke"])
    with pytest.raises(MisconfiguredError, match="not the id"):
        link.main(["a/b"])
    monkeypatch.setenv("LUODI_TRACKER_LISTEN", str(free_address()))
    with pytest.raises(UnavailableError, match="does not answer"):
        link.main(["firm"])
    monkeypatch.setenv("LUODI_HOME", "another")
    with pytest.raises(MisconfiguredError, match="LUODI_LINK_SECRET"):
        link.main(["firm"])


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert read_settings({"LUODI_HOME": "home"}, tmp_path).services.link_secret is None
    home.make_link_secret()
    secret = (home.path / SIGNS_LINKS).read_text()
    home.make_link_secret()
    assert (home.path / SIGNS_LINKS).read_text() == secret
    assert (home.path / SIGNS_LINKS).stat().st_mode & 0o777 == 0o600
    settings = read_settings({"LUODI_HOME": "home"}, tmp_path)
    assert settings.services.link_secret == secret.strip()
    assert settings.environ["LUODI_LINK_SECRET_FILE"] == str(home.path / SIGNS_LINKS)


def test_the_operators_own_secret_goes_before_that_of_the_home_and_production_has_no_other(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.make_link_secret()
    own = read_settings({"LUODI_HOME": "home", "LUODI_LINK_SECRET": "o" * 32}, tmp_path)
    assert own.services.link_secret == "o" * 32
    production = {"LUODI_HOME": "home", "LUODI_MODE": "production", "LUODI_API_KEY": "k" * 32}
    assert read_settings(production, tmp_path).services.link_secret is None
