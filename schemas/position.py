"""Positions: what a caller has written, as an opaque text that any reader can wait for.

`<tag>~<partition>.<offset>~…`: the tag names the topic by its id, so that a position from another cluster, or from
before a reset, is recognised. An offset is that of the last event covered; all before it on its partition is covered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_PARTS = 1000  # the largest number of partitions a topic of ours may have
_TAG = re.compile(r"[0-9a-f]{8}")
_PART = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,18})")
_MAX_TEXT = 9 + MAX_PARTS * 27
_MAX_OFFSET = 2**63 - 1


class Malformed(ValueError):  # noqa: N818 - named for what the text is
    """The text is no position at all."""


class Foreign(ValueError):  # noqa: N818 - named for what the text is
    """A position of another topic: of another cluster, or from before this one was wiped."""


def encode(topic_tag: str, offsets: Mapping[int, int]) -> str:
    """The position that covers these last offsets, one per partition; at least one."""
    if not offsets:
        raise Malformed("a position covers at least one partition")
    return "~".join([topic_tag, *(f"{partition}.{offsets[partition]}" for partition in sorted(offsets))])


def decode(text: str, topic_tag: str) -> dict[int, int]:
    """Partition -> last offset covered. Raises Malformed, or Foreign when the topic is not the one of `topic_tag`."""
    if len(text) > _MAX_TEXT:
        raise Malformed("too long")
    tag, *parts = text.split("~")
    if not _TAG.fullmatch(tag) or not 0 < len(parts) <= MAX_PARTS:
        raise Malformed("not a position")
    offsets: dict[int, int] = {}
    for part in parts:
        match = _PART.fullmatch(part)
        if not match or int(match[2]) > _MAX_OFFSET or int(match[1]) in offsets:
            raise Malformed("not a position")
        offsets[int(match[1])] = int(match[2])
    if tag != topic_tag:
        raise Foreign(f"a position of the topic {tag}, not {topic_tag}")
    return offsets
