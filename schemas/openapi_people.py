"""What the tracker answers about the registered kinds of subjects beside projects, as OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain.subjects import ENTERPRISE, PERSON, POST, TEAM, UNIT, ZONE
from schemas import openapi_enterprises
from schemas.catalog.enterprises import EnterpriseRegistered
from schemas.catalog.people import PersonRegistered, PostRegistered, UnitRegistered
from schemas.catalog.taskforce import TeamRegistered
from schemas.catalog.zones import ZoneRegistered
from schemas.events import SUBJECTS, SubjectKind
from schemas.fields import ID
from schemas.loading import Record, object_rule
from schemas.openapi import CURSOR, INSTANT, LIMIT, Json, an_object, nullable, page, path_parameter, query

_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}

_RECORDS: dict[str, type[Record]] = {
    UNIT: UnitRegistered,
    PERSON: PersonRegistered,
    POST: PostRegistered,
    ENTERPRISE: EnterpriseRegistered,
    ZONE: ZoneRegistered,
    TEAM: TeamRegistered,
}
_CALLED = {
    UNIT: ("单位", "units"),
    PERSON: ("人员", "people"),
    POST: ("岗位", "posts"),
    ENTERPRISE: ("企业", "enterprises"),
    ZONE: ("园区", "zones"),
    TEAM: ("专班", "teams"),
}
_FILTERS = {
    UNIT: ("zone", "kind", "parent", "head", "group_head"),
    PERSON: ("zone", "unit", "role"),
    POST: ("zone", "unit"),
    ENTERPRISE: ("zone", "industry", "chain", "park", "scale", "officer"),
    ZONE: ("level",),
    TEAM: ("zone", "chain", "head", "members"),
}

_ON = query("on", "Who holds, leads, is away and stands in on this business date; today when absent.", _DAY)


def addresses() -> Iterator[tuple[SubjectKind, str, str]]:
    """Every address: the kind of subject, what is asked of it (`list`, `one`, `timeline`), the path."""
    for kind in _RECORDS:
        subject = SUBJECTS[kind]
        yield subject, "list", subject.resource
        yield subject, "one", subject.path
        yield subject, "timeline", f"{subject.path}/timeline"


def question(subject: SubjectKind, name: str) -> tuple[str, str, list[Json], Json]:
    """Operation, summary, parameters and answer of one address."""
    chinese, english = _CALLED[subject.kind]
    item: Json = {"$ref": f"#/components/schemas/{_schema(subject.kind)}"}
    of_one = path_parameter(subject.id_field)
    if name == "list":
        titled = object_rule(_RECORDS[subject.kind])["properties"]
        filters = [query(field, titled[field]["title"]) for field in _FILTERS[subject.kind]]
        asked = [*filters, query("q", "Part of the name or the id."), LIMIT, CURSOR]
        return f"{subject.kind}.list", f"{chinese}列表 · The registered {english}", asked, page(item)
    if name == "timeline":
        events = page({"$ref": "#/components/schemas/TimelineItem"})
        return f"{subject.kind}.timeline", f"{chinese}时间线 · Every event of one of the {english}", [of_one], events
    if subject.kind not in _ON_DAY:
        whole = {"allOf": [item, an_object(_CHAPTERS[subject.kind])]} if subject.kind in _CHAPTERS else item
        return f"{subject.kind}.one", f"{chinese} · One of the {english}", [of_one], whole
    on_day = {"allOf": [item, an_object({"on": _DAY, **_ON_DAY[subject.kind], "acting": _ACTING})]}
    return f"{subject.kind}.one", f"{chinese} · One of the {english}, as of a day", [of_one, _ON], on_day


def schemas() -> Json:
    """The schemas that the answers name."""
    return {_schema(kind): _recorded(kind, record) for kind, record in _RECORDS.items()}


def registered_fields(record: type[Record]) -> Json:
    """The fields of a registration as answers hold them: all of them, null where nothing is known."""
    return {
        name: rule
        if "anyOf" in rule
        else nullable({k: v for k, v in rule.items() if k != "title"}) | {"title": rule["title"]}
        for name, rule in object_rule(record)["properties"].items()
        if name not in {"note", "confirm"}
    }


def _schema(kind: str) -> str:
    return kind.capitalize()


def _recorded(kind: str, record: type[Record]) -> Json:
    of_kind = {name: {"type": "array", "items": rows} for name, rows in _ROWS.get(kind, {}).items()}
    return an_object(
        {
            "id": {"type": "string", "pattern": f"^{ID.pattern}$"},
            "registered": {"type": "boolean", "description": "false: events came in before the registration."},
            **registered_fields(record),
            **of_kind,
            "version": {"type": "integer", "minimum": 1},
            "updated_at": INSTANT,
        }
    )


_ROWS: dict[str, Json] = {
    PERSON: {
        "leaves": an_object({"id": _TEXT, "date": _DAY, "until": _DAY, "deputy": nullable(_TEXT)}),
        "handovers": an_object(
            {
                "to": _TEXT,
                "date": _DAY,
                "until": nullable(_DAY) | {"description": "The last day; null where it has no end."},
                "event_id": _TEXT,
                "recorded_at": INSTANT,
            }
        ),
    },
    POST: {
        "holders": an_object(
            {
                "holder": _TEXT,
                "date": _DAY,
                "until": nullable(_DAY) | {"description": "The last day; null where it has no end."},
                "event_id": _TEXT,
                "recorded_at": INSTANT,
            }
        )
    },
}
_OBJECTS: Json = {"type": "array", "items": {"type": "object"}}
_CHAPTERS: dict[str, Json] = {
    ENTERPRISE: openapi_enterprises.CHAPTERS,
    ZONE: {
        "figures": _OBJECTS | {"description": "As reported; GET /v1/figures sets them beside our own counts."},
        "targets": _OBJECTS | {"description": "As set; GET /v1/targets tells how far they are reached."},
        "publications": _OBJECTS | {"description": "As made; GET /v1/publications leads to their numbers."},
    },
}
"""What one of a kind tells beyond its fields."""

_ON_DAY: dict[str, Json] = {
    UNIT: {},
    PERSON: {
        "posts": {"type": "array", "items": _TEXT, "description": "The posts held on that day."},
        "on_leave": {"type": "boolean"},
        "handed_to": nullable(_TEXT) | {"description": "Who took over by that day; null: nobody."},
    },
    POST: {"holder": nullable(_TEXT) | {"description": "null: vacant."}},
}
_ACTING: Json = {
    "type": "string",
    "description": "Who is told and may sign in its place on that day: the holder of a post, the head of a unit, of "
    "somebody on leave the deputy; itself where that leads to nobody.",
}
