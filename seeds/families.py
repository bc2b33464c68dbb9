"""Projects that are more than one: in phases, packages that were split, and what is invested in them later.

A phase names its `parent` and a further investment (增资) what it is an `increment_of`; each is a project of its own,
with its own light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seeds.story import APPROVER, Story, register_part

Tell = Callable[[Story], Any]

LEAST_SHARES = 2  # even a single phase is not the whole


@dataclass(frozen=True, slots=True)
class Part:
    """A part to be told: what stands behind the whole's name, the light it shows on the day of loading, its story."""

    title: str
    light: str
    tell: Tell
    route: str | None = None  # None: the whole's
    fields: tuple[tuple[str, Any], ...] = ()


def in_phases(*phases: Part) -> Tell:
    """Told by its phases alone: it runs no clock and shows their worst light. Wants the field `phased`."""
    return followed_by_phases(lambda _: None, *phases)


def followed_by_phases(own: Tell, *phases: Part) -> Tell:
    """Has a story and a light of its own, and phases besides."""

    def tell(story: Story) -> None:
        own(story)
        _tell_parts(story, phases, "parent", max(len(phases), LEAST_SHARES))

    return tell


def split_into(ago: int, *parts: Part) -> Tell:
    """A package (打包项目): signed as one project, split afterwards into parts that are followed one by one."""

    def tell(story: Story) -> None:
        story.reach("signed", story.ago(ago))
        story.tell("project.amended", {"phased": True}, wave=1, actor=APPROVER)
        story.tell("note.added", {"text": "打包项目拆分跟踪（演示）"}, wave=1)
        _tell_parts(story, parts, "parent", max(len(parts), LEAST_SHARES), wave=1)

    return tell


def raised(own: Tell, *increments: Part) -> Tell:
    """A project in whose enterprise more is invested later (增资扩产): its money counts, another project does not."""

    def tell(story: Story) -> None:
        own(story)
        _tell_parts(story, increments, "increment_of", len(increments) + LEAST_SHARES)

    return tell


def _tell_parts(story: Story, parts: tuple[Part, ...], link: str, shares: int, wave: int = 0) -> None:
    for row in parts:
        part = story.part(row.light, row.route or story.route, wave=wave)
        register_part(part, story, row.title, shares, {link: story.subject, **dict(row.fields)})
        row.tell(part)
