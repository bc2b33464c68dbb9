"""The route of the watch over ourselves: what is wrong with the system itself, as far as notify knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Flask, Response

from luodi.domain.stages import Language
from luodi.runtime import http
from luodi.runtime.clock import Clock
from services.notify.beats import Beat, BeatStore, Late, late
from services.notify.composing import Composer
from services.notify.matters import Matter
from services.notify.reach import Failing, ReachStore
from services.notify.selfwatch import MatterStore


def selfwatch_routes(
    app: Flask,
    matters: MatterStore,
    beats: BeatStore,
    reached: ReachStore,
    composer: Composer,
    clock: Clock,
    today: Callable[[], date],
) -> None:
    """Put the route on the application."""

    @app.get("/v1/self-watch")
    def selfwatch() -> Response:
        http.known_parameters()
        language, wall = http.language(), clock.wall_text()
        known = beats.read()
        missed = late(known, wall)
        faults = sorted(matters.open_faults(None), key=lambda matter: (matter.opened_at, matter.id))
        return http.answer(
            {
                "faults": [_fault(matter, composer, today(), language) for matter in faults],
                "notifiers": [_notifier(beat, missed) for beat in known],
                "failing": [_address(row) for row in reached.read().failing],
            },
            headers={"Vary": "Accept-Language"},
        )


def _fault(matter: Matter, composer: Composer, today: date, language: Language) -> dict[str, Any]:
    texts = composer.standing_texts(matter, today)
    zh = language == "zh-CN"
    return {
        "matter": matter.id,
        "fault": matter.facts["fault"],
        "opened_at": matter.opened_at,
        "title": texts.title_zh if zh else texts.title_en,
        "text": texts.text_zh if zh else texts.text_en,
    }


def _notifier(beat: Beat, missed: list[Late]) -> dict[str, Any]:
    return {
        "slot": beat.slot,
        "at": beat.at,
        "partitions": sorted(beat.partitions),
        "jobs": dict(sorted(beat.jobs.items())),
        "late": sorted(one.job for one in missed if one.slot == beat.slot),
    }


def _address(row: Failing) -> dict[str, Any]:
    """An address, told by whose it is: how it is written stays with the contact."""
    return {
        "channel": row.channel,
        "recipient": row.recipient,
        "attempts": row.attempts,
        "since": row.since,
        "last": row.last,
        "error": row.error,
    }
