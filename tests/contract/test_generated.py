"""The generated contract is committed, true, valid, and says what the code does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import schemas
from schemas import generate
from schemas.asyncapi import event_schema
from schemas.events import ENDPOINTS, EVENT_TYPES, REQUESTS, load_http, load_record
from schemas.fields import Day
from schemas.invalid import Invalid
from schemas.loading import object_rule
from tests.unit.schemas.builders import GOOD, TODAY, payloads, types

GENERATED = Path(schemas.__file__).parent / "generated"
GOLDEN = Path(schemas.__file__).parent / "golden" / "v1"
SERVICES = ("ingest", "tracker", "notify")


def load(name: str) -> Any:
    return orjson.loads((GENERATED / name).read_bytes())


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_committed_contract_is_the_generated_one() -> None:
    assert generate.differences() == []


def test_a_difference_is_found_whatever_it_is(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert generate.differences(tmp_path) == []
    (tmp_path / "asyncapi.json").write_bytes(b"{}")
    (tmp_path / "openapi-ingest.json").unlink()
    (tmp_path / "jsonschema" / "old.json").write_bytes(b"{}")
    assert generate.differences(tmp_path) == [
        "openapi-ingest.json is missing",
        "jsonschema/old.json is of no use any more",
        "asyncapi.json differs",
    ]
    generate.write(tmp_path)
    assert generate.differences(tmp_path) == []


def test_the_check_exits_with_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("service", SERVICES)
def test_the_openapi_document_is_valid(service: str) -> None:
    OpenAPIV31SpecValidator(load(f"openapi-{service}.json")).validate()


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_can_be_told_apart_and_has_a_summary(service: str) -> None:
    operations = [
        operation for path in load(f"openapi-{service}.json")["paths"].values() for operation in path.values()
    ]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


@pytest.mark.parametrize("name", [*(f"openapi-{service}.json" for service in SERVICES), "asyncapi.json"])
def test_every_reference_leads_somewhere(name: str) -> None:
    document = load(name)
    for reference in references(document):
        node = document
        for segment in reference.removeprefix("#/").split("/"):
            node = node[segment.replace("~1", "/").replace("~0", "~")]
        assert node is not None


def test_every_event_type_has_its_endpoint_in_the_document() -> None:
    paths = load("openapi-ingest.json")["paths"]
    assert {(endpoint.path, endpoint.row.method.lower()) for endpoint in ENDPOINTS} <= {
        (path, method) for path, methods in paths.items() for method in methods
    }


def test_the_topics_document_names_every_type() -> None:
    document = load("asyncapi.json")
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]["events"]["messages"]) == set(EVENT_TYPES)
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {"project-events", "project-states", "project-events.rejected"}


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_the_json_schema_of_a_type_is_valid_and_accepts_its_golden(type_: str) -> None:
    schema = load(f"jsonschema/{type_}.json")
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(orjson.loads((GOLDEN / f"{type_}.json").read_bytes()))


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("state", "state"),
        *(("subject", f"state-{kind}") for kind in ("unit", "person", "post", "enterprise")),
        ("watermark", "watermark"),
        ("rejected", "rejected"),
    ],
)
def test_the_other_records_accept_their_goldens(name: str, golden: str) -> None:
    schema = load("asyncapi.json")["components"]["schemas"][name]
    Draft202012Validator(schema).validate(orjson.loads((GOLDEN / f"{golden}.json").read_bytes()))


@settings(max_examples=400)
@given(data=st.data(), type_=types)
def test_what_the_code_accepts_the_json_schema_accepts(data: st.DataObject, type_: str) -> None:
    payload = data.draw(payloads(type_))
    for accept, schema in (
        (load_http, object_rule(EVENT_TYPES[type_].schema)),
        (load_record, event_schema(EVENT_TYPES[type_])["properties"]["data"]),
    ):
        try:
            accept(type_, payload, TODAY)
        except Invalid:
            continue
        assert list(Draft202012Validator(schema).iter_errors(payload)) == []


@pytest.mark.parametrize("type_", sorted(REQUESTS))
def test_the_request_of_a_type_in_the_document_refuses_an_unknown_field(type_: str) -> None:
    schema = load("openapi-ingest.json")["components"]["schemas"][REQUESTS[type_].__name__]
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.row.type == type_)
    body = {name: value for name, value in GOOD[type_].items() if name not in endpoint.path_fields}
    if not endpoint.subject_in_path:
        body[endpoint.subject.id_field] = "p1"
    assert list(Draft202012Validator(schema).iter_errors(body)) == []
    assert list(Draft202012Validator(schema).iter_errors({**body, "surprise": 1})) != []


def test_a_partial_date_and_a_day_are_told_apart() -> None:
    assert Day().rule() != Day(partial=True).rule()
