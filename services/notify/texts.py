"""The words of a notification, in Chinese and English, made once when its row is written.

A text names the project, the stage or promise, the due date, the days over, who acts next and how. Everything comes
from the facts of the matter, so the same episode always reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from luodi.domain import days, reasons, stages
from luodi.domain.explain import ROLES
from luodi.domain.stages import Language
from services.notify.matters import HANDOVER, Facts, Matter, Telling
from services.notify.notifications import Texts

ZH: Language = "zh-CN"
EN: Language = "en"

OPERATIONS = "operations"

ZoneName = Callable[[str | None, Language], str]
Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """Title and text in both languages, with `{words}` of `_words`."""

    title_zh: str
    text_zh: str
    title_en: str
    text_en: str


def telling_texts(matter: Matter, telling: Telling, today: date, zone_name: ZoneName) -> Texts:
    """What those who are told read; `today` is the business date of the telling."""
    kind = "reopened" if telling.kind == "stalled" and telling.round > 1 else telling.kind
    return _filled(
        TELLINGS[_subject(matter), kind], matter, {**matter.facts, **telling.facts}, telling, today, zone_name
    )


def clearing_texts(matter: Matter, today: date, zone_name: ZoneName) -> Texts:
    """What they read when the episode is over."""
    code = (matter.clearing or {}).get("code", "no-longer-due")
    subject = _subject(matter)
    template = CLEARINGS.get((subject, code)) or CLEARINGS[subject, ""]
    return _filled(template, matter, matter.facts, matter.last_telling, today, zone_name)


def _subject(matter: Matter) -> str:
    return str(matter.facts["fault"]) if matter.kind == "operations" else matter.kind


def _filled(
    template: Template, matter: Matter, facts: Facts, telling: Telling, today: date, zone_name: ZoneName
) -> Texts:
    zh, en = (_words(matter, facts, telling, today, zone_name, language) for language in (ZH, EN))
    return Texts(
        title_zh=template.title_zh.format_map(zh),
        title_en=template.title_en.format_map(en),
        text_zh=template.text_zh.format_map(zh),
        text_en=template.text_en.format_map(en),
    )


def _words(
    matter: Matter, facts: Facts, telling: Telling, today: date, zone_name: ZoneName, language: Language
) -> Words:
    if matter.kind == "operations":
        return {name: str(value) for name, value in facts.items()}
    if matter.kind == "unit":
        return {
            "zone": zone_name(matter.zone, language),
            "unit": str(facts["owner"]),
            "since": str(facts["since"]),
            "days": f"{facts['days']}个工作日" if language == ZH else _working_days(facts["days"]),
            "more": _who(telling.role, telling.recipients[0], language),
            "date": str((matter.clearing or {}).get("date") or ""),
        }
    over = days.days_over(facts["due"], today)
    clearing = matter.clearing or {}
    return {
        "project": _project(matter, language),
        "zone": zone_name(matter.zone, language),
        "stage": stages.noun(facts["route"], facts["gap"][1], language) if facts.get("gap") else "",
        "report": _report(facts, language),
        "owner": facts.get("owner") or ("责任单位（待认领）" if language == ZH else "a unit still to be named"),
        "due": facts["due"],
        "over": _days(over, language),
        "late": _days(_late(facts, clearing), language),
        "why": reasons.text(facts["reason"], language, today),
        "who": _who(facts["role"], facts["told"], language),
        "step": _who(telling.role, telling.recipients[0], language) if telling.kind in ("escalated", HANDOVER) else "",
        "because": _BECAUSE[telling.why][0 if language == ZH else 1] if telling.kind == "escalated" else "",
        "else": _otherwise(facts, telling, today, language),
        "date": clearing.get("date") or ("日期不详" if language == ZH else "an unknown date"),
    }


def _report(facts: Facts, language: Language) -> str:
    """What ends a stall by being reported."""
    if facts.get("gap") and facts["gap"][1] == stages.PERFORMING:
        return "补报经营数据" if language == ZH else "reports the figures"
    return "补报节点" if language == ZH else "reports the milestone"


def _days(count: int, language: Language) -> str:
    return f"{count}天" if language == ZH else f"{count} day{'' if count == 1 else 's'}"


def _working_days(count: int) -> str:
    return f"{count} working day{'' if count == 1 else 's'}"


def _late(facts: Facts, clearing: Facts) -> int:
    """Calendar days from the day it was due to the day on which it ended; 0 where that is not known."""
    ended = clearing.get("date")
    return days.last_ordinal(ended) - days.last_ordinal(facts["due"]) if ended is not None else 0


def _project(matter: Matter, language: Language) -> str:
    if matter.facts.get("name"):
        return str(matter.facts["name"])
    unregistered = "未登记项目" if language == ZH else "Unregistered project"
    return f"{unregistered} {matter.project_id}"


def _who(role: str, who: str, language: Language, *, begins: bool = True) -> str:
    zh, en = ROLES[role]
    label = zh if language == ZH else en[0].upper() + en[1:] if begins else en
    return f"{label} {who}" if role in _NAMED else label


def _otherwise(facts: Facts, telling: Telling, today: date, language: Language) -> str:
    """By when it must be done, and who is told next when it is not; nothing where nobody is."""
    by, following = facts.get("by"), facts.get("next")
    if telling.kind == "warning" or by is None or following is None:
        return ""
    whom = _who(facts["next_role"], following, language, begins=False)
    if by == today.isoformat() and _same_day(facts):
        return f"；按规则当日报{whom}" if language == ZH else f"; by the rule {whom} is told the same day"
    return f"；{by}仍未办理的，报{whom}" if language == ZH else f"; if that is not done by {by}, {whom} is told"


def _same_day(facts: Facts) -> bool:
    return bool((facts.get("ladder") or {}).get("same_day"))


_NAMED = frozenset(ROLES) - {"zone", "operators"}

_BECAUSE: dict[str, tuple[str, str]] = {
    "not-verified": ("红灯到期未核实", "nobody verified the red in time"),
    "not-signed": ("到期无人签收", "nobody signed for it in time"),
    "same-day": ("按规则当日上报", "by the rule it is told the same day"),
    "signature-expired": ("签收后到期未反馈", "it was signed for, and no feedback came in time"),
    "feedback-not-reviewed": ("反馈到期未复核", "the feedback was not reviewed in time"),
    "feedback-refused": ("反馈未通过复核，到期未重新反馈", "the feedback was refused, and no other came in time"),
    "recovery-date-passed": ("反馈的恢复日期已过", "the date by which it should have recovered has passed"),
}
"""Why a stall climbs -> how a sentence says it."""

TELLINGS: dict[tuple[str, str], Template] = {
    ("gap", "warning"): Template(
        "预警：{project}{stage}临近期限",
        "{zone} · {project}：{why}。下一步：{who}推进办理，有困难及时报告。",
        "Warning: {project}, {stage} is due soon",
        "{zone} · {project}: {why}. Next: {who} moves it on, or names in time what is in the way.",
    ),
    ("gap", "stalled"): Template(
        "{project}：{stage}超期{over}",
        "{zone} · {project}：{why}。下一步：{who}{report}、说明情况或报告困难{else}。",
        "{project}: {stage} is {over} overdue",
        "{zone} · {project}: {why}. Next: {who} {report}, explains, or names what is in the way{else}.",
    ),
    ("gap", "reopened"): Template(
        "{project}：{stage}又有规则亮红灯",
        "{zone} · {project}：{why}。此前的签收不涵盖这条规则。下一步：{who}{report}、说明情况或报告困难{else}。",
        "{project}: another rule about {stage} is broken",
        "{zone} · {project}: {why}. What was signed for before does not cover this rule. Next: {who} {report}, "
        "explains, or names what is in the way{else}.",
    ),
    ("gap", "escalated"): Template(
        "升级：{project}{stage}超期{over}，请{step}签收",
        "{zone} · {project}：{why}。{because}，现报{step}。下一步：{step}签收并反馈措施和恢复日期{else}。",
        "Climbed to you: {project}, {stage} is {over} overdue",
        "{zone} · {project}: {why}. It climbs because {because}. Next: {step} signs for it and says what is being done "
        "and by when it will have recovered{else}.",
    ),
    ("gap", "handover"): Template(
        "交接：{project}{stage}超期{over}，由{step}接手",
        "{zone} · {project}：{why}。此前已通知原责任人，现由{step}接手。"
        "下一步：{who}{report}、说明情况或报告困难{else}。",
        "Handed over to you: {project}, {stage} is {over} overdue",
        "{zone} · {project}: {why}. Whoever was responsible before has been told; {step} takes over. Next: {who} "
        "{report}, explains, or names what is in the way{else}.",
    ),
    ("promise", "handover"): Template(
        "交接：{project}，{owner}的承诺超期{over}，由{step}接手",
        "{zone} · {project}：{why}。此前已通知原责任人，现由{step}接手。下一步：{owner}解决问题后销号，"
        "或重新承诺期限；{who}跟进{else}。",
        "Handed over to you: {project}, the promise of {owner} is {over} overdue",
        "{zone} · {project}: {why}. Whoever was responsible before has been told; {step} takes over. Next: {owner} "
        "clears the blocker or promises anew; {who} follows it up{else}.",
    ),
    ("gap", "recovered"): Template(
        "已恢复：{project}{stage}曾超期{late}",
        "{zone} · {project}：应于{due}前{stage}，已报{date}{stage}，曾超期{late}。系统当时未能及时提醒，现补告一次；"
        "已经恢复，无需处理。",
        "Recovered: {project}, {stage} was {late} late",
        "{zone} · {project}: {stage} was due by {due} and is reported for {date}, {late} late. The system could not "
        "tell anybody at the time; it has recovered, there is nothing to do.",
    ),
    ("promise", "recovered"): Template(
        "已恢复：{project}，{owner}的承诺曾超期{late}",
        "{zone} · {project}：{owner}承诺{due}前解决的问题已于{date}销号，曾超期{late}。系统当时未能及时提醒，"
        "现补告一次；已经恢复，无需处理。",
        "Recovered: {project}, the promise of {owner} was {late} late",
        "{zone} · {project}: {owner} had promised {due}, and the blocker was cleared on {date}, {late} late. The "
        "system could not tell anybody at the time; it has recovered, there is nothing to do.",
    ),
    ("promise", "warning"): Template(
        "预警：{project}，{owner}的承诺临近期限",
        "{zone} · {project}：{why}。下一步：{owner}按期解决；{who}跟进。",
        "Warning: {project}, the promise of {owner} is due soon",
        "{zone} · {project}: {why}. Next: {owner} keeps the promise; {who} follows it up.",
    ),
    ("promise", "stalled"): Template(
        "{project}：{owner}的承诺超期{over}",
        "{zone} · {project}：{why}。下一步：{owner}解决问题后销号，或重新承诺期限；{who}跟进{else}。",
        "{project}: the promise of {owner} is {over} overdue",
        "{zone} · {project}: {why}. Next: {owner} clears the blocker or promises anew; {who} follows it up{else}.",
    ),
    ("promise", "escalated"): Template(
        "升级：{project}，{owner}的承诺超期{over}，请{step}签收",
        "{zone} · {project}：{why}。{because}，现报{step}。下一步：{step}签收并督促{owner}解决{else}。",
        "Climbed to you: {project}, the promise of {owner} is {over} overdue",
        "{zone} · {project}: {why}. It climbs because {because}. Next: {step} signs for it and sees that {owner} "
        "acts{else}.",
    ),
    ("decision", "warning"): Template(
        "预警：交办事项临近时限（{project}）",
        "{zone} · 交办“{project}”：{why}。下一步：{who}按期办结，有困难及时报告。",
        "Warning: a decision is due soon ({project})",
        "{zone} · {project}: {why}. Next: {who} has it done in time, or says in time what is in the way.",
    ),
    ("decision", "stalled"): Template(
        "交办事项超期{over}：{project}",
        "{zone} · 交办“{project}”：{why}。下一步：{who}签收，反馈措施和办结日期，办结后报告{else}。",
        "A decision is {over} overdue: {project}",
        "{zone} · {project}: {why}. Next: {who} signs for it, says what is being done and by when, and reports when it "
        "is done{else}.",
    ),
    ("decision", "escalated"): Template(
        "升级：交办事项超期{over}，请{step}签收（{project}）",
        "{zone} · 交办“{project}”：{why}。{because}，现报{step}。下一步：{step}签收并督促{owner}办结{else}。",
        "Climbed to you: a decision is {over} overdue ({project})",
        "{zone} · {project}: {why}. It climbs because {because}. Next: {step} signs for it and sees that {owner} "
        "acts{else}.",
    ),
    ("decision", "handover"): Template(
        "交接：交办事项超期{over}，由{step}接手（{project}）",
        "{zone} · 交办“{project}”：{why}。此前已通知原责任人，现由{step}接手。下一步：{who}办结或说明情况{else}。",
        "Handed over to you: a decision is {over} overdue ({project})",
        "{zone} · {project}: {why}. Whoever was responsible before has been told; {step} takes over. Next: {who} has "
        "it done or explains{else}.",
    ),
    ("decision", "recovered"): Template(
        "已恢复：交办事项曾超期{late}（{project}）",
        "{zone} · 交办“{project}”应于{due}前办结，已于{date}办结，曾超期{late}。系统当时未能及时提醒，现补告一次；"
        "已经办结，无需处理。",
        "Recovered: a decision was {late} late ({project})",
        "{zone} · {project}: it was due by {due} and was done on {date}, {late} late. The system could not tell "
        "anybody at the time; there is nothing to do.",
    ),
    ("unit", "stalled"): Template(
        "{unit}自{since}起未报",
        "{zone} · {unit}牵头的在办项目自{since}起没有任何新记录，已满{days}。"
        "下一步：请与{unit}联系，补报进展或说明情况。",
        "{unit} has reported nothing since {since}",
        "{zone} · nothing was recorded since {since}, {days} ago or more, about any project with an open clock that "
        "{unit} leads. Next: get in touch with {unit}, so that it reports or explains.",
    ),
    ("unit", "escalated"): Template(
        "升级：{unit}自{since}起未报",
        "{zone} · {unit}牵头的在办项目自{since}起没有任何新记录，告知专班组长后又满{days}仍无记录。"
        "下一步：{more}督促补报进展或说明情况。",
        "Climbed to you: {unit} has reported nothing since {since}",
        "{zone} · nothing was recorded since {since} about any project with an open clock that {unit} leads, nor in "
        "the {days} after its group heads were told. Next: {more} sees that it reports or explains.",
    ),
    ("watermark", OPERATIONS): Template(
        "数据滞后：分区 {partition}",
        "分区 {partition} 的数据自 {since} 起没有更新，其间不发该分区的超期通知。请检查 tracker 与 Kafka。",
        "Data is late: partition {partition}",
        "Partition {partition} has brought nothing new since {since}; no stall on it is told meanwhile. "
        "Look at the tracker and Kafka.",
    ),
    ("unreadable", OPERATIONS): Template(
        "记录无法读取：分区 {partition}",
        "分区 {partition} 有 {count} 个项目的最新记录无法读取（{projects}），暂不判断。请查看日志 states.skipped。",
        "Records cannot be read: partition {partition}",
        "The newest records of {count} projects on partition {partition} cannot be read ({projects}); nothing is "
        "concluded about them. Look at the log for states.skipped.",
    ),
    ("endpoint", OPERATIONS): Template(
        "推送地址已停用：{endpoint}",
        "接收方对推送地址 {endpoint} 答复 410（不再接收），已停用，其后的通知只进收件箱。请更换 LUODI_WEBHOOK_URL。",
        "Webhook address disabled: {endpoint}",
        "The receiver answered 410 Gone for {endpoint}: it is disabled, and what follows reaches the inbox only. "
        "Set LUODI_WEBHOOK_URL to another address.",
    ),
    ("address", OPERATIONS): Template(
        "{recipient} 的 {channel} 地址已停用",
        "发往 {recipient} 的 {channel} 消息被永久拒收（{error}），该地址已停用，其后的通知不再经此渠道。"
        "请核对后重新写入联系方式：PUT /v1/contacts/{recipient}。",
        "The {channel} address of {recipient} is disabled",
        "Messages to {recipient} on {channel} were refused for good ({error}): the address is disabled, and nothing "
        "more is sent there. Check it and write it again: PUT /v1/contacts/{recipient}.",
    ),
    ("unreached", OPERATIONS): Template(
        "发往 {recipient} 的 {channel} 消息一直送不到",
        "自 {since} 起发往 {recipient} 的 {channel} 消息 {attempts} 次均未送达（最近一次：{error}），仍在重试。"
        "请核对该地址、网络和接收方。",
        "Messages to {recipient} on {channel} do not arrive",
        "Since {since} none of {attempts} attempts at messages to {recipient} on {channel} was taken (last: {error}); "
        "they go on. Check the address, the network and the receiver.",
    ),
    ("receiver", OPERATIONS): Template(
        "推送地址一直送不到：{endpoint}",
        "自 {since} 起发往 {endpoint} 的推送 {attempts} 次均未送达（最近一次：{error}），仍在重试。"
        "请检查接收方和网络。",
        "The webhook does not arrive: {endpoint}",
        "Since {since} none of {attempts} attempts at {endpoint} was taken (last: {error}); they go on. Check the "
        "receiver and the network.",
    ),
    ("channel", OPERATIONS): Template(
        "渠道整体不通：{channel}",
        "自 {since} 起 {channel} 渠道的 {addresses} 个地址共 {attempts} 次均未送达，仍在重试。"
        "请检查本机到该服务的网络、代理和账号设置。",
        "A whole channel fails: {channel}",
        "Since {since} none of {attempts} attempts at {addresses} addresses on {channel} was taken; they go on. Check "
        "the network and proxy to that service, and the account that is used there.",
    ),
    ("late", OPERATIONS): Template(
        "通知任务停滞：{slot} 的 {job}",
        "通知进程 {slot} 的任务 {job} 自 {since} 起没有进展，其分区 {partitions} 无人接手。请查看该进程的日志，"
        "必要时重启。",
        "A job hangs: {job} of {slot}",
        "The job {job} of notifier {slot} has got nowhere since {since}, and nobody else looks after its partitions "
        "{partitions}. Look at the log of that process; restart it if need be.",
    ),
}
"""By what the matter is about and of what kind the telling is."""

CLEARINGS: dict[tuple[str, str], Template] = {
    ("gap", "stage-reached"): Template(
        "解除：{project}已报{stage}",
        "{zone} · {project}：已报{stage}（{date}），超期提醒解除。",
        "All clear: {project} reports {stage}",
        "{zone} · {project}: {stage} is reported for {date}. The notice of a stall is lifted.",
    ),
    ("gap", "performance-reached"): Template(
        "解除：{project}已达到承诺指标",
        "{zone} · {project}：上报数据显示{date}已达到承诺指标，超期提醒解除。",
        "All clear: {project} has reached what was committed",
        "{zone} · {project}: by the reported figures it was reached on {date}. The notice of a stall is lifted.",
    ),
    ("gap", "withdrawn"): Template(
        "解除：{project}已退出",
        "{zone} · {project}：项目已退出（{date}），{stage}的超期提醒解除。",
        "All clear: {project} has withdrawn",
        "{zone} · {project}: the project withdrew on {date}. The notice about {stage} is lifted.",
    ),
    ("gap", "rules-changed"): Template(
        "解除：{project}{stage}不再超期",
        "{zone} · {project}：时限规则调整后{stage}不再超期，超期提醒解除。",
        "All clear: {project}, {stage} is no longer overdue",
        "{zone} · {project}: under the changed rules {stage} is no longer overdue. The notice is lifted.",
    ),
    ("gap", ""): Template(
        "解除：{project}{stage}不再超期",
        "{zone} · {project}：记录更正后{stage}不再超期，超期提醒解除。",
        "All clear: {project}, {stage} is no longer overdue",
        "{zone} · {project}: after a change of the record {stage} is no longer overdue. The notice is lifted.",
    ),
    ("promise", "blocker-cleared"): Template(
        "解除：{project}的问题已销号",
        "{zone} · {project}：{owner}承诺的问题已于{date}销号，超期提醒解除。",
        "All clear: a blocker of {project} is cleared",
        "{zone} · {project}: the blocker promised by {owner} was cleared on {date}. The notice is lifted.",
    ),
    ("promise", "withdrawn"): Template(
        "解除：{project}已退出",
        "{zone} · {project}：项目已退出（{date}），{owner}承诺的超期提醒解除。",
        "All clear: {project} has withdrawn",
        "{zone} · {project}: the project withdrew on {date}. The notice about the promise of {owner} is lifted.",
    ),
    ("promise", "promise-postponed"): Template(
        "{project}：{owner}的承诺改为{date}",
        "{zone} · {project}：{owner}把承诺时限由{due}推迟到{date}，超期提醒解除；届时未解决将再次提醒。",
        "{project}: {owner} now promises {date}",
        "{zone} · {project}: {owner} moved the promise from {due} to {date}. The notice is lifted until then.",
    ),
    ("promise", ""): Template(
        "解除：{project}的承诺不再超期",
        "{zone} · {project}：记录更正后{owner}的承诺不再超期，超期提醒解除。",
        "All clear: {project}, the promise of {owner} is no longer overdue",
        "{zone} · {project}: after a change of the record the promise of {owner} is no longer overdue. "
        "The notice is lifted.",
    ),
    ("decision", "decision-done"): Template(
        "解除：交办事项已办结（{project}）",
        "{zone} · 交办“{project}”已于{date}办结，超期提醒解除。请督办人核实后销号。",
        "All clear: a decision is done ({project})",
        "{zone} · {project}: it was done on {date}. The notice is lifted; whoever follows it up closes it.",
    ),
    ("decision", "promise-postponed"): Template(
        "交办事项时限改为{date}（{project}）",
        "{zone} · 交办“{project}”的办结时限由{due}推迟到{date}，超期提醒解除；届时未办结将再次提醒。",
        "A decision is now due on {date} ({project})",
        "{zone} · {project}: its day was moved from {due} to {date}. The notice is lifted until then.",
    ),
    ("decision", ""): Template(
        "解除：交办事项不再超期（{project}）",
        "{zone} · 交办“{project}”：记录更正后不再超期，超期提醒解除。",
        "All clear: a decision is no longer overdue ({project})",
        "{zone} · {project}: after a change of the record it is no longer overdue. The notice is lifted.",
    ),
    ("unit", "reported"): Template(
        "解除：{unit}已报",
        "{zone} · {unit}牵头的项目于{date}有了新记录。",
        "All clear: {unit} has reported",
        "{zone} · something was recorded on {date} about a project that {unit} leads.",
    ),
    ("unit", ""): Template(
        "解除：{unit}无在办项目",
        "{zone} · {unit}不再牵头有时限的在办项目，或该项提醒已停用。",
        "All clear: {unit} has nothing to report",
        "{zone} · {unit} leads no project with an open clock any more, or this notice was switched off.",
    ),
    ("watermark", ""): Template(
        "已恢复：分区 {partition} 的数据",
        "分区 {partition} 的数据恢复更新。其间到期的节点已按最新情况判断。",
        "Resolved: partition {partition} moves again",
        "Partition {partition} brings news again. What fell due meanwhile is judged by what is known now.",
    ),
    ("unreadable", ""): Template(
        "已恢复：分区 {partition} 的记录",
        "分区 {partition} 的项目记录均可读取。",
        "Resolved: the records of partition {partition}",
        "Every project on partition {partition} can be read again.",
    ),
    ("endpoint", ""): Template(
        "推送地址已更换",
        "已停用的推送地址 {endpoint} 不再使用。",
        "The webhook address was changed",
        "The disabled address {endpoint} is no longer in use.",
    ),
    ("address", ""): Template(
        "{recipient} 的 {channel} 地址已更换",
        "已停用的 {channel} 地址不再使用。",
        "The {channel} address of {recipient} was changed",
        "The disabled {channel} address is no longer in use.",
    ),
    ("unreached", ""): Template(
        "发往 {recipient} 的 {channel} 消息不再失败",
        "{recipient} 的 {channel} 地址已能送达，或已更换、停用。",
        "Messages to {recipient} on {channel} fail no more",
        "The {channel} address of {recipient} takes messages again, or was changed or given up.",
    ),
    ("receiver", ""): Template(
        "推送地址不再失败：{endpoint}",
        "{endpoint} 已能送达，或已更换、停用。",
        "The webhook fails no more: {endpoint}",
        "{endpoint} takes messages again, or was changed or given up.",
    ),
    ("channel", ""): Template(
        "渠道恢复：{channel}",
        "{channel} 渠道又能送达，或其失败的地址已不再使用。",
        "The channel works again: {channel}",
        "Something was taken on {channel} again, or the addresses that failed are in use no more.",
    ),
    ("late", ""): Template(
        "通知任务恢复：{slot} 的 {job}",
        "通知进程 {slot} 的任务 {job} 又有进展，或其分区已由其他进程接手。",
        "The job moves again: {job} of {slot}",
        "The job {job} of notifier {slot} gets on again, or others look after its partitions.",
    ),
}
"""By what the matter is about and why it is over; "" stands for any other reason."""
