"""What the tracker's commands share: the connections, plain words on standard output, faults as one sentence."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, WARNING, getLogger
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition
from pymongo.database import Database

from luodi.runtime import configuration, kafka, lifecycle, logging, mongo
from luodi.runtime.configuration import Configuration
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError, TransientError
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.settings import Settings
from services.tracker.ports import Document

EXIT_FAILED = 1
EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
TELL_EVERY_S = 1.0
POLL_MS = 500
STUCK_S = 30.0  # reading that gets no further for so long is given up


@dataclass(frozen=True, slots=True)
class Connections:
    """What a command works with."""

    settings: Settings
    topic: TopicInfo
    database: Database[Document]
    config: Configuration


def run(name: str, command: Callable[[Connections], int]) -> int:
    """Connect, run, and put what goes wrong into one sentence. Returns the exit code."""
    settings = lifecycle.read_settings()
    logging.configure(name, WARNING)
    # A command keeps the processor busy, of which kafka-python warns with every fifth of a second that it waited.
    getLogger("kafka.net.selector").setLevel(ERROR)
    try:
        with connected(settings) as connections:
            return command(connections)
    except InvalidSettingsError as exc:
        complain(name, "; ".join(exc.faults))
        return EXIT_CONFIG
    except TransientError as exc:
        complain(name, ": ".join(map(str, exc.args)))
        return EXIT_UNAVAILABLE
    except FatalError as exc:
        complain(name, str(exc))
        return EXIT_FAILED


@contextmanager
def connected(settings: Settings) -> Iterator[Connections]:
    """Both servers, closed again at the end."""
    config = configuration.load(settings)
    topic = kafka.ensure_topics(settings)
    database = mongo.connect(settings, retryWrites=False)
    try:
        yield Connections(settings, topic, database, config)
    finally:
        database.client.close()


def say(text: str = "") -> None:
    """One line for the user."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """One value for a program."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def note(text: str) -> None:
    """One line beside the answer, on standard error."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def complain(name: str, text: str) -> None:
    """What went wrong."""
    sys.stderr.write(f"luodi {name}: {text}\n")


class Progress:
    """A line on standard error about once a second."""

    def __init__(self) -> None:
        self._next = time.monotonic() + TELL_EVERY_S

    def tell(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + TELL_EVERY_S
            sys.stderr.write(f"  {text}\n")
            sys.stderr.flush()


class TopicReader:
    """Reads a whole topic in passes, without a group: each pass goes on where the last one ended."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._consumer: KafkaConsumer = kafka.consumer(settings, None, max_poll_records=5_000)
        with kafka.translated():
            self._places = [TopicPartition(topic, p) for p in self._consumer.partitions_for_topic(topic)]
            self._consumer.assign(self._places)
            self._consumer.seek_to_beginning(*self._places)

    def ends(self) -> dict[int, int]:
        with kafka.translated():
            return {place.partition: end for place, end in self._consumer.end_offsets(self._places).items()}

    def read(self, ends: dict[int, int]) -> Iterator[dict[int, Sequence[Any]]]:
        """Batches of records up to these end offsets, by partition. Raises TransientError when it gets no further."""
        stuck_at = time.monotonic() + STUCK_S
        while self._behind(ends):
            with kafka.translated():
                polled = self._consumer.poll(timeout_ms=POLL_MS)
            if polled:
                stuck_at = time.monotonic() + STUCK_S
                batch = {
                    place.partition: [record for record in records if record.offset < ends[place.partition]]
                    for place, records in polled.items()
                }
                yield {partition: records for partition, records in batch.items() if records}
                self._put_back(ends)
            elif time.monotonic() > stuck_at:
                raise TransientError("Kafka", f"no records for {STUCK_S:.0f} s before the end")

    def close(self) -> None:
        with kafka.translated():
            self._consumer.close(autocommit=False)

    def _behind(self, ends: dict[int, int]) -> bool:
        with kafka.translated():
            return any((self._consumer.position(place) or 0) < ends[place.partition] for place in self._places)

    def _put_back(self, ends: dict[int, int]) -> None:
        """What was read beyond the end of this pass belongs to the next."""
        for place in self._places:
            if (self._consumer.position(place) or 0) > ends[place.partition]:
                self._consumer.seek(place, ends[place.partition])
