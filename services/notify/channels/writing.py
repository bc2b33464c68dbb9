"""A message as it is put into words for a channel outside, and how other people's words are kept harmless in it.

Names and reasons in a text were typed by somebody. On a robot's wire the same characters call everybody in the group,
open a link or a card, so whatever could is replaced by the full-width character that looks like it: that holds on all
three robots, whatever their dialect of Markdown escapes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from luodi.domain.stages import Language
from services.notify.notifications import Group, Notification

ELLIPSIS = "…"

_MARKUP = str.maketrans(
    {
        "<": "＜",
        ">": "＞",
        "[": "［",
        "]": "］",
        "*": "＊",
        "`": "｀",
        "_": "＿",
        "#": "＃",
        "@": "＠",
        "~": "～",
        "|": "｜",
        "\\": "＼",
        "!": "！",
        "&": "＆",
        "$": "＄",
    }
)


GROUPS: dict[Group, tuple[str, str]] = {
    "new": ("新增", "New"),
    "overdue": ("仍超期", "Still overdue"),
    "soon": ("将到期", "Due soon"),
    "cleared": ("已解除", "All clear"),
    "projects": ("全部项目", "All projects"),
}
"""The groups of a digest in their order, with their names."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a digest; a project's line has no number."""

    text: str
    number: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """One group of a digest."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, in the language of who reads it. `number` (编号) tells copies of one message from two messages."""

    number: str
    title: str
    text: str
    url: str | None
    language: Language
    row: Notification  # what it was made of, for receivers that read fields and not words
    sections: tuple[Section, ...] = ()  # of a digest

    @property
    def link(self) -> str:
        """What the link is called."""
        return "查看并处理" if self.language == "zh-CN" else "Open and act"

    @property
    def footer(self) -> str:
        return self.numbered(self.number)

    def numbered(self, number: str) -> str:
        return f"编号 {number}" if self.language == "zh-CN" else f"No. {number}"

    def called(self, item: Item) -> str:
        """What a line's link is called: by the number of the message it stands for, if it stands for one."""
        if item.number:
            return self.numbered(item.number)
        return ("查看" if self.language == "zh-CN" else "Open") if item.url else ""

    def rest(self, count: int) -> str:
        """What stands in the place of lines for which there was no room."""
        if self.language == "zh-CN":
            return f"另有 {count} 项，{'见下方链接' if self.url else '见收件箱'}"
        return f"{count} more: see {'the link below' if self.url else 'the inbox'}"


def message_of(row: Notification, language: Language) -> Message:
    """The message in a row, as it was written."""
    zh = language == "zh-CN"
    texts = row.texts
    return Message(
        number=number_of(row),
        title=texts.title_zh if zh else texts.title_en,
        text=texts.text_zh if zh else texts.text_en,
        url=row.url,
        language=language,
        row=row,
        sections=_sections(row, language),
    )


def _sections(row: Notification, language: Language) -> tuple[Section, ...]:
    if row.sheet is None:
        return ()
    zh = language == "zh-CN"
    return tuple(
        Section(
            f"{GROUPS[group][0 if zh else 1]} {len(found)}",
            tuple(Item(line.zh if zh else line.en, line.number, line.url) for line in found),
        )
        for group, lines_of_it in groupby(row.sheet.lines, key=lambda line: line.group)
        if (found := list(lines_of_it))
    )


def number_of(row: Notification) -> str:
    """The short number of a message, the same at every attempt: the start of its idempotency id."""
    return row.message_id.removeprefix("msg_")[:8].upper()


def one_line(text: str) -> str:
    """The text without line breaks, control characters and marks that turn or hide what follows them."""
    kept = (c if unicodedata.category(c) not in _UNSEEN else " " for c in text)
    return " ".join("".join(kept).split())


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """The text with nothing in it that a robot's Markdown, mentions or links could take for its own."""
    return one_line(text).replace("://", "：//").translate(_MARKUP)


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8, cut between characters."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    return raw[: limit - len(ELLIPSIS.encode())].decode(errors="ignore") + ELLIPSIS


def lines(message: Message, limit: int) -> str:
    """Title, text, link and number as plain lines of at most `limit` bytes; what is too long is cut from the text."""
    title = cut(plain(message.title), limit // 4)
    ends = [f"{message.link}：{message.url}"] if message.url else []
    ends.append(message.footer)
    rest = "\n".join(ends)
    room = limit - len(f"{title}\n\n{rest}".encode())
    return f"{title}\n{_within(message, max(room, 0), chr(10), _plain_heading, _plain_item)}\n{rest}"


def markdown(message: Message, limit: int) -> str:
    """The same in the Markdown that 企业微信 and 钉钉 both know."""
    title = f"**{cut(plain(message.title), limit // 4)}**"
    ends = [f"[{message.link}]({message.url})"] if message.url else []
    ends.append(f"> {message.footer}")
    rest = "\n\n".join(ends)
    room = limit - len(f"{title}\n\n\n\n{rest}".encode())
    return f"{title}\n\n{_within(message, max(room, 0), chr(10) * 2, _marked_heading, _marked_item)}\n\n{rest}"


def unmarked(message: Message, limit: int) -> str:
    """The text, and a digest's lines, where nothing is marked up and every character stands for itself."""
    return _within(message, limit, "\n", lambda section: f"【{section.title}】", _unmarked_item, one_line)


def _within(
    message: Message,
    room: int,
    apart: str,
    heading: Callable[[Section], str],
    item: Callable[[Message, Item], str],
    safe: Callable[[str], str] = plain,
) -> str:
    """The text and as many whole lines of a digest as there is room for, with the count of the others."""
    text = cut(safe(message.text), room)
    if not message.sections:
        return text
    entries = [entry for section in message.sections for entry in _entries(message, section, heading, item)]
    left = sum(counts for _, counts in entries)
    shown, used = [text], len(text.encode())
    for place, (line, counts) in enumerate(entries):
        size = len(f"{apart}{line}".encode())
        after = left - counts
        tail = len(f"{apart}{message.rest(after)}".encode()) if after else 0
        heads_nothing = counts == 0 and used + size + _first_size(entries, place, apart) + tail > room
        if used + size + tail > room or heads_nothing:
            break
        shown.append(line)
        used, left = used + size, after
    if left and used + len(f"{apart}{message.rest(left)}".encode()) <= room:
        shown.append(message.rest(left))
    return apart.join(shown)


def _first_size(entries: Sequence[tuple[str, int]], place: int, apart: str) -> int:
    """The size of the first line under a heading: a heading over nothing is not shown."""
    return len(f"{apart}{entries[place + 1][0]}".encode())


def _entries(
    message: Message, section: Section, heading: Callable[[Section], str], item: Callable[[Message, Item], str]
) -> list[tuple[str, int]]:
    """The lines of a section, each with how many of the digest's lines it stands for."""
    return [(heading(section), 0), *((item(message, one), 1) for one in section.items)]


def _plain_heading(section: Section) -> str:
    return f"【{section.title}】"


def _plain_item(message: Message, item: Item) -> str:
    return " ".join(filter(None, [f"· {plain(item.text)}", message.called(item), item.url]))


def _marked_heading(section: Section) -> str:
    return f"**{section.title}**"


def _marked_item(message: Message, item: Item) -> str:
    called = message.called(item)
    return f"- {plain(item.text)} {f'[{called}]({item.url})' if item.url else called}".rstrip()


def _unmarked_item(message: Message, item: Item) -> str:
    return " ".join(filter(None, [f"· {one_line(item.text)}", message.called(item), item.url]))
