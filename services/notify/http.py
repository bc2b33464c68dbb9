"""The routes of notify: the inbox as a list and as a live stream, and the matters behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from flask import Flask, Response, request

from luodi.domain import reasons
from luodi.domain.days import instant
from luodi.domain.stages import Language
from luodi.runtime import http
from luodi.runtime.problems import ProblemError
from schemas.acts import Resend
from services.notify.act_routes import act_routes, read_body
from services.notify.acts import Acts, Scene
from services.notify.matters import Matter, Telling
from services.notify.notifications import Line, Notification
from services.notify.paging import asked_limit, asked_place, bad_parameter, paged
from services.notify.resending import Resending
from services.notify.stores import Stores
from services.notify.streams import Streams

KINDS = (
    *("stalled", "warning", "escalated", "handover", "recovered", "cleared"),
    *("verification", "returned", "stale", "assigned", "digest", "operations", "test"),
)
STATUSES = ("queued", "sent", "superseded", "failed", "dead")
MATTER_STATES = ("warned", "open", "cleared")
NOTIFICATIONS_OF_A_MATTER = 200
STREAM_TYPE = "text/event-stream; charset=utf-8"
TOKEN = re.compile(r"[0-9A-Fa-f]{1,2000}")


def routes(
    app: Flask,
    stores: Stores,
    streams: Streams,
    acts: Acts,
    today: Callable[[], date],
    acts_for: Callable[[str], Collection[str]],
    resending: Resending,
) -> None:
    """Put the routes on the application. `acts_for`: the ids for which a person acts today."""

    def shown(matter: Matter) -> dict[str, Any]:
        return matter_body(matter, acts.scenes([matter]).get(matter.id), http.language(), today())

    act_routes(app, acts, shown)

    @app.get("/v1/notifications")
    def notifications() -> Response:
        http.known_parameters("recipient", "project_id", "kind", "status", "since", "limit", "cursor")
        limit = asked_limit()
        rows = stores.notifications.page(
            recipient=request.args.get("recipient"),
            project_id=request.args.get("project_id"),
            kind=_choice("kind", KINDS),
            status=_choice("status", STATUSES),
            since=_instant("since"),
            before=asked_place(),
            limit=limit + 1,
        )
        language = http.language()
        return paged(rows, limit, lambda row: notification_body(row, language), lambda row: (row.created_at, row.id))

    @app.get("/v1/notifications/stream")
    def stream() -> Response:
        http.known_parameters("recipient")
        after = request.headers.get("Last-Event-ID")
        if after is not None and not TOKEN.fullmatch(after):
            after = "00"  # not one of ours: answered like one that is too old
        if request.method == "HEAD":
            return Response(content_type=STREAM_TYPE)
        language = http.language()
        chunks = streams.open(after, request.args.get("recipient"), lambda row: notification_body(row, language))
        if chunks is None:
            raise ProblemError("too-many-streams", headers={"Retry-After": "10"})
        return Response(
            chunks,
            content_type=STREAM_TYPE,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @app.post("/v1/notifications/<path:notification_id>/resend")
    def resend(notification_id: str) -> Response:
        http.known_parameters()
        asked = read_body(Resend)
        row = resending.again(notification_id, asked.get("channel"), asked["actor"])
        return http.answer(notification_body(row, http.language()), headers={"Vary": "Accept-Language"})

    @app.get("/v1/matters")
    def matters() -> Response:
        http.known_parameters("zone", "state", "person", "limit", "cursor")
        limit, person = asked_limit(), request.args.get("person")
        rows = stores.matters.page(
            zone=request.args.get("zone"),
            state=_choice("state", MATTER_STATES),
            people=None if person is None else {person, *acts_for(person)},
            before=asked_place(),
            limit=limit + 1,
        )
        language = http.language()
        scenes = acts.scenes(rows)
        return paged(
            rows,
            limit,
            lambda m: matter_body(m, scenes.get(m.id), language, today()),
            lambda m: (m.opened_at, m.id),
        )

    @app.get("/v1/matters/<path:matter_id>")
    def matter(matter_id: str) -> Response:
        http.known_parameters()
        found = stores.matters.get(matter_id)
        if found is None:
            raise ProblemError("not-found", what=matter_id)
        language = http.language()
        rows = stores.notifications.of_matter(matter_id, NOTIFICATIONS_OF_A_MATTER)
        return http.answer(
            {
                **shown(found),
                "tellings": [_telling(telling) for telling in found.all_tellings],
                "episodes": [_past(episode) for episode in reversed(found.history)],
                "notifications": [notification_body(row, language) for row in rows],
            },
            headers={"Vary": "Accept-Language"},
        )


def notification_body(row: Notification, language: Language) -> dict[str, Any]:
    """A notification as callers see it, in their language."""
    zh = language == "zh-CN"
    return {
        "id": row.id,
        "kind": row.kind,
        "matter": row.matter,
        "episode": row.episode,
        "project_id": row.project_id,
        "zone": row.zone,
        "demo": row.demo,
        "gap": list(row.gap) if row.gap else None,
        "rule": row.rule,
        "level": row.level,
        "recipient": row.recipient,
        "status": row.status,
        "title": row.texts.title_zh if zh else row.texts.title_en,
        "text": row.texts.text_zh if zh else row.texts.text_en,
        "url": row.url,
        "created_at": row.created_at,
        "deliveries": [
            {
                "channel": d.channel,
                "status": d.status,
                "attempts": d.attempts,
                "sent_at": d.sent_at,
                "error": d.error,
                "next_at": d.due_at if d.status == "queued" else None,
                "history": [asdict(tried) for tried in d.tried],
            }
            for d in row.deliveries
        ],
        "urgent": row.urgent,
        **({"items": [line_body(line, language) for line in row.sheet.lines]} if row.sheet is not None else {}),
    }


def line_body(line: Line, language: Language) -> dict[str, Any]:
    """A line of a digest as callers see it, in their language."""
    return {
        "group": line.group,
        "text": line.zh if language == "zh-CN" else line.en,
        "number": line.number,
        "url": line.url,
        "project_id": line.project_id,
        **({"light": line.light} if line.light is not None else {}),
    }


def matter_body(matter: Matter, scene: Scene | None, language: Language, today: date) -> dict[str, Any]:
    """A matter as callers see it, in their language; an open one's reason counts the days up to today.

    `scene`: where it stands on its ladder; None of a matter that has none.
    """
    facts = matter.facts
    reason = facts.get("reason")
    day = today if matter.state != "cleared" else None
    return {
        "id": matter.id,
        "kind": matter.kind,
        "project_id": matter.project_id,
        "name": facts.get("name"),
        "zone": matter.zone,
        "gap": facts.get("gap"),
        "blocker": facts.get("blocker"),
        "owner": facts.get("owner"),
        "fault": facts.get("fault"),
        "state": matter.state,
        "episode": matter.episode,
        "round": matter.round,
        "opened_at": matter.opened_at,
        "cleared_at": matter.cleared_at,
        "clearing": _clearing(matter.clearing),
        "rule": facts.get("rule"),
        "due": facts.get("due"),
        "red_since": facts.get("red_since"),
        "reason": {"code": reason["code"], "text": reasons.text(reason, language, day)} if reason else None,
        "recipients": list(matter.recipients),
        "people": list(matter.people),
        "level": matter.last_telling.level,
        "ladder": _ladder(scene) if scene is not None and matter.state == "open" else None,
        "acts": [
            {"id": entry.id, "act": entry.kind, "by": entry.by, "at": entry.at, "data": dict(entry.data)}
            for entry in matter.entries
        ],
    }


def _ladder(scene: Scene) -> dict[str, Any]:
    """Where an open matter stands: what is awaited, of whom, by when, and who is told when it does not come."""
    stands = scene.standing
    return {
        "phase": stands.phase,
        "by": stands.by.isoformat() if stands.by is not None else None,
        "climbs_at": stands.climbs,
        "next": {"role": stands.next.role, "recipient": stands.next.recipient} if stands.next is not None else None,
        "to_sign": list(scene.signers),
        "to_review": list(scene.above) if stands.phase == "in-review" else [],
    }


def _telling(telling: Telling) -> dict[str, Any]:
    return {
        "kind": telling.kind,
        "level": telling.level,
        "round": telling.round,
        "at": telling.at,
        "role": telling.role,
        "recipients": list(telling.recipients),
        "why": telling.why,
    }


def _clearing(clearing: Any) -> dict[str, Any] | None:
    """Why an episode ended: the code, the date of what ended it, the activation of the rules at that time."""
    return None if clearing is None else {key: clearing[key] for key in ("code", "date", "ruleset") if key in clearing}


def _past(episode: Any) -> dict[str, Any]:
    facts = episode["facts"]
    return {
        "episode": episode["episode"],
        "opened_at": episode["opened_at"],
        "cleared_at": episode["cleared_at"],
        "clearing": _clearing(episode["clearing"]),
        "due": facts.get("due"),
        "rule": facts.get("rule"),
    }


def _choice(name: str, allowed: tuple[str, ...]) -> str | None:
    text = request.args.get(name)
    if text is not None and text not in allowed:
        raise bad_parameter(name, "not-allowed", allowed=", ".join(allowed))
    return text


def _instant(name: str) -> str | None:
    """Any RFC 3339 moment with its offset, as an instant."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as exc:
        raise bad_parameter(name, "bad-instant") from exc
