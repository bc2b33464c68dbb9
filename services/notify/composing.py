"""From a matter to the rows of the ledger: who is told what, on which channels, under which id."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import quote

from luodi.domain.calendar import Calendar
from luodi.domain.stages import Language
from luodi.domain.subjects import id_of, is_project
from luodi.runtime.configuration import Zone
from services.notify.hours import USUAL, Hours, next_opening, wait_s
from services.notify.ladder import ladder_from
from services.notify.matters import FIRST_LEVEL, HANDOVER, RULES_CHANGED, Matter, Telling
from services.notify.milestone_reports import MilestoneReport, report_texts
from services.notify.notifications import (
    Delivery,
    Notification,
    Texts,
    fresh_deliveries,
    held_deliveries,
    never_told,
    notification_id,
)
from services.notify.texts import clearing_texts, telling_texts
from services.notify.watches import Watch

ORDERS_PER_EPISODE = 1000  # room for the tellings of an episode, all before its all-clear
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
    digested: Collection[str] = ()  # channels on which what is not urgent waits for its recipient's digest
    hours: Hours = USUAL  # of those who have none of their own

    def openings(
        self, matter: Matter, channels: Sequence[str], wall: str, own: OwnChannels = NO_OWN
    ) -> list[Notification]:
        """The messages of the matter's newest telling, one per recipient, on these channels and on each one's own."""
        telling = matter.newest_telling
        urgent = is_urgent(matter, telling)
        return self._rows(
            matter,
            telling,
            lambda who: self._deliveries(self._all(matter, who, channels, own), telling.at, wall, urgent=urgent),
        )

    def told_of_report(
        self,
        watch: Watch,
        report: MilestoneReport,
        told: Sequence[str],
        channels: Sequence[str],
        now: str,
        wall: str,
        own: OwnChannels = NO_OWN,
    ) -> list[Notification]:
        """The messages about a report of a milestone, one per receiver; never urgent."""
        ways = self.ways(watch.zone, channels, own)
        return [
            Notification(
                id=notification_id(report.matter, 1, 1, report.kind, FIRST_LEVEL, who),
                matter=report.matter,
                episode=1,
                round=1,
                order=ORDERS_PER_EPISODE,
                kind=report.kind,
                level=FIRST_LEVEL,
                recipient=who,
                partition=watch.partition,
                project_id=watch.project_id,
                zone=watch.zone,
                demo=self.is_demo(watch.zone),
                gap=None,
                rule=None,
                texts=report_texts(watch, report, who, self.zone_name),
                url=f"{self.public_url}{_page_of(watch.project_id)}" if self.public_url else None,
                created_at=now,
                traceparent=watch.traceparent,
                deliveries=self._deliveries(ways(who), now, wall, urgent=False),
            )
            for who in told
        ]

    def ways(self, zone: str | None, channels: Sequence[str], own: OwnChannels) -> Callable[[str], Sequence[str]]:
        """The channels of each recipient. Of invented data nobody is told outside, but for the operator's own receiver,
        which sees that it is."""
        demo = self.is_demo(zone)
        return lambda who: channels if demo else [*channels, *own.get(who, ())]

    def standing_texts(self, matter: Matter, today: date) -> Texts:
        """What was told last of an open matter, as it reads today."""
        return telling_texts(matter, matter.last_telling, today, self.zone_name)

    def _deliveries(self, channels: Sequence[str], now: str, wall: str, *, urgent: bool) -> tuple[Delivery, ...]:
        wait = [channel for channel in channels if channel in self.digested and not urgent]
        at_once = [channel for channel in channels if channel not in wait]
        return fresh_deliveries(at_once, now, wall) + held_deliveries(wait)

    def untold(self, matter: Matter, channels: Sequence[str], own: OwnChannels = NO_OWN) -> list[Notification]:
        """The messages of the whole episode, for one that was over before they were written: they say so and block
        their ids, so that nobody can write one of them afterwards."""
        return [
            row
            for telling in matter.all_tellings
            for row in self._rows(matter, telling, lambda who: never_told(self._all(matter, who, channels, own)))
        ]

    def _all(self, matter: Matter, who: str, channels: Sequence[str], own: OwnChannels) -> Sequence[str]:
        avoided = matter.facts.get("avoids")  # the channel whose own failing is to be told
        return [channel for channel in self.ways(matter.zone, channels, own)(who) if channel != avoided]

    def is_demo(self, zone_id: str | None) -> bool:
        """Whether a zone's data is invented."""
        zone = self.zones.get(zone_id) if zone_id else None
        return zone is not None and zone.demo

    def all_clear(self, matter: Matter, told: Sequence[Notification], wall: str) -> Notification | None:
        """The message that ends what one recipient was told, on the channels it was attempted on; None when there is
        none. `told`: that recipient's messages of the episode, in their order.

        A warning alone needs none. Of what other rules ended nobody is told, but where a message is still on its way.

        Whoever was told urgently is told of the end at once, too, within the working hours; at another hour only in the
        same night, so that whoever was woken learns that it is over, and nobody is woken by good news alone.
        """
        quiet = (matter.clearing or {}).get("code") == RULES_CHANGED
        reds = [row for row in told if row.kind != "warning"]
        found = (channel for row in reds for channel in (row.under_way if quiet else row.attempted))
        channels = tuple(dict.fromkeys(found))
        if not channels or matter.cleared_at is None:
            return None
        texts = clearing_texts(matter, self.calendar.business_date(matter.cleared_at), self.zone_name)
        first, fault = reds[0], matter.kind == "operations"
        by_day, same_night = self._ends(matter, matter.cleared_at, reds)
        at_once = [c for c in channels if fault or ((by_day or same_night) and _heard_urgently(reds, c))]
        deliveries = self._deliveries(at_once, matter.cleared_at, wall, urgent=True)
        deliveries += self._deliveries([c for c in channels if c not in at_once], matter.cleared_at, wall, urgent=False)
        return replace(
            first,
            id=notification_id(matter.id, matter.episode, matter.round, "cleared", FIRST_LEVEL, first.recipient),
            kind="cleared",
            level=FIRST_LEVEL,
            round=matter.round,
            order=matter.episode * ORDERS_PER_EPISODE + LAST_ORDER,
            texts=texts,
            created_at=matter.cleared_at,
            traceparent=matter.traceparent,
            deliveries=deliveries,
            version=1,
            urgent=fault or same_night,
        )

    def _ends(self, matter: Matter, ended_at: str, reds: Sequence[Notification]) -> tuple[bool, bool]:
        """Whether it ended within working hours; and whether in the same night in which it was told urgently."""
        calendar = self.calendar.of(matter.zone)
        told_at = max((row.created_at for row in reds if row.urgent), default=None)
        by_night = told_at is not None and wait_s(told_at, self.hours, calendar) > 0
        same_night = told_at is not None and by_night and ended_at < next_opening(told_at, self.hours, calendar)
        return wait_s(ended_at, self.hours, calendar) == 0, same_night

    def _rows(
        self, matter: Matter, telling: Telling, deliveries: Callable[[str], tuple[Delivery, ...]]
    ) -> list[Notification]:
        facts = {**matter.facts, **telling.facts}
        gap = facts.get("gap")
        texts = telling_texts(matter, telling, self.calendar.business_date(telling.at), self.zone_name)
        place = matter.all_tellings.index(telling)
        return [
            Notification(
                id=notification_id(matter.id, matter.episode, telling.round, telling.kind, telling.level, recipient),
                matter=matter.id,
                episode=matter.episode,
                round=telling.round,
                order=matter.episode * ORDERS_PER_EPISODE + min(place, LAST_ORDER - 1),
                kind=telling.kind,
                level=telling.level,
                recipient=recipient,
                partition=matter.partition,
                project_id=matter.project_id,
                zone=matter.zone,
                demo=self.is_demo(matter.zone),
                gap=(gap[0], gap[1]) if gap else None,
                rule=facts.get("rule"),
                texts=texts,
                url=f"{self.public_url}/matters/{quote(matter.id, safe='')}" if self.public_url else None,
                created_at=telling.at,
                traceparent=matter.traceparent,
                deliveries=deliveries(recipient),
                urgent=is_urgent(matter, telling),
            )
            for recipient in telling.recipients
        ]

    def zone_name(self, zone_id: str | None, language: Language) -> str:
        """What a zone is called."""
        zone = self.zones.get(zone_id) if zone_id else None
        if zone is None:
            return zone_id or ("未定高新区" if language == "zh-CN" else "No zone")
        return zone.name if language == "zh-CN" else zone.name_en


def _page_of(subject: str) -> str:
    """Where the pages show what a report is about."""
    shelf = "projects" if is_project(subject) else "decisions"
    return f"/{shelf}/{quote(id_of(subject), safe='')}"


def _heard_urgently(rows: Sequence[Notification], channel: str) -> bool:
    """Whether one of them went out there by itself, and none of them is on its way in a digest."""
    found = [(row.urgent, delivery) for row in rows if (delivery := row.delivery(channel)) is not None]
    by_itself = any(urgent and delivery.attempts > 0 for urgent, delivery in found)
    return by_itself and all(delivery.status != "carried" for _, delivery in found)


def is_urgent(matter: Matter, telling: Telling) -> bool:
    """Whether its messages go at once, at any hour: faults, and reds that reach the leader the same day."""
    if telling.kind == "operations":
        return True
    return telling.kind not in ("warning", HANDOVER) and ladder_from(matter.facts).same_day
