"""The documents in MongoDB that watches, matters and notifications are kept as, and what is read back from them.

User data (names, reasons) stands only as values, never as keys, so dots and dollars in it mean nothing to MongoDB. A
field that an earlier version did not write has its default here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from luodi.domain.events import Event
from services.notify.matters import Entry, Matter, Telling
from services.notify.milestone_reports import MilestoneReport
from services.notify.notifications import Delivery, Line, Notification, Sheet, Texts, Tried
from services.notify.outlines import Project, outline_document, outline_from
from services.notify.watches import Broken, Deadline, Recovered, Stretch, Watch

Document = dict[str, Any]


def watch_document(watch: Watch) -> Document:
    """A watch as stored."""
    return {
        "_id": watch.project_id,
        "partition": watch.partition,
        "events": watch.events,
        "ruleset": watch.ruleset,
        "name": watch.name,
        "zone": watch.zone,
        "route": watch.route,
        "status": watch.status,
        "registered": watch.registered,
        "withdrawn": watch.withdrawn,
        "people": dict(watch.people),
        "named": sorted(set(watch.people.values())),
        "reached": dict(watch.reached),
        "blockers": [[blocker, cleared] for blocker, cleared in watch.blockers.items()],
        "deadlines": [_deadline_document(deadline) for deadline in watch.deadlines],
        "changed_at": watch.changed_at,
        "next_due": watch.next_due,
        "traceparent": watch.traceparent,
        "unreadable": watch.unreadable,
        "lifted": list(watch.lifted),
        "key": watch.key,
        "parent": watch.parent,
        "recovered": [_recovered_document(recovered) for recovered in watch.recovered],
        "reports": [_report_document(report) for report in watch.reports],
        "outline": outline_document(watch.outline) if watch.outline is not None else None,
        "performed": dict(watch.performed),
        "reported_at": watch.reported_at,
        "confirmed": sorted(watch.confirmed),
        "done": watch.done,
        "ticking": bool(watch.deadlines),
    }


def watch_from(row: Document) -> Watch:
    """A watch as read, without its outline."""
    return Watch(
        project_id=row["_id"],
        partition=row["partition"],
        events=row["events"],
        ruleset=row["ruleset"],
        name=row["name"],
        zone=row["zone"],
        route=row["route"],
        status=row["status"],
        registered=row["registered"],
        withdrawn=row["withdrawn"],
        people=row["people"],
        reached=row["reached"],
        blockers=dict(row["blockers"]),
        deadlines=tuple(_deadline_from(deadline) for deadline in row["deadlines"]),
        changed_at=row["changed_at"],
        next_due=row["next_due"],
        traceparent=row["traceparent"],
        unreadable=row["unreadable"],
        lifted=tuple(row.get("lifted", ())),  # a row of an earlier version has none of these
        key=row.get("key", False),
        parent=row.get("parent"),
        recovered=tuple(_recovered_from(recovered) for recovered in row.get("recovered", ())),
        reports=tuple(_report_from(report) for report in row.get("reports", ())),
        performed=row.get("performed", {}),
        reported_at=row.get("reported_at", ""),
        confirmed=frozenset(row.get("confirmed", ())),
        done=row.get("done"),
    )


def project_from(row: Document) -> Project:
    """A project as it is listed, from those fields of its watch."""
    outline = outline_from(row["outline"]) if row.get("outline") else None
    return Project(row["_id"], row["name"], row["zone"], row["route"], row["status"], outline)


PROJECT_FIELDS = ("name", "zone", "route", "status", "outline")
"""The fields of a watch that `project_from` reads."""


def _recovered_document(recovered: Recovered) -> Document:
    return {
        "matter": recovered.matter,
        "kind": recovered.kind,
        "gap": list(recovered.gap) if recovered.gap else None,
        "blocker": recovered.blocker,
        "owner": recovered.owner,
        "red": _stretch_document(recovered.red),
        "ended": recovered.ended,
        "seen": recovered.seen,
    }


def _recovered_from(row: Document) -> Recovered:
    return Recovered(
        matter=row["matter"],
        kind=row["kind"],
        gap=_pair(row["gap"]),
        blocker=row["blocker"],
        owner=row["owner"],
        red=_stretch_from(row["red"]),
        ended=row["ended"],
        seen=row["seen"],
    )


def _report_document(report: MilestoneReport) -> Document:
    return {
        "matter": report.matter,
        "kind": report.kind,
        "stage": report.stage,
        "date": report.date,
        "reporter": report.reporter,
        "since": report.since,
        "reasons": [dict(reason) for reason in report.reasons],
        "by": report.by,
        "why": report.why,
    }


def _report_from(row: Document) -> MilestoneReport:
    return MilestoneReport(**{**row, "reasons": tuple(row["reasons"])})


def _deadline_document(deadline: Deadline) -> Document:
    return {
        "matter": deadline.matter,
        "kind": deadline.kind,
        "gap": list(deadline.gap) if deadline.gap else None,
        "blocker": deadline.blocker,
        "owner": deadline.owner,
        "seen": deadline.seen,
        "reds": [_stretch_document(red) for red in deadline.reds],
        "yellows": [_stretch_document(yellow) for yellow in deadline.yellows],
        "yellow_seen": deadline.yellow_seen,
        "level": deadline.level,
        "broken": [
            {**_stretch_document(b.stretch), "preset": b.preset, "paused": b.paused, "quiet": b.quiet}
            for b in deadline.broken
        ],
    }


def _deadline_from(row: Document) -> Deadline:
    return Deadline(
        matter=row["matter"],
        kind=row["kind"],
        gap=_pair(row["gap"]),
        blocker=row["blocker"],
        owner=row["owner"],
        seen=row["seen"],
        reds=tuple(_stretch_from(red) for red in row["reds"]),
        # A row of an earlier version has none of these: of it nobody is warned until the project changes.
        yellows=tuple(_stretch_from(yellow) for yellow in row.get("yellows", ())),
        yellow_seen=row.get("yellow_seen"),
        broken=tuple(Broken(_stretch_from(b), b["preset"], b["paused"], b["quiet"]) for b in row.get("broken", ())),
        level=row.get("level"),
    )


def _stretch_document(stretch: Stretch) -> Document:
    return {
        "since": stretch.since,
        "until": stretch.until,
        "rule": stretch.rule,
        "due": stretch.due,
        "reason": dict(stretch.reason),
    }


def _stretch_from(row: Document) -> Stretch:
    return Stretch(row["since"], row["until"], row["rule"], row["due"], row["reason"])


def matter_document(matter: Matter) -> Document:
    """A matter as stored."""
    return {
        "_id": matter.id,
        "kind": matter.kind,
        "partition": matter.partition,
        "project_id": matter.project_id,
        "zone": matter.zone,
        "state": matter.state,
        "complete": matter.complete,
        "episode": matter.episode,
        "round": matter.round,
        "version": matter.version,
        "recipients": list(matter.recipients),
        "people": list(matter.people),
        "opened_at": matter.opened_at,
        "cleared_at": matter.cleared_at,
        "facts": dict(matter.facts),
        "clearing": dict(matter.clearing) if matter.clearing is not None else None,
        "traceparent": matter.traceparent,
        "history": [dict(episode) for episode in matter.history],
        "tellings": [
            {
                "kind": telling.kind,
                "level": telling.level,
                "round": telling.round,
                "at": telling.at,
                "role": telling.role,
                "recipients": list(telling.recipients),
                "why": telling.why,
                "facts": dict(telling.facts),
            }
            for telling in matter.tellings
        ],
        "unrecorded": bool(matter.outbox),
        "outbox": [event_document(event) for event in matter.outbox],
        "entries": [
            {
                "id": entry.id,
                "kind": entry.kind,
                "by": entry.by,
                "at": entry.at,
                "telling": entry.telling,
                "data": dict(entry.data),
            }
            for entry in matter.entries
        ],
    }


def event_document(event: Event) -> Document:
    """An event that is still to be recorded, as stored with what it is about."""
    return {
        "id": event.id,
        "type": event.type,
        "recordedtime": event.recordedtime,
        "sequence": event.sequence,
        "actor": event.actor,
        "data": dict(event.data),
        "traceparent": event.traceparent,
    }


def matter_from(row: Document) -> Matter:
    """A matter as read."""
    return Matter(
        id=row["_id"],
        kind=row["kind"],
        partition=row["partition"],
        project_id=row["project_id"],
        zone=row["zone"],
        state=row["state"],
        complete=row["complete"],
        episode=row["episode"],
        round=row["round"],
        version=row["version"],
        recipients=tuple(row["recipients"]),
        people=tuple(row["people"]),
        opened_at=row["opened_at"],
        cleared_at=row["cleared_at"],
        facts=row["facts"],
        clearing=row["clearing"],
        traceparent=row["traceparent"],
        history=tuple(row["history"]),
        # A row of an earlier version has none of these.
        tellings=tuple(
            Telling(**{**told, "recipients": tuple(told["recipients"])}) for told in row.get("tellings", ())
        ),
        entries=tuple(Entry(**entry) for entry in row.get("entries", ())),
        outbox=tuple(Event(subject=row["project_id"], **event) for event in row.get("outbox", ())),
    )


def notification_document(row: Notification) -> Document:
    """A notification as stored; `status` stands in it for the queries."""
    texts = row.texts
    return {
        "_id": row.id,
        "matter": row.matter,
        "episode": row.episode,
        "round": row.round,
        "order": row.order,
        "kind": row.kind,
        "level": row.level,
        "recipient": row.recipient,
        "partition": row.partition,
        "project_id": row.project_id,
        "zone": row.zone,
        "demo": row.demo,
        "gap": list(row.gap) if row.gap else None,
        "rule": row.rule,
        "title": {"zh": texts.title_zh, "en": texts.title_en},
        "text": {"zh": texts.text_zh, "en": texts.text_en},
        "url": row.url,
        "created_at": row.created_at,
        "traceparent": row.traceparent,
        "status": row.status,
        "urgent": row.urgent,
        "version": row.version,
        "deliveries": _deliveries_document(row),
        **({"in_digest": True} if row.in_digest else {}),
        **({"sheet": _sheet_document(row.sheet)} if row.sheet is not None else {}),
    }


def _sheet_document(sheet: Sheet) -> Document:
    lines = [
        {
            "group": line.group,
            "zh": line.zh,
            "en": line.en,
            "number": line.number,
            "url": line.url,
            "project_id": line.project_id,
            **({"light": line.light} if line.light is not None else {}),
        }
        for line in sheet.lines
    ]
    return {"lines": lines, "carries": list(sheet.carries), "settled": sheet.settled}


def _sheet_from(row: Document | None) -> Sheet | None:
    if row is None:
        return None
    return Sheet(tuple(Line(**line) for line in row["lines"]), tuple(row["carries"]), row["settled"])


def step_of(row: Notification) -> tuple[Document, Document]:
    """The compare-and-set of one step: all that a step changes, `status` following from the deliveries."""
    changed = {"deliveries": _deliveries_document(row)}
    return {"_id": row.id, "version": row.version - 1}, _step(row.status, row.version, changed, row.in_digest)


def steps_of(rows: Sequence[Notification], channel: str) -> list[tuple[Document, Document]]:
    """The same for rows of which only the delivery on one channel has changed: what is equal is one step of many.

    Each row is still compared for itself: that its version is the one before means that it stands as it was read, and
    so that the delivery still has its place.
    """
    found: dict[tuple[int, int, Delivery, str, bool], list[str]] = {}
    for row in rows:
        place, delivery = next((n, d) for n, d in enumerate(row.deliveries) if d.channel == channel)
        found.setdefault((row.version, place, delivery, row.status, row.in_digest), []).append(row.id)
    return [
        (
            {"_id": {"$in": ids}, "version": version - 1},
            _step(status, version, {f"deliveries.{place}": _delivery_document(delivery)}, in_digest),
        )
        for (version, place, delivery, status, in_digest), ids in found.items()
    ]


def _step(status: str, version: int, changed: Document, in_digest: bool) -> Document:
    changes = {"status": status, "version": version, **changed}
    if in_digest:
        return {"$set": {**changes, "in_digest": True}}
    return {"$set": changes, "$unset": {"in_digest": ""}}


def _deliveries_document(row: Notification) -> list[Document]:
    return [_delivery_document(delivery) for delivery in row.deliveries]


def _delivery_document(d: Delivery) -> Document:
    return {
        "channel": d.channel,
        "status": d.status,
        "attempts": d.attempts,
        "due_at": d.due_at,
        "lease": d.lease,
        "waited": d.waited,
        "sent_at": d.sent_at,
        "error": d.error,
        "carrier": d.carrier,
        # Most are taken at once: they have no more to tell.
        **({"base": d.base} if d.base else {}),
        **({"tried": [asdict(tried) for tried in d.tried]} if d.tried else {}),
    }


def _delivery_from(d: Document) -> Delivery:
    tried = d.get("tried")
    return Delivery(**(d if tried is None else d | {"tried": tuple(Tried(**one) for one in tried)}))


def notification_from(row: Document) -> Notification:
    """A notification as read."""
    return Notification(
        id=row["_id"],
        matter=row["matter"],
        episode=row["episode"],
        round=row["round"],
        order=row["order"],
        kind=row["kind"],
        level=row["level"],
        recipient=row["recipient"],
        partition=row["partition"],
        project_id=row["project_id"],
        zone=row["zone"],
        demo=row["demo"],
        gap=_pair(row["gap"]),
        rule=row["rule"],
        texts=Texts(row["title"]["zh"], row["title"]["en"], row["text"]["zh"], row["text"]["en"]),
        url=row["url"],
        created_at=row["created_at"],
        traceparent=row["traceparent"],
        version=row["version"],
        urgent=row.get("urgent", False),  # a row of an earlier version does not say
        deliveries=tuple(_delivery_from(d) for d in row["deliveries"]),
        sheet=_sheet_from(row.get("sheet")),
    )


def _pair(value: Sequence[str] | None) -> tuple[str, str] | None:
    return (value[0], value[1]) if value else None
