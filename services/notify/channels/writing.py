"""A message as it is put into words for a channel outside, and how other people's words are kept harmless in it.

Names and reasons in a text were typed by somebody. On a robot's wire the same characters call everybody in the group,
open a link or a card, so whatever could is replaced by the full-width character that looks like it: that holds on all
three robots, whatever their dialect of Markdown escapes.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from luodi.domain.stages import Language
from services.notify.notifications import Notification

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


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, in the language of who reads it. `number` (编号) tells copies of one message from two messages."""

    number: str
    title: str
    text: str
    url: str | None
    language: Language
    row: Notification  # what it was made of, for receivers that read fields and not words

    @property
    def link(self) -> str:
        """What the link is called."""
        return "查看并处理" if self.language == "zh-CN" else "Open and act"

    @property
    def footer(self) -> str:
        return f"编号 {self.number}" if self.language == "zh-CN" else f"No. {self.number}"


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
    return f"{title}\n{cut(plain(message.text), max(room, 0))}\n{rest}"


def markdown(message: Message, limit: int) -> str:
    """The same in the Markdown that 企业微信 and 钉钉 both know."""
    title = f"**{cut(plain(message.title), limit // 4)}**"
    ends = [f"[{message.link}]({message.url})"] if message.url else []
    ends.append(f"> {message.footer}")
    rest = "\n\n".join(ends)
    room = limit - len(f"{title}\n\n\n\n{rest}".encode())
    return f"{title}\n\n{cut(plain(message.text), max(room, 0))}\n\n{rest}"
