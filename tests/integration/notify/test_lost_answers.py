"""Writes whose answer is lost on the way: what was done is found, and done once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from luodi.runtime.errors import TransientError
from services.notify.notifications import Notification
from services.notify.stores import MongoNotifications, ensure_indexes
from tests.integration.notify.world import World
from tests.unit.notify.builders import COMPOSER, at, open_matter

pytestmark = [pytest.mark.stack]


class Deaf(MongoNotifications):
    """Hears no answer to the first so many writes of many rows."""

    unheard = 1
    done: int | None = None  # how many rows each of these writes reaches; None: all

    def _step_many(self, rows: Sequence[Notification], channel: str | None) -> int:
        if self.unheard == 0:
            return super()._step_many(rows, channel)
        self.unheard -= 1
        if self.done != 0:
            super()._step_many(rows[: self.done], channel)
        raise TransientError("MongoDB", "the connection was lost")


@pytest.fixture
def store(world: World) -> Deaf:
    ensure_indexes(world.database)
    return Deaf(world.database)


def taken(store: Deaf, count: int = 6) -> list[Notification]:
    """So many rows, each as taken, and not yet written so."""
    (made,) = COMPOSER.openings(open_matter(), ("inbox", "webhook"), at(0))
    rows = [replace(made, id=f"n{number}") for number in range(count)]
    store.insert(rows)
    return [after for row in rows if (after := row.begun("webhook", at(0), "mine", at(60))) is not None]


@pytest.mark.parametrize("done", [0, 3, 6])
def test_a_write_of_many_rows_whose_answer_was_lost_is_repeated(store: Deaf, done: int) -> None:
    rows = taken(store)
    store.done = done
    assert store.replace_many(rows, "webhook") == {row.id for row in rows}
    assert [store.get(row.id) for row in rows] == rows


def test_a_row_that_somebody_else_moved_on_meanwhile_is_not_counted(store: Deaf) -> None:
    rows = taken(store)
    theirs = rows[2].superseded() or rows[2].postponed("webhook", at(99), at(100))
    assert theirs is not None
    assert store.replace(rows[2])
    assert store.replace(theirs)
    assert store.replace_many(rows, "webhook") == {row.id for row in rows if row.id != theirs.id}
    assert store.get(theirs.id) == theirs


def test_a_server_that_stays_away_is_a_passing_fault(store: Deaf) -> None:
    rows = taken(store)
    store.unheard = 2
    with pytest.raises(TransientError):
        store.replace_many(rows, "webhook")
