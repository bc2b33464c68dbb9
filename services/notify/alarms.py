"""What notify must tell its operators about itself: knowledge that stopped, records unread, an address given up.

Each fault is a matter like a stall, so it is told once per episode and its all-clear once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from luodi.domain.days import parse_instant
from services.notify.gate import Gate, PartitionGate
from services.notify.matters import NO_PARTITION, Matter, Opening
from services.notify.recipients import OPERATORS

LATE_S = 60.0  # a watermark older than this is an alarm
RESUMED_S = 30.0  # one younger than this ends it; the space between keeps it from flapping
SHOWN_PROJECTS = 5  # named in the text; the log names all


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that was given up: its id, and how it may be shown (never with what could be a secret)."""

    id: str
    shown: str
    recipient: str | None = None  # whose own address it is; None: the operator's receiver
    error: str | None = None  # what its receiver said last


def failing(
    gate: Gate, unreadable: Mapping[int, Sequence[str]], given_up: Sequence[Endpoint], now: str
) -> Iterable[Opening]:
    """Every fault that is present now, as the opening of its matter."""
    for partition, known in gate.partitions.items():
        heard = last_heard(known)
        if age_s(heard, now) > LATE_S:
            yield opening_of("watermark", str(partition), partition, {"partition": partition, "since": heard})
    for partition, projects in unreadable.items():
        if projects and partition in gate.partitions:
            shown = ", ".join(sorted(projects)[:SHOWN_PROJECTS])
            facts = {"partition": partition, "count": len(projects), "projects": shown}
            yield opening_of("unreadable", str(partition), partition, facts)
    for gone in given_up:
        if gone.recipient is None:
            yield opening_of("endpoint", gone.id, NO_PARTITION, {"endpoint": gone.shown, "id": gone.id})
        else:  # how the address is shown would outlive its erasure here: channel and recipient must do
            facts = {"recipient": gone.recipient, "channel": gone.shown, "error": gone.error, "id": gone.id}
            yield opening_of("address", gone.id, NO_PARTITION, facts)


def is_over(
    matter: Matter, gate: Gate, unreadable: Mapping[int, Sequence[str]], given_up: Sequence[Endpoint], now: str
) -> bool:
    """Whether the fault of an open matter is known to be mended. Of partitions that are not owned nothing is known."""
    match matter.facts["fault"]:
        case "watermark":
            w = gate.usable(matter.partition)
            return w is not None and age_s(w, now) <= RESUMED_S
        case "unreadable":
            return matter.partition in gate.partitions and not unreadable.get(matter.partition)
        case "endpoint" | "address":
            return all(gone.id != matter.facts["id"] for gone in given_up)
        case _:  # others look after it
            return False


def last_heard(known: PartitionGate) -> str:
    """Up to when a partition's news is known. One just taken over counts from then: it was given no chance yet."""
    if known.usable is not None:
        return max(known.usable, known.since)
    return max(known.since, known.moved_at)  # while a backlog is read it moves, though no watermark is usable yet


def age_s(then: str, now: str) -> float:
    """Seconds from `then` to `now`."""
    return (parse_instant(now) - parse_instant(then)).total_seconds()


def opening_of(fault: str, name: str, partition: int, facts: Mapping[str, object]) -> Opening:
    """The opening of the matter of a fault of the system itself, told to its operators."""
    return Opening(
        id=f"operations:{fault}:{name}",
        kind="operations",
        partition=partition,
        project_id=None,
        zone=None,
        recipients=(OPERATORS,),
        people=(OPERATORS,),
        facts={"fault": fault, **facts},
        telling="operations",
        why=fault,
    )
