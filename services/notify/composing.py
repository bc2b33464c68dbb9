"""From a matter to the rows of the ledger: who is told what, on which channels, under which id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from luodi.domain.calendar import Calendar
from luodi.domain.stages import Language
from luodi.runtime.configuration import Zone
from services.notify.matters import RULES_CHANGED, Matter
from services.notify.notifications import (
    Delivery,
    Kind,
    Notification,
    Texts,
    fresh_deliveries,
    never_told,
    notification_id,
)
from services.notify.recipients import FIRST_LEVEL
from services.notify.texts import clearing_texts, opening_texts

ORDERS_PER_EPISODE = 1000  # room for the levels of an episode, all before its all-clear
LAST_ORDER = ORDERS_PER_EPISODE - 1

OwnChannels = Mapping[str, Sequence[str]]
"""Recipient -> the channels on which it has an address of its own."""

NO_OWN: OwnChannels = {}


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes notifications; everything in them follows from the matter, so writing one twice makes the same row."""

    zones: Mapping[str, Zone]
    calendar: Calendar
    public_url: str | None

    def openings(
        self, matter: Matter, channels: Sequence[str], wall: str, own: OwnChannels = NO_OWN
    ) -> list[Notification]:
        """The messages that open the episode, one per recipient, on these channels and on each recipient's own."""
        texts = opening_texts(matter, self.calendar.business_date(matter.opened_at), self._zone_name)
        return [
            self._row(
                matter, who, texts, fresh_deliveries(self._all(matter, who, channels, own), matter.opened_at, wall)
            )
            for who in matter.recipients
        ]

    def untold(self, matter: Matter, channels: Sequence[str], own: OwnChannels = NO_OWN) -> list[Notification]:
        """The same rows for an episode that was over before they were written: they say so and block their ids."""
        texts = opening_texts(matter, self.calendar.business_date(matter.opened_at), self._zone_name)
        return [
            self._row(matter, who, texts, never_told(self._all(matter, who, channels, own)))
            for who in matter.recipients
        ]

    def _all(self, matter: Matter, who: str, channels: Sequence[str], own: OwnChannels) -> Sequence[str]:
        """Of invented data nobody is told outside, but for the operator's own receiver, which sees that it is."""
        return channels if self._is_demo(matter) else [*channels, *own.get(who, ())]

    def _is_demo(self, matter: Matter) -> bool:
        zone = self.zones.get(matter.zone) if matter.zone else None
        return zone is not None and zone.demo

    def all_clear(self, matter: Matter, told: Notification, wall: str) -> Notification | None:
        """The message that ends what `told` began, on the channels it was attempted on; None when there is none.

        Of what other rules ended nobody is told, but where `told` itself is still on its way.
        """
        quiet = (matter.clearing or {}).get("code") == RULES_CHANGED
        channels = told.under_way if quiet else told.attempted
        if not channels or matter.cleared_at is None:
            return None
        texts = clearing_texts(matter, self.calendar.business_date(matter.cleared_at), self._zone_name)
        return replace(
            told,
            id=notification_id(matter.id, matter.episode, matter.round, "cleared", told.level, told.recipient),
            kind="cleared",
            order=matter.episode * ORDERS_PER_EPISODE + LAST_ORDER,
            texts=texts,
            created_at=matter.cleared_at,
            traceparent=matter.traceparent,
            deliveries=fresh_deliveries(channels, matter.cleared_at, wall),
            version=1,
        )

    def _row(self, matter: Matter, recipient: str, texts: Texts, deliveries: tuple[Delivery, ...]) -> Notification:
        kind: Kind = "operations" if matter.kind == "operations" else "stalled"
        gap = matter.facts.get("gap")
        return Notification(
            id=notification_id(matter.id, matter.episode, matter.round, kind, FIRST_LEVEL, recipient),
            matter=matter.id,
            episode=matter.episode,
            round=matter.round,
            order=matter.episode * ORDERS_PER_EPISODE + FIRST_LEVEL,
            kind=kind,
            level=FIRST_LEVEL,
            recipient=recipient,
            partition=matter.partition,
            project_id=matter.project_id,
            zone=matter.zone,
            demo=self._is_demo(matter),
            gap=(gap[0], gap[1]) if gap else None,
            rule=matter.facts.get("rule"),
            texts=texts,
            url=f"{self.public_url}/matters/{quote(matter.id, safe='')}" if self.public_url else None,
            created_at=matter.opened_at,
            traceparent=matter.traceparent,
            deliveries=deliveries,
        )

    def _zone_name(self, zone_id: str | None, language: Language) -> str:
        zone = self.zones.get(zone_id) if zone_id else None
        if zone is None:
            return zone_id or ("未定高新区" if language == "zh-CN" else "No zone")
        return zone.name if language == "zh-CN" else zone.name_en
