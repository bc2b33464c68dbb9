"""`luodi doctor`: looks at everything the stack needs and says, of each fault, the command that mends it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.local import sample, selfwatch
from luodi.local.artifacts import cache_folder, missing, read_lock
from luodi.local.faults import LocalError
from luodi.local.home import Home, tail
from luodi.local.kafka import java
from luodi.local.mongo import check_hash, find_mongod, library_command, run_fault
from luodi.local.net import bind_fault, unready_reason
from luodi.local.settings import LISTEN_SETTINGS, SERVICES, StackSettings, read_settings
from luodi.local.status import look
from luodi.local.supervisor import READY
from luodi.local.telling import spelled
from luodi.runtime.errors import FatalError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FREE_BYTES = 2 << 30  # a stack with the sample needs a quarter of it; a full disk stops Kafka for good
JAVA_S = 20.0  # the first run from a cold disk
CLUSTER = 3  # brokers from which on a topic should have three replicas, two of them in step


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, how it is, and, when it is a fault, what mends it."""

    what: str
    detail: str
    fault: bool = False
    mend: str = ""


def main(argv: Sequence[str]) -> int:
    """Prints every finding; returns 0 when none is a fault, else 1."""
    about = "Check the environment and the running stack. Changes nothing."
    argparse.ArgumentParser(prog="luodi doctor", description=about).parse_args(argv)
    settings = read_settings(os.environ, Path.cwd())
    faults = 0
    for finding in examine(settings):
        faults += finding.fault
        sys.stdout.write(f"{'FAULT' if finding.fault else 'ok   '} {finding.what}: {finding.detail}\n")
        if finding.fault and finding.mend:
            sys.stdout.write(f"      mend: {spelled(finding.mend)}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{faults} fault{'' if faults == 1 else 's'}\n")
    return 1 if faults else 0


def examine(settings: StackSettings) -> Iterator[Finding]:
    """All findings, in the order in which the stack needs the things."""
    for check in CHECKS:
        yield from check(settings)


def _python(_settings: StackSettings) -> Iterator[Finding]:
    yield Finding("python", f"{sys.version.split()[0]} {sys.executable}")
    absent = [name for name in ("flask", "granian", "kafka", "pymongo", "marshmallow") if find_spec(name) is None]
    if absent:
        yield Finding("packages", f"missing: {', '.join(absent)}", fault=True, mend="make venv")


def _java(settings: StackSettings) -> Iterator[Finding]:
    if settings.kafka is None:
        return
    try:
        shown = subprocess.run(  # noqa: S603 - the wheel's own Java
            (str(java()), "-version"), capture_output=True, text=True, timeout=JAVA_S, check=False
        )
        first = (shown.stderr or shown.stdout).strip().partition("\n")[0]
        yield Finding("java", first or f"exit {shown.returncode}", shown.returncode != 0, "rm -rf .venv && make venv")
    except (LocalError, OSError, subprocess.TimeoutExpired) as exc:
        yield Finding("java", str(exc), fault=True, mend=getattr(exc, "mend", "") or "rm -rf .venv && make venv")


def _jars(settings: StackSettings) -> Iterator[Finding]:
    if settings.kafka is None:
        return
    wanted, folder = read_lock(), cache_folder(settings.environ) / "jars"
    present = [jar for jar in wanted if (folder / jar.filename).exists()]
    changed = missing(folder, tuple(present))
    if changed:
        names = ", ".join(jar.filename for jar in changed)
        yield Finding(
            "kafka jars", f"not what the lock file says: {names}", fault=True, mend="luodi up  # fetches them"
        )
    elif len(present) < len(wanted):
        yield Finding("kafka jars", f"{len(wanted) - len(present)} of {len(wanted)} still to be fetched by luodi up")
    else:
        yield Finding("kafka jars", f"{len(wanted)} in {folder}, all as locked")


def _mongod(settings: StackSettings) -> Iterator[Finding]:
    if settings.mongodb is None:
        return
    try:
        binary = find_mongod(settings.environ)
        if binary.packaged:
            check_hash(binary.path)
    except LocalError as exc:
        yield Finding("mongod", str(exc), fault=True, mend=exc.mend)
        return
    if fault := run_fault(binary.path):
        yield Finding("mongod", f"{binary.path}: {fault}", fault=True, mend=library_command(binary.path, fault))
    else:
        yield Finding("mongod", f"{binary.path}{', as locked' if binary.packaged else ', from PATH'}")


def _disk(settings: StackSettings) -> Iterator[Finding]:
    for what, folder, setting in (
        ("home", settings.home, "LUODI_HOME"),
        ("cache", cache_folder(settings.environ), "LUODI_CACHE"),
    ):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(place).free
        if not os.access(place, os.W_OK):
            yield Finding(what, f"{place} is not writable", fault=True, mend=f"{setting}=/another/folder")
        else:
            detail = f"{folder}, {free / (1 << 30):.1f} GB free"
            yield Finding(what, detail, free < FREE_BYTES, f"free some space, or {setting}=/another/folder")


def _ports(settings: StackSettings) -> Iterator[Finding]:
    if Home(settings.home).is_held():
        return
    for name, at in settings.listens.items():
        fault = bind_fault(at)
        detail = f"{at} {fault or 'is free'}"
        yield Finding(f"port of {name}", detail, fault is not None, f"{LISTEN_SETTINGS[name]}=127.0.0.1:PORT luodi up")


def _processes(settings: StackSettings) -> Iterator[Finding]:
    pid, rows = look(settings)
    if pid is None:
        yield Finding("stack", "not running (luodi up starts it)")
        return
    yield Finding("stack", f"supervisor pid {pid}")
    for row in rows:
        detail = f"{row.state} on {row.address}, restarts {row.restarts}"
        if row.state == READY:
            yield Finding(row.name, detail)
            continue
        if row.name in SERVICES and (reason := unready_reason(settings.listens[row.name])):
            detail += f"; {reason}"
        log = Home(settings.home).log(row.name)
        last = tail(log, 1)
        yield Finding(row.name, f"{detail}; last line: {last}", fault=True, mend=f"tail -50 {log}")


def _selfwatch(settings: StackSettings) -> Iterator[Finding]:
    """What notify has found out about the system; that it does not answer was told above."""
    told = selfwatch.ask(settings) if Home(settings.home).is_held() else None
    if told is None:
        return
    for fault in told.faults:
        detail = f"{fault.text} (since {fault.opened_at})"
        yield Finding(f"alert {fault.kind}", detail, fault=True, mend=MENDS.get(fault.kind, MEND_ELSE))
    for row in told.unreached:
        whose = f"{row.channel} of {row.recipient}" if row.recipient is not None else f"the operator's {row.channel}"
        attempts = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'} failed"
        yield Finding("address", f"{whose}: {attempts} since {row.since}, last {row.error}; they go on")
    if not told.faults:
        yield Finding("self-watch", "notify knows of nothing that is wrong with the system")


def _topics(settings: StackSettings) -> Iterator[Finding]:
    """Topics of a Kafka that answers; a local one that does not run was told above."""
    if settings.kafka is not None and not Home(settings.home).is_held():
        return
    from luodi.runtime import kafka  # the client library: not needed for the checks above

    names = settings.services.topics
    try:
        client = kafka.admin(settings.services)
        try:
            with kafka.translated():
                described = client.describe_topics([names.events, names.states])
                found = {topic["name"]: topic["partitions"] for topic in described if topic.get("partitions")}
                brokers = len(client.describe_cluster()["brokers"])
                weak = kafka.weak_settings(client, names.events) if names.events in found else {}
        finally:
            client.close()
    except (TransientError, FatalError) as exc:
        yield Finding("topics", f"Kafka does not answer: {exc}", fault=True, mend="luodi status")
        return
    if len(found) < 2:  # the two asked for
        yield Finding("topics", "not all made yet: the services make them when they start")
        return
    yield from _judged(settings, found, brokers, weak)


def _judged(
    settings: StackSettings, found: dict[str, list[dict[str, Any]]], brokers: int, weak: dict[str, str]
) -> Iterator[Finding]:
    names = settings.services.topics
    counts = {name: len(partitions) for name, partitions in found.items()}
    if len(set(counts.values())) > 1:
        mend = f"delete {names.states} while the services are stopped: tracker publishes it again"
        yield Finding("topics", f"different numbers of partitions: {counts}", fault=True, mend=mend)
    where = ",".join(settings.services.kafka["bootstrap_servers"])
    for name, value in weak.items():
        mend = f"kafka-python admin -b {where} configs alter -r topic -n {names.events} -c {name}={WANTED[name]}"
        yield Finding("topics", f"{names.events} has {name}={value}", fault=True, mend=mend)
    replicas = min(len(partition["replica_nodes"]) for partition in found[names.events])
    if brokers >= CLUSTER and replicas < CLUSTER:
        mend = f"reassign the partitions to {CLUSTER} replicas, then set min.insync.replicas=2"
        yield Finding("topics", f"{replicas} replicas on {brokers} brokers", fault=True, mend=mend)
    detail = f"{names.events} and {names.states}, {counts[names.events]} partitions, {replicas} replicas"
    yield Finding("topics", detail)


def _sample(settings: StackSettings) -> Iterator[Finding]:
    if settings.sample and not sample.available():
        yield Finding("sample", "this installation carries none", fault=True, mend="LUODI_SAMPLE=0, or make venv")


WANTED = {"retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime"}

MEND_ELSE = "look at docs/operations.md, alerts about the system itself"
MENDS = {
    "watermark": "luodi status  # then the logs of tracker and kafka",
    "unreadable": "grep states.skipped in notify's log; bring notify and tracker to one version",
    "endpoint": "LUODI_WEBHOOK_URL=another address, and start notify again",
    "address": "check the address, then write the contact again: PUT /v1/contacts/RECIPIENT",
    "unreached": "check the address and the network: luodi notify test RECIPIENT",
    "receiver": "look at the receiver of LUODI_WEBHOOK_URL and the network between",
    "channel": "look at network, proxy and account of that channel: luodi notify test RECIPIENT",
    "late": "look at notify's log, then start that notifier again",
}
"""Fault that notify has told of -> what mends it."""

CHECKS: tuple[Callable[[StackSettings], Iterator[Finding]], ...] = (
    _python,
    _java,
    _jars,
    _mongod,
    _disk,
    _ports,
    _sample,
    _processes,
    _selfwatch,
    _topics,
)
