"""What a clock has counted and what it has not, what comes next and who is told: for people who must answer for it.

Everything here is read off a stored document on a day. The arithmetic is open: the calendar days after day 0 are the
counted ones and those left out, each with its reason; nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from luodi.domain import reasons
from luodi.domain.calendar import FRIDAY, Calendar
from luodi.domain.clocks import GREY, PLAN, RED, ZONE_DEFAULT, days_used, in_force, light_at, reason_of, shown_at
from luodi.domain.courses import paused as paused_days
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.performance import MEASURES
from luodi.domain.reasons import ZH
from luodi.domain.stages import Language, gap_name

Document = Mapping[str, Any]
Clock = Mapping[str, Any]
Entry = dict[str, Any]

FIRST_TOLD = ("officer", "group_head", "lead_unit", "leader")
"""Who is told of a stall first: the first of these that the project names, else the desk of its zone."""

MAX_COMING = 6  # changes ahead that are told: the next one, and what follows if nobody acts


def clock(clock: Clock, document: Document, today: date, calendar: Calendar, language: Language) -> Entry:
    """One clock of a document: the days counted and left out, its pauses, the changes ahead, and a text of two or three
    sentences. ``calendar`` is that of the project's zone; ``today`` a business date.
    """
    figures = in_force(clock, today)
    counting = _counting(document, figures, today, calendar, language)
    shown = shown_at(clock["lights"], calendar.midnight(today), document)
    coming = _coming(document, clock["lights"], today, calendar, language)
    parts = [_why(shown, coming, document, today, language), _count_sentence(figures, counting, language)]
    parts += [_plan_sentence(document, figures, language), _consequence_sentence(figures, language)]
    parts.append(_provisional_sentence(figures, calendar, language))
    return {
        "name": _with_measure(gap_name(document.get("route"), figures["gap"], language), figures["rule"], language),
        "counting": counting,
        "pauses": _pauses(document, figures, today, language),
        "next": coming,
        "text": _joined(parts, language),
    }


def promise(
    blocker: Mapping[str, Any], document: Document, today: date, calendar: Calendar, language: Language
) -> Entry:
    """The clock of an open blocker's promise: the changes ahead and a text."""
    shown = shown_at(blocker["lights"], calendar.midnight(today), document)
    coming = _coming(document, blocker["lights"], today, calendar, language)
    moved = ""
    if blocker["postponed"]:
        times, first = blocker["postponed"], blocker["first_promise"]
        moved = (
            f"原承诺{first}，已推迟{times}次"
            if language == ZH
            else f"First promised for {first}, postponed {_times(times)}"
        )
    parts = [_why(shown, coming, document, today, language), moved]
    return {"next": coming, "text": _joined(parts, language)}


def closed(closed: Mapping[str, Any], document: Document, language: Language) -> Entry:
    """A closed gap in a sentence: from when to when, days used, and how it ended."""
    name = gap_name(document.get("route"), closed["gap"], language)
    if closed["rule"] == PLAN:
        name += "（按计划）" if language == ZH else " (by plan)"
    elif closed["rule"] in MEASURES:
        name = _with_measure(name, closed["rule"], language)
    elif closed["rule"] != ZONE_DEFAULT:
        name += f"（{closed['rule']}）" if language == ZH else f" ({closed['rule']})"
    return {"name": name, "text": _closed_sentence(closed, name, language)}


def _with_measure(name: str, rule: str, language: Language) -> str:
    """The name of a gap with the measure of the commitment whose clock runs on it, where there is one."""
    if rule not in MEASURES:
        return name
    measure = reasons.measure_name(rule, language)
    return f"{name}（{measure}）" if language == ZH else f"{name} ({measure})"


def _closed_sentence(closed: Mapping[str, Any], name: str, language: Language) -> str:
    used, over = reasons.days_name(closed["days"], language), reasons.days_name(closed["over"], language)
    late = closed["verdict"] == "late"
    if language == ZH:
        ending = f"超期{over}" if late else "按期"
        return f"{name}：{closed['start']}至{closed['closed']}，用{used}，期限{closed['due']}，{ending}。"
    ending = f"{over} late" if late else "in time"
    return f"{name}: {closed['start']} to {closed['closed']}, {used} used, due by {closed['due']}, {ending}."


def told_first(document: Document) -> Entry:
    """The person or unit told first of a stall: ``{role, who}``; ``who`` of a zone's desk is the zone."""
    role = next((role for role in (*FIRST_TOLD, "zone") if document.get(role)), "operators")
    return {"role": role, "who": document.get(role)}


# What was counted.


def _counting(document: Document, clock: Clock, today: date, calendar: Calendar, language: Language) -> Entry:
    start, day = last_ordinal(clock["start"]), today.toordinal()
    works = clock["unit"] == "working_days"
    excluded: list[Entry] = []
    made_up: list[Entry] = []
    if day > start:
        if works:
            excluded, made_up = _workdays_left_out(clock, start, day, calendar, language)
        excluded += _pauses_left_out(document, clock, start, day, calendar if works else None, language)
    return {
        "from": day_text(start + 1),
        "through": today.isoformat(),
        "calendar_days": max(0, day - start),
        "counted": days_used(clock, calendar, today),
        "unit": "working_days" if works else "calendar_days",
        "excluded": excluded,
        "made_up": made_up,
    }


def _workdays_left_out(
    clock: Clock, start: int, day: int, calendar: Calendar, language: Language
) -> tuple[list[Entry], list[Entry]]:
    """Holidays by name and all weekends together; and the weekend days that counted, being made up for a holiday.

    A paused day that is no working day anyway stands with the weekends and holidays.
    """
    holidays: list[Entry] = []
    made_up: list[Entry] = []
    weekends = 0
    paused = [(last_ordinal(begin), last_ordinal(end)) for begin, end in paused_days(clock)]
    for ordinal in range(start + 1, day + 1):
        when = date.fromordinal(ordinal)
        name = calendar.name_of(when)
        called = None if name is None else name.zh if language == ZH else name.en
        if calendar.is_workday(when):
            if when.weekday() > FRIDAY and not any(begin <= ordinal < end for begin, end in paused):
                made_up.append({"date": when.isoformat(), "name": called})
        elif name is None and when.weekday() > FRIDAY:
            weekends += 1
        elif holidays and holidays[-1]["name"] == called and last_ordinal(holidays[-1]["to"]) == ordinal - 1:
            holidays[-1] |= {"to": when.isoformat(), "days": holidays[-1]["days"] + 1}
        else:
            holidays.append(
                {"why": "holiday", "name": called, "from": when.isoformat(), "to": when.isoformat(), "days": 1}
            )
    excluded = [*holidays, *([{"why": "weekend", "days": weekends}] if weekends else [])]
    return [{**entry, "text": _left_out(entry, language)} for entry in excluded], made_up


def _pauses_left_out(
    document: Document, clock: Clock, start: int, day: int, calendar: Calendar | None, language: Language
) -> Iterator[Entry]:
    """The paused days that would else have counted; with a calendar those are working days."""
    for pause, blocker in _paused_by(document, clock):
        begin, end = max(last_ordinal(pause["from"]), start + 1), min(last_ordinal(pause["to"]), day + 1)
        if begin >= end:
            continue
        days = end - begin if calendar is None else calendar.count(end - 1) - calendar.count(begin - 1)
        entry = {
            "why": "pause",
            "from": day_text(begin),
            "to": day_text(end - 1),
            "days": days,
            "blocker": pause["blocker"],
            "kind": blocker["kind"],
            "owner": pause["owner"],
        }
        if days:
            yield {**entry, "text": _left_out(entry, language)}


def _pauses(document: Document, clock: Clock, today: date, language: Language) -> list[Entry]:
    """Every pause that stops this clock: who approved it, by which paper, and who must act meanwhile."""
    approvals = {pause["number"]: pause for blocker in document["blockers"] for pause in blocker["pauses"]}
    day = today.isoformat()
    return [
        {
            "from": pause["from"],
            "to": day_text(last_ordinal(pause["to"]) - 1),
            "open": pause["from"] <= day < pause["to"],
            "blocker": pause["blocker"],
            "kind": blocker["kind"],
            "kind_name": reasons.kind_name(blocker["kind"], language),
            "cause": blocker["cause"],
            "owner": pause["owner"],
            **{name: approvals[pause["approval"]][name] for name in ("approver", "document", "until", "reason")},
        }
        for pause, blocker in _paused_by(document, clock)
    ]


def _paused_by(document: Document, clock: Clock) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    blockers = {blocker["id"]: blocker for blocker in document["blockers"]}
    for pause in clock["paused_by"]:
        yield pause, blockers[pause["blocker"]]


# What comes next.


def _coming(
    document: Document, lights: Sequence[Mapping[str, Any]], today: date, calendar: Calendar, language: Language
) -> list[Entry]:
    """What is still ahead, up to the first red, which is told to somebody: every change of light, and every pause that
    runs out."""
    now = calendar.midnight(today)
    coming: list[Entry] = []
    light = light_at(lights, now)["light"]
    for step in lights:
        if step["from"] <= now or (step["light"] == light and step["reason"]["code"] != "pause-ending"):
            continue
        light = step["light"]
        on = calendar.business_date(step["from"])
        told = [told_first(document)] if step["light"] == RED else []
        reason = {"code": step["reason"]["code"], "text": reasons.text(reason_of(step, document), language, on)}
        coming.append({"on": on.isoformat(), "light": step["light"], "reason": reason, "tell": told})
        if step["light"] == RED or len(coming) == MAX_COMING:
            break
    return coming


# In words.


def _why(shown: Mapping[str, Any], coming: Sequence[Entry], document: Document, today: date, language: Language) -> str:
    """The light, its reason, and what follows if nobody acts."""
    light, text = reasons.light_name(shown["light"], language), reasons.text(shown["reason"], language, today)
    if shown["light"] == RED:
        who = _who(told_first(document), language)
        return (
            f"{light}：{text}；由{who}跟进" if language == ZH else f"{light.capitalize()}. {text}; {who} follows it up"
        )
    ahead = _ahead(shown["light"], coming, language)
    if language == ZH:
        return f"{light}：{text}" + (f"；如无进展，{'，'.join(ahead)}" if ahead else "")
    return f"{light.capitalize()}. {text}" + (f"; unless something is reported, {', '.join(ahead)}" if ahead else "")


def _ahead(light: str, coming: Sequence[Entry], language: Language) -> list[str]:
    ahead = []
    for change in coming:
        if change["light"] == light:
            continue  # another reason for the same light
        on, name = change["on"], reasons.light_name(change["light"], language)
        if light == GREY:
            text = f"{on}恢复计时（{name}）" if language == ZH else f"it runs again from {on} ({name})"
        else:
            text = f"{on}转{name}" if language == ZH else f"{name} from {on}"
        for told in change["tell"]:
            who = _who(told, language)
            text += f"并通知{who}" if language == ZH else f" with a notice to {who}"
        ahead.append(text)
        light = change["light"]
    return ahead


def _count_sentence(clock: Clock, counting: Entry, language: Language) -> str:
    if not counting["calendar_days"]:
        return "尚未开始计时" if language == ZH else "Nothing is counted yet"
    counted, limit, made_up = counting["counted"], clock["limit_days"], len(counting["made_up"])
    out = _summed(counting["excluded"], language)
    if language == ZH:
        unit = "个工作日" if counting["unit"] == "working_days" else "天"
        text = f"自{counting['from']}起已计{counted}{unit}，限{limit}{unit}"
        text += f"，未计{'、'.join(out)}" if out else ""
        return text + (f"，补班{made_up}天照计" if made_up else "")
    unit = "working days" if counting["unit"] == "working_days" else "days"
    text = f"Since {counting['from']} {counted} {unit} were counted of {limit}"
    text += f", leaving out {', '.join(out)}" if out else ""
    return text + (f"; make-up workdays counted: {made_up}" if made_up else "")


def _summed(excluded: Sequence[Entry], language: Language) -> list[str]:
    """What was left out, equal reasons together: a leader asks how many days, not which."""
    found: dict[tuple[Any, ...], Entry] = {}
    for entry in excluded:
        key = (entry["why"], entry.get("name"), entry.get("kind"), entry.get("owner"))
        known = found.get(key)
        found[key] = {**entry, "days": entry["days"] + (known["days"] if known else 0)}
    return [_left_out(entry, language) for entry in found.values()]


def _left_out(entry: Mapping[str, Any], language: Language) -> str:
    days = reasons.days_name(entry["days"], language)
    if entry["why"] == "pause":
        kind, owner = reasons.kind_name(entry["kind"], language), reasons.owner_name(entry["owner"], language)
        return f"{kind}问题暂停{days}（{owner}负责）" if language == ZH else f"{days} paused for {kind} ({owner})"
    if entry["why"] == "weekend":
        return f"周末{days}" if language == ZH else f"{days} of weekends"
    name = entry["name"] or ("节假日" if language == ZH else "holidays")
    return f"{name}{days}" if language == ZH else f"{days} of {name}"


def _plan_sentence(document: Document, clock: Clock, language: Language) -> str:
    """What was planned first, where the plan of the awaited stage was changed since."""
    plan = next((plan for plan in document["plans"] if plan["stage"] == clock["gap"][1] and plan["changes"]), None)
    if plan is None:
        return ""
    if language == ZH:
        return f"原定{plan['baseline']}，现定{plan['date']}，已调整{plan['changes']}次"
    return f"First planned for {plan['baseline']}, now for {plan['date']}, changed {_times(plan['changes'])}"


def _provisional_sentence(clock: Clock, calendar: Calendar, language: Language) -> str:
    if not clock["provisional"]:
        return ""
    year = calendar.last_published + 1
    if language == ZH:
        return f"{year}年放假安排尚未公布，期限为暂估"
    return f"The holidays of {year} are not published yet: the due date is provisional"


def _who(told: Mapping[str, Any], language: Language) -> str:
    role = ROLES[told["role"]][0 if language == ZH else 1]
    if told["role"] in ("zone", "operators"):
        return role
    return f"{role}{told['who']}" if language == ZH else f"{role} {told['who']}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _consequence_sentence(clock: Clock, language: Language) -> str:
    consequence = clock.get("consequence")
    if consequence is None:
        return ""
    return f"逾期后果：{consequence['zh']}" if language == ZH else f"Once it is overdue, {consequence['en']}"


def _joined(parts: Sequence[str], language: Language) -> str:
    ending = "。" if language == ZH else ". "
    return ending.join(part for part in parts if part).strip() + ending.strip()


ROLES: Mapping[str, tuple[str, str]] = {
    "officer": ("专员", "officer"),
    "group_head": ("专班组长", "group head"),
    "lead_unit": ("牵头单位", "lead unit"),
    "leader": ("包干领导", "responsible leader"),
    "vice_leader": ("分管领导", "vice leader"),
    "head": ("主要领导", "head of the zone"),
    "owner": ("责任单位", "unit that must act"),
    "supervisor": ("督办人", "whoever follows it up"),
    "zone": ("高新区值守人员", "the zone's desk"),
    "operators": ("系统管理员", "the operators"),
}
"""What they are called, by the field under which a project names them."""
