"""Why a light shines, in a sentence: a reason is data (a code with dates and numbers), put into words when it is read.

Nothing in a stored reason depends on today: ``text`` adds the days left or over when it is told what day it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain import days
from luodi.domain.stages import Language, noun

Reason = Mapping[str, Any]
ZH: Language = "zh-CN"


def text(reason: Reason, language: Language, today: date | None = None) -> str:
    """Put a reason (or a warning) into words; with ``today`` also the days left or over.

    Raises KeyError for a code that is not in the table.
    """
    row = SENTENCES[reason["code"]]
    words = {name: word(reason, language, today) for name, word in _WORDS.items()}
    return (row.zh if language == ZH else row.en).format_map(words)


def light_name(light: str, language: Language) -> str:
    """What a light is called."""
    return LIGHT_NAMES[light][0 if language == ZH else 1]


def days_name(number: int, language: Language) -> str:
    """So many days."""
    return _number(number, "calendar_days", language)


def kind_name(kind: str | None, language: Language) -> str:
    """What a kind of blocker is called inside a sentence."""
    return _kind({"kind": kind}, language, None)


def measure_name(measure: str, language: Language) -> str:
    """What is committed by a measure."""
    return _MEASURES[measure][0][0 if language == ZH else 1]


def owner_name(owner: str | None, language: Language) -> str:
    """The unit that must act, also where none has taken it yet."""
    return _owner({"owner": owner}, language, None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One reason in both languages; ``{names}`` are the words below."""

    zh: str
    en: str


# Words: each makes one placeholder from the reason's values, "" where the reason has none.

_UNITS = {"working_days": ("个工作日", "working day"), "calendar_days": ("天", "day"), "months": ("个月", "month")}
_BLOCKERS = {  # kinds of blocker as they stand in an English sentence
    "资金": "funding",
    "用水": "water",
    "用电": "power",
    "用能": "energy",
    "用地": "land",
    "用工": "labour",
    "环评": "environmental assessment",
    "规划": "planning",
    "其他": "other",
}


_AWAITED = {  # what a rule awaits that is no stage
    "report": ("报告新进展", "a new report of progress"),
    "resume": ("恢复建设", "the resumption of work"),
    "in_library": ("入库", "entry into the statistical library"),
}
_COUNTED_FROM = {  # days other than that of a stage from which a limit runs
    "agreed_start": ("约定动工日", "the agreed start"),
    "agreed_completion": ("约定竣工日", "the agreed completion"),
    "agreed_production": ("约定投产日", "the agreed start of production"),
    "plan": ("计划日期", "the planned date"),
    "last_report": ("最近一次进展", "the last report"),
    "suspension": ("停工", "the stop of work"),
}
_FINDINGS: dict[str, tuple[str, str]] = {  # of a monthly round
    "plan-passed": ("已过计划日期{plan}，尚未{stage}", "{stage} was planned for {plan} and has not been reported"),
    "postponed": ("{stage}计划已由原定日期推迟至{plan}", "the plan for {stage} was put off to {plan}"),
    "points": (
        "形象进度落后计划{points}个百分点（计划{planned}%，已报{reported}%）",
        "progress is {points} points behind plan ({reported} % reported of {planned} % planned)",
    ),
}


def _number(amount: int, unit: str, language: Language) -> str:
    zh, en = _UNITS[unit]
    return f"{amount}{zh}" if language == ZH else f"{amount} {en}{'' if amount == 1 else 's'}"


def _stage(reason: Reason, language: Language, index: int) -> str:
    if index == 1 and "awaits" in reason:
        return _AWAITED[reason["awaits"]][0 if language == ZH else 1]
    if "stage" in reason:
        return noun(reason.get("route"), reason["stage"], language)
    return noun(reason.get("route"), reason["gap"][index], language) if "gap" in reason else ""


def _day(reason: Reason, language: Language, name: str) -> str:
    value = reason.get(name)
    if value is None:
        return "日期不详" if language == ZH else "an unknown date"
    if reason.get("approximate") and name in ("start", "due"):
        return f"约{value}" if language == ZH else f"about {value}"
    return str(value)


def _rest(reason: Reason, language: Language, today: date | None) -> str:
    if today is None or "due" not in reason:
        return ""
    over = (today - days.last_day(reason["due"])).days
    if over == 0:
        return "，今天到期" if language == ZH else ", today"
    if over > 0:
        number = _number(over, "calendar_days", language)
        return f"，已超期{number}" if language == ZH else f", {number} over"
    number = _number(-over, "calendar_days", language)
    return f"，还有{number}" if language == ZH else f", {number} left"


def _basis(reason: Reason, language: Language, _today: date | None) -> str:
    if "gap" not in reason or "start" not in reason:
        return ""
    start, stage = _day(reason, language, "start"), _stage(reason, language, 0)
    limit = _number(reason["limit"], reason["unit"], language)
    out, title = reason.get("paused_days", 0), reason.get("title")
    origin = _COUNTED_FROM.get(reason.get("counted_from", ""))
    if language == ZH:
        since = f"{start}{stage}" if origin is None else f"{origin[0]}{start}"
        named = f"{title['zh']}：" if title else ""
        return f"（{named}{since}，限{limit}" + (f"，扣除暂停{out}天）" if out else "）")
    named = f"{title['en']}: " if title else ""
    paused = f", {_number(out, 'calendar_days', language)} paused left out" if out else ""
    return f" ({named}{limit} from {stage if origin is None else origin[1]} on {start}{paused})"


def _owner(reason: Reason, language: Language, _today: date | None) -> str:
    return reason.get("owner") or ("责任单位（待认领）" if language == ZH else "a unit still to be named")


def _kind(reason: Reason, language: Language, _today: date | None) -> str:
    kind = reason.get("kind")
    if kind is None:
        return "其他" if language == ZH else "other"
    return str(kind) if language == ZH else _BLOCKERS.get(kind, str(kind))


def _why(reason: Reason, language: Language, _today: date | None) -> str:
    why = reason.get("why")
    if not why:
        return ""
    return f"：{why}" if language == ZH else f": {why}"


def _title(reason: Reason, language: Language, _today: date | None) -> str:
    title = reason.get("title")
    if not title:
        return ""
    return f"{title['zh']}：" if language == ZH else f"{title['en']}: "


def _month(reason: Reason, language: Language, _today: date | None) -> str:
    month = reason.get("month")
    if month is None:
        return ""
    year, number = int(month[:4]), int(month[5:])
    return f"{year}年{number}月" if language == ZH else f"{days.MONTH_NAMES[number - 1]} {year}"


def _findings(reason: Reason, language: Language, _today: date | None) -> str:
    """What a monthly round found, and how many rounds in a row found something."""
    words = {"stage": _stage(reason, language, 1), "plan": _day(reason, language, "plan")}
    told = [
        _FINDINGS[finding["what"]][0 if language == ZH else 1].format_map(words | finding)
        for finding in reason.get("findings", ())
    ]
    rounds = reason.get("rounds", 0)
    if rounds > 1:
        told.append(f"连续{rounds}个月" if language == ZH else f"{rounds} months in a row")
    return ("；" if language == ZH else "; ").join(told)


def _facts(reason: Reason, language: Language, _today: date | None) -> str:
    as_of = reason.get("as_of")
    if as_of is None:
        return "公开资料" if language == ZH else "Published facts"
    last = days.last_day(as_of)
    whole_year, whole_month = len(as_of) == len("2024"), last == days.last_day(as_of[:7])
    if language == ZH:
        day = "" if whole_month else f"{last.day}日"
        return f"资料截至{last.year}年" + ("" if whole_year else f"{last.month}月{day}")
    day = "" if whole_month else f"{last.day} "
    return (
        "Published facts as of " + ("" if whole_year else f"{day}{days.MONTH_NAMES[last.month - 1]} ") + str(last.year)
    )


def _yuan(amount: float, unit: str, language: Language) -> str:
    """An amount as an agreement writes it: in 亿元 or 万元, exactly."""
    if language != ZH:
        return f"{amount:,} yuan{unit}"
    size, name = next((size, name) for size, name in _SIZES if amount >= size or size == 1)
    whole, rest = divmod(amount, size)
    decimals = f"{rest:0{len(str(size)) - 1}}".rstrip("0") if rest else ""
    return f"{whole}{'.' if decimals else ''}{decimals}{name}{unit}"


_SIZES = ((100_000_000, "亿元"), (10_000, "万元"), (1, "元"))


def _committed(reason: Reason, language: Language, _today: date | None) -> str:
    """What is to be reached."""
    commitment = reason.get("commitment")
    if commitment is None:
        return ""
    zh, en = _MEASURES[commitment["measure"]][commitment["value"] is not None]
    return (zh if language == ZH else en).format(value=_measured(commitment, "value", language))


def _achieved(reason: Reason, language: Language, _today: date | None) -> str:
    """What was reported of it, and for which period."""
    commitment = reason.get("commitment")
    if commitment is None:
        return ""
    if commitment["period"] is None:
        return "尚无上报数据" if language == ZH else "nothing is reported of it yet"
    period = period_name(commitment["period"], language)
    if commitment["reported"] is None:  # an amount per mu of an unknown area
        return f"{period}已报，但用地面积未知" if language == ZH else f"it is reported for {period}, of an unknown area"
    value = _measured(commitment, "reported", language)
    return f"{period}上报为{value}" if language == ZH else f"{value} reported for {period}"


def _measured(commitment: Mapping[str, Any], name: str, language: Language) -> str:
    amount = commitment[name]
    if amount is None:
        return ""
    if commitment["measure"] == "full_production":
        if commitment["value"] is None:
            return f"设计产能的{amount}%" if language == ZH else f"{amount} % of the designed capacity"
        return _yuan(amount, "", language)
    return _yuan(amount, "/亩" if language == ZH else " per mu", language)


def period_name(period: str, language: Language) -> str:
    """A year, a quarter or a business date inside a sentence."""
    year, _, quarter = period.partition("-Q")
    if quarter:
        return f"{year}年第{quarter}季度" if language == ZH else f"the quarter {period}"
    return (f"{period}年" if len(period) == len("2026") else period) if language == ZH else period


_MEASURES = {  # what was committed, without a value and with one
    "full_production": (
        ("达产", "full production"),
        ("达产（年产值{value}）", "full production, an annual output of {value},"),
    ),
    "investment_intensity": (("投资强度达标", "the investment"), ("投资强度达到{value}", "an investment of {value}")),
    "tax_per_mu": (("亩均税收达标", "the tax per mu"), ("亩均税收达到{value}", "an annual tax of {value}")),
}


def _phase(reason: Reason, language: Language, _today: date | None) -> str:
    return reason.get("name") or reason.get("phase") or ("分期" if language == ZH else "a phase")


_RESULTS = {
    "granted": ("准予", "granted"),
    "refused": ("不予许可", "refused"),
    "withdrawn": ("申请撤回", "withdrawn by the applicant"),
}
_STOPS = {  # why the clock of a procedure stands still
    "补正": "papers are being corrected",
    "听证": "a hearing",
    "专家评审": "a review by experts",
    "检验检测": "an inspection",
}


def _procedure(reason: Reason, language: Language, _today: date | None) -> str:
    """The name of a procedure inside a sentence."""
    name = reason.get("procedure")
    if name is None:
        return ""
    return str(name["zh"]) if language == ZH else str(name["en"])


def _term(reason: Reason, language: Language, _today: date | None) -> str:
    """How long a procedure may take, since when, and on which lane."""
    limit = reason.get("limit")
    if not isinstance(limit, Mapping) or reason.get("start") is None:
        return ""
    days, lane = _number(limit["amount"], limit["unit"], language), limit["lane"]
    extended = _number(limit["extended"], limit["unit"], language) if limit["extended"] else ""
    if language == ZH:
        more = (f"，含延长{extended}" if extended else "") + (f"，{lane}" if lane else "")
        return f"（{reason['start']}受理，限{days}{more}）"
    more = (f", {extended} of them an extension" if extended else "") + (f", lane {lane}" if lane else "")
    return f" ({days} from its acceptance on {reason['start']}{more})"


def _result(reason: Reason, language: Language, _today: date | None) -> str:
    return _RESULTS.get(reason.get("result", ""), ("", ""))[0 if language == ZH else 1]


def _stop(reason: Reason, language: Language, _today: date | None) -> str:
    why = reason.get("why_stopped", "")
    return str(why) if language == ZH else _STOPS.get(why, str(why))


def _over(reason: Reason, language: Language, _today: date | None) -> str:
    return days_name(reason.get("over") or 0, language)


def _of(reason: Reason, language: Language, today: date | None) -> str:
    if "of" in reason:
        return text(reason["of"], language, today)
    return "灯色未知" if language == ZH else "its light is not known"


_WORDS: dict[str, Callable[[Reason, Language, date | None], str]] = {
    "stage": lambda reason, language, _today: _stage(reason, language, 1),
    "from_stage": lambda reason, language, _today: _stage(reason, language, 0),
    "later": lambda reason, language, _today: (
        noun(reason.get("route"), reason["later"], language) if "later" in reason else ""
    ),
    "due": lambda reason, language, _today: _day(reason, language, "due"),
    "plan": lambda reason, language, _today: _day(reason, language, "plan"),
    "until": lambda reason, language, _today: _day(reason, language, "until"),
    "date": lambda reason, language, _today: _day(reason, language, "date"),
    "later_date": lambda reason, language, _today: _day(reason, language, "later_date"),
    "blocker": lambda reason, _language, _today: str(reason.get("blocker", "")),
    "suspension": lambda reason, _language, _today: str(reason.get("suspension", "")),
    "year": lambda reason, _language, _today: str(reason.get("year", "")),
    "amount": lambda reason, _language, _today: f"{reason.get('amount', 0):,}",
    "sum": lambda reason, _language, _today: f"{reason.get('sum', 0):,}",
    "difference": lambda reason, _language, _today: f"{reason.get('amount', 0) - reason.get('sum', 0):,}",
    "times": lambda reason, _language, _today: str(reason.get("times", "")),
    "workdays": lambda reason, _language, _today: str(reason.get("workdays", "")),
    "rest": _rest,
    "basis": _basis,
    "owner": _owner,
    "kind": _kind,
    "why": _why,
    "facts": _facts,
    "phase": _phase,
    "of": _of,
    "others": lambda reason, language, _today: ("、" if language == ZH else ", ").join(reason.get("others", ())),
    "title": _title,
    "month": _month,
    "findings": _findings,
    "procedure": _procedure,
    "term": _term,
    "result": _result,
    "stop": _stop,
    "over": _over,
    "what": lambda reason, _language, _today: str(reason.get("what", "")),
    "since": lambda reason, language, _today: _day(reason, language, "since"),
    "committed": _committed,
    "achieved": _achieved,
}

LIGHT_NAMES: dict[str, tuple[str, str]] = {
    "green": ("绿灯", "green"),
    "yellow": ("黄灯", "yellow"),
    "red": ("红灯", "red"),
    "grey": ("灰灯", "grey"),
    "blue": ("蓝灯", "blue"),
}

SENTENCES: dict[str, Sentence] = {
    # The zone's default limit on the open gap.
    "in-time": Sentence(
        "应于{due}前{stage}{rest}{basis}",
        "In time: {stage} is due by {due}{rest}{basis}",
    ),
    "due-soon": Sentence(
        "期限临近：应于{due}前{stage}{rest}{basis}",
        "Due soon: {stage} is due by {due}{rest}{basis}",
    ),
    "behind-plan": Sentence(
        "已过计划日期{plan}，尚未{stage}；期限为{due}{rest}{basis}",
        "Behind plan: {stage} was planned for {plan} and has not been reported; it is due by {due}{rest}{basis}",
    ),
    "overdue": Sentence(
        "应于{due}前{stage}{rest}{basis}",
        "Overdue: {stage} was due by {due}{rest}{basis}",
    ),
    "paused": Sentence(
        "因{kind}问题暂停计时至{until}，由{owner}负责；应于{due}前{stage}{basis}",
        "Paused until {until} because of a blocker ({kind}) that {owner} must clear; {stage} is due by {due}{basis}",
    ),
    "pause-ending": Sentence(
        "因{kind}问题暂停计时，批准至{until}，期满恢复计时，需延长的应重新报批，由{owner}负责；应于{due}前{stage}{basis}",
        "Paused because of a blocker ({kind}) that {owner} must clear; the approval runs out on {until} and has to be "
        "asked for anew if more time is needed; {stage} is due by {due}{basis}",
    ),
    "overdue-paused": Sentence(
        "应于{due}前{stage}{rest}；超期之后因{kind}问题暂停至{until}，由{owner}负责，仍为红灯{basis}",
        "Overdue: {stage} was due by {due}{rest}; the pause until {until} ({kind}, {owner}) began later{basis}",
    ),
    # A plan in the place of the zone's default.
    "plan-in-time": Sentence(
        "计划于{due}前{stage}{rest}{basis}",
        "In time: {stage} is planned for {due}{rest}{basis}",
    ),
    "plan-due-soon": Sentence(
        "计划日期临近：计划于{due}前{stage}{rest}{basis}",
        "Due soon: {stage} is planned for {due}{rest}{basis}",
    ),
    "plan-overdue": Sentence(
        "计划应于{due}前{stage}{rest}{basis}",
        "Overdue: {stage} was planned for {due}{rest}{basis}",
    ),
    # A date that was agreed.
    "agreed-in-time": Sentence(
        "约定于{due}前{stage}{rest}{basis}",
        "In time: {stage} was agreed for {due}{rest}{basis}",
    ),
    "agreed-due-soon": Sentence(
        "约定日期临近：约定于{due}前{stage}{rest}{basis}",
        "Due soon: {stage} was agreed for {due}{rest}{basis}",
    ),
    "agreed-overdue": Sentence(
        "约定应于{due}前{stage}{rest}{basis}",
        "Overdue: {stage} was agreed for {due}{rest}{basis}",
    ),
    # What was committed in the agreement, against what was reported.
    "committed-in-time": Sentence(
        "承诺于{due}前{committed}{rest}，{achieved}{basis}",
        "In time: {committed} is committed by {due}{rest}; {achieved}{basis}",
    ),
    "committed-due-soon": Sentence(
        "承诺期限临近：承诺于{due}前{committed}{rest}，{achieved}{basis}",
        "Due soon: {committed} is committed by {due}{rest}; {achieved}{basis}",
    ),
    "committed-overdue": Sentence(
        "承诺于{due}前{committed}{rest}，{achieved}{basis}",
        "Overdue: {committed} was committed by {due}{rest}; {achieved}{basis}",
    ),
    # Monthly rounds against the plan.
    "judged-in-order": Sentence(
        "{title}按月研判未见滞后，计划于{plan}前{stage}",
        "{title}nothing behind plan in the monthly round; {stage} is planned for {plan}",
    ),
    "judged-behind": Sentence("{title}{month}研判：{findings}", "{title}judged for {month}: {findings}"),
    "judged-late": Sentence("{title}{month}研判为红：{findings}", "{title}judged red for {month}: {findings}"),
    "in-library": Sentence("{title}已入库（{since}）", "{title}in the statistical library since {since}"),
    # The promise of the unit that must act on a blocker.
    "promise-in-time": Sentence(
        "{owner}承诺于{due}前解决{kind}问题{rest}",
        "In time: {owner} promised to clear the blocker ({kind}) by {due}{rest}",
    ),
    "promise-due-soon": Sentence(
        "承诺期限临近：{owner}承诺于{due}前解决{kind}问题{rest}",
        "Due soon: {owner} promised to clear the blocker ({kind}) by {due}{rest}",
    ),
    "promise-overdue": Sentence(
        "{owner}承诺于{due}前解决{kind}问题，尚未销号{rest}",
        "Overdue: {owner} promised to clear the blocker ({kind}) by {due}{rest}",
    ),
    # A procedure, and what is missing for it.
    "procedure-in-time": Sentence(
        "{owner}应于{due}前办结{procedure}{rest}{term}",
        "In time: {owner} is to decide on the {procedure} by {due}{rest}{term}",
    ),
    "procedure-due-soon": Sentence(
        "办理期限临近：{owner}应于{due}前办结{procedure}{rest}{term}",
        "Due soon: {owner} is to decide on the {procedure} by {due}{rest}{term}",
    ),
    "procedure-overdue": Sentence(
        "{owner}应于{due}前办结{procedure}，尚未办结{rest}{term}",
        "Overdue: {owner} was to decide on the {procedure} by {due}{rest}{term}",
    ),
    "procedure-stopped": Sentence(
        "{procedure}因{stop}暂停计时，不计入{owner}的办理期限{term}",
        "{procedure}: the clock stands still ({stop}); the days are not counted against {owner}{term}",
    ),
    "procedure-early": Sentence(
        "{procedure}提前介入，尚未受理，不计时",
        "{procedure}: talks have begun before it is accepted, so no clock runs",
    ),
    "procedure-correcting": Sentence(
        "{procedure}补正材料，尚未受理，不计时",
        "{procedure}: papers are being corrected before it is accepted, so no clock runs",
    ),
    "procedure-no-limit": Sentence("{procedure}未设办理时限", "No limit is set for the procedure {procedure}"),
    "procedure-ended": Sentence("{procedure}于{date}办结（{result}）", "{procedure}: decided on {date}, {result}"),
    "procedure-ended-in-time": Sentence(
        "{procedure}于{date}按期办结（{result}）{term}",
        "{procedure}: decided in time on {date}, {result}{term}",
    ),
    "procedure-ended-late": Sentence(
        "{procedure}于{date}办结（{result}），超期{over}{term}",
        "{procedure}: decided on {date}, {result}, {over} late{term}",
    ),
    "missing-in-time": Sentence(
        "{procedure}尚缺{what}，申请人应于{due}前补齐{rest}",
        "{procedure}: {what} is missing, the applicant is to bring it by {due}{rest}",
    ),
    "missing-due-soon": Sentence(
        "补齐期限临近：{procedure}尚缺{what}，申请人应于{due}前补齐{rest}",
        "Due soon: {what} is missing for the {procedure}, the applicant is to bring it by {due}{rest}",
    ),
    "missing-overdue": Sentence(
        "{procedure}尚缺{what}，申请人应于{due}前补齐，逾期未补{rest}",
        "Overdue: the applicant was to bring {what} for the {procedure} by {due}{rest}",
    ),
    "decision-in-time": Sentence(
        "交办事项由{owner}于{due}前办结{rest}", "In time: {owner} is to have done it by {due}{rest}"
    ),
    "decision-due-soon": Sentence(
        "办结时限临近：{owner}应于{due}前办结{rest}", "Due soon: {owner} is to have done it by {due}{rest}"
    ),
    "decision-overdue": Sentence(
        "{owner}应于{due}前办结，尚未办结{rest}", "Overdue: {owner} was to have done it by {due}{rest}"
    ),
    # The first answer that a request of an enterprise waits for.
    "first-answer-in-time": Sentence("应于{due}前首次答复{rest}", "The first answer is due by {due}{rest}"),
    "first-answer-due": Sentence("首次答复临近期限（{due}）{rest}", "Due soon: the first answer is due by {due}{rest}"),
    "first-answer-overdue": Sentence(
        "应于{due}前首次答复，尚未答复{rest}", "Overdue: the first answer was due by {due}{rest}"
    ),
    # Whether a qualification holds.
    "qualification-open": Sentence("有效，未载有效期", "It holds; until when is not recorded"),
    "qualification-valid": Sentence("有效期至{due}{rest}", "It holds until {due}{rest}"),
    "qualification-recheck": Sentence("应于{due}前完成复核{rest}", "To be examined again by {due}{rest}"),
    "qualification-expired": Sentence("已于{due}到期，未复核{rest}", "It ended on {due} and was not renewed{rest}"),
    "qualification-ended": Sentence("已终止（{date}）", "It was ended on {date}"),
    # No clock runs.
    "no-milestone": Sentence("尚无节点", "No milestone has been reported yet"),
    "date-unknown": Sentence("已{stage}，但缺日期，无法计时", "The date of {stage} is not known, so no clock runs"),
    "no-clock": Sentence("合作协议，不设时限", "A co-operation agreement has no clock"),
    "no-limit": Sentence("下一节点未设时限", "No limit is set for the next stage"),
    "pool": Sentence("签约前储备，无灯", "In the pool before signing: no light yet"),
    "phased": Sentence("分期项目，以各期灯色为准", "A phased project shows the lights of its phases"),
    "of-phase": Sentence("{phase}：{of}", "{phase}: {of}"),
    "published": Sentence("{facts}", "{facts}"),
    "withdrawn": Sentence("已退出（{date}）{why}", "Withdrawn ({date}){why}"),
    "commitments-met": Sentence(
        "已{stage}，承诺指标均已达到", "All stages are reached, {stage} the last, and so is all that was committed"
    ),
    "finished": Sentence("已{stage}，全程节点完成", "All stages are reached, {stage} the last"),
    # Warnings: what in the record does not fit together.
    "dates-out-of-order": Sentence(
        "日期顺序有误：{stage}（{date}）晚于{later}（{later_date}）",
        "Dates out of order: {stage} on {date} is later than {later} on {later_date}",
    ),
    "likely-duplicate": Sentence(
        "投资方与地块相同，疑似重复登记：{others}",
        "The same investor on the same parcel, so likely registered twice: {others}",
    ),
    "stage-not-on-route": Sentence(
        "本项目路径不含{stage}节点，已报日期{date}不参与计时",
        "The route of this project does not include {stage}, reported for {date}",
    ),
    "unknown-blocker": Sentence(
        "记录所指的问题{blocker}不存在", "A report names a blocker that does not exist: {blocker}"
    ),
    "unknown-suspension": Sentence(
        "复工所指的停工{suspension}不存在", "An end names a suspension that does not exist: {suspension}"
    ),
    "pause-not-allowed": Sentence(
        "问题{blocker}的原因不允许暂停计时", "The cause of blocker {blocker} does not allow a pause: it is not counted"
    ),
    "pause-too-long": Sentence(
        "问题{blocker}的暂停超过单次90天，按90天计至{until}",
        "The pause of blocker {blocker} is longer than 90 days: it is counted until {until}",
    ),
    "annual-plan-differs": Sentence(
        "{year}年度计划投资{amount}元，分月合计{sum}元，差额{difference}元",
        "The plan of {year} is {amount} yuan, its months add up to {sum}: a difference of {difference}",
    ),
    "plan-change-refused": Sentence(
        "{stage}计划调整缺少理由或批准人，未采纳（{times}次）",
        "A change of the plan for {stage} without reason and approver does not hold (times: {times})",
    ),
    # Why a report of a milestone waits to be verified.
    "reported-late": Sentence(
        "{stage}日期{date}，{workdays}个工作日后才上报",
        "{stage} of {date} was reported {workdays} working days later",
    ),
    "ended-red": Sentence(
        "上报{stage}时已超期，由此解除红灯（期限{due}）",
        "The report of {stage} ended a red light: it was due by {due}",
    ),
    # Nobody keeps the record up.
    "not-updated": Sentence(
        "{date}以来未更新，已过{workdays}个工作日", "Not updated since {date}: {workdays} working days have passed"
    ),
    # Why a verification of a milestone has no effect.
    "no-report": Sentence(
        "核实所指的节点上报不存在，或在核实之后才记录",
        "It names no report of a milestone that had been recorded before it",
    ),
    "report-retracted": Sentence("所指的节点上报已撤回", "The report it names was retracted"),
    "own-report": Sentence("上报人本人核实无效，须由他人核实", "Nobody verifies their own report: somebody else must"),
    "verified-again": Sentence("此后又有核实，以最后一次为准", "It was verified again later: the last one holds"),
}
