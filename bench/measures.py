"""The five measurements. Each runs its two sides in turn, A B A B, and tells every round as it ends."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer, TopicPartition

from bench.figures import Figure, Goal, Reading, percentile, round_line
from bench.machine import Memory, Meter, cpu_seconds_of, memory_of
from bench.milestones import Milestone, of_project, shuffled
from bench.sides import PARTITIONS, Baseline, NotServingError, Product, Program, Side, running, until
from bench.wire import ACCEPTED, Load, Pool, closed_loop, get, post
from luodi.domain.events import MILESTONE_REPORTED
from luodi.local.harness import Servers
from luodi.runtime import kafka, settings
from seeds import demo

PATH = "/v1/milestones"
POLL_S = 0.02  # between two looks at the committed offsets


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done in a round. The defaults are those of the acceptance; `--quick` takes less."""

    window_s: float = 6.0  # of a closed loop, after its ramp
    single_connections: int = 32
    batch_connections: tuple[int, ...] = (4, 16)  # some importing systems; as many as the baseline has threads
    batch: int = 100
    apply_projects: int = 2_000
    apply_each: int = 20
    apply_bound_s: float = 150.0  # a side that is slower is judged by what it did until then
    visible_rate: int = 200
    visible_s: float = 12.0
    visible_every: int = 8  # one event in so many is looked for, so that looking stays light


QUICK = Size(window_s=2.5, apply_projects=500, apply_each=12, apply_bound_s=40.0, visible_s=5.0)


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What one service needs with the demonstration zone loaded."""

    side: str
    service: str
    memory: Memory
    steal: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement needs. `tell` prints a line."""

    servers: Servers
    home: Path
    sides: tuple[Product, Baseline]
    rounds: int
    size: Size
    tell: Callable[[str], None]

    def settings(self) -> settings.Settings:
        """For the clients of the benchmark itself."""
        return settings.read(self.sides[0].environ("bench"))

    def keep(self, figure: Figure, pair: Sequence[Reading]) -> None:
        """Add a round to a figure and tell it."""
        product, baseline = pair
        figure.pairs.append((product, baseline))
        self.tell(round_line(figure, len(figure.pairs), (product, baseline)))


def single(bench: Bench) -> list[Figure]:
    """Acknowledged single posts a second, over keep-alive connections that post one after the other."""
    bodies = [milestone.payload() for milestone in shuffled(500, 8, seed=1)]
    figure = Figure("single posts", "acked/s", Goal(2, aim=3))
    _closed_loops(bench, "single", figure, bodies, 1, bench.size.single_connections)
    return [figure]


def batch(bench: Bench) -> list[Figure]:
    """Acknowledged events a second, posted in arrays by a few clients, and by many."""
    payloads = [milestone.payload() for milestone in shuffled(500, 16, seed=2)]
    size = bench.size.batch
    bodies = [payloads[begin : begin + size] for begin in range(0, len(payloads), size)]
    figures = []
    for clients in bench.size.batch_connections:
        figure = Figure(f"batches of {size}, {clients} clients", "events acked/s", Goal(10))
        _closed_loops(bench, f"batch{clients}", figure, bodies, size, clients)
        figures.append(figure)
    return figures


def _closed_loops(
    bench: Bench, space: str, figure: Figure, bodies: Sequence[Any], events: int, connections: int
) -> None:
    programs: list[Program] = []
    for side in bench.sides:
        side.prepare(space)
        programs += [_named(side, program) for program in side.ingest_programs(space)]
    with running(programs, bench.home / "logs") as children:
        pids = {
            side.name: [c.pid for name, c in children.items() if name.startswith(side.name)] for side in bench.sides
        }
        requests = {side.name: [post(side.ingest, PATH, body) for body in bodies] for side in bench.sides}
        for side in bench.sides:  # the first requests of a process fill its caches: not counted
            closed_loop(side.ingest, requests[side.name], connections, 1.0)
        for _ in range(bench.rounds):
            pair = []
            for side in bench.sides:
                meter, before = Meter(), cpu_seconds_of(*pids[side.name])
                load = closed_loop(side.ingest, requests[side.name], connections, bench.size.window_s)
                spent, used = meter.spent(), cpu_seconds_of(*pids[side.name]) - before
                _no_refusals(side, load)
                notes = {
                    "service_cpu_us_per_event": 1e6 * used / (load.finished * events),
                    "p50_ms": 1000 * percentile(load.latencies, 50),
                    "p99_ms": 1000 * percentile(load.latencies, 99),
                    "generator_cpu_percent": 100 * load.generator_cpu,
                }
                pair.append(Reading(side.name, load.rate * events, spent, notes))
            bench.keep(figure, pair)


def _named(side: Side, program: Program) -> Program:
    return Program(f"{side.name}-{program.name}", program.arguments, program.environ, program.ready)


def _no_refusals(side: Side, load: Load) -> None:
    if load.refused:
        raise NotServingError(f"{side.name} refused requests: {load.refused} (status: count)")
    if not load.latencies:
        raise NotServingError(f"{side.name} accepted nothing in {load.seconds:.0f} s")


def apply(bench: Bench) -> list[Figure]:
    """Records a second that the tracker applies from a full topic, from its first committed offsets to the last."""
    size = bench.size
    milestones = shuffled(size.apply_projects, size.apply_each, seed=3)
    figure = Figure("apply rate", "events/s", Goal(8, aim=15))
    for turn in range(1, bench.rounds + 1):
        pair = []
        for side in bench.sides:
            space = f"apply{turn}"
            side.prepare(space)
            _preload(bench, side, space, milestones)
            meter = Meter()
            with running(side.tracker_programs(space), bench.home / "logs"):
                rate, done = _watch_commits(bench, side, space, len(milestones))
                spent = meter.spent()
            if done == len(milestones):
                side.check_applied(space, size.apply_projects, len(milestones))
            pair.append(Reading(side.name, rate, spent, {"applied": done, "of": len(milestones)}))
        bench.keep(figure, pair)
    return [figure]


def _preload(bench: Bench, side: Side, space: str, milestones: Sequence[Milestone]) -> None:
    began = datetime.now(UTC) - timedelta(milliseconds=len(milestones))
    topic = side.topic(space)
    failures: list[BaseException] = []
    producer: KafkaProducer = kafka.producer(bench.settings(), linger_ms=20, batch_size=262_144)
    try:
        for number, milestone in enumerate(milestones):
            future = producer.send(
                topic,
                key=milestone.project_id.encode(),
                value=side.record(milestone, number, began),
                partition=kafka.partition_for(milestone.project_id, PARTITIONS),
            )
            future.add_errback(failures.append)
        producer.flush()
    finally:
        producer.close()
    if failures:
        raise NotServingError(f"{len(failures)} records of {topic} were not written: {failures[0]}")


def _watch_commits(bench: Bench, side: Side, space: str, wanted: int) -> tuple[float, int]:
    """Rate between the first committed offsets seen and the last, and how many records were done then."""
    client = kafka.admin(bench.settings())
    topic, group = side.topic(space), side.group(space)
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    first: tuple[float, int] | None = None
    bound = time.monotonic() + bench.size.apply_bound_s
    try:
        while True:
            answer = client.list_group_offsets({group: partitions})[group]
            done = sum(max(0, mark.offset) for mark in answer.values())  # -1: nothing committed yet
            now = time.monotonic()
            if done and first is None:
                first = now, done
            if done >= wanted or now > bound:
                break
            time.sleep(POLL_S)
    finally:
        client.close()
    if first is None or done == first[1]:
        raise NotServingError(f"{side.name} applied {done} of {wanted} in {bench.size.apply_bound_s:.0f} s: no rate")
    return (done - first[1]) / (now - first[0]), done


def visible(bench: Bench) -> list[Figure]:
    """From the moment a post is due until `GET /v1/projects/{id}` shows it, at a fixed rate of posts (open loop)."""
    rate = bench.size.visible_rate
    middle = Figure(f"post → visible p50 at {rate}/s", "ms", Goal(1.5, at_most=True))
    late = Figure(f"post → visible p99 at {rate}/s", "ms")
    space = "visible"
    for side in bench.sides:
        side.prepare(space)
        _begin_projects(bench, side, space)
    turns = itertools.count()
    for _ in range(bench.rounds):
        pairs = []
        for side in bench.sides:
            programs = [*side.ingest_programs(space), *side.tracker_programs(space), *side.other_programs(space)]
            with running(programs, bench.home / "logs") as children:
                pids = [child.pid for child in children.values()]
                pairs.append(asyncio.run(_visible_round(bench, side, next(turns), pids)))
        bench.keep(middle, [pair[0] for pair in pairs])
        bench.keep(late, [pair[1] for pair in pairs])
    return [middle, late]


WARM_UP_S = 3.0
LOOK_S = 0.002  # between two looks at the same project: bounds the error of one value
OK = 200
PATIENCE_S = 10.0
POST_CONNECTIONS, LOOK_CONNECTIONS = 16, 8
VISIBLE_PROJECTS = 2_000
RECENT = timedelta(days=60)  # since the signature: within every limit, for as many rounds as anybody waits for


def _begin_projects(bench: Bench, side: Side, space: str) -> None:
    """Every project gets its first milestone before the rounds: a zone's projects exist when something happens."""
    first = [_recent(number, 0).payload() for number in range(VISIBLE_PROJECTS)]
    with running([*side.ingest_programs(space), *side.tracker_programs(space)], bench.home / "logs"):
        _post_arrays(side, first)
        _await_applied(bench, side, space)


def _recent(number: int, nth: int) -> Milestone:
    """The nth milestone of a project that is in time, as most are: no light of it changes with what is told."""
    return of_project(f"seen-{number:05d}", nth, date.today() - RECENT)  # noqa: DTZ011 - the day before or after will do


async def _visible_round(bench: Bench, side: Side, turn: int, pids: Sequence[int]) -> tuple[Reading, Reading]:
    size = bench.size
    posts, looks = Pool(side.ingest, POST_CONNECTIONS), Pool(side.tracker, LOOK_CONNECTIONS)
    await posts.open()
    await looks.open()
    try:
        await _see(side, posts, looks, of_project(f"first-{side.name}-{turn}", 0), time.monotonic(), 60.0)
        warm, count = int(WARM_UP_S * size.visible_rate), int(size.visible_s * size.visible_rate)
        seconds: list[float] = []
        tasks: list[asyncio.Task[None]] = []
        begin = time.monotonic() + 0.1
        meter, cpu = Meter(), 0.0
        for number in range(warm + count):
            if number == warm:
                meter, cpu = Meter(), cpu_seconds_of(*pids)
            at = begin + number / size.visible_rate
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            place = turn // 2 * (warm + count) + number
            milestone = _recent(place % VISIBLE_PROJECTS, 1 + place // VISIBLE_PROJECTS)
            watched = number >= warm and number % size.visible_every == 0
            told = seconds if watched else None
            tasks.append(asyncio.create_task(_post_one(side, posts, looks, milestone, at, told)))
        spent, cores = meter.spent(), (cpu_seconds_of(*pids) - cpu) / size.visible_s
        await asyncio.gather(*tasks)
    finally:
        await posts.close()
        await looks.close()
    notes = {"samples": float(len(seconds)), "services_cores": cores}
    return (
        Reading(side.name, 1000 * percentile(seconds, 50), spent, notes),
        Reading(side.name, 1000 * percentile(seconds, 99), spent, notes),
    )


async def _post_one(
    side: Side, posts: Pool, looks: Pool, milestone: Milestone, at: float, seconds: list[float] | None
) -> None:
    if seconds is None:
        await _post(side, posts, milestone)
    else:
        seconds.append(await _see(side, posts, looks, milestone, at, PATIENCE_S))


async def _post(side: Side, posts: Pool, milestone: Milestone) -> dict[str, Any]:
    status, body = await posts.ask(post(side.ingest, PATH, milestone.payload()))
    if status != ACCEPTED:
        raise NotServingError(f"{side.name} answered {status} to a post: {body[:300]!r}")
    receipt: dict[str, Any] = orjson.loads(body)
    return receipt


async def _see(side: Side, posts: Pool, looks: Pool, milestone: Milestone, at: float, patience_s: float) -> float:
    """Post, then ask until the milestone shows; the seconds since `at`."""
    receipt = await _post(side, posts, milestone)
    request = get(side.tracker, side.own_write(milestone, receipt))
    while True:
        status, body = await looks.ask(request)
        now = time.monotonic()
        if status == OK and side.shows(orjson.loads(body), milestone):
            return now - at
        if now - at > patience_s:
            raise NotServingError(f"{side.name}: {milestone} not visible after {patience_s:.0f} s")
        await asyncio.sleep(LOOK_S)


SETTLE_S = 10.0  # notify reads what the tracker published; the collectors' work after the load


def memory(bench: Bench) -> list[MemoryRow]:
    """Memory of each service when the demonstration zone is loaded and applied; one reading, it hardly varies."""
    rows = []
    space = "memory"
    for side in bench.sides:
        side.prepare(space)
        programs = [*side.ingest_programs(space), *side.tracker_programs(space), *side.other_programs(space)]
        with running(programs, bench.home / "logs") as children:
            meter = Meter()
            LOADERS[side.name](bench, side)
            _await_applied(bench, side, space)
            time.sleep(SETTLE_S)
            steal = meter.spent().steal
            for name, child in children.items():
                row = MemoryRow(side.name, name, memory_of(child.pid), steal)
                bench.tell(f"  memory of {row.side} {row.service}: PSS {row.memory.pss:.0f} MB, steal {steal:.1f} %")
                rows.append(row)
    return rows


def _load_product(bench: Bench, side: Side) -> None:
    subprocess.run(
        [
            sys.executable,
            *("-m", "seeds.load", "--ingest", side.ingest.url, "--home", str(bench.home / "seeds")),
        ],
        env=dict(bench.sides[0].environ("memory")),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _load_baseline(bench: Bench, side: Side) -> None:
    events = demo.events(date.today())  # noqa: DTZ011 - any day does for the amount of memory
    bodies = [
        {"project_id": event.subject, "stage": event.data["stage"], "date": event.data["date"]}
        for event in events
        if event.type == MILESTONE_REPORTED and len(event.data["date"] or "") == len("2026-03-05")
    ]
    bench.tell(f"  {side.name}: {len(bodies)} milestones of the demonstration zone")
    _post_arrays(side, bodies)


def _post_arrays(side: Side, bodies: Sequence[Any], size: int = 200) -> None:
    async def send() -> None:
        pool = Pool(side.ingest, 1)
        await pool.open()
        for begin in range(0, len(bodies), size):
            status, body = await pool.ask(post(side.ingest, PATH, bodies[begin : begin + size]))
            if status != ACCEPTED:
                raise NotServingError(f"{side.name} answered {status}: {body[:300]!r}")
        await pool.close()

    asyncio.run(send())


LOADERS: dict[str, Callable[[Bench, Side], None]] = {Product.name: _load_product, Baseline.name: _load_baseline}


def _await_applied(bench: Bench, side: Side, space: str) -> None:
    client = kafka.admin(bench.settings())
    consumer = kafka.consumer(bench.settings(), None)
    partitions = [TopicPartition(side.topic(space), number) for number in range(PARTITIONS)]

    def caught_up() -> bool:
        committed = client.list_group_offsets({side.group(space): partitions})[side.group(space)]
        ends = consumer.end_offsets(partitions)
        return all(end == 0 or committed[place].offset >= end for place, end in ends.items())

    try:
        until(caught_up, f"the end of {side.topic(space)}", 120.0)
    finally:
        consumer.close()
        client.close()


MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "single": single,
    "batch": batch,
    "apply": apply,
    "visible": visible,
}
"""Name on the command line -> measurement in pairs; `memory` stands beside them, it has no ratio."""
