"""What a digest says: one message to one person on one channel, for one working morning. Pure values.

新增: what is told for the first time on this channel. 仍超期: what was told before and is still open; before a
handover, to whoever held the post then. 将到期: warnings.
已解除: the end of what this channel was told of. 全部项目: in the first digest of a week, all projects of the person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import quote

from luodi.domain.days import END_OF_TIME
from services.notify.channels.inbox import NAME as INBOX
from services.notify.channels.writing import GROUPS, number_of, one_line
from services.notify.notifications import Delivery, Group, Kind, Line, Notification, Sheet, Texts
from services.notify.weekly import NO_REPORT, Report, counted

GROUP_OF: Mapping[Kind, Group] = {
    "cleared": "cleared",
    "recovered": "cleared",
    "warning": "soon",
    "handover": "overdue",
}
"""The group of a message by its kind; any other is new."""


def sheet_of(carried: Sequence[Notification], standing: Iterable[tuple[Notification, Texts]]) -> Sheet:
    """The lines for messages that are told now, each matter by its last one, and for what stands since earlier:
    the last message of each, with how it reads today."""
    last: dict[str, Notification] = {}
    for row in sorted(carried, key=lambda r: (r.order, r.id)):
        last[row.matter] = row
    lines = [_line(GROUP_OF.get(row.kind, "new"), row, row.texts) for row in last.values()]
    lines += [_line("overdue", row, texts) for row, texts in standing if row.matter not in last]
    order = list(GROUPS)
    lines.sort(key=lambda line: (order.index(line.group), line.project_id or "", line.number))
    return Sheet(tuple(lines), tuple(sorted(row.id for row in carried)))


def digest_id(recipient: str, channel: str, day: date) -> str:
    """The id of a digest's row: one per person, channel and day, whoever writes it."""
    return f"digest:{recipient}:{channel}:{day.isoformat()}"


def digest_of(
    recipient: str,
    channel: str,
    day: date,
    sheet: Sheet,
    *,
    partition: int,
    missing: Sequence[int],
    public_url: str | None,
    now: str,
    wall: str,
    report: Report | None = None,
) -> Notification:
    """The row of a digest, due at once; in the inbox it is done with that. `missing`: partitions whose news up to this
    morning is not known; `report`: what a new week adds to it."""
    to_inbox = channel == INBOX
    delivery = (
        Delivery(INBOX, "sent", 1, END_OF_TIME, sent_at=now) if to_inbox else Delivery(channel, "queued", 0, wall)
    )
    return Notification(
        id=digest_id(recipient, channel, day),
        matter=f"digest:{recipient}:{channel}",
        episode=day.toordinal(),
        round=1,
        order=day.toordinal(),
        kind="digest",
        level=0,
        recipient=recipient,
        partition=partition,
        project_id=None,
        zone=None,
        demo=False,
        gap=None,
        rule=None,
        texts=texts_of(day, sheet, missing, report),
        url=f"{public_url}/people/{quote(recipient, safe='')}" if public_url else None,
        created_at=now,
        traceparent=None,
        deliveries=(delivery,),
        sheet=replace(sheet, settled=to_inbox),
    )


def _line(group: Group, row: Notification, texts: Texts) -> Line:
    return Line(group, one_line(texts.text_zh), one_line(texts.text_en), number_of(row), row.url, row.project_id)


def texts_of(day: date, sheet: Sheet, missing: Sequence[int], report: Report | None = None) -> Texts:
    """Title and summary of a digest; `report`: what a new week adds to it."""
    counts = Counter(line.group for line in sheet.lines)
    zh = [f"{zh} {counts[group]}" for group, (zh, _) in GROUPS.items() if group != "projects" and counts[group]]
    en = [f"{en} {counts[group]}" for group, (_, en) in GROUPS.items() if group != "projects" and counts[group]]
    found = report or NO_REPORT
    if found.entries:
        zh.append(f"全部项目 {len(found.entries)}（{counted(found.lights, 'zh-CN')}）")
        en.append(f"All projects {len(found.entries)} ({counted(found.lights, 'en')})")
    said_zh, said_en = " · ".join(zh) or "没有待办", " · ".join(en) or "Nothing to be done"
    if missing:
        named = ", ".join(map(str, missing))
        said_zh += f"（分区 {named} 的数据尚未更新到今晨，其项目可能未列全）"
        said_en += f" (partitions {named} are not up to date this morning: their projects may not all be listed)"
    title_zh, title_en = ("每日汇总", "Daily digest") if report is None else ("每周汇总", "Weekly digest")
    return Texts(f"{title_zh} {day.isoformat()}", f"{title_en} {day.isoformat()}", said_zh, said_en)
