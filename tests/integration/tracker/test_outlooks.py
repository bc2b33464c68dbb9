"""Forecasts as callers see them: curves read from the documents of a real MongoDB by one tracker at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest

from luodi.domain.forecast import MIN_ENDED, Group
from luodi.local.harness import Servers
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker.outlooks import LONGEST_S, SHORTEST_S, Forecaster, MongoOutlooks
from tests.integration.tracker.test_queries import CALENDAR, OPENAPI, TOPIC, Desk

pytestmark = pytest.mark.stack

SIGNED = date(2026, 1, 5)


class Zone(Desk):
    """A zone of whose signed projects each took a day longer to its land than the one before."""

    def __init__(self, servers: Servers) -> None:
        super().__init__(servers)
        self.outlooks = MongoOutlooks(self.database)
        self.stop = Stop()

    def closed(self, count: int, industry: str = "新材料", zone: str = "demo") -> None:
        events = []
        for number in range(1, count + 1):
            subject, land = f"{zone}-{industry}-{number}", SIGNED + timedelta(days=number)
            events += [
                self.recorder.registered(subject, zone=zone, industry=industry),
                self.recorder.milestone(subject, "signed", str(SIGNED)),
                self.recorder.milestone(subject, "land_supplied", str(land)),
            ]
        self.put(*events)
        self.positions.advance({0: self._offset})

    def open(self, subject: str, signed: str, **fields: Any) -> None:
        self.put(
            self.recorder.registered(subject, industry="新材料", **fields),
            self.recorder.milestone(subject, "signed", signed),
        )
        self.positions.advance({0: self._offset})

    def forecaster(self) -> Forecaster:
        return Forecaster(self.outlooks, self.positions, TOPIC.partitions, CALENDAR, self.clock, Metrics())

    def read(self) -> bool:
        self.clock.advance(LONGEST_S)
        return self.forecaster().turn(self.stop)

    def forecast(self, subject: str, language: str = "en") -> Any:
        response = self.get(f"/v1/projects/{subject}/clock", language)
        assert response.status_code == 200, response.data
        return response.json["clocks"][0]["forecast"]


@pytest.fixture
def zone(servers: Servers) -> Iterator[Zone]:
    made = Zone(servers)
    yield made
    made.close()


def test_an_open_clock_tells_what_like_projects_took(zone: Zone) -> None:
    zone.closed(40)
    zone.open("p1", "2026-05-25")
    assert zone.forecast("p1") is None, "nothing has been read yet"
    assert zone.read()
    found = zone.forecast("p1")
    assert found == {
        "route": "land",
        "industry": "新材料",
        "n": 41,
        "ended": 40,
        "p50": "2026-06-17",  # six days are over; of the 34 that took longer half took 23 or less
        "p85": "2026-06-29",
        "chance": 1.0,
        "text": found["text"],
    }
    assert "(新材料, route land): an even chance of land supply by 2026-06-17" in found["text"]
    assert "有一半可能在2026-06-17前供地" in zone.forecast("p1", "zh-CN")["text"]


def test_a_past_view_tells_no_forecast(zone: Zone) -> None:
    zone.closed(40)
    zone.open("p1", "2026-05-25")
    zone.read()
    path = "/v1/projects/p1/clock?as_of=2026-05-28"
    assert [clock["forecast"] for clock in zone.get(path).json["clocks"]] == [None]


def test_few_cases_are_silent_until_there_are_enough(zone: Zone) -> None:
    zone.closed(MIN_ENDED - 1)
    zone.open("p1", "2026-05-25")
    zone.read()
    assert zone.forecast("p1") is None
    assert zone.items("/v1/forecast") == []
    tag = zone.get("/v1/projects/p1/clock").headers["ETag"]
    zone.closed(1, industry="电子信息")
    zone.read()
    assert (zone.forecast("p1")["industry"], zone.forecast("p1")["n"]) == (None, MIN_ENDED + 1)
    assert zone.get("/v1/projects/p1/clock", **{"If-None-Match": tag}).status_code == 200


def test_each_zone_has_its_own_and_the_answer_has_the_form_of_the_contract(zone: Zone) -> None:
    zone.closed(30)
    zone.closed(25, zone="qingyuan")
    zone.read()
    answer = zone.get("/v1/forecast?zone=qingyuan").json
    schema = {"$ref": "#/components/schemas/Outlooks", "components": OPENAPI["components"]}
    jsonschema.validate(answer, schema)
    assert [(item["route"], item["industry"], item["n"]) for item in answer["items"]] == [
        ("land", None, 25),
        ("land", "新材料", 25),
        (None, None, 25),
    ]
    assert (answer["items"][0]["p50"], answer["items"][0]["p85"], answer["least"]) == (13, 22, MIN_ENDED)
    assert {item["zone"] for item in zone.items("/v1/forecast")} == {"demo", "qingyuan"}
    assert zone.get("/v1/forecast?zoo=demo").status_code == 400
    tag = zone.get("/v1/forecast").headers["ETag"]
    assert zone.get("/v1/forecast", **{"If-None-Match": tag}).status_code == 304


def test_a_group_that_has_no_longer_cases_enough_goes_away(zone: Zone) -> None:
    zone.closed(MIN_ENDED)
    zone.read()
    assert len(zone.items("/v1/forecast")) == 3
    zone.put(zone.recorder.event("demo-新材料-3", "project.amended", {"source": "published"}))
    zone.positions.advance({0: zone._offset})
    zone.read()
    assert zone.items("/v1/forecast") == []


def test_nothing_is_read_too_soon_nor_when_nothing_has_changed_but_again_on_the_next_day(zone: Zone) -> None:
    zone.closed(30)
    assert zone.read()
    zone.closed(31)
    assert not zone.forecaster().turn(zone.stop), "too soon"
    assert zone.read()
    assert not zone.read(), "no news"
    zone.clock.advance(SHORTEST_S)
    zone.clock.advance(86_400)
    assert zone.read(), "another day"


def test_of_several_trackers_one_reads_at_a_time_and_a_turn_that_broke_off_passes_on(zone: Zone) -> None:
    zone.closed(30)
    taken: list[object] = []
    barrier = threading.Barrier(4)

    def take() -> None:
        barrier.wait()
        taken.append(MongoOutlooks(zone.database).take_turn("2026-06-01T04:00:00.000Z", "2026-06-01T04:05:00.000Z"))

    for _ in range(3):
        taken.clear()
        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(turn is not None for turn in taken) == 1
        zone.database["forecasts"].update_one({"_id": "~turn"}, {"$set": {"due_at": "2026-06-01T03:59:00.000Z"}})
    stopped = Stop()
    stopped.ask()
    zone.closed(600)
    zone.clock.advance(LONGEST_S)
    assert not zone.forecaster().turn(stopped)
    assert zone.read()
    group = Group("signed", "land_supplied", "land", "新材料")
    assert zone.outlooks.find("demo", [group])[group].n == 600
