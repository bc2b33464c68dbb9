"""When will the next stage be reached? What like projects took tells it, as dates with a probability and a number.

The method is the product-limit estimate of Kaplan and Meier (Journal of the American Statistical Association 53,
1958): a gap still open says that it takes *longer* than it has taken so far, and is counted as just that (censored).
To leave the open ones out would make every forecast too early, for the slow ones are those that are still open.

Time is measured in *net days*: calendar days after day 0, without those of approved pauses. Cases are put together by
gap, route and industry; where there are too few, by gap and route, then by gap alone. A group says nothing while fewer
than ``MIN_ENDED`` of its cases have come to their end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from luodi.domain.assess import POOL, PUBLISHED
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.pauses import Pause, after, approved, reach_calendar_days
from luodi.domain.stages import AGREEMENT, Language, noun, route, stages_of

MIN_ENDED = 20  # cases that came to their end, below which a group is silent
LIKELY, ALMOST_SURE = 0.5, 0.85  # of P50 and P85
CAUSES = frozenset({"government", "utility", "force_majeure"})  # an approved pause for one of them is no working time

READ = (  # the fields of a document that ``spells`` reads
    *("registered", "source", "kind", "phased", "status", "route", "industry", "reached", "withdrawn"),
    *("blockers.cause", "blockers.pauses.from", "blockers.pauses.end", "blockers.pauses.number"),
    "blockers.pauses.document",
)


class Group(NamedTuple):
    """Which cases are put together; None stands for all of them."""

    reached: str
    awaited: str
    route: str | None
    industry: str | None


class Spell(NamedTuple):
    """How long one gap took (``ended``), or has taken without coming to its end (not ``ended``), in net days."""

    group: Group  # the narrowest
    days: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of cases not ended after so many net days: a falling step function, made by ``Curve.of``.

    ``days`` are those on which a case ended, ascending; ``left[i]`` is the share not ended at the end of ``days[i]``.
    ``n`` counts all cases, ``ended`` those that came to their end.
    """

    n: int
    ended: int
    days: tuple[int, ...]
    left: tuple[float, ...]

    @classmethod
    def of(cls, cases: Iterable[tuple[int, bool]]) -> Curve:
        """The product-limit estimate of (days, ended) of each case.

        At a day on which d of the n cases still under way ended, the share left falls by d/n. A case that was last
        seen open on that day was still under way.
        """
        counted = Counter(cases)
        ends = sorted({days for days, ended in counted if ended})
        under_way = n = sum(counted.values())
        gone = iter(sorted(counted.items()))
        ahead = next(gone, None)
        days: list[int] = []
        left: list[float] = []
        share = 1.0
        for day in ends:
            while ahead is not None and ahead[0][0] < day:
                under_way -= ahead[1]
                ahead = next(gone, None)
            share *= 1 - counted[day, True] / under_way
            days.append(day)
            left.append(share)
        return cls(n, sum(count for (_, ended), count in counted.items() if ended), tuple(days), tuple(left))

    def share_left(self, day: int) -> float:
        """The share of cases that take more than so many net days."""
        place = bisect_right(self.days, day)
        return self.left[place - 1] if place else 1.0

    def quantile(self, share: float, used: int = -1) -> int | None:
        """The net day by which this share of cases has ended, of those that were still open after ``used``.

        None when it lies beyond what has been seen.
        """
        limit = self.share_left(used) * (1 - share)
        # The shares fall, so their negatives rise. A share that should be equal may differ in its last digit.
        place = bisect_left(self.left, -limit - 1e-12, key=lambda left: -left)
        return self.days[place] if place < len(self.days) and self.share_left(used) > 0 else None

    def chance(self, day: int, used: int = -1) -> float | None:
        """The probability that a case still open after ``used`` ends by ``day``; None beyond what has been seen."""
        under_way = self.share_left(used)
        return None if under_way <= 0 else 1 - self.share_left(max(day, used)) / under_way

    @property
    def speaks(self) -> bool:
        """Whether there are cases enough."""
        return self.ended >= MIN_ENDED


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of an open gap: days as ordinals, None beyond what has been seen."""

    group: Group
    n: int
    ended: int
    p50: int | None
    p85: int | None
    chance: float | None  # to be in time; None where it cannot be told


def spells(document: Mapping[str, Any], today: int) -> Iterator[Spell]:
    """The gaps of one project that tell how long such a gap takes, as known on a day (an ordinal).

    Of a project that withdrew, the open gap counts as open up to that day: it tells nothing of what came later. Gaps
    with an unknown date or dates out of order, press facts, agreements and phased projects tell nothing.
    """
    if _is_mute(document):
        return
    stages = stages_of(document.get("route"))
    reached: dict[str, str | None] = document["reached"]
    pauses = approved(document["blockers"], CAUSES)
    furthest = next(reversed(reached), None)
    for stage, following in pairwise(stages):
        begun = reached.get(stage)
        if begun is None:
            continue
        start, came = last_ordinal(begun), reached.get(following)
        if came is not None:
            end, ended = last_ordinal(came), True
        elif stage == furthest:
            withdrawn = document["withdrawn"]
            # Today is not over yet: until its end the stage may still be reached.
            end, ended = last_ordinal(withdrawn["date"]) if withdrawn and withdrawn["date"] else today - 1, False
        else:
            continue
        if end >= start:
            group = Group(stage, following, document.get("route"), document.get("industry"))
            yield Spell(group, _net(start, end, after(pauses, start)), ended)


def curves(cases: Iterable[Spell]) -> dict[Group, Curve]:
    """The curves of all groups, the wider ones included, whether there are cases enough or not."""
    by_group: dict[Group, list[tuple[int, bool]]] = {}
    for group, days, ended in cases:
        for wider in widened(group):
            by_group.setdefault(wider, []).append((days, ended))
    return {group: Curve.of(found) for group, found in by_group.items()}


def widened(group: Group) -> tuple[Group, ...]:
    """A group and the wider ones that stand in where it has too few cases, in this order."""
    by_route, by_gap = group._replace(industry=None), group._replace(industry=None, route=None)
    return (by_route, by_gap) if group.industry is None else (group, by_route, by_gap)


def outlook(
    document: Mapping[str, Any], clock: Mapping[str, Any], curve_of: Callable[[Group], Curve | None], today: int
) -> Outlook | None:
    """What is to be expected of a project's open clock, given that it is still open on a day (an ordinal).

    Pauses that are approved already move the dates later; none is guessed. None when no group has cases enough.
    """
    if _is_mute(document) or document["withdrawn"]:
        return None
    reached, awaited = clock["gap"]
    for group in widened(Group(reached, awaited, document.get("route"), document.get("industry"))):
        curve = curve_of(group)
        if curve is None or not curve.speaks:
            continue
        start, due = last_ordinal(clock["start"]), last_ordinal(clock["due"])
        pauses = after(approved(document["blockers"], CAUSES), start)
        used = _net(start, today - 1, pauses)
        return Outlook(
            group,
            curve.n,
            curve.ended,
            _date(start, curve.quantile(LIKELY, used), pauses, today),
            _date(start, curve.quantile(ALMOST_SURE, used), pauses, today),
            0.0 if due < today else curve.chance(_net(start, due, pauses), used),
        )
    return None


def sentence(found: Outlook, clock: Mapping[str, Any], language: Language) -> str:
    """What is to be expected, in one sentence for people. ``clock`` is the one that the chance is about."""
    zh = language == "zh-CN"
    awaited = noun(found.group.route, found.group.awaited, language)
    cases = _cases(found.group, found.n, language)
    if found.p50 is None:
        later = f"{cases}：已超过同类项目的常见用时，无法推算{awaited}日期"
        return later if zh else f"{cases}: this has taken longer than can be told from them; no date for {awaited}"
    likely, sure = day_text(found.p50), None if found.p85 is None else day_text(found.p85)
    if zh:
        text = f"{cases}：有一半可能在{likely}前{awaited}" + (f"，85%可能在{sure}前" if sure else "")
    else:
        text = f"{cases}: an even chance of {awaited} by {likely}" + (f", 85% by {sure}" if sure else "")
    if found.chance is None:
        return text
    percent, due = round(found.chance * 100), clock["due"]
    return (
        f"{text}；按期（{due}）的可能性约{percent}%" if zh else f"{text}; the chance to meet {due} is about {percent}%"
    )


def _cases(group: Group, n: int, language: Language) -> str:
    kind = [group.industry] if group.industry else []
    if language == "zh-CN":
        kind += [] if group.route is None else [f"{route(group.route).zh}路径"]
        return f"据本区同类项目{n}例" + (f"（{'，'.join(kind)}）" if kind else "")
    kind += [] if group.route is None else [f"route {group.route}"]
    return f"From {n} like projects of the zone" + (f" ({', '.join(kind)})" if kind else "")


def _is_mute(document: Mapping[str, Any]) -> bool:
    return bool(
        not document["registered"]
        or document.get("source") == PUBLISHED
        or document.get("kind") == AGREEMENT
        or document.get("phased")
        or document["status"] == POOL
    )


def _net(start: int, end: int, pauses: Sequence[Pause]) -> int:
    """Calendar days after ``start`` up to and including ``end`` that lie in no pause; -1 for a day before it."""
    if end < start:
        return -1
    return end - start - sum(max(0, min(pause.end, end + 1) - pause.begin) for pause in pauses)


def _date(start: int, days: int | None, pauses: Sequence[Pause], today: int) -> int | None:
    """The day on which so many net days are used; not one that has passed."""
    return None if days is None else max(today, reach_calendar_days(start, days, pauses))
