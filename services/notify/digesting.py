"""Digests: one message per person, channel and working morning, in the place of all that is not urgent.

A person belongs to the notifier that owns the partition of the person's id. When the hours of some people begin, the
usual ones or their own, it

1. waits until every partition's news up to that instant is known and told, at most `BOUND_S`;
2. marks each message that waits for the person on a channel as carried by the day's digest: from here on it counts as
   attempted, so a stall that ends at this very moment is either left out, or named and given an all-clear;
3. writes the digest, under an id that is the same for everybody, with the ids of the messages it carries;
4. gives back what was marked and is not among them;
5. and, when the digest has been delivered or given up, marks what it carried in the same way.

Broken off anywhere it is begun again: what 2 marked is read back by whoever writes 3, and 4 and 5 follow from the row
that 3 wrote, whoever wrote it. A message is in one digest: one written without it gives it back (4), one never written
is first written as empty, so that whoever was about to write it cannot.

In the first digests of a week all projects of each person are listed besides. The inbox then has one of its own, of the
projects alone: what else a digest tells stands there already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from itertools import chain, islice
from typing import Protocol

from luodi.domain.calendar import Calendar
from luodi.domain.days import END_OF_TIME
from luodi.runtime import kafka, logging
from luodi.runtime.clock import Clock
from luodi.runtime.metrics import Metrics
from services.notify.alarms import age_s
from services.notify.channels import Addressed, Channel
from services.notify.channels.inbox import NAME as INBOX
from services.notify.composing import Composer, OwnChannels
from services.notify.contacts import Contact, zone_of
from services.notify.digest import digest_id, digest_of, sheet_of, texts_of
from services.notify.digest_store import DigestStore, Morning
from services.notify.hours import Hours, HoursOf, begins_week, closing, next_opening, opening
from services.notify.ledger import NotificationStore, Transition, settle
from services.notify.looking import Looks, is_muted, verdict
from services.notify.matters import FIRST_LEVEL, Matter, still_holds
from services.notify.notifications import Delivery, Notification, Sheet, Texts
from services.notify.recipients import may_sign, owner_of
from services.notify.watches import Watch
from services.notify.weekly import Report, Roster, Weekly

BOUND_S = 60.0  # a partition that brings nothing new holds up the morning so long, and is then named as missing
SETTLE_EVERY_S = 5.0
MAX_CARRIED = 10_000  # with so many lines a digest's row stays well within a document's 16 MB
CONTACTS = 500  # read together
PEOPLE = 200  # whose hours and channels are read together
HOURS_EVERY_S = 30.0  # how often is asked when people's own hours begin
MATTERS = 500
BATCH = 500

log = logging.get("digests")


class ContactPages(Protocol):
    """The contacts, in pages."""

    def page(self, after: str | None, limit: int) -> list[Contact]:
        """Contacts by recipient, after that one."""


class OpenMatters(Protocol):
    """The matters of a person, in pages."""

    def page(
        self,
        *,
        zone: str | None,
        state: str | None,
        people: Collection[str] | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Matter]:
        """Those opened last first, after a place."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a notifier knows of the topic: how many partitions it has, which are its own, and up to which instant what
    was due on each of them has been told."""

    count: int
    passed: Mapping[int, str]  # owned partition -> instant; "" when nothing is known of it yet


@dataclass(frozen=True, slots=True)
class Page:
    """The digests of one day, as they are written: what is missing in them, and who has which projects."""

    day: date
    missing: Sequence[int]
    roster: Roster | None  # None: no week begins, and none was missed
    missed: Collection[int] = ()  # partitions whose people have had no digest in a week that has begun before


class Digesting:
    """One notifier's part of the digests. `run` is called about once a second and mostly finds nothing to do."""

    def __init__(
        self,
        *,
        notifications: NotificationStore,
        digests: DigestStore,
        matters: OpenMatters,
        contacts: ContactPages,
        own: Callable[[Collection[str]], OwnChannels],
        addressed: Mapping[str, Addressed],
        looks: Looks,
        composer: Composer,
        weekly: Weekly,
        topic: Callable[[], Topic | None],
        hours: HoursOf,
        head_of: Callable[[str | None], str | None],
        clock: Clock,
        metrics: Metrics,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`own`: the channels in use of each recipient; `head_of`: who stands at the top of a zone's ladder; `stopped`:
        the process ends, so a morning is left as it is. The watches that `looks` reads say who acts today."""
        self._notifications = notifications
        self._digests = digests
        self._matters = matters
        self._contacts = contacts
        self._own = own
        self._addressed = addressed
        self._looks = looks
        self._composer = composer
        self._weekly = weekly
        self._topic = topic
        self._hours = hours
        self._head_of = head_of
        self._clock = clock
        self._metrics = metrics
        self._stopped = stopped
        self._day: date | None = None
        self._morning = Morning()  # of this day, as far as this process has heard
        self._begun = ""  # the last beginning of anybody's hours on it, and since when this process knows that it came
        self._since = ""
        self._beginnings: set[time] = set()
        self._asked_at = float("-inf")
        self._settled_at = float("-inf")

    def run(self) -> int:
        """Do what is due; returns how many digests were written. Raises TransientError."""
        topic = self._topic()
        if topic is None or not topic.passed:
            return 0
        if self._clock.monotonic() - self._settled_at >= SETTLE_EVERY_S:
            self._settled_at = self._clock.monotonic()
            for digest in self._digests.unsettled(topic.passed):
                self._settle(digest)
        now = self._clock.now_text()
        day = self._composer.calendar.business_date(now)
        if day != self._day:
            self._day, self._morning, self._begun = day, Morning(), ""
        step = self._last_beginning(day, now)
        if step is None or not self._open_yet(step, topic):
            return 0
        if step != self._begun:
            self._begun, self._since = step, now
        self._look_at(day, step, topic)
        open_yet = self._open_yet(step, topic)
        if not open_yet:
            return 0
        missing = [p for p in range(topic.count) if self._morning.known.get(p, "") < step]
        if missing and age_s(max(step, self._since), now) < BOUND_S:
            return 0
        return self._write_all(day, step, open_yet, missing, topic.count)

    def channel_of(self, recipient: str, channel: str | None) -> str:
        """The channel asked for, if it is one of the recipient's; else the first of those in use; "": there is none."""
        in_use = self._own([recipient]).get(recipient, ())
        return channel if channel in in_use and channel is not None else next(iter(in_use), "")

    def goes_at(self, recipient: str, now: str) -> str:
        """When the recipient's next digest is written. Raises TransientError."""
        return next_opening(now, self._hours.of([recipient])[recipient], self._calendar(recipient))

    def reports_at(self, recipient: str, now: str) -> str:
        """When the recipient's next weekly report is written. Raises TransientError."""
        found, calendar = self.goes_at(recipient, now), self._calendar(recipient)
        while not begins_week(calendar.business_date(found), calendar):
            found = self.goes_at(recipient, found)
        return found

    def preview(self, recipient: str, channel: str) -> tuple[Sheet, Texts]:
        """What the recipient's next digest on a channel would say if it were written now. Raises TransientError."""
        carried = self._fit(recipient, channel, step_aside=False)
        now, calendar = self._clock.now_text(), self._calendar(recipient)
        report = None
        if begins_week(calendar.business_date(self.goes_at(recipient, now)), calendar):
            found = self._weekly.outside(self._weekly.of(recipient, now))
            report = found if found.entries else None
        sheet = self._sheet(recipient, channel, carried, report)
        return sheet, texts_of(calendar.business_date(now), sheet, (), report)

    def report(self, recipient: str) -> tuple[Report, Texts]:
        """The recipient's projects as a weekly report would list them now. Raises TransientError."""
        now = self._clock.now_text()
        report = self._weekly.of(recipient, now)
        return report, texts_of(self._composer.calendar.business_date(now), Sheet((), ()), (), report)

    def _calendar(self, recipient: str) -> Calendar:
        return self._composer.calendar.of(zone_of(recipient))

    # -- the morning --------------------------------------------------------------------------------------------------

    def _last_beginning(self, day: date, now: str) -> str | None:
        """The last instant of the day, up to now, at which somebody's hours begin."""
        if self._clock.monotonic() - self._asked_at >= HOURS_EVERY_S:
            self._beginnings = self._hours.beginnings()
            self._asked_at = self._clock.monotonic()
        calendar = self._composer.calendar
        instants = (opening(day, Hours(opens=begins), calendar) for begins in self._beginnings)
        return max((instant for instant in instants if instant <= now), default=None)

    def _open_yet(self, step: str, topic: Topic) -> list[int]:
        """Our partitions whose people do not all have their digests."""
        return sorted(p for p in topic.passed if self._morning.done.get(p, "") < step)

    def _look_at(self, day: date, step: str, topic: Topic) -> None:
        known = [p for p, until in topic.passed.items() if until >= step and self._morning.known.get(p, "") < step]
        if known:
            self._digests.note_known(day, known, step)
        self._morning = self._digests.morning(day)

    def _write_all(self, day: date, step: str, partitions: Sequence[int], missing: Sequence[int], count: int) -> int:
        """Write the digests of everybody whose hours have begun, up to `step`, since the last time."""
        began, written = self._clock.monotonic(), 0
        page = self._page(day, missing, partitions)
        people = self._people(set(partitions), count, page.roster or ())
        while some := dict(islice(people, PEOPLE)):
            hours, in_use, now = self._hours.of(some), self._own(some), self._clock.now_text()
            for recipient, partition in some.items():
                if self._stopped():
                    return written
                calendar = self._calendar(recipient)
                begins = opening(day, hours[recipient], calendar)
                is_due = self._morning.done.get(partition, "") < begins <= step
                if is_due and calendar.is_workday(day) and now < closing(day, hours[recipient], calendar):
                    written += self._write_for(recipient, in_use.get(recipient, ()), partition, page)
        self._digests.note_done(day, partitions, step)
        self._morning = self._digests.morning(day)
        if written:
            log.info(
                "digests.written",
                day=day.isoformat(),
                digests=written,
                missing=list(missing),
                ms=round((self._clock.monotonic() - began) * 1000, 1),
            )
        return written

    def _page(self, day: date, missing: Sequence[int], partitions: Sequence[int]) -> Page:
        missed = self._missed(day, partitions)
        reported = missed or self._may_begin_week(day)
        return Page(day, missing, self._weekly.roster(day) if reported else None, missed)

    def _missed(self, day: date, partitions: Sequence[int]) -> list[int]:
        """The partitions for which notify was away on every working morning of this week, though not of the one before:
        for a system that is new the next week is the first."""
        monday, is_workday = day - timedelta(days=day.weekday()), self._composer.calendar.is_workday
        this_week = [one for n in range(day.weekday()) if is_workday(one := monday + timedelta(days=n))]
        if not this_week:
            return []
        if not any(self._digests.morning(monday - timedelta(days=n)).done for n in range(1, 8)):
            return []
        had = {p for one in this_week for p in self._digests.morning(one).done}
        return [p for p in partitions if p not in had]

    def _may_begin_week(self, day: date) -> bool:
        """Whether the day is the first one worked in its week in any zone: most zones work on the same days."""
        calendar = self._composer.calendar
        return any(begins_week(day, one) for one in [calendar, *map(calendar.of, self._composer.zones)])

    def _people(self, partitions: Collection[int], count: int, besides: Collection[str]) -> Iterator[tuple[str, int]]:
        """Everybody with an address of their own, for whom something waits, or `besides`, whose ids belong here."""
        seen: set[str] = set()
        for recipient in chain(self._recipients(), sorted(besides)):
            partition = kafka.partition_for(recipient, count)
            if partition in partitions and recipient not in seen:
                seen.add(recipient)
                yield recipient, partition

    def _recipients(self) -> Iterator[str]:
        after: str | None = None
        while page := self._contacts.page(after, CONTACTS):
            yield from (contact.recipient for contact in page if contact.ways)
            after = page[-1].recipient
        yield from sorted(self._digests.waiting())

    # -- one person ---------------------------------------------------------------------------------------------------

    def _write_for(self, recipient: str, in_use: Sequence[str], partition: int, page: Page) -> int:
        written = 0
        inside = self._report(recipient, partition, page)
        outside = self._weekly.outside(inside) if inside is not None and in_use else inside
        for channel in self._addressed:
            if channel in in_use:
                written += self._write(recipient, channel, partition, page, outside)
            else:
                self._fit(recipient, channel)  # what waits there is given up
        if inside is not None and inside.entries:
            sheet = Sheet(self._weekly.lines(inside, self._clock.now_text()), ())
            written += self._insert(recipient, INBOX, partition, page, sheet, inside)
        return written

    def _report(self, recipient: str, partition: int, page: Page) -> Report | None:
        """What the recipient's projects add to this day's digests; None where no week begins, or there are none."""
        is_due = partition in page.missed or begins_week(page.day, self._calendar(recipient))
        if page.roster is None or not is_due:
            return None
        ids = page.roster.get(recipient)
        return self._weekly.of(recipient, self._clock.now_text(), ids) if ids is not None else None

    def _write(self, recipient: str, channel: str, partition: int, page: Page, report: Report | None) -> bool:
        name = digest_id(recipient, channel, page.day)
        self._clear_up(recipient, channel, name)
        if self._notifications.get(name) is not None:
            return False
        self._step(self._fit(recipient, channel), lambda row: row.carried(channel, name))
        carried = self._carried_by(name, recipient, channel)
        sheet = self._sheet(recipient, channel, carried, report)
        if not sheet.lines:
            return False
        written = self._insert(recipient, channel, partition, page, sheet, report)
        self._clear_up(recipient, channel, "")  # another may have written it without some of what was marked
        return written

    def _insert(
        self, recipient: str, channel: str, partition: int, page: Page, sheet: Sheet, report: Report | None
    ) -> bool:
        row = digest_of(
            recipient,
            channel,
            page.day,
            sheet,
            partition=partition,
            missing=page.missing,
            public_url=self._composer.public_url,
            now=self._clock.now_text(),
            wall=self._clock.wall_text(),
            report=report,
        )
        written = row.id in self._notifications.insert([row])
        if written:
            self._metrics.notifications.labels("digest").inc()
        return written

    def _fit(self, recipient: str, channel: str, *, step_aside: bool = True) -> list[Notification]:
        """Of what waits, the messages that go into the next digest. What never will is marked so."""
        held = self._digests.held(recipient, channel, MAX_CARRIED)
        if not held:
            return []
        receivers = dict(zip([row.id for row in held], self._addressed[channel].to(held), strict=True))
        known: dict[str, tuple[Notification, Channel]] = {
            row.id: (row, to) for row in held if (to := receivers[row.id]) is not None
        }
        now = self._clock.now_text()
        seen = self._looks.seen(known, channel, now, own=True)
        verdicts = {row.id: verdict(row, receivers[row.id], channel, seen, now) for row in held}
        untold = self._ends_of_nothing(recipient, channel, [row for row in held if verdicts[row.id] == "go"])
        if step_aside:
            gone = [row for row in held if verdicts[row.id] in ("no-address", "endpoint-disabled")]
            self._step(gone, lambda row: row.unreachable(channel, verdicts[row.id]))
            over = [row for row in held if verdicts[row.id] == "over" or row.id in untold]
            self._step(over, lambda row: row.superseded())
        return [row for row in held if verdicts[row.id] == "go" and row.id not in untold]

    def _ends_of_nothing(self, recipient: str, channel: str, rows: Sequence[Notification]) -> set[str]:
        """All-clears of stalls that this channel was never told of after all: their digest was not sent."""
        ends = [row for row in rows if row.kind == "cleared"]
        if not ends:
            return set()
        told = {
            (row.matter, row.episode)
            for row in self._digests.told(recipient, {row.matter for row in ends})
            if row.kind != "cleared" and channel in row.attempted
        }
        return {row.id for row in ends if (row.matter, row.episode) not in told}

    def _sheet(
        self, recipient: str, channel: str, carried: Sequence[Notification], report: Report | None = None
    ) -> Sheet:
        sheet = sheet_of(carried, self._standing(recipient, channel, {row.matter for row in carried}))
        if report is None:
            return sheet
        room = max(0, MAX_CARRIED - len(sheet.lines))
        return replace(sheet, lines=(*sheet.lines, *self._weekly.lines(report, self._clock.now_text())[:room]))

    def _standing(self, recipient: str, channel: str, told_now: Collection[str]) -> list[tuple[Notification, Texts]]:
        """What is open, was told to the recipient before, is neither about to end nor muted, and was not taken over by
        another since: each with how it reads today. `told_now`: matters that are told of by themselves."""
        matters = {matter.id: matter for matter in self._open(recipient) if matter.id not in told_now}
        if not matters:
            return []
        last: dict[str, Notification] = {}
        for row in sorted(self._digests.told(recipient, matters), key=lambda r: r.order):
            if row.episode == matters[row.matter].episode:
                last[row.matter] = row
        projects = {m.project_id for m in matters.values() if m.project_id}
        watches, now = self._looks.watches.get_many(projects), self._clock.now_text()
        silences = self._looks.silent(projects, watches, now)
        today = self._composer.calendar.business_date(now)
        return [
            (row, self._composer.standing_texts(matters[row.matter], today))
            for row in last.values()
            if not _waits(row, channel)
            and still_holds(matters[row.matter], watches.get(row.project_id or ""), now)
            and not is_muted(matters[row.matter], watches.get(row.project_id or ""), silences, now)
            and self._is_theirs(recipient, matters[row.matter], watches.get(row.project_id or ""))
        ]

    def _is_theirs(self, recipient: str, matter: Matter, watch: Watch | None) -> bool:
        """Whether an open stall still concerns somebody who was told of it."""
        if watch is None:
            return True
        owner = owner_of(watch, matter.id)
        return recipient in may_sign(watch, FIRST_LEVEL, self._head_of(watch.zone), owner)

    def _open(self, recipient: str) -> Iterator[Matter]:
        place: tuple[str, str] | None = None
        while page := self._matters.page(zone=None, state="open", people=[recipient], before=place, limit=MATTERS):
            yield from (m for m in page if m.kind != "operations" and not self._composer.is_demo(m.zone))
            if len(page) < MATTERS:
                return
            place = page[-1].opened_at, page[-1].id

    # -- what a digest carries ----------------------------------------------------------------------------------------

    def _carried_by(self, digest: str, recipient: str, channel: str) -> list[Notification]:
        return [row for row in self._digests.carried(recipient, channel) if _carrier(row, channel) == digest]

    def _clear_up(self, recipient: str, channel: str, today: str) -> None:
        """Free what the digests of other days hold and will not deliver. That of `today` may still be written."""
        for name in sorted({_carrier(row, channel) or "" for row in self._digests.carried(recipient, channel)}):
            if name == today:
                continue
            digest = self._notifications.get(name) or self._written_as_empty(name, recipient, channel)
            if digest is None:
                continue
            if today and not digest.attempted:  # it was never sent: what it carries is news for today's
                digest = settle(self._notifications, name, lambda row: row.superseded(), digest) or digest
            self._settle(digest)

    def _written_as_empty(self, name: str, recipient: str, channel: str) -> Notification | None:
        """Take the id of a digest that was prepared and never written, so that nobody can write it any more."""
        day = date.fromisoformat(name.rpartition(":")[2])
        now, wall = self._clock.now_text(), self._clock.wall_text()
        row = digest_of(
            recipient,
            channel,
            day,
            Sheet((), ()),
            partition=-1,
            missing=(),
            public_url=self._composer.public_url,
            now=now,
            wall=wall,
        )
        row = replace(row, deliveries=(Delivery(channel, "superseded", 0, END_OF_TIME),))
        self._notifications.insert([row])
        return self._notifications.get(name)

    def _settle(self, digest: Notification) -> None:
        """Give back what the digest does not name; once it has ended, mark what it carried as it ended."""
        (delivery,) = digest.deliveries
        channel, sheet = delivery.channel, digest.sheet
        if sheet is None:
            return
        kept = set(sheet.carries) if delivery.status != "superseded" else set()
        rows = self._carried_by(digest.id, digest.recipient, channel)
        self._step([r for r in rows if r.id not in kept], lambda row: row.released(channel, digest.id))
        if delivery.pending:
            return
        self._step([r for r in rows if r.id in kept], lambda row: row.arrived(channel, digest))
        self._digests.mark_settled(digest.id)

    def _step(self, rows: Sequence[Notification], transition: Transition) -> None:
        """Take a step of many rows; where another step came between, again."""
        for begin in range(0, len(rows), BATCH):
            part = rows[begin : begin + BATCH]
            afters = [after for row in part if (after := transition(row)) is not None]
            written = self._notifications.replace_many(afters) if afters else set()
            for after in afters:
                if after.id not in written:
                    settle(self._notifications, after.id, transition)


def _carrier(row: Notification, channel: str) -> str | None:
    delivery = row.delivery(channel)
    return delivery.carrier if delivery is not None and delivery.status == "carried" else None


def _waits(row: Notification, channel: str) -> bool:
    delivery = row.delivery(channel)
    return delivery is not None and delivery.status == "held"
