"""What somebody is told of beside stalls: a report of a milestone that waits to be verified (待核实) or was returned
(退回), a project that is not kept up (未更新), and a decision that has been given to somebody (交办).

The group head is told of a project of which nothing was recorded for so many working days, once until something is.
The group head is told that a report waits, or whoever stands above where the group head reported it; the reporter, and
the officer who must report anew, that one was returned; whoever must carry a decision out, that it is there. Once each,
in the inbox and in the next digest; nothing of it is urgent, and nothing of it climbs. A message is left out where the
report was verified, or the decision done, before it went.

Everything follows from the project as it is known, and each message has an id of its own: writing one again is in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from luodi.domain import reasons, stages
from luodi.domain.days import instant, parse_instant
from luodi.domain.lights import RED, light_at
from luodi.domain.stages import Language
from services.notify.notifications import Texts

if TYPE_CHECKING:  # a watch holds reports
    from services.notify.watches import Watch

ReportKind = Literal["verification", "returned", "stale", "assigned"]

REPORT_KINDS: frozenset[str] = frozenset({"verification", "returned", "stale", "assigned"})

GRACE = timedelta(seconds=5)  # for what is recorded at the last moment, as before a red

TOLD_WITHIN = timedelta(days=14)
"""What is older is not told: a list shows it (`GET /v1/verifications`), and an upgrade must not flood anybody."""


@dataclass(frozen=True, slots=True)
class MilestoneReport:
    """A report that somebody is told of, or that there is none, or a decision. `since`: when it was recorded, or
    returned, or from when on it is missed; `date`: of a decision the day by which it is due."""

    matter: str  # what its messages bear in place of a matter: the project, and the event (or moment) that is told of
    kind: ReportKind
    stage: str  # "" where none is missed in particular, and of a decision
    date: str | None
    reporter: str | None
    since: str
    reasons: Sequence[Mapping[str, Any]] = ()  # why it waits
    by: str | None = None  # who returned it; of a decision whose it is
    why: str | None = None  # and for what reason, in that person's words

    @property
    def due(self) -> str:
        """The instant up to which all news must be known before anybody is told; "": at once."""
        return instant(parse_instant(self.since) + GRACE) if self.kind == "stale" else ""

    def is_fresh(self, now: str) -> bool:
        """Whether it is news."""
        return self.since >= instant(parse_instant(now) - TOLD_WITHIN)


def reports_of(state: Mapping[str, Any], now: str) -> tuple[MilestoneReport, ...]:
    """The reports of a project's state that somebody is to be told of, and that are not too old for it."""
    found = [*_waiting(state), *_returned(state), *_stale(state), *_assigned(state, now)]
    return tuple(report for report in found if report.is_fresh(now))


def _waiting(state: Mapping[str, Any]) -> Iterator[MilestoneReport]:
    for told in state.get("awaiting") or ():
        yield MilestoneReport(
            _matter(state, told["event_id"]),
            "verification",
            told["stage"],
            told["date"],
            told["actor"],
            told["recorded_at"],
            reasons=tuple(told["reasons"]),
        )


def _returned(state: Mapping[str, Any]) -> Iterator[MilestoneReport]:
    for told in state.get("returned") or ():
        verdict = told["verified"]
        yield MilestoneReport(
            _matter(state, verdict["event_id"]),
            "returned",
            told["stage"],
            told["date"],
            told["actor"],
            verdict["at"],
            by=verdict["by"],
            why=verdict["reason"],
        )


def _stale(state: Mapping[str, Any]) -> Iterator[MilestoneReport]:
    told = state.get("stale")
    if told is not None:
        since, reason = told["from"], told["reason"]
        matter = f"{state['id']}:stale:{since}"
        yield MilestoneReport(matter, "stale", "", reason["date"], None, since, reasons=(reason,))


def _assigned(state: Mapping[str, Any], now: str) -> Iterator[MilestoneReport]:
    """A decision for whoever must carry it out now; of one that is overdue its stall tells."""
    decision, owner = state.get("decision"), state.get("owner")
    if decision is None or owner is None or not decision["lights"]:
        return
    if light_at(decision["lights"], now)["light"] != RED:
        matter = f"{state['id']}:assigned:{owner}"  # whoever it is given to next is told, too
        yield MilestoneReport(matter, "assigned", "", decision["due"], None, state["updated_at"], by=decision["by"])


def _matter(state: Mapping[str, Any], event_id: str) -> str:
    return f"{state['id']}:report:{event_id}"


def receivers(watch: Watch, report: MilestoneReport, desk: str) -> tuple[str, ...]:
    """Who is told of a report; `desk` where the project names nobody who could act on it."""
    responsible = watch.responsible
    if report.kind == "assigned":
        return (responsible.get("owner", desk),)
    if report.kind == "returned":
        told = [report.reporter, responsible.get("officer")]
        return tuple(dict.fromkeys(who for who in told if who)) or (desk,)
    above = (responsible[role] for role in VERIFIERS if responsible.get(role))
    return (next((who for who in above if who != report.reporter), desk),)


VERIFIERS = ("group_head", "lead_unit", "vice_leader", "leader")
"""Who looks at a report, as far as they did not make it themselves: fields of the project."""


def report_texts(
    watch: Watch, report: MilestoneReport, receiver: str, zone_name: Callable[[str | None, Language], str]
) -> Texts:
    """What the receiver reads: who acts next is, of a report that was returned, whoever is to report anew."""
    acts = report.reporter or receiver if report.kind == "returned" else receiver
    words: dict[Language, dict[str, str]] = {}
    for language in _LANGUAGES:
        zh = language == "zh-CN"
        unregistered = f"未登记项目 {watch.project_id}" if zh else f"Unregistered project {watch.project_id}"
        words[language] = {
            "zone": zone_name(watch.zone, language),
            "project": watch.name or unregistered,
            "stage": stages.noun(watch.route, report.stage, language) if report.stage else "",
            "date": report.date or ("日期不详" if zh else "an unknown date"),
            "reporter": report.reporter or ("未知" if zh else "nobody known"),
            "why": ("；" if zh else "; ").join(reasons.text(reason, language) for reason in report.reasons),
            "by": report.by or "",
            "reason": report.why or "",
            "who": acts,
        }
    template = TEMPLATES[report.kind]
    zh_words, en_words = words["zh-CN"], words["en"]
    return Texts(
        title_zh=template["title_zh"].format_map(zh_words),
        title_en=template["title_en"].format_map(en_words),
        text_zh=template["text_zh"].format_map(zh_words),
        text_en=template["text_en"].format_map(en_words),
    )


_LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")

TEMPLATES: Mapping[ReportKind, Mapping[str, str]] = {
    "verification": {
        "title_zh": "待核实：{project}{stage}",
        "text_zh": "{zone} · {project}：{reporter}上报{stage}（{date}），{why}。下一步：{who}核实，属实则确认，"
        "不实则退回。",
        "title_en": "To be verified: {project}, {stage}",
        "text_en": "{zone} · {project}: {reporter} reports {stage} for {date}. {why}. Next: {who} looks at it, and "
        "confirms it or returns it.",
    },
    "assigned": {
        "title_zh": "交办：{project}",
        "text_zh": "{zone} · {by}交办“{project}”，{date}前办结。下一步：{who}办理，并报进展；办结后报告。",
        "title_en": "A decision for you: {project}",
        "text_en": "{zone} · {project}: decided by {by}, due by {date}. Next: {who} has it done, reports how far it "
        "has come, and when it is done.",
    },
    "returned": {
        "title_zh": "退回：{project}{stage}的上报",
        "text_zh": "{zone} · {project}：{reporter}上报的{stage}（{date}）经{by}核实后退回：{reason}。该上报不再计入，"
        "时限照常计算。下一步：{who}核对后重新上报。",
        "title_en": "Returned: {project}, the report of {stage}",
        "text_en": "{zone} · {project}: {by} looked at the report of {stage} for {date} by {reporter} and returned it: "
        "{reason}. It counts no longer, and the time goes on. Next: {who} reports anew.",
    },
    "stale": {
        "title_zh": "未更新：{project}",
        "text_zh": "{zone} · {project}：{why}。下一步：{who}了解情况，补记跟进；确无变化的，点“本周无变化”。",
        "title_en": "Not updated: {project}",
        "text_en": "{zone} · {project}: {why}. Next: {who} finds out how it stands and has a follow-up logged, or that "
        "nothing changed this week.",
    },
}
