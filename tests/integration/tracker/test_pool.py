"""The pool before signing, as the tracker answers it from a real MongoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import jsonschema
import pytest

from luodi.domain.events import EVENT_RETRACTED, PERSON_HANDED_OVER, PERSON_REGISTERED, PROJECT_WITHDRAWN
from luodi.domain.pool import PROJECT_DROPPED, PROJECT_POOLED, TALK_HELD
from luodi.local.harness import Servers
from services.tracker import pool_http
from services.tracker.holding import Holders
from services.tracker.pool import Pool
from services.tracker.pool_http import Held
from tests.integration.tracker.test_queries import OPENAPI, TODAY, Desk

pytestmark = pytest.mark.stack


def held(desk: Desk) -> Held:
    """Resolves who is responsible as of the day the desk stands at."""
    return partial(Holders(desk.database).resolved, on=TODAY.date().isoformat())


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    made = Desk(servers)
    pool_http.add_routes(made.client.application, Pool(made.database), lambda: None, held(made))
    yield made
    made.close()


@pytest.fixture
def zone(desk: Desk) -> Desk:
    """In reserve, in talks, quiet for long, dropped, given up, signed; one that never was in the pool."""
    r = desk.recorder

    def pooled(subject: str, date: str, introducer: str | None = "链主", **fields: Any) -> list[Any]:
        told = {"date": date} | ({"introducer": introducer} if introducer else {})
        return [r.registered(subject, **fields), r.event(subject, PROJECT_POOLED, told)]

    def talk(subject: str, date: str, **more: Any) -> Any:
        return r.event(subject, TALK_HELD, {"date": date, "way": "来访", "text": "谈用地"} | more)

    desk.put(
        *pooled("reserve", "2026-05", industry="电子信息"),
        *pooled("talking", "2026-04-10", officer="o1"),
        talk("talking", "2026-05-02"),
        talk("talking", "2026-05-20", next="报方案", next_date="2026-05-28"),
        *pooled("quiet", "2026-02-10", introducer="商会"),
        talk("quiet", "2026-02-20", next="考察", next_date="2026-07-01"),
        *pooled("dropped", "2026-01-10", introducer="商会"),
        talk("dropped", "2026-01-20"),
        r.event("dropped", PROJECT_DROPPED, {"date": "2026-03-01", "reason": "改投外地"}),
        *pooled("given-up", "2026-01-15", introducer=None),
        r.event("given-up", PROJECT_WITHDRAWN, {"date": "2026-03-01", "reason": "不来了"}),
        *pooled("signed", "2026-01-20", zone="yichang"),
        talk("signed", "2026-02-01"),
        r.milestone("signed", "signed", "2026-05-10"),
        r.registered("ordinary"),
        r.milestone("ordinary", "signed", "2026-05-10"),
    )
    return desk


def ids(zone: Desk, query: str = "") -> list[str]:
    return [item["project_id"] for item in zone.items(f"/v1/pool?{query}")]


def test_the_pool_lists_what_is_in_it_the_newest_first(zone: Desk) -> None:
    assert ids(zone) == ["reserve", "talking", "quiet"]
    assert ids(zone, "standing=dropped") == ["given-up", "dropped"]
    assert ids(zone, "standing=signed") == ["signed"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("zone=yichang&standing=signed,talking", ["signed"]),
        ("introducer=商会", ["quiet"]),
        ("industry=电子信息", ["reserve"]),
        ("officer=o1", ["talking"]),
        ("route=plant", []),
        ("next_before=2026-06-01", ["talking"]),
        ("quiet_since=2026-03-01", ["reserve", "quiet"]),
        ("from=2026-04-10", ["reserve", "talking"]),
        ("to=2026-04-10", ["talking", "quiet"]),
        ("q=QUIET", ["quiet"]),
    ],
)
def test_the_pool_is_narrowed_by_what_is_asked(zone: Desk, query: str, found: list[str]) -> None:
    assert ids(zone, query) == found


def test_what_an_officer_has_handed_over_is_found_by_the_successor(zone: Desk) -> None:
    r = zone.recorder
    zone.put(
        r.event("person:o1", PERSON_REGISTERED, {"role": "专员"}),
        r.event("person:o1", PERSON_HANDED_OVER, {"to": "o2", "date": "2026-05-30"}),
    )
    assert (ids(zone, "officer=o2"), ids(zone, "officer=o1")) == (["talking"], [])


def test_pages_of_the_pool_hold_each_project_once(zone: Desk) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = zone.get(f"/v1/pool?limit=2&standing=reserve,talking,dropped&cursor={cursor}").json
        found += [item["project_id"] for item in body["items"]]
        cursor = body["next"]
    assert found == ["reserve", "talking", "quiet", "given-up", "dropped"]


def test_the_rate_counts_who_was_talked_with_and_says_what_it_means(zone: Desk) -> None:
    body = zone.get("/v1/pool?standing=reserve", "zh-CN").json
    summary = body["summary"]
    assert {name: summary[name] for name in ("entered", "reserve", "talking", "signed", "dropped", "talked")} == {
        "entered": 6,
        "reserve": 1,
        "talking": 2,
        "signed": 1,
        "dropped": 2,
        "talked": 4,
    }
    assert summary["success"] == {"numerator": 1, "denominator": 4, "rate": 0.25}
    by = {row["introducer"]: row["success"]["rate"] for row in summary["by_introducer"]}
    assert by == {"链主": 0.5, "商会": 0, None: None}
    assert body["definitions"]["success"].startswith("对接成功率")


def test_the_answer_fits_the_contract(zone: Desk) -> None:
    schema = {"$ref": "#/components/schemas/ListedPool", "components": OPENAPI["components"]}
    jsonschema.validate(zone.get("/v1/pool?standing=reserve,talking,signed,dropped").json, schema)
    project = {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]}
    for id_ in ("talking", "dropped", "signed", "ordinary"):
        jsonschema.validate(zone.get(f"/v1/projects/{id_}").json, project)


def test_in_the_pool_there_is_no_light_and_no_list_or_funnel_has_it_unasked(zone: Desk) -> None:
    talking = zone.get("/v1/projects/talking").json
    assert (talking["status"], talking["light"], talking["reason"], talking["clocks"]) == ("pool", None, None, [])
    assert [talk["date"] for talk in talking["pool"]["log"]] == ["2026-05-02", "2026-05-20"]
    assert zone.ids() == ["ordinary", "signed"]
    assert zone.ids("status=pool") == ["dropped", "given-up", "quiet", "reserve", "talking"]
    assert zone.get("/v1/funnel").json["total"]["projects"] == 2
    assert zone.items("/v1/stalled?light=red,yellow,grey,green&status=pool") == []


def test_no_light_is_found_in_the_pool_now_and_in_the_past(zone: Desk) -> None:
    for asked in ("", "&known_at=2026-05-31", "&as_of=2026-05-31"):
        assert zone.ids(f"status=pool&light=grey{asked}") == []
        assert len(zone.ids(f"status=pool{asked}")) == 5


def test_before_its_signature_a_signed_project_was_in_the_pool(zone: Desk) -> None:
    before, after = (zone.get(f"/v1/projects/signed?as_of={day}").json for day in ("2026-05-09", "2026-05-10"))
    assert (before["status"], before["light"], before["stage"]) == ("pool", None, None)
    assert (after["status"], after["stage"]) == ("active", "signed")
    track = zone.get("/v1/projects/signed/history").json["track"]
    assert [(span["status"], span["light"] is None) for span in track][:2] == [("pool", True), ("active", False)]


def test_a_signature_retracted_puts_it_back(zone: Desk) -> None:
    r = zone.recorder
    zone.put(
        *[r.milestone("reserve", "signed", "2026-05-20", id_="m-signed")],
        r.event("reserve", EVENT_RETRACTED, {"event_id": "m-signed", "reason": "误报"}),
    )
    assert zone.get("/v1/projects/reserve").json["status"] == "pool"
    assert ids(zone) == ["reserve", "talking", "quiet"]


def test_an_unknown_parameter_or_value_is_refused_by_name(zone: Desk) -> None:
    refused = zone.get("/v1/pool?standing=asleep&introducer=nobody&from=today&limit=0")
    assert refused.status_code == 400
    assert {error["pointer"] for error in refused.json["errors"]} == {"standing", "introducer", "from", "limit"}
    assert zone.get("/v1/pool?colour=red").status_code == 400


def test_the_same_question_twice_is_not_modified(zone: Desk) -> None:
    first = zone.get("/v1/pool")
    assert zone.get("/v1/pool", **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_only_what_entered_the_pool_is_read(zone: Desk) -> None:
    zone.commands.clear()
    zone.get("/v1/pool?zone=demo&q=a")
    asked = [c for c in zone.commands if c.get("find") == "projects" or c.get("aggregate") == "projects"]
    assert len(asked) == 2
    for sent in asked:
        command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
        plan = json.dumps(zone.database.command("explain", command, verbosity="queryPlanner"), default=str)
        assert '"indexName": "pool"' in plan, command
        assert "COLLSCAN" not in plan
        assert '"stage": "SORT"' not in plan
    index = zone.database["projects"].index_information()["pool"]
    assert index["partialFilterExpression"] == {"pooled_on": {"$gt": ""}}
