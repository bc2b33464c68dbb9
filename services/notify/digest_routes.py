"""The route of digests: what a recipient's next one would say if it were written now."""

from __future__ import annotations

from flask import Flask, Response, request

from luodi.runtime import http
from luodi.runtime.clock import Clock
from services.notify.composing import Composer
from services.notify.contact_routes import PRIVATE
from services.notify.contacts import zone_of
from services.notify.digest import texts_of
from services.notify.digesting import Digesting
from services.notify.hours import Hours, next_opening
from services.notify.http import line_body


def digest_routes(app: Flask, digesting: Digesting, composer: Composer, hours: Hours | None, clock: Clock) -> None:
    """Put the route on the application. `hours` None: there are no digests, each message goes at once."""

    @app.get("/v1/digests/<recipient>")
    def digest(recipient: str) -> Response:
        http.known_parameters("channel")
        channel = digesting.channel_of(recipient, request.args.get("channel"))
        sheet = digesting.preview(recipient, channel)
        language, now = http.language(), clock.now_text()
        texts = texts_of(composer.calendar.business_date(now), sheet, ())
        zh = language == "zh-CN"
        calendar = composer.calendar.of(zone_of(recipient))
        return http.answer(
            {
                "recipient": recipient,
                "channel": channel or None,
                "goes_at": next_opening(now, hours, calendar) if hours is not None and channel else None,
                "title": texts.title_zh if zh else texts.title_en,
                "text": texts.text_zh if zh else texts.text_en,
                "items": [line_body(line, language) for line in sheet.lines],
            },
            headers={"Vary": "Accept-Language", **PRIVATE},
        )
