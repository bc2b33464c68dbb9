"""Writes ahead of the majority, against a server whose every answer is written here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from bson import ObjectId
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from luodi.runtime.errors import TransientError
from services.tracker.ahead import AHEAD, SETTLED, Ahead
from services.tracker.ports import Document

FIRST, SECOND = ObjectId("7fffffff0000000000000001"), ObjectId("7fffffff0000000000000002")
ROWS = [{"_id": 1}, {"_id": 2}, {"_id": 3}]
REPEATED = {"index": 1, "code": 11000, "errmsg": "E11000 duplicate key"}
FORBIDDEN = {"index": 2, "code": 121, "errmsg": "Document failed validation"}


class Server:
    """Answers as it was told, in order, and remembers what it was asked."""

    def __init__(self, *answers: Mapping[str, Any]) -> None:
        self.answers = [{"n": 3, "ok": 1.0, **answer} for answer in answers]
        self.asked: list[dict[str, Any]] = []
        self.read_concern: ReadConcern | None = None

    def with_options(self, read_concern: ReadConcern) -> Server:
        self.read_concern = read_concern
        return self

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(command)
        return self.answers.pop(0)

    @property
    def concerns(self) -> list[Mapping[str, Any]]:
        return [command["writeConcern"] for command in self.asked]


def ahead_of(*answers: Mapping[str, Any]) -> tuple[Ahead, Server]:
    server = Server(*answers)
    return Ahead(cast("Database[Document]", server)), server


def named(election: ObjectId) -> dict[str, Any]:
    return {"electionId": election}


def test_what_is_written_ahead_waits_for_nobody_and_what_settles_it_waits_for_the_majority() -> None:
    ahead, server = ahead_of(named(FIRST), {**named(FIRST), "n": 2}, named(FIRST))
    statements = [{"q": {"_id": 1}, "u": {"n": 2}}]
    assert ahead.election is None
    assert ahead.insert("rows", ROWS) == []
    assert ahead.update("rows", statements) == 2
    assert ahead.settle("more", ROWS, {FIRST, None}) == []
    assert ahead.election == FIRST
    assert server.asked == [
        {"insert": "rows", "documents": ROWS, "ordered": False, "writeConcern": {"w": 1}},
        {"update": "rows", "updates": statements, "ordered": False, "writeConcern": {"w": 1}},
        {"insert": "more", "documents": ROWS, "ordered": False, "writeConcern": SETTLED},
    ]
    assert (SETTLED["w"], SETTLED["j"]) == ("majority", True)
    assert server.read_concern == ReadConcern("local")


def test_rows_that_exist_are_told_by_their_places_and_are_no_fault() -> None:
    repeated = {**named(FIRST), "writeErrors": [REPEATED, {**REPEATED, "index": 2}]}
    ahead, _ = ahead_of(repeated, repeated)
    assert ahead.insert("rows", ROWS) == [1, 2]
    assert ahead.settle("rows", ROWS, {FIRST}) == [1, 2]


def test_where_answers_name_no_election_the_first_write_is_not_trusted_and_every_later_one_waits() -> None:
    ahead, server = ahead_of({}, {}, {}, {})
    with pytest.raises(TransientError, match="name no election"):
        ahead.insert("rows", ROWS)
    ahead.begin_again()
    assert ahead.insert("rows", ROWS) == []
    assert ahead.update("rows", []) == 3
    assert ahead.election is None
    assert ahead.settle("more", ROWS, {ahead.election}) == []
    assert server.concerns == [AHEAD, SETTLED, SETTLED, SETTLED]


def test_a_write_that_waited_needs_no_election_and_says_nothing_of_those_that_do_not_wait() -> None:
    ahead, server = ahead_of({}, named(FIRST))
    assert ahead.settle("more", ROWS, ()) == []
    assert ahead.insert("rows", ROWS) == []
    assert server.concerns == [SETTLED, AHEAD]


def test_an_answer_that_names_no_election_settles_nothing_of_one() -> None:
    ahead, _ = ahead_of({})
    with pytest.raises(TransientError, match="another primary"):
        ahead.settle("more", ROWS, {FIRST})


def test_once_another_primary_answers_nothing_more_is_written_until_it_begins_again() -> None:
    ahead, server = ahead_of(named(FIRST), named(SECOND), named(SECOND), named(SECOND))
    ahead.insert("rows", ROWS)
    with pytest.raises(TransientError, match="another primary"):
        ahead.update("rows", [])
    for _ in range(2):
        with pytest.raises(TransientError, match="another primary"):
            ahead.settle("more", ROWS, {FIRST})
    assert len(server.asked) == 2, "the others never left"
    ahead.begin_again()
    assert ahead.election is None
    assert ahead.insert("rows", ROWS) == []
    assert ahead.settle("more", ROWS, {SECOND}) == []


def test_what_was_written_before_it_began_again_is_not_settled_by_what_came_after() -> None:
    ahead, _ = ahead_of(named(FIRST), named(SECOND), named(SECOND))
    ahead.insert("rows", ROWS)
    ahead.begin_again()
    ahead.insert("rows", ROWS)
    with pytest.raises(TransientError, match="another primary"):
        ahead.settle("more", ROWS, {SECOND, FIRST})


def test_a_majority_that_did_not_answer_in_time_leaves_the_outcome_open() -> None:
    late = {"code": 64, "errmsg": "waiting for replication timed out"}
    ahead, _ = ahead_of({**named(FIRST), "writeErrors": [REPEATED], "writeConcernError": late})
    with pytest.raises(TransientError, match="replication timed out"):
        ahead.settle("more", ROWS, {FIRST})


@pytest.mark.parametrize("errors", [[FORBIDDEN], [REPEATED, FORBIDDEN]], ids=["alone", "behind a repetition"])
def test_a_row_refused_for_another_reason_is_told_as_the_driver_would(errors: list[dict[str, Any]]) -> None:
    refused = {**named(FIRST), "writeErrors": errors, "writeConcernError": {"code": 64}}
    ahead, _ = ahead_of(refused, refused)
    with pytest.raises(OperationFailure, match="failed validation") as caught:
        ahead.insert("rows", ROWS)
    assert caught.value.code == 121
    with pytest.raises(OperationFailure, match="failed validation"):
        ahead.settle("rows", ROWS, {FIRST})


def test_a_refusal_without_words_keeps_its_code() -> None:
    ahead, _ = ahead_of({"writeErrors": [{"index": 0, "code": 121}]})
    with pytest.raises(OperationFailure, match="refused") as caught:
        ahead.update("rows", [])
    assert caught.value.code == 121
