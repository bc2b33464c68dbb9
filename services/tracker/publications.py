"""Publications as answered: the frozen numbers, and 差异说明: what was corrected since, project by project.

No number of a publication is stored. What was known at the instant of its event, of the business date it names, is
answered from the histories of the projects; nothing that is recorded later can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from luodi.domain import corrections, stages
from luodi.domain.clocks import LIGHTS
from luodi.domain.corrections import Change, Correction
from luodi.domain.events import Event
from luodi.domain.figures import figures_of, newest
from luodi.domain.history import state_at
from luodi.domain.money import yi
from luodi.domain.reasons import light_name
from luodi.domain.stages import Language
from luodi.runtime.problems import ProblemError
from services.tracker.folding import Folder
from services.tracker.past import When, last_moment
from services.tracker.ports import Journal
from services.tracker.queries import definitions
from services.tracker.recall import Recall
from services.tracker.reported import figure_item
from services.tracker.zones import Zones, ZonesOfThePast

CHUNK = 50  # projects whose journals are read together

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A project of which something published differs now: what, and by which events."""

    project_id: str
    name: str | None
    route: str | None
    changes: tuple[Change, ...]
    events: tuple[Correction, ...]


class Publications:
    """Every call raises TransientError when MongoDB is away, ProblemError where more is asked than is known here."""

    def __init__(
        self, zones: Zones, past: ZonesOfThePast, journal: Journal, recall: Recall, folder: Callable[[], Folder]
    ) -> None:
        self._zones = zones
        self._past = past
        self._journal = journal
        self._recall = recall
        self._folder = folder

    def one(self, zone: str, publication: str) -> Row:
        """A publication by its id. Raises ProblemError `not-found`."""
        found = self._zones.publication(zone, publication)
        if found is None:
            raise ProblemError("not-found", what=f"{zone}/{publication}")
        return found

    def numbers(self, zone: str, row: Row, known_at: str, language: Language) -> dict[str, Any]:
        """Everything that is published of a zone, as it was known at an instant of the day the publication names."""
        when = When(known_at, date.fromisoformat(row["as_of"]))
        tally, folder = self._recall.tally([zone], when), self._folder()
        owns = tally.owns()
        figures = figures_of(zone, newest(self._past.figures(zone, known_at, folder)))
        return {
            "funnel": tally.funnels(None)[0],
            "lights": self._recall.lights([zone], when),
            "own": {name: {"count": own.count, "amount": own.amount} for name, own in owns.items()},
            "figures": [figure_item(figure, owns, language, linked=False) for figure in figures],
        }

    def published(self, zone: str, row: Row, language: Language) -> dict[str, Any]:
        """A publication with its numbers."""
        when = self._recall.settled(When(row["recorded_at"], date.fromisoformat(row["as_of"])), None, "", fresh=False)
        assert when.known_at is not None
        return {
            **head(zone, row),
            "settled": self._recall.is_settled(when.known_at),
            **self.numbers(zone, row, when.known_at, language),
            "definitions": definitions(language),
        }

    def differences(self, zone: str, row: Row, until: str, language: Language) -> dict[str, Any]:
        """The numbers and figures that are known otherwise now."""
        before = self.numbers(zone, row, row["recorded_at"], language)
        after = self.numbers(zone, row, until, language)
        return {
            "numbers": list(_differing(before, after, language)),
            "figures": list(_figures_differing(before["figures"], after["figures"])),
        }

    def corrected(self, zone: str, row: Row, until: str, after: str) -> Iterator[Corrected]:
        """The projects that are known otherwise now, in the order of their ids, those behind `after`."""
        day = date.fromisoformat(row["as_of"])
        since, folder = row["recorded_at"], self._folder()
        moment = last_moment(day, folder.calendar)
        found = iter(id_ for id_ in self._recall.differing([zone], When(since, day), When(until, day)) if id_ > after)
        while ids := list(islice(found, CHUNK)):
            journal = self._journal.read(ids)
            for id_ in ids:
                corrected = _corrected(id_, journal.get(id_, []), since, until, day, moment, folder)
                if corrected is not None:
                    yield corrected


def head(zone: str, row: Row) -> dict[str, Any]:
    """What stands over a publication."""
    address = f"/v1/zones/{zone}/publications/{row['id']}"
    return {
        "id": row["id"],
        "zone": zone,
        "period": row["period"],
        "title": row.get("title"),
        "as_of": row["as_of"],
        "known_at": row["recorded_at"],
        "number": row["number"],
        "replaces": row["replaces"],
        "actor": row["actor"],
        "note": row.get("note"),
        "url": address,
        "corrections": f"{address}/corrections",
    }


def corrected_item(row: Corrected, language: Language) -> dict[str, Any]:
    """A project of 差异说明 as answered."""
    return {
        "project_id": row.project_id,
        "name": row.name,
        "changes": [_change(change, row.route, language) for change in row.changes],
        "events": [
            {
                "id": each.event.id,
                "type": each.event.type,
                "date": each.event.data.get("date"),
                "recorded_at": each.event.recordedtime,
                "actor": each.event.actor,
                "reason": each.event.data.get("reason"),
                "changes": [change.field for change in each.changes],
            }
            for each in row.events
        ],
        "text": corrections.sentence(row.changes, row.route, language),
    }


def explained(row: Row, numbers: Sequence[Row], language: Language) -> str:
    """差异说明 in one sentence: what was published, and which of its numbers are known otherwise."""
    zh = language == "zh-CN"
    told = (_DIFFERS if numbers else _AGREES)[0 if zh else 1]
    named = ("、" if zh else ", ").join(_named(number, language) for number in numbers[:_NAMED])
    more = "" if len(numbers) <= _NAMED else ("等" if zh else " and others")
    return told.format(period=row["period"], as_of=row["as_of"], named=named, more=more, count=len(numbers))


def _named(number: Row, language: Language) -> str:
    """One number that differs, in words; money in 亿元, as people say it."""
    column = 0 if language == "zh-CN" else 1
    title, told = number["title"], (number["published"], number["now"])
    if number["name"] == _INVESTMENT:
        title, unit = (("总投资", "亿元"), ("investment", " hundred million yuan"))[column]
        said = [f"{yi(value)}{unit}" for value in told]
    else:
        said = [("无", "none")[column] if value is None else str(value) for value in told]
    return _NUMBER[column].format(title=title, published=said[0], now=said[1])


def _corrected(
    id_: str, events: Sequence[Event], since: str, until: str, day: date, moment: str, folder: Folder
) -> Corrected | None:
    """What differs of a project; None where nothing published does."""

    def assessed(state: dict[str, Any]) -> dict[str, Any]:
        return folder.assess(id_, state)

    then, now = (state_at(events, at, day.toordinal(), folder.calendar) for at in (since, until))
    before, after = (None if state is None else assessed(state) for state in (then, now))
    differs = corrections.changes(corrections.summary(before, moment), corrections.summary(after, moment))
    if not differs:
        return None
    document = after or before or {}
    causes = corrections.corrections(events, since, until, day.toordinal(), moment, assessed, folder.calendar)
    return Corrected(id_, document.get("name"), document.get("route"), differs, tuple(causes))


def _change(change: Change, route: str | None, language: Language) -> dict[str, Any]:
    return {
        "field": change.field,
        "title": corrections.title(change.field, route, language),
        "published": change.before,
        "now": change.after,
    }


def _differing(before: Row, after: Row, language: Language) -> Iterator[dict[str, Any]]:
    now = dict(_flat(after, language))
    for (name, title), published in _flat(before, language):
        known = now[name, title]
        if known != published:
            difference = None if known is None or published is None else round(known - published, 1)
            yield {"name": name, "title": title, "published": published, "now": known, "difference": difference}


def _flat(numbers: Row, language: Language) -> Iterator[tuple[tuple[str, str], Any]]:
    """((name, title), number) of everything that is counted."""
    column = 0 if language == "zh-CN" else 1
    funnel = numbers["funnel"]
    for name, words in _TOTALS.items():
        yield (f"total.{name}", words[column]), funnel["total"][name]
    for row in funnel["stages"]:
        stage = stages.name(None, row["stage"], language)
        for name, words in _STAGES.items():
            yield (f"stages.{row['stage']}.{name}", words[column].format(stage=stage)), row[name]
    for name, words in _RATES.items():
        yield (f"rates.{name}", words[column]), funnel["rates"][name]["percent"]
    for light in LIGHTS:
        yield (f"lights.{light}", light_name(light, language)), numbers["lights"][light]
    for name, own in numbers["own"].items():
        if name in _OWN:
            yield (f"own.{name}", _OWN[name][column]), own["count"]


def _figures_differing(before: Sequence[Row], after: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Reported figures that were corrected or reported since."""
    earlier = {row["id"]: row for row in before}
    for row in after:
        published = earlier.get(row["id"])
        if published is None or published["event_id"] != row["event_id"]:
            yield {
                "id": row["id"],
                "name": row["name"],
                "published": None if published is None else _reported(published),
                "now": _reported(row),
                "event_id": row["event_id"],
                "recorded_at": row["recorded_at"],
            }


def _reported(row: Row) -> Any:
    if row["kind"] == "sum":
        return row["reported"]
    return row["value"] if row["value"] is not None else row["words"]


_INVESTMENT = "total.investment"
_NAMED = 6  # numbers named in the sentence; all of them stand below it
_NUMBER = ("{title}由{published}改为{now}", "{title} {published}, now {now}")
_DIFFERS = (
    "{period}所发布的数据（截至{as_of}）其后因补报、更正、撤回有{count}项变化：{named}{more}",
    "{count} numbers published for {period} (as of {as_of}) are known otherwise after late reports, corrections and "
    "retractions: {named}{more}",
)
_AGREES = (
    "{period}所发布的数据（截至{as_of}）与现有记录一致",
    "What was published for {period} (as of {as_of}) agrees with what is known now",
)
_TOTALS: Mapping[str, tuple[str, str]] = {
    "projects": ("项目数", "projects"),
    "withdrawn": ("退出项目", "withdrawn projects"),
    "agreements": ("合作协议", "agreements"),
    "increments": ("增资", "increments"),
    "enterprises": ("企业数", "enterprises"),
    "enterprises_producing": ("投产企业", "enterprises producing"),
    "investment": ("总投资（元）", "investment in yuan"),
}
_STAGES: Mapping[str, tuple[str, str]] = {
    "reached": ("{stage}（已报）", "{stage}"),
    "verified": ("{stage}（已核实）", "{stage}, verified"),
    "current": ("处于{stage}", "standing at: {stage}"),
}
_RATES: Mapping[str, tuple[str, str]] = {
    "landed": ("落地率（%）", "landed, %"),
    "started": ("开工率（%）", "started, %"),
    "producing": ("投产率（%）", "producing, %"),
    "funds_arrived": ("资金到位率（%）", "funds arrived, %"),
}
_OWN: Mapping[str, tuple[str, str]] = {
    "key_projects": ("重点项目", "key projects"),
    "carriers": ("载体", "carriers"),
}
