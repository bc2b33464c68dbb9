"""Posting: what callers ask for becomes events with an identity and a time, in the log, and each item gets an outcome.

1. Stamp the request. The stamp's business date is what "today" means, here and for every later reader of the events.
2. Read each item; refuse what is invalid, in doubt or in conflict, item by item.
3. Choose the ids the caller left open, from the `Idempotency-Key` when there is one.
4. Append all at once, wait for the acknowledgements, and learn the broker's time from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from typing import NamedTuple

import orjson

from luodi.domain import events as domain
from luodi.domain.events import Event
from luodi.domain.subjects import ZONE, id_of
from luodi.domain.verifying import may_verify
from luodi.runtime.configuration import Zone
from luodi.runtime.metrics import Metrics
from schemas import codec
from schemas.events import unconfirmed
from schemas.invalid import FieldError, Invalid
from services.ingest import ids
from services.ingest.drafts import Draft, Reader
from services.ingest.limits import Recent, content_digest
from services.ingest.ports import Away, EventLog, Full, Outgoing
from services.ingest.stamp import Stamper

_NAMES_FIELDS = frozenset(
    {
        *(domain.PROJECT_REGISTERED, domain.PROJECT_AMENDED),
        *(domain.UNIT_REGISTERED, domain.UNIT_AMENDED),
        *(domain.PERSON_REGISTERED, domain.PERSON_AMENDED),
        *(domain.POST_REGISTERED, domain.POST_AMENDED),
    }
)


REPORTS_REMEMBERED = 20  # of one request: people report one by one, and what sends more verifies nothing by hand


class Accepted(NamedTuple):
    """Durable in the log."""

    event: Event
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Not written, and never will be as it is. `code` is a problem of the catalogue."""

    code: str
    errors: Sequence[FieldError]
    id: str | None = None
    subject: str | None = None


class Unknown(NamedTuple):
    """Not acknowledged. A retry with the ids of `event` is the same event. `code` is a problem of the catalogue."""

    event: Event
    code: str = "outcome-unknown"


Outcome = Accepted | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Asked:
    """What all items of a request share. `key` is the caller's `Idempotency-Key`."""

    caller: str
    path: str
    key: str | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class Posted:
    """The outcomes in the order of the items; `tag` and `offsets` make the position once anything is accepted."""

    outcomes: Sequence[Outcome]
    accepted: int = 0
    unknown: int = 0
    tag: str = ""
    offsets: Mapping[int, int] = field(default_factory=dict)


class _RefusedError(Exception):
    def __init__(self, outcome: Refused) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class Posting:
    """The use case; one per process, shared by all its threads."""

    def __init__(
        self,
        log: EventLog,
        stamper: Stamper,
        zones: Mapping[str, Zone],
        timezone: tzinfo,
        metrics: Metrics,
        *,
        recent: Recent | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._log = log
        self._stamper = stamper
        self._zones = zones
        self._zone_ids = ", ".join(sorted(zones))
        self._timezone = timezone
        self._metrics = metrics
        self._recent = Recent() if recent is None else recent
        self._sleep = sleep

    def post(self, items: Sequence[object], read: Reader, asked: Asked) -> Posted:
        """Record the items, one outcome each. An outage is an outcome, never an exception."""
        recordedtime, sent = self._stamper.stamp()
        today = codec.business_date(recordedtime, self._timezone)
        retry = None if asked.key is None else ids.Retry(asked.key, asked.caller, asked.path)
        chosen: dict[tuple[str, str], bytes] = {}
        drafted: list[Event | Refused] = []
        for place, item in enumerate(items):
            try:
                draft = read(item, today)
                event = self._event(draft, place, recordedtime, asked, retry, today)
                if draft.id is not None or retry is not None:
                    self._refuse_conflict(event, chosen)
                if event.type == domain.MILESTONE_VERIFIED:
                    self._refuse_own(event, drafted)
                drafted.append(event)
            except Invalid as exc:
                drafted.append(Refused("invalid", exc.errors))
            except _RefusedError as exc:
                drafted.append(exc.outcome)
        posted = self._write(drafted, sent)
        self._count(posted)
        if chosen:
            for outcome in posted.outcomes:
                if isinstance(outcome, Accepted):
                    identity = (outcome.event.subject, outcome.event.id)
                    if identity in chosen:
                        self._recent.remember(*identity, chosen[identity])
        if len(posted.outcomes) <= REPORTS_REMEMBERED:
            self._remember_reporters(posted)
        return posted

    def _event(
        self, draft: Draft, place: int, recordedtime: str, asked: Asked, retry: ids.Retry | None, today: date
    ) -> Event:
        zone = self._refuse_doubtful(draft) if draft.row.type in _NAMES_FIELDS else None
        if draft.row.kind == ZONE:
            self._refuse_unknown_zone(draft)
        subject = draft.subject
        if subject is None:
            assert zone is not None, "only a registration may leave the project's id to us, and it names a zone"
            if retry is None:
                subject = ids.new_project_id(zone.code, today.year)
            else:
                subject = retry.project_id(zone.code, place, self._timezone)
        event_id = draft.id
        if event_id is None:
            event_id = ids.new_event_id() if retry is None else retry.event_id(place)
        return Event(
            subject=subject,
            id=event_id,
            type=draft.row.type,
            recordedtime=recordedtime,
            sequence=place,
            actor=draft.actor or asked.caller,
            data=draft.data,
            traceparent=draft.traceparent or asked.traceparent,
        )

    def _refuse_doubtful(self, draft: Draft) -> Zone | None:
        name = draft.data.get("zone")
        zone = None if name is None else self._zones.get(name)
        if name is not None and zone is None:
            raise _RefusedError(
                Refused(
                    "invalid", [FieldError(f"{draft.at}/zone", "unknown-zone", {"allowed": self._zone_ids})], draft.id
                )
            )
        doubts = [replace(doubt, pointer=draft.at + doubt.pointer) for doubt in unconfirmed(draft.data)]
        if doubts:
            raise _RefusedError(Refused("needs-confirmation", doubts, draft.id, draft.subject))
        return zone

    def _refuse_unknown_zone(self, draft: Draft) -> None:
        """Zones are configuration: one that nobody knows is a slip of the pen, and nobody would look there."""
        if draft.subject is not None and id_of(draft.subject) not in self._zones:
            pointer = "/subject" if draft.at else "/zone_id"
            fault = FieldError(pointer, "unknown-zone", {"allowed": self._zone_ids})
            raise _RefusedError(Refused("invalid", [fault], draft.id))

    def _refuse_conflict(self, event: Event, chosen: dict[tuple[str, str], bytes]) -> None:
        identity = (event.subject, event.id)
        content = orjson.dumps([event.type, event.data, event.actor], option=orjson.OPT_SORT_KEYS)
        digest = content_digest(content)
        if chosen.setdefault(identity, digest) != digest or self._recent.differs(*identity, digest):
            raise _RefusedError(Refused("conflict", [FieldError("/id", "conflict")], event.id, event.subject))

    def _refuse_own(self, event: Event, drafted: Sequence[Event | Refused]) -> None:
        """Nobody verifies their own report. Most reports are forgotten here; then the fold gives it no effect."""
        report, actor = event.data["event_id"], event.actor or ""
        together = (e for e in drafted if isinstance(e, Event) and (e.subject, e.id) == (event.subject, report))
        if any(e.type == domain.MILESTONE_REPORTED and not may_verify(event.actor, e.actor) for e in together) or (
            self._recent.holds(*_reporter_of(event.subject, report), content_digest(actor.encode()))
        ):
            raise _RefusedError(Refused("own-report", [FieldError("/actor", "own-report")], event.id, event.subject))

    def _remember_reporters(self, posted: Posted) -> None:
        for outcome in posted.outcomes:
            if isinstance(outcome, Accepted) and outcome.event.type == domain.MILESTONE_REPORTED:
                event = outcome.event
                digest = content_digest((event.actor or "").encode())
                self._recent.remember(*_reporter_of(event.subject, event.id), digest)

    def _write(self, drafted: Sequence[Event | Refused], sent: float) -> Posted:
        events = [event for event in drafted if isinstance(event, Event)]
        outcomes: list[Outcome]
        if not events:
            return Posted([refused for refused in drafted if isinstance(refused, Refused)])
        try:
            appended = self._log.append([Outgoing(event.subject, codec.encode(event)) for event in events])
        except Away as exc:
            code = "overloaded" if isinstance(exc, Full) else "unavailable"
            outcomes = [d if isinstance(d, Refused) else Unknown(d, code) for d in drafted]
            return Posted(outcomes, unknown=len(events))
        receipts = iter(appended.receipts)
        outcomes = []
        offsets: dict[int, int] = {}
        first_ms: int | None = None
        unknown = 0
        for item in drafted:
            if isinstance(item, Refused):
                outcomes.append(item)
                continue
            receipt = next(receipts)
            if receipt is None:
                outcomes.append(Unknown(item))
                unknown += 1
                continue
            partition, offset, appended_ms = receipt
            outcomes.append(Accepted(item, partition, offset))
            if offset > offsets.get(partition, -1):
                offsets[partition] = offset
            if first_ms is None or appended_ms < first_ms:
                first_ms = appended_ms
        if first_ms is not None:
            ahead = self._stamper.learn(sent, first_ms)
            if ahead > 0:
                self._sleep(ahead)
        return Posted(outcomes, len(events) - unknown, unknown, appended.tag, offsets)

    def _count(self, posted: Posted) -> None:
        if posted.accepted:
            self._metrics.acked.inc(posted.accepted)
        if posted.unknown:
            self._metrics.unknown.inc(posted.unknown)
        if posted.accepted + posted.unknown < len(posted.outcomes):
            for outcome in posted.outcomes:
                if isinstance(outcome, Refused):
                    self._metrics.refused.labels(outcome.code).inc()


def _reporter_of(subject: str, event_id: str) -> tuple[str, str]:
    """Under what the reporter of an event is remembered: no subject begins with a tilde."""
    return f"~{subject}", event_id
