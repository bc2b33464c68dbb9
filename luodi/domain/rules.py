"""Rules as data: which limit runs on a gap, how it warns, what may pause it, and since when it says so.

A *rule* is a clock with a name (``zone-default``). A *preset* is a file of rules that belong together; a zone lists the
presets that are active in it. A rule has *versions*, each holding from its ``valid_from`` until the next one's; before
the first the rule does not exist. A version holds *cases*: the gaps and projects it applies to, each with its limit.
Of the cases that admit a project the one that names most holds.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import combinations
from typing import Any, Literal

from luodi.domain.stages import FACTORY
from luodi.domain.statutes import NO_STATUTES, Statutes

Unit = Literal["working_days", "calendar_days", "months"]
Cause = Literal["enterprise", "government", "utility", "force_majeure", "preliminary_work"]
Since = Literal["stage", "agreed_start", "agreed_completion", "agreed_production", "plan", "last_report", "suspension"]
Until = Literal["agreed_start", "agreed_completion", "agreed_production", "plan"]
Words = Mapping[str, str]  # {"zh", "en"}

CAUSES: tuple[Cause, ...] = ("enterprise", "government", "utility", "force_majeure", "preliminary_work")
LANE_START_ON_LAND = "拿地即开工"  # the lane of a site handed over with its plan approved: start on receiving the land

ZONE_DEFAULT = "zone-default"  # the preset that is active where a zone's file lists none, and its rule
PLAN = "plan"  # the name of a clock in which a plan has taken the place of a rule's limit
PROMISE = "promise"  # the name of the clock of a blocker's promise

_BEFORE_ALL_DATES = date(1980, 1, 1).toordinal()  # no business date is earlier


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount of time."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Case:
    """The gaps and projects to which a version applies, and the limit it sets them; what is not named may be any."""

    limit: Limit | None = None  # None where the version takes a date or rounds for its limit
    gap: tuple[str, str] | None = None  # (stage reached, stage awaited)
    lane: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)  # of route, kind, class, industry, zone: the value required
    at_least: int | None = None  # investment in yuan; a project whose investment is unknown is in no band
    below: int | None = None

    @property
    def named(self) -> int:
        """How many things the case names: the more, the more specific it is."""
        band = self.at_least is not None or self.below is not None
        return len(self.traits) + (self.gap is not None) + (self.lane is not None) + band

    def admits(self, gap: tuple[str, str], profile: Profile) -> bool:
        """Whether a gap of a project of this profile is one of those it applies to."""
        if self.gap is not None and self.gap != gap:
            return False
        if self.lane is not None and self.lane not in profile.lanes:
            return False
        if any(profile.traits.get(name) != value for name, value in self.traits.items()):
            return False
        if self.at_least is None and self.below is None:
            return True
        amount = profile.investment
        return amount is not None and (self.at_least or 0) <= amount and (self.below is None or amount < self.below)

    def common(self, other: Case) -> Case | None:
        """What both admit, as a case; None when they have nothing in common.

        Cases of two lanes have nothing to decide between them: a project's first lane goes before.
        """
        if self.gap is not None and other.gap is not None and self.gap != other.gap:
            return None
        if self.lane is not None and other.lane is not None and self.lane != other.lane:
            return None
        if any(other.traits.get(name, value) != value for name, value in self.traits.items()):
            return None
        at_least = max(self.at_least or 0, other.at_least or 0)
        ends = [case.below for case in (self, other) if case.below is not None]
        if ends and min(ends) <= at_least:
            return None
        banded = any(case.at_least is not None or case.below is not None for case in (self, other))
        return Case(
            gap=self.gap or other.gap,
            lane=self.lane or other.lane,
            traits={**self.traits, **other.traits},
            at_least=at_least if banded else None,
            below=min(ends, default=None),
        )

    def covers(self, other: Case) -> bool:
        """Whether everything that ``other`` admits is admitted by this case too."""
        if self.gap is not None and self.gap != other.gap:
            return False
        if self.lane is not None and self.lane != other.lane:
            return False
        if any(other.traits.get(name) != value for name, value in self.traits.items()):
            return False
        if self.at_least is None and self.below is None:
            return True
        if other.at_least is None and other.below is None:
            return False
        ends_within = self.below is None or (other.below is not None and other.below <= self.below)
        return (other.at_least or 0) >= (self.at_least or 0) and ends_within


@dataclass(frozen=True, slots=True)
class Yellow:
    """When a clock warns. Of a limit: a share of it used, or days before it ends; of rounds: what they look for.

    A version with both ``used_percent`` and ``days_before`` takes the days for limits of more than ``over_months``
    months and for dates more than ``over_days`` days away, and the share for the others.
    """

    used_percent: int | None = None  # from the day on which this share of the limit is used, rounded up
    days_before: int | None = None  # calendar days before the due date
    over_months: int = 0
    over_days: int = 0
    after: Limit | None = None  # from the day after so much of the limit is over
    behind_plan: bool = False  # from the day after the planned date of the awaited stage
    plan_passed: bool = False  # rounds: the planned date lies in the month judged or before
    postponed: bool = False  # rounds: the plan in force is later than the baseline
    points: int | None = None  # rounds: so many points of progress behind plan, or more


@dataclass(frozen=True, slots=True)
class Red:
    """When monthly rounds turn red: after so many yellow ones in a row, or above so many points behind plan."""

    rounds: int
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """How a red climbs: the working days it waits on each step; ``same_day``: it reaches the leader on its first."""

    waits: tuple[int, ...]
    same_day: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A rule as it holds from ``valid_from`` on. Without cases the rule is repealed from that date on."""

    rule: str
    preset: str
    valid_from: date
    cases: tuple[Case, ...]
    basis: Words = field(default_factory=dict)  # where the rule comes from, as shown to people
    link: str | None = None
    title: Words | None = None  # what the rule is called in a sentence; the zone's default needs no name
    consequence: Words | None = None  # what follows when it is broken
    since: Since = "stage"  # what the limit is counted from
    until: Until | None = None  # the clock ends on this date instead
    monthly: bool = False  # lights change on the first of a month only, for the month just ended
    yellow: Yellow = Yellow()
    red: Red | None = None  # given: the rule is judged in monthly rounds against the plan and has no limit of its own
    pausing_causes: frozenset[str] = frozenset()  # an approved pause of any other cause does not stop this clock
    needs_document: bool = False  # only a pause approved with the reference of a document stops it
    plan_for: frozenset[str] = frozenset()  # for these stages a plan, where there is one, takes the limit's place
    satisfied_by: Literal["in_library"] | None = None  # green for good from the day on which this is so
    invested_below_percent: int | None = None  # runs only while the invested share is known to be under this
    ladder: Ladder | None = None
    levels: Mapping[str, Ladder] = field(default_factory=dict)  # how promises climb, by the level of their blocker
    tags: Mapping[str, Any] = field(init=False, repr=False)  # what every clock of this version tells
    is_plain: bool = field(init=False, repr=False)  # a limit from the stage reached, or a plan in its place
    pausing: tuple[frozenset[str], bool] = field(init=False, repr=False)  # what it asks of a pause, in one value

    def __post_init__(self) -> None:
        tags: dict[str, Any] = {
            "preset": self.preset,
            "version": self.valid_from.isoformat(),
            "basis": dict(self.basis),
            "counted_from": self.since,
        }
        if self.link is not None:
            tags["link"] = self.link
        awaits = self.satisfied_by or _AWAITS.get(self.since)
        if awaits is not None:
            tags["awaits"] = awaits
        tags |= {name: dict(words) for name in ("title", "consequence") if (words := getattr(self, name)) is not None}
        object.__setattr__(self, "tags", tags)
        object.__setattr__(self, "pausing", (self.pausing_causes, self.needs_document))
        special = self.red or self.until or self.monthly or self.satisfied_by or self.invested_below_percent
        object.__setattr__(self, "is_plain", self.since == "stage" and not special)

    def case(self, gap: tuple[str, str], profile: Profile) -> Case | None:
        """The case that holds for a gap of such projects: the one that names most, then that of the first lane."""
        admitted = [case for case in self.cases if case.admits(gap, profile)]
        return max(admitted, key=lambda case: (case.named, -profile.place_of(case.lane)), default=None)

    def ties(self) -> Iterator[tuple[Case, Case]]:
        """Pairs of cases that could both hold for one project, with none that names more to decide between them."""
        for one, other in combinations(self.cases, 2):
            both = one.common(other)
            if both is None or one.named != other.named:
                continue
            if not any(case.named > one.named and case.covers(both) for case in self.cases):
                yield one, other

    def content(self) -> dict[str, Any]:
        """Everything the version says, as JSON that is equal for equal versions."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in ("tags", "is_plain", "pausing", "cases", "valid_from", "pausing_causes", "plan_for")
        } | {
            "valid_from": self.valid_from.isoformat(),
            "pausing_causes": sorted(self.pausing_causes),
            "plan_for": sorted(self.plan_for),
            "cases": sorted((asdict(case) for case in self.cases), key=_canonical),
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """What of a project decides which cases admit it; traits that no rule names are left out."""

    presets: tuple[str, ...]
    traits: Mapping[str, str | None]
    lanes: tuple[str, ...]
    investment: int | None
    key: tuple[Any, ...]  # equal for profiles that the same cases admit
    tracks: dict[tuple[str, str], tuple[Track, ...]] = field(default_factory=dict, repr=False, compare=False)
    """By gap, what ``Rules.tracks`` found: a profile is that of one set of rules."""

    def place_of(self, lane: str | None) -> int:
        return 0 if lane is None else self.lanes.index(lane)


Piece = tuple[int, Version | None, Case | None]  # from this day (an ordinal) on; no version: the rule sets no limit


@dataclass(frozen=True, slots=True)
class Track:
    """One rule on one gap of projects of one profile, through all its versions."""

    rule: str
    pieces: tuple[Piece, ...]  # ascending; the first one's day stands for the beginning of time
    begins: tuple[int, ...] = field(init=False)  # of the pieces

    def __post_init__(self) -> None:
        object.__setattr__(self, "begins", tuple(begin for begin, _, _ in self.pieces))

    def from_day(self, day: int) -> tuple[Piece, ...]:
        """The pieces in force on a day (an ordinal) and after it."""
        if len(self.pieces) == 1:
            return self.pieces
        return self.pieces[max(0, bisect_right(self.begins, day) - 1) :]

    def on(self, day: int) -> tuple[Version, Case] | None:
        """The version and case in force on a day, None when the rule then sets this gap no limit."""
        place = bisect_right(self.begins, day) - 1
        if place < 0:
            return None
        _, version, case = self.pieces[place]
        return None if version is None or case is None else (version, case)


@dataclass(frozen=True, slots=True)
class Rules:
    """All presets on file and where they are active.

    Raises ValueError when one rule has two versions of one date or stands in two presets, or when an active preset is
    not on file.
    """

    presets: Mapping[str, tuple[Version, ...]]  # versions in the order of the file
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # active presets, where not the default alone
    default: tuple[str, ...] = (ZONE_DEFAULT,)
    statutes: Statutes = NO_STATUTES  # of procedures
    _named: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)  # but for routes: by trait, values
    _lanes: frozenset[str] = field(init=False, repr=False, compare=False)
    _bounds: tuple[int, ...] = field(init=False, repr=False, compare=False)  # of investment bands, ascending
    _profiles: dict[Any, Profile] = field(init=False, repr=False, compare=False)
    _causes: dict[tuple[str, ...], frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        homes: dict[str, str] = {}
        seen: set[tuple[str, date]] = set()
        for preset, versions in self.presets.items():
            for version in versions:
                if homes.setdefault(version.rule, preset) != preset or (version.rule, version.valid_from) in seen:
                    raise ValueError(f"rule {version.rule} of {version.valid_from} stands twice")
                seen.add((version.rule, version.valid_from))
        unknown = {preset for active in (*self.zones.values(), self.default) for preset in active} - set(self.presets)
        if unknown:
            raise ValueError(f"presets are active that do not exist: {', '.join(sorted(unknown))}")
        cases = [case for version in self.versions() for case in version.cases]
        bounds = {bound for case in cases for bound in (case.at_least, case.below) if bound is not None}
        named: dict[str, set[str]] = {}
        for case in cases:
            for name, value in case.traits.items():
                named.setdefault(name, set()).add(value)
        named.pop("route", None)  # every project has one
        object.__setattr__(self, "_named", {name: frozenset(values) for name, values in sorted(named.items())})
        object.__setattr__(self, "_lanes", frozenset(case.lane for case in cases if case.lane is not None))
        object.__setattr__(self, "_bounds", tuple(sorted(bounds)))
        object.__setattr__(self, "_profiles", {})
        object.__setattr__(self, "_causes", {})

    def versions(self) -> Iterator[Version]:
        """Every version of every rule on file."""
        for versions in self.presets.values():
            yield from versions

    def active(self, zone: str | None) -> tuple[str, ...]:
        """The presets of a zone, the zone's default first where it is one of them."""
        return self.default if zone is None else self.zones.get(zone, self.default)

    def profile(self, fields: Mapping[str, Any], route: str) -> Profile:
        """The profile of a project with these registered fields, on this route."""
        presets = self.active(fields.get("zone"))
        lanes: tuple[str, ...] = ()
        if self._lanes and fields.get("lanes"):
            lanes = tuple(lane for lane in fields["lanes"] if lane in self._lanes)
        investment = fields.get("investment") if self._bounds else None
        band = None if investment is None else bisect_right(self._bounds, investment)
        told = tuple([self._told(fields, name) for name in self._named]) if self._named else ()
        key = (presets, route, told, lanes, band)
        known = self._profiles.get(key)
        if known is None:
            traits = {"route": route, **dict(zip(self._named, told, strict=True))}
            known = Profile(presets, traits, lanes, investment, key)
            self._profiles[key] = known  # idempotent, so that threads may race
        return known

    def tracks(self, gap: tuple[str, str], profile: Profile) -> tuple[Track, ...]:
        """The rules that run on a gap of projects of this profile, in the order of their presets and files."""
        known = profile.tracks.get(gap)
        if known is None:
            known = profile.tracks[gap] = tuple(self._made(gap, profile))  # idempotent, so that threads may race
        return known

    def pausing_causes(self, zone: str | None) -> frozenset[str]:
        """The causes of which an approved pause stops at least one clock of a zone, by the newest versions."""
        active = self.active(zone)
        known = self._causes.get(active)
        if known is None:
            newest = (rows[-1] for preset in active for rows in _by_rule(self.presets[preset]).values())
            known = self._causes[active] = frozenset(cause for version in newest for cause in version.pausing_causes)
        return known

    def in_force(self, rule: str, day: date) -> Version | None:
        """The version of a rule on a day; None before its first, and for a rule that is not on file."""
        known = [version for version in self.versions() if version.rule == rule and version.valid_from <= day]
        return max(known, key=lambda version: version.valid_from, default=None)

    def content(self) -> dict[str, Any]:
        """Everything the rules say, as JSON that is equal for equal rules: versions by rule and date, active presets,
        statutes.

        The order of a preset's rules is part of it, for it is the order of the clocks.
        """
        return {
            "rules": {f"{version.rule}@{version.valid_from}": version.content() for version in self.versions()},
            "presets": {preset: list(_by_rule(versions)) for preset, versions in sorted(self.presets.items())},
            "zones": {zone: list(active) for zone, active in sorted(self.zones.items()) if active != self.default},
            "default": list(self.default),
            "procedures": self.statutes.content(),
        }

    def fingerprint(self) -> str:
        """A digest of the content: equal rules have equal digests, whatever order their tables were written in."""
        return hashlib.sha256(_canonical(self.content()).encode()).hexdigest()

    def _told(self, fields: Mapping[str, Any], name: str) -> str | None:
        """The trait of a project, where any case asks for just that: what people wrote may be anything."""
        value = fields.get(name) or (FACTORY if name == "kind" else None)
        return value if value in self._named[name] else None

    def _made(self, gap: tuple[str, str], profile: Profile) -> Iterator[Track]:
        for preset in profile.presets:
            for rule, versions in _by_rule(self.presets[preset]).items():
                pieces: list[Piece] = (
                    [] if versions[0].valid_from.toordinal() <= _BEFORE_ALL_DATES else [(0, None, None)]
                )
                for version in versions:
                    case = version.case(gap, profile)
                    begin = version.valid_from.toordinal() if pieces else 0
                    pieces.append((begin, None if case is None else version, case))
                if any(version is not None for _, version, _ in pieces):
                    yield Track(rule, tuple(pieces))


_AWAITS = {"last_report": "report", "suspension": "resume"}  # what a rule awaits where it is not the next stage


def _by_rule(versions: Sequence[Version]) -> dict[str, list[Version]]:
    """The versions of each rule, oldest first; rules in the order in which they stand first."""
    found: dict[str, list[Version]] = {}
    for version in versions:
        found.setdefault(version.rule, []).append(version)
    for rows in found.values():
        rows.sort(key=lambda version: version.valid_from)
    return found


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
