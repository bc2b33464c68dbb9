from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.areas import FIELDS
from luodi.domain.events import REGISTERED_FIELDS
from luodi.domain.kinds import KINDS
from schemas.events import ENDPOINTS, EVENT_TYPES, ROWS, SUBJECTS, load_http, load_request, unconfirmed
from schemas.fields import Amount, Checked, Flag, Money, Text
from schemas.invalid import Invalid
from schemas.messages import FIELD_ERRORS
from schemas.titles import TITLES
from tests.unit.schemas.builders import GOOD, TODAY


def faults(type_: str, **fields: Any) -> list[tuple[str, str]]:
    return refused(type_, {**GOOD[type_], **fields})


def refused(type_: str, data: dict[str, Any]) -> list[tuple[str, str]]:
    """The faults of just this."""
    try:
        load_http(type_, data, TODAY)
    except Invalid as exc:
        return [(error.pointer, error.code) for error in exc.errors]
    return []


def test_no_type_has_two_rows() -> None:
    assert len(ROWS) == len(EVENT_TYPES)


def test_a_project_is_registered_with_exactly_the_fields_the_domain_keeps() -> None:
    names = {field.data_key or name for name, field in EVENT_TYPES["project.registered"].schema.declared().items()}
    assert names - {"confirm", "note"} == set(REGISTERED_FIELDS)


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_any_other_subject_is_registered_with_exactly_the_fields_the_domain_keeps(kind: str) -> None:
    for type_ in (f"{kind}.registered", f"{kind}.amended"):
        names = {field.data_key or name for name, field in EVENT_TYPES[type_].schema.declared().items()}
        assert names - {"note"} == set(FIELDS[kind])


def test_every_kind_of_subject_has_an_address_and_a_fold() -> None:
    assert set(SUBJECTS) == set(KINDS)


def test_every_field_has_a_name_the_users_know() -> None:
    names = {field.data_key or name for row in ROWS for name, field in row.schema.declared().items()}
    names |= {subject.id_field for subject in SUBJECTS.values()}
    assert names <= set(TITLES)


def test_endpoints_are_unique() -> None:
    assert len({(endpoint.row.method, endpoint.path) for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-03-05", []),
        ("2026-03-06", []),  # tomorrow counts at once
        ("2026-03-07", [("/date", "date-in-future")]),
        ("2026-03", []),
        ("2026-04", [("/date", "date-in-future")]),
        ("2026", []),
        ("2027", [("/date", "date-in-future")]),
        ("1980-01-01", []),
        ("1980", []),
        ("1979-12-31", [("/date", "date-too-early")]),
        ("2024-02-29", []),
        ("2025-02-29", [("/date", "bad-date")]),
        ("2026-02-30", [("/date", "bad-date")]),
        ("2026-00", [("/date", "bad-date")]),
        ("2026-13", [("/date", "bad-date")]),
        ("0000", [("/date", "bad-date")]),
        ("9999", [("/date", "date-too-late")]),
        ("9999-12", [("/date", "bad-date")]),
        ("2026-3-5", [("/date", "bad-date")]),
        ("２０２６", [("/date", "bad-date")]),
        ("2026-03-05T00:00:00Z", [("/date", "bad-date")]),
        ("2026-03-05\n", [("/date", "bad-date")]),
        (20260305, [("/date", "wrong-type")]),
        (None, []),
    ],
)
def test_the_date_of_a_milestone_is_a_day_a_month_or_a_year_not_beyond_tomorrow(date: Any, expected: Any) -> None:
    assert faults("milestone.reported", date=date) == expected


def test_on_the_last_day_of_a_month_the_next_month_may_be_reported() -> None:
    last = TODAY.replace(day=31)
    assert load_http("milestone.reported", {"stage": "started", "date": "2026-04"}, last)["date"] == "2026-04"


def test_a_milestone_needs_its_date_even_when_it_is_unknown() -> None:
    with pytest.raises(Invalid) as refused:
        load_http("milestone.reported", {"stage": "started"}, TODAY)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/date", "required")]


def test_null_is_kept_where_it_says_something_and_dropped_elsewhere() -> None:
    milestone = load_http("milestone.reported", {"stage": "started", "date": None, "note": None}, TODAY)
    assert milestone == {"stage": "started", "date": None}
    amended = load_http("project.amended", {"officer": None, "jobs": 3}, TODAY)
    assert amended == {"officer": None, "jobs": 3}
    registered = load_http("project.registered", {**GOOD["project.registered"], "officer": None}, TODAY)
    assert "officer" not in registered


@pytest.mark.parametrize("name", ["name", "zone", "route"])
def test_what_every_project_must_have_can_be_amended_but_not_cleared(name: str) -> None:
    assert faults("project.amended", **{name: None}) == [(f"/{name}", "null")]


def test_an_amendment_names_something_to_amend() -> None:
    with pytest.raises(Invalid) as refused:
        load_http("project.amended", {"note": "nothing"}, TODAY)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("", "nothing-amended")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"approver": "u1", "until": "2026-03-05", "cause": "utility"}, []),
        ({"approver": "u1", "until": "2026-06-02", "cause": "utility"}, []),  # 90 days, both ends included
        ({"approver": "u1", "until": "2026-06-03", "cause": "utility"}, [("/until", "pause-too-long")]),
        ({"approver": "u1", "until": "2026-03-04", "cause": "utility"}, [("/until", "before-date")]),
        ({"approver": "u1", "cause": "utility"}, [("/until", "together")]),
        ({"until": "2026-03-05", "cause": "utility"}, [("/approver", "together")]),
        ({"approver": "u1", "until": "2026-03-05"}, [("/cause", "needed-for-pause")]),
        ({"approver": "u1", "until": "2026-04", "cause": "utility"}, [("/until", "bad-date")]),
        ({"promise": "2026-03-05"}, []),
        ({"promise": "2026-03-04"}, [("/promise", "before-date")]),
        ({"promise": "2026-03"}, []),  # due on the last day of the month
        ({"promise": "2026-02"}, [("/promise", "before-date")]),
        ({"date": "2026-03", "promise": "2026"}, []),
        ({"date": "2026-03", "approver": "u1", "until": "2026-03-31", "cause": "utility"}, [("/date", "day-needed")]),
        ({"kind": "天气"}, [("/kind", "unknown-value")]),
        ({"cause": "fate"}, [("/cause", "unknown-value")]),
    ],
)
def test_a_blocker_pauses_only_by_an_approved_act_of_at_most_ninety_days(fields: Any, expected: Any) -> None:
    assert faults("blocker.raised", **fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"until": "2026-06-02", "document": "园管函〔2026〕3号"}, []),  # 90 days, both ends included
        ({"until": "2026-06-03"}, [("/until", "pause-too-long")]),
        ({"until": "2026-03-04"}, [("/until", "before-date")]),
        ({"date": "2025-01-01", "until": "2025-02-01"}, []),  # an approval may lie in the past
        ({"date": "2026-03"}, [("/date", "bad-date")]),
        ({"until": None}, [("/until", "null")]),
        ({"approver": None}, [("/approver", "null")]),
    ],
)
def test_an_approval_names_its_days_and_who_approved_it(fields: Any, expected: Any) -> None:
    assert faults("blocker.paused", **fields) == expected


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("blocker.updated", {"blocker_id": "b1", "reason": "备件未到"}, [("", "nothing-amended")]),
        ("blocker.updated", {"blocker_id": "b1", "owner": None, "promise": None}, [("", "nothing-amended")]),
        ("blocker.updated", {"blocker_id": "b1", "owner": "unit-power"}, []),
        ("land_contract.recorded", {"note": "待补"}, [("", "nothing-amended")]),
        ("land_contract.recorded", {"price": 0}, []),
        ("annual_plan.set", {"year": 2026, "amount": 12, "by_month": [1] * 12}, []),
        ("annual_plan.set", {"year": 2026, "amount": 12, "by_month": [1] * 11}, [("/by_month", "too-few")]),
        ("annual_plan.set", {"year": 2026, "amount": 12, "by_month": [1] * 13}, [("/by_month", "too-many")]),
        ("annual_plan.set", {"year": 26, "amount": 12}, [("/year", "out-of-range")]),
        ("statistics.reported", {"in_library": True, "since": "2026-03-07"}, [("/since", "date-in-future")]),
        ("statistics.reported", {"in_library": False}, []),
    ],
)
def test_what_is_recorded_beside_the_milestones(type_: str, data: Any, expected: Any) -> None:
    try:
        load_http(type_, data, TODAY)
        found = []
    except Invalid as refused:
        found = [(error.pointer, error.code) for error in refused.errors]
    assert found == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"investment": 10**15}, []),
        ({"investment": 10**15 + 1}, [("/investment", "out-of-range")]),
        ({"investment": -1}, [("/investment", "out-of-range")]),
        ({"investment": 1.0}, [("/investment", "wrong-type")]),
        ({"investment": "1"}, [("/investment", "wrong-type")]),
        ({"investment": True}, [("/investment", "wrong-type")]),
        ({"area_mu": 34.5}, []),
        ({"area_mu": 34.56789}, [("/area_mu", "too-precise")]),
        ({"area_mu": float("nan")}, [("/area_mu", "wrong-type")]),
        ({"key": 1}, [("/key", "wrong-type")]),
        ({"credit_code": "91441802MA0000000X"}, []),
        ({"credit_code": "91441802MA0000000O"}, [("/credit_code", "bad-id")]),
        ({"officer": "张三"}, [("/officer", "bad-id")]),
        ({"officer": "x" * 65}, [("/officer", "bad-id")]),
        ({"name": "x" * 201}, [("/name", "too-long")]),
        ({"name": "\u3000"}, [("/name", "empty")]),
        ({"name": "a\nb"}, [("/name", "bad-characters")]),
        ({"name": "\ud800"}, [("/name", "bad-characters")]),
        ({"content": "a\nb\tc"}, []),
        ({"content": "a\x0bb"}, [("/content", "bad-characters")]),
        ({"route": "sea"}, [("/route", "unknown-route")]),
        ({"refs": [{"system": "a", "id": "1"}]}, []),
        ({"refs": [{"system": "a", "id": "1"}] * 21}, [("/refs", "too-many")]),
        (
            {"refs": [{"system": "a", "id": "1"}, {"system": 1, "extra": 2}]},
            [("/refs/1/extra", "unknown-field"), ("/refs/1/id", "required"), ("/refs/1/system", "wrong-type")],
        ),
    ],
)
def test_the_fields_of_a_registration_are_checked_one_by_one(fields: Any, expected: Any) -> None:
    assert faults("project.registered", **fields) == expected


def test_a_number_that_is_whole_is_the_same_content_with_and_without_a_point() -> None:
    loaded = load_http("project.registered", {**GOOD["project.registered"], "area_mu": 34.0}, TODAY)
    assert repr(loaded["area_mu"]) == "34"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"investment": 10_000_000_000}, []),
        ({"investment": 10_000_000_001}, [("/investment", "over-100-yi")]),
        ({"investment": 10_000_000_001, "confirm": ["investment"]}, []),
        ({"investment": 60}, [("/investment", "under-100-wan")]),
        ({"investment": 0, "phase_investment": None}, []),
    ],
)
def test_an_amount_that_looks_like_a_slip_asks_for_confirmation(data: Any, expected: Any) -> None:
    doubts = unconfirmed(data)
    assert [(error.pointer, error.code) for error in doubts] == expected
    for doubt in doubts:
        assert all("investment" in words.format(**doubt.params) for words in FIELD_ERRORS[doubt.code])


def test_a_request_is_taken_apart_into_envelope_and_data() -> None:
    (endpoint,) = (endpoint for endpoint in ENDPOINTS if endpoint.row.type == "blocker.cleared")
    request = load_request(endpoint, {"id": "e1", "actor": "u1", "date": "2026-03-05"}, TODAY, {"blocker_id": "b1"})
    assert (request.id, request.actor, request.subject_id) == ("e1", "u1", None)
    assert request.data == {"blocker_id": "b1", "date": "2026-03-05"}


def test_what_stands_in_the_address_is_refused_in_the_body() -> None:
    (endpoint,) = (endpoint for endpoint in ENDPOINTS if endpoint.row.type == "blocker.cleared")
    with pytest.raises(Invalid) as refused:
        load_request(endpoint, {"blocker_id": "b1", "date": "2026-03-05"}, TODAY, {"blocker_id": "b1"})
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/blocker_id", "unknown-field")]


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        load_http("project.exploded", {}, TODAY)
    assert refused.value.code == "unknown-type"


def test_pointers_are_escaped() -> None:
    assert faults("note.added", **{"a/b~c": 1}) == [("/a~1b~0c", "unknown-field")]


def test_a_key_called_like_marshmallows_own_is_refused_like_any_other() -> None:
    assert ("", "unknown-field") in faults("note.added", _schema=1)


@pytest.mark.parametrize("field", [Text(5), Flag(), Money(), Amount(10)])
def test_every_kind_of_field_describes_itself(field: Checked[Any]) -> None:
    assert "type" in field.rule()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"measure": "full_production"}, []),
        ({"measure": "full_production", "value": 80_000_000}, []),
        ({"measure": "tax_per_mu"}, [("/value", "required")]),
        ({"measure": "investment_intensity"}, [("/value", "required")]),
        ({"measure": "tax_per_mu", "value": 200_000}, []),
        ({"measure": "happiness"}, [("/measure", "unknown-value")]),
        ({"measure": "full_production", "due": "2027"}, []),
        ({"measure": "full_production", "due": None}, [("/due", "null")]),
    ],
)
def test_a_commitment_names_the_value_that_its_measure_needs(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert refused("commitment.made", {"measure": "full_production", "due": "2027-12-31"} | fields) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"period": "2025", "tax": 1}, []),
        ({"period": "2025-Q4", "capacity_percent": 72.5}, []),
        ({"period": "2026-Q1", "tax": 1}, [("/period", "period-not-over")]),
        ({"period": "2026", "tax": 1}, [("/period", "period-not-over")]),
        ({"period": "2025-Q5", "tax": 1}, [("/period", "bad-period")]),
        ({"period": "2025-11", "tax": 1}, [("/period", "bad-period")]),
        ({"period": "1979", "tax": 1}, [("/period", "out-of-range")]),
        ({"period": 2025, "tax": 1}, [("/period", "wrong-type")]),
        ({"period": "2025"}, [("", "nothing-amended")]),
    ],
)
def test_figures_are_told_of_a_year_or_a_quarter_that_is_over(
    fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert refused("performance.reported", fields) == expected
