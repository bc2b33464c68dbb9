"""What is told of land and buildings."""

from __future__ import annotations

from luodi.domain.resources import (
    RESOURCE_AMENDED,
    RESOURCE_ASSIGNED,
    RESOURCE_KINDS,
    RESOURCE_REGISTERED,
    RESOURCE_RELEASED,
    RESOURCE_STATE_CHANGED,
    STATES,
)
from luodi.domain.subjects import RESOURCE
from schemas.catalog.rows import LINE, REASON, SHORT, SUBJECT, EventType, a_note, amendment
from schemas.fields import EVENT_ID, Amount, Choice, Day, Items, Name, Text, Whole
from schemas.loading import Record


class ResourceRegistered(Record):
    """A plot of land or a building (三块地). Land is measured by `area_mu`, a building by `floor_m2`.

    `holder` has it now, `unit` must free it, `industries` are those it takes (none named: all), `carrier` is the
    project it is a part of, `ready_by` the day by which it is expected to be to be had.
    """

    name = Text(LINE, required=True)
    kind = Choice("value", RESOURCE_KINDS, required=True)
    zone = Name(required=True)
    park = Text(LINE, allow_none=True)
    parcel = Text(LINE, allow_none=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    floor_m2 = Amount(1_000_000_000, allow_none=True)
    storeys = Whole(1, 200, allow_none=True)
    industries = Items(Text(LINE), 20, allow_none=True)
    holder = Text(LINE, allow_none=True)
    unit = Name(allow_none=True)
    carrier = Name(allow_none=True)
    ready_by = Day(partial=True, allow_none=True)
    source = Text(SHORT, allow_none=True)
    as_of = Day(partial=True, allow_none=True)
    note = a_note()


class ResourceAmended(ResourceRegistered):
    """Some fields of a resource change; a null clears. Name, kind and zone can change but not be cleared."""

    name = Text(LINE)
    kind = Choice("value", RESOURCE_KINDS)
    zone = Name()


class ResourceStateChanged(Record):
    """From `date` on the resource is 待盘活, 盘活中, 可供 or 已供. Again with the same date: a correction."""

    state = Choice("value", STATES, required=True)
    date = Day(required=True)
    note = a_note()


class ResourceAssigned(Record):
    """A project has it from `date` on: so much of it (`area_mu` of land, `floor_m2` of a building), else all of it."""

    project_id = Name(required=True)
    date = Day(required=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    floor_m2 = Amount(1_000_000_000, allow_none=True)
    note = a_note()


class ResourceReleased(Record):
    """From `date` on the project has it no longer."""

    assignment_id = Name(EVENT_ID, required=True)
    date = Day(required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


ROWS = (
    EventType(
        RESOURCE_REGISTERED, RESOURCE, ResourceRegistered, "/v1/resources", "登记资源 · Register land or a building"
    ),
    amendment(RESOURCE_AMENDED, RESOURCE, ResourceAmended, "修改资源 · Amend land or a building"),
    EventType(
        RESOURCE_STATE_CHANGED,
        RESOURCE,
        ResourceStateChanged,
        f"{SUBJECT}/states",
        "盘活进展 · Change the state of land or a building",
        happened=("date",),
    ),
    EventType(
        RESOURCE_ASSIGNED,
        RESOURCE,
        ResourceAssigned,
        f"{SUBJECT}/assignments",
        "供给项目 · Assign land or a building to a project",
        happened=("date",),
    ),
    EventType(
        RESOURCE_RELEASED,
        RESOURCE,
        ResourceReleased,
        f"{SUBJECT}/assignments/{{assignment_id}}/release",
        "收回 · Release land or a building",
        happened=("date",),
    ),
)
