"""The weekly report: on the first working morning of a week everybody's digest lists all of their projects, too.

A project is of those who act, on the day, for the ids in its fields officer, group head, lead unit, leader and vice
leader: a post's holder, a unit's head, the deputy of whoever is on leave. Withdrawn projects are left out. Whoever has
no address of their own finds the report in the inbox, as everybody else does besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from urllib.parse import quote

from luodi.domain import reasons, stages
from luodi.domain.days import last_ordinal
from luodi.domain.lights import LIGHTS
from luodi.domain.stages import Language
from services.notify.channels.writing import one_line
from services.notify.composing import Composer
from services.notify.directory import Directory
from services.notify.notifications import Line
from services.notify.outlines import Lit, Project

MAX_LISTED = 5_000  # projects in one message: with them its row stays well within a document's 16 MB
ASKED = 500  # ids resolved together

Roster = Mapping[str, Sequence[str]]
"""Who acts on a day -> the ids, named by projects, for which that is so."""


class Projects(Protocol):
    """The projects by who is named in them. Every call may raise TransientError."""

    def people(self) -> set[str]:
        """All ids that any project names."""

    def naming(self, ids: Collection[str]) -> Iterable[Project]:
        """The projects that name any of these ids."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A project as it stands on a day."""

    project: Project
    lit: Lit | None  # None: it has no light
    days: int | None  # calendar days since its stage was reached; None: not known
    due: str | None  # the next date that is due


@dataclass(frozen=True, slots=True)
class Report:
    """All projects of one person, the worst light first, then by date."""

    entries: Sequence[Entry] = ()
    lights: Mapping[str | None, int] = field(default_factory=dict)  # how many show each


NO_REPORT = Report()


class Weekly:
    """Makes the reports."""

    def __init__(self, projects: Projects, directory: Directory, composer: Composer) -> None:
        self._projects = projects
        self._directory = directory
        self._composer = composer

    def roster(self, day: date) -> Roster:
        """Everybody who has projects on a day. Raises TransientError."""
        found: dict[str, list[str]] = {}
        named = sorted(self._projects.people())
        for begin in range(0, len(named), ASKED):
            some = named[begin : begin + ASKED]
            for id_, who in self._directory.acting(some, day.isoformat()).items():
                found.setdefault(who, []).append(id_)
        return found

    def of(self, person: str, now: str, ids: Collection[str] | None = None) -> Report:
        """The report of one person at an instant. `ids`: those the person acts for, if that is known already.

        Raises TransientError.
        """
        today = self.today(now)
        acts_for = self._directory.acts_for(person, today.isoformat()) if ids is None else ids
        projects = self._projects.naming(acts_for) if acts_for else ()
        return _report(sorted((entry_of(p, now, today) for p in projects if p.status != "withdrawn"), key=_place))

    def outside(self, report: Report) -> Report:
        """The report without what is invented for demonstration: of that nobody is told outside."""
        return _report([entry for entry in report.entries if not self._composer.is_demo(entry.project.zone)])

    def today(self, now: str) -> date:
        """The business date of an instant."""
        return self._composer.calendar.business_date(now)

    def lines(self, report: Report, now: str) -> tuple[Line, ...]:
        """The lines of a report, the first `MAX_LISTED`."""
        today = self.today(now)
        return tuple(self._line(entry, today) for entry in report.entries[:MAX_LISTED])

    def _line(self, entry: Entry, today: date) -> Line:
        project = entry.project
        return Line(
            "projects",
            one_line(self.text(entry, today, reasons.ZH)),
            one_line(self.text(entry, today, "en")),
            "",
            self.url(project.id),
            project.id,
            entry.lit.light if entry.lit is not None else None,
        )

    def url(self, project_id: str) -> str | None:
        """Where a project is seen."""
        base = self._composer.public_url
        return f"{base}/projects/{quote(project_id, safe='')}" if base else None

    def text(self, entry: Entry, today: date, language: Language) -> str:
        """Light, name, stage and days in it, what is due next, and why it shows that light."""
        project, outline, zh = entry.project, entry.project.outline, language == reasons.ZH
        unnamed = "未登记项目" if zh else "Unregistered project"
        name = project.name or f"{unnamed} {project.id}"
        zone = self._composer.zone_name(project.zone, language)
        head = f"{name}（{zone}）" if zh else f"{name} ({zone})"
        parts = [_stage(project, entry.days, language)]
        if entry.due is not None and outline is not None and entry.lit is not None:
            parts.append(f"下一期限{entry.due}" if zh else f"next due {entry.due}")
        parts.append(why(entry, language, today) or "")
        light = reasons.light_name(entry.lit.light, language) if entry.lit is not None else ""
        said = ("；" if zh else "; ").join(part for part in parts if part)
        return " ".join([*([light] if light else []), f"{head}：{said}" if zh else f"{head}: {said}"])


def _report(entries: Sequence[Entry]) -> Report:
    return Report(entries, Counter(entry.lit.light if entry.lit is not None else None for entry in entries))


def entry_of(project: Project, now: str, today: date) -> Entry:
    """A project at an instant."""
    outline = project.outline
    if outline is None or project.status == "pool":
        return Entry(project, None, None, None)
    since = last_ordinal(outline.since) if outline.since is not None else None
    days = max(0, today.toordinal() - since) if since is not None else None
    return Entry(project, outline.lit_at(now), days, outline.next_due(today.isoformat()))


def why(entry: Entry, language: Language, today: date) -> str | None:
    """Why it shows its light; None where a newer version has a reason that this one cannot tell."""
    if entry.lit is None or entry.lit.reason["code"] not in reasons.SENTENCES:
        return None
    return reasons.text(entry.lit.reason, language, today)


def counted(lights: Mapping[str | None, int], language: Language) -> str:
    """How many show each light, "红灯 2、绿灯 10"."""
    zh = language == reasons.ZH
    named = [(reasons.light_name(light, language), lights[light]) for light in LIGHTS if lights.get(light)]
    if lights.get(None):
        named.append(("无灯" if zh else "no light", lights[None]))
    return ("、" if zh else ", ").join(f"{name} {count}" for name, count in named)


def _stage(project: Project, days: int | None, language: Language) -> str:
    zh = language == reasons.ZH
    if project.status == "pool":
        return "签约前储备" if zh else "in the pool before signing"
    if project.outline is None:
        return "自升级以来无新进展，灯色见项目页" if zh else "nothing new since the upgrade: see its page for its light"
    if project.outline.stage is None:
        return ""
    name = stages.name(project.route, project.outline.stage, language)
    if days is None:
        return f"{name}，日期不详" if zh else f"{name}, since an unknown date"
    return f"{name}，停留{days}天" if zh else f"{name} for {reasons.days_name(days, language)}"


def _place(entry: Entry) -> tuple[Any, ...]:
    light = LIGHTS.index(entry.lit.light) if entry.lit is not None else len(LIGHTS)
    return light, last_ordinal(entry.due) if entry.due is not None else date.max.toordinal(), entry.project.id
