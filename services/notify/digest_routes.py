"""The routes of digests: what a recipient's next one, and the next weekly report, would say if it were written now."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from luodi.domain.stages import Language
from luodi.runtime import http
from luodi.runtime.clock import Clock
from services.notify.contact_routes import PRIVATE
from services.notify.digesting import Digesting
from services.notify.http import line_body
from services.notify.notifications import Texts
from services.notify.weekly import Entry, Weekly, why


def digest_routes(app: Flask, digesting: Digesting, weekly: Weekly, clock: Clock, *, always: bool) -> None:
    """Put the routes on the application. `always`: there are no digests, each message goes at once."""
    headers = {"Vary": "Accept-Language", **PRIVATE}

    @app.get("/v1/digests/<recipient>")
    def digest(recipient: str) -> Response:
        http.known_parameters("channel")
        channel = digesting.channel_of(recipient, request.args.get("channel"))
        sheet, texts = digesting.preview(recipient, channel)
        language = http.language()
        goes_at = digesting.goes_at(recipient, clock.now_text()) if channel and not always else None
        return http.answer(
            {
                "recipient": recipient,
                "channel": channel or None,
                "goes_at": goes_at,
                **_said(texts, language),
                "items": [line_body(line, language) for line in sheet.lines],
            },
            headers=headers,
        )

    @app.get("/v1/reports/<recipient>")
    def report(recipient: str) -> Response:
        http.known_parameters()
        found, texts = digesting.report(recipient)
        language, now = http.language(), clock.now_text()
        return http.answer(
            {
                "recipient": recipient,
                "goes_at": None if always else digesting.reports_at(recipient, now),
                **_said(texts, language),
                "total": len(found.entries),
                "lights": {light or "none": count for light, count in sorted(found.lights.items(), key=str)},
                "items": [_entry(entry, weekly, language, now) for entry in found.entries[:MAX_SHOWN]],
            },
            headers=headers,
        )


MAX_SHOWN = 500  # the worst lights first, as many as any list shows on one page


def _said(texts: Texts, language: Language) -> dict[str, Any]:
    zh = language == "zh-CN"
    return {"title": texts.title_zh if zh else texts.title_en, "text": texts.text_zh if zh else texts.text_en}


def _entry(entry: Entry, weekly: Weekly, language: Language, now: str) -> dict[str, Any]:
    project, outline, today = entry.project, entry.project.outline, weekly.today(now)
    said = why(entry, language, today)
    return {
        "project_id": project.id,
        "name": project.name,
        "zone": project.zone,
        "status": project.status,
        "light": entry.lit.light if entry.lit is not None else None,
        "stage": outline.stage if outline is not None else None,
        "stage_since": outline.since if outline is not None else None,
        "days_in_stage": entry.days,
        "next_stage": outline.awaited if outline is not None else None,
        "due": entry.due,
        "reason": {"code": entry.lit.reason["code"], "text": said} if entry.lit is not None and said else None,
        "text": weekly.text(entry, today, language),
        "url": weekly.url(project.id),
    }
