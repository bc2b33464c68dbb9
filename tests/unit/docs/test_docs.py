"""The documentation is held against the code: settings, metrics, commands, endpoints, dependencies, links."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from luodi import cli
from luodi.runtime import settings
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.metrics import Metrics
from schemas.events import ENDPOINTS
from seeds import tour
from services.notify.acts import RULES as ACTS
from services.notify.matters import EVENT_TYPES as EVENT_OF

ROOT = Path(__file__).resolve().parents[3]
READMES = ("README.md", "README.zh-CN.md")
PAGES = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))
STACK_SETTINGS = {"LUODI_KAFKA_LISTEN", "LUODI_MONGO_LISTEN", "LUODI_SAMPLE", "LUODI_CACHE", "LUODI_MAVEN_URL"}
"""Settings of the local stack, which the services do not read."""

_SETTING = re.compile(r"`((?:LUODI|KAFKA|MONGODB)_[A-Z_]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str, columns: int) -> Iterator[list[str]]:
    """The rows of all tables with so many columns, without their heads."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == columns:
            yield cells


def shell(text: str) -> str:
    """Everything in the blocks of shell."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


def documented_settings(name: str) -> set[str]:
    found = [_SETTING.findall(cells[0]) for cells in rows(page(name), 3)]
    names = [setting for names in found for setting in names]
    assert len(names) == len(set(names)), "a setting stands twice"
    return set(names)


class Asked(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__({"KAFKA_BOOTSTRAP_SERVERS": "k:1"})
        self.names: set[str] = set()

    def get(self, key: str, default: object = None) -> str:
        self.names.add(key)
        return super().get(key, str(default or ""))


def read_settings() -> set[str]:
    """The names of all settings that the services read, without the `_FILE` of secrets."""
    asked = Asked()
    with pytest.raises(InvalidSettingsError):
        settings.read(asked)
    return asked.names - {f"{name}_FILE" for name in settings.SECRETS}


@pytest.mark.parametrize("name", READMES)
def test_the_settings_table_names_exactly_the_settings_that_are_read(name: str) -> None:
    assert documented_settings(name) == read_settings() | STACK_SETTINGS


def test_the_settings_of_the_local_stack_are_read_by_it() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "luodi" / "local").glob("*.py"))
    assert all(f'"{setting}"' in source for setting in STACK_SETTINGS)
    named = {name for name in re.findall(r'"(LUODI_[A-Z_]+)"', source) if not name.endswith("_FILE")}
    assert named <= STACK_SETTINGS | read_settings()


@pytest.mark.parametrize("name", READMES)
def test_the_secrets_that_may_come_from_a_file_are_named(name: str) -> None:
    before_table = page(name).split("NAME_FILE")[0]
    paragraph = before_table.rpartition("\n\n")[2]
    assert set(_SETTING.findall(paragraph)) == set(settings.SECRETS)


@pytest.mark.parametrize("name", READMES)
def test_the_defaults_in_the_table_are_those_of_the_code(name: str) -> None:
    told = {names[0]: cells[1] for cells in rows(page(name), 3) if (names := _SETTING.findall(cells[0]))}
    real = settings.read({"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "k:1", "MONGODB_URI": "mongodb://m"})
    assert told["LUODI_INGEST_LISTEN"] == f"`{real.ingest_listen}`"
    assert told["LUODI_TRACKER_LISTEN"] == f"`{real.tracker_listen}`"
    assert told["LUODI_NOTIFY_LISTEN"] == f"`{real.notify_listen}`"
    assert told["LUODI_DATABASE"] == f"`{real.database}`"
    assert told["LUODI_TIMEZONE"] == f"`{real.timezone}`"
    assert told["LUODI_PARTITIONS"] == str(real.partitions)
    assert told["LUODI_INGEST_WORKERS"] == str(real.ingest_workers)
    assert float(told["LUODI_SETTLE_S"]) == real.settle_s
    assert float(told["LUODI_CLOCK_OFFSET"]) == real.clock_offset_s


def test_the_metrics_table_is_that_of_the_code() -> None:
    told = {cells[0]: cells[1:] for cells in rows(page("docs/operations.md"), 4) if cells[0].startswith("`luodi_")}
    real: dict[str, list[str]] = {}
    for family in vars(Metrics()).values():
        if not hasattr(family, "describe"):
            continue
        (described,) = family.describe()
        name = described.name + ("_total" if described.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in family._labelnames) or "–"
        real[f"`{name}`"] = [described.type, labels, described.documentation]
    assert told == real


def test_metrics_named_elsewhere_exist() -> None:
    known = {cells[0].strip("`") for cells in rows(page("docs/operations.md"), 4)}
    for name in PAGES:
        for metric in re.findall(r"`(luodi_[a-z_]+)`", page(name)):
            assert metric in known, f"{name}: {metric}"


@pytest.mark.parametrize("name", PAGES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", page("Makefile"), re.MULTILINE))
    used = set(re.findall(r"`make ([a-z-]+)`", page(name))) | set(
        re.findall(r"^make ([a-z-]+)", page(name), re.MULTILINE)
    )
    assert used <= targets


@pytest.mark.parametrize("name", PAGES)
def test_every_verb_exists(name: str) -> None:
    used = set(re.findall(r"`luodi ([a-z]+)", page(name))) | set(
        re.findall(r"^luodi ([a-z]+)", page(name), re.MULTILINE)
    )
    assert used <= set(cli.VERBS)


@pytest.mark.parametrize("name", READMES)
def test_every_verb_is_told_of(name: str) -> None:
    text = page(name)
    assert [verb for verb in cli.VERBS if f"`luodi {verb}" not in text] == []


@pytest.mark.parametrize("name", READMES)
def test_the_first_commands_are_those_that_the_stack_prints(name: str) -> None:
    text = shell(page(name))
    for _, command in tour.commands("http://127.0.0.1:8101", "http://127.0.0.1:8102", "http://127.0.0.1:8103"):
        assert command in text


def addresses(name: str) -> Iterator[tuple[str, str, dict[str, list[str]]]]:
    """Service, path and query of every curl in a README."""
    services = {8101: "ingest", 8102: "tracker", 8103: "notify"}
    for url in re.findall(r"http://127\.0\.0\.1:81\d\d/[^\s'\"]*", shell(page(name))):
        parts = urlsplit(re.sub(r"\$\{.*?\}", "", url))
        yield services[parts.port or 0], parts.path, parse_qs(parts.query)


@pytest.mark.parametrize("name", READMES)
def test_every_example_asks_an_endpoint_that_the_contract_has(name: str) -> None:
    asked = list(addresses(name))
    assert len(asked) > 8
    for service, path, query in asked:
        contract = json.loads(page(f"schemas/generated/openapi-{service}.json"))
        match = [
            operations
            for template, operations in contract["paths"].items()
            if re.fullmatch(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template)), path)
        ]
        assert match, f"{service} has no {path}"
        if query:
            known = {parameter["name"] for parameter in match[-1]["get"].get("parameters", [])}
            assert set(query) <= known, f"{path} takes {known}"


@pytest.mark.parametrize("name", READMES)
def test_every_example_is_valid_shell(name: str) -> None:
    assert shlex.split(shell(page(name)), comments=True)


def test_the_table_of_events_is_that_of_the_code() -> None:
    told = {cells[0]: cells[1] for cells in rows(page("docs/events.md"), 3) if "." in cells[0]}
    acts = {f"`{EVENT_OF[kind]}`": f"notify: `POST /v1/matters/{{matter_id}}/{act}`" for act, (kind, _) in ACTS.items()}
    acts |= {
        "`silence.begun`": "notify: `POST /v1/silences`",
        "`silence.ended`": "notify: `POST /v1/silences/{silence_id}/end`",
    }
    assert told == acts | {f"`{e.name}`": f"`{e.row.method} {e.path}`" for e in ENDPOINTS if e.name == e.row.type}


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads(page("pyproject.toml"))["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in wanted}
    told = [cells[0].strip("`") for cells in rows(page("docs/dependencies.md"), 2) if cells[0].startswith("`")]
    assert len(told) == len(set(told))
    assert set(told) == names


def headings(name: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page(name), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_the_project_resolves(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        if re.match(r"https?:", link):
            continue
        path, _, fragment = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.exists(), f"{name}: {link}"
        if fragment:
            assert fragment in headings(str(target.relative_to(ROOT))), f"{name}: {link}"


@pytest.mark.parametrize("name", PAGES)
def test_every_file_named_exists(name: str) -> None:
    for path in re.findall(r"`((?:luodi|services|schemas|seeds|docs|tests|bench|requirements)/[\w./-]*)`", page(name)):
        assert (ROOT / path).exists(), f"{name}: {path}"


def test_both_readmes_have_the_same_parts() -> None:
    def shape(name: str) -> list[tuple[str, int]]:
        parts = re.split(r"^## .*$", page(name), flags=re.MULTILINE)
        return [(f"{part.count('```')} blocks", len(re.findall(r"^(?:\||- )", part, re.MULTILINE))) for part in parts]

    assert shape(READMES[0]) == shape(READMES[1])
