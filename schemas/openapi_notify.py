"""The OpenAPI document of notify: the inbox, its live stream, and the matters behind the messages."""

from __future__ import annotations

from schemas.acts import ACTS, Resend, SilenceBegun, SilenceEdited, SilenceEnded
from schemas.contacts import CHANNELS, LANGUAGES, RECIPIENT, STYLES, ContactBody
from schemas.loading import Record, object_rule
from schemas.openapi import (
    CURSOR,
    DATE,
    INSTANT,
    LANGUAGE,
    LIMIT,
    Json,
    an_object,
    answer,
    document,
    json_content,
    nullable,
    page,
    path_parameter,
    problems,
    query,
)

KINDS = (
    *("stalled", "warning", "escalated", "handover", "recovered", "cleared"),
    *("verification", "returned", "stale", "assigned", "digest", "operations", "test"),
)
STATUSES = ("queued", "sent", "superseded", "failed", "dead")
MATTER_STATES = ("warned", "open", "cleared")
TELLINGS = ("warning", "stalled", "escalated", "handover", "recovered", "operations")
PHASES = ("to-verify", "to-sign", "signed", "in-review", "held", "told-all")
DELIVERY_STATUSES = ("held", "carried", "queued", "sending", *STATUSES[1:])
GROUPS = ("new", "overdue", "soon", "cleared", "projects")
LIGHTS = ("red", "yellow", "grey", "green", "blue")
FAULTS = ("watermark", "unreadable", "endpoint", "address", "unreached", "receiver", "channel", "late")
JOBS = ("sweep", "deliver", "record", "digests")

_DESCRIPTION = (
    "Tells what has stalled and what moves again. A notification is one message to one recipient; its inbox row exists "
    "at once, whatever becomes of the other channels."
)


def build() -> Json:
    """The whole document."""
    paths: Json = {
        "/v1/notifications": {
            "get": _query(
                "notifications",
                "收件箱 · The inbox, newest first",
                [
                    query("recipient", "收件人, e.g. zone:demo"),
                    query("project_id", "项目"),
                    query("kind", "类别", {"type": "string", "enum": list(KINDS)}),
                    query("status", "状态", {"type": "string", "enum": list(STATUSES)}),
                    query("since", "Written at or after this instant.", INSTANT),
                    LIMIT,
                    CURSOR,
                ],
                page({"$ref": "#/components/schemas/Notification"}),
            )
        },
        "/v1/notifications/stream": {"get": _stream()},
        "/v1/notifications/{notification_id}/resend": {"post": _resend()},
        "/v1/matters": {
            "get": _query(
                "matters",
                "督办事项 · Matters, newest first",
                [
                    query("zone", "园区"),
                    query("state", "状态", {"type": "string", "enum": list(MATTER_STATES)}),
                    query("person", "相关人员"),
                    LIMIT,
                    CURSOR,
                ],
                page({"$ref": "#/components/schemas/Matter"}),
            )
        },
        "/v1/matters/{matter_id}": {"get": _matter()},
        **{
            f"/v1/matters/{{matter_id}}/{act}": _matter_act(act, record, summary)
            for act, (record, summary) in ACTS.items()
        },
        "/v1/digests/{recipient}": {"get": _digest()},
        "/v1/reports/{recipient}": {"get": _report()},
        "/v1/silences": {
            "get": _query(
                "silences",
                "静默 · Silences, newest first",
                [query("project_id", "项目"), LIMIT, CURSOR],
                page({"$ref": "#/components/schemas/Silence"}),
            ),
            "post": _silence("beginSilence", "静默 · Begin a silence", SilenceBegun, []),
        },
        "/v1/silences/{silence_id}": {
            "patch": _silence(
                "editSilence", "修改静默 · Put another silence in its place", SilenceEdited, [_SILENCE_ID]
            )
        },
        "/v1/silences/{silence_id}/end": {
            "post": _silence("endSilence", "解除静默 · End a silence", SilenceEnded, [_SILENCE_ID])
        },
        "/v1/self-watch": {
            "get": _query(
                "selfWatch",
                "系统自检 · What is wrong with the system itself",
                [],
                {"$ref": "#/components/schemas/SelfWatch"},
            )
            | {"tags": ["operations"]}
        },
        "/v1/contacts": {
            "get": _contacts(
                "contacts",
                "联系方式 · Contacts by recipient",
                [LIMIT, CURSOR],
                page({"$ref": "#/components/schemas/Contact"}),
                problems(400, 401, 503),
            )
        },
        "/v1/contacts/{recipient}": _contact(),
    }
    schemas = {
        "Notification": _notification(),
        "Matter": _matter_body(),
        "Silence": _silence_body(),
        "Contact": _contact_body(),
        "SelfWatch": _self_watch(),
    }
    return document("notify", _DESCRIPTION, paths, schemas)


def _digest() -> Json:
    text: Json = {"type": "string"}
    sheet = an_object(
        {
            "recipient": text,
            "channel": nullable(text),
            "goes_at": nullable(INSTANT | {"description": "When the next one is written; null: there is none."}),
            "title": text,
            "text": text,
            "items": {"type": "array", "items": _line()},
        }
    )
    return _query(
        "digest",
        "每日汇总预览 · What a recipient's next digest would say now",
        [path_parameter("recipient", f"^({RECIPIENT.pattern})$"), query("channel", "渠道: one of the recipient's own")],
        sheet,
    )


def _report() -> Json:
    text: Json = {"type": "string"}
    lights: Json = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}
    project = an_object(
        {
            "project_id": text,
            "name": nullable(text),
            "zone": nullable(text),
            "status": text,
            "light": nullable({"type": "string", "enum": list(LIGHTS)}),
            "stage": nullable(text),
            "stage_since": nullable(DATE),
            "days_in_stage": nullable({"type": "integer", "minimum": 0, "description": "停留天数, calendar days."}),
            "next_stage": nullable(text),
            "due": nullable(DATE | {"description": "The next date that is due; where all have passed the first."}),
            "reason": nullable(an_object({"code": text, "text": text})),
            "text": text | {"description": "The line as the report says it."},
            "url": nullable(text),
        }
    )
    report = an_object(
        {
            "recipient": text,
            "goes_at": nullable(INSTANT | {"description": "When the next one is written; null: there is none."}),
            "title": text,
            "text": text,
            "total": {"type": "integer", "minimum": 0},
            "lights": lights | {"description": "How many projects show each light; `none`: those that show none."},
            "items": {"type": "array", "maxItems": 500, "items": project, "description": "The worst light first."},
        }
    )
    return _query(
        "report",
        "每周汇总预览 · All projects of a recipient, as the next weekly report would list them now",
        [path_parameter("recipient", f"^({RECIPIENT.pattern})$")],
        report,
    )


def _self_watch() -> Json:
    text: Json = {"type": "string"}
    fault = an_object(
        {
            "matter": text,
            "fault": {"type": "string", "enum": list(FAULTS)},
            "opened_at": INSTANT,
            "title": text,
            "text": text,
        }
    )
    job: Json = {"type": "string", "enum": list(JOBS)}
    notifier = an_object(
        {
            "slot": text,
            "at": INSTANT | {"description": "When it was last heard of, wall time."},
            "partitions": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "jobs": {
                "type": "object",
                "additionalProperties": INSTANT,
                "description": "When each of its jobs last got somewhere, wall time.",
            },
            "late": {"type": "array", "items": job, "description": "Jobs that hang, and that nobody else does."},
        }
    )
    failing = an_object(
        {
            "channel": text,
            "recipient": nullable(text) | {"description": "Whose address it is; null: the operator's receiver."},
            "attempts": {"type": "integer", "minimum": 1},
            "since": INSTANT,
            "last": INSTANT,
            "error": text,
        }
    )
    return an_object(
        {
            "faults": {"type": "array", "items": fault, "description": "Told to the recipient `operators`."},
            "notifiers": {"type": "array", "items": notifier},
            "failing": {
                "type": "array",
                "items": failing,
                "description": "Addresses that took nothing at the last attempt; at five in 15 minutes it is a fault.",
            },
        }
    )


def _contacts(name: str, summary: str, parameters: list[Json], schema: Json, refusals: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["contacts"],
        "parameters": [*parameters, LANGUAGE],
        "responses": {"200": answer("The answer", schema), **refusals},
    }


def _contact() -> Json:
    who = path_parameter("recipient", f"^({RECIPIENT.pattern})$")
    whole: Json = {"$ref": "#/components/schemas/Contact"}
    text: Json = {"type": "string"}
    erased = an_object({"recipient": text, "erased": {"type": "boolean"}, "channels": {"type": "integer"}})
    put = _contacts(
        "putContact",
        "登记联系方式 · Write a contact: the whole of it, but for addresses that are left out and so kept",
        [who],
        whole,
        problems(400, 401, 413, 415, 422, 503),
    )
    put["requestBody"] = {"required": True, "content": json_content(object_rule(ContactBody))}
    return {
        "get": _contacts("contact", "联系方式 · One contact", [who], whole, problems(401, 404, 503)),
        "put": put,
        "delete": _contacts(
            "eraseContact", "删除联系方式 · Erase everything known of a recipient", [who], erased, problems(401, 503)
        ),
    }


def _contact_body() -> Json:
    text: Json = {"type": "string"}
    way = an_object(
        {
            "channel": {"type": "string", "enum": list(CHANNELS)},
            "address": {"type": "string", "description": "Shown without what gives access to it."},
            "has_secret": {"type": "boolean"},
            "mention": nullable(text),
            "style": nullable({"type": "string", "enum": list(STYLES)}),
            "disabled": {"type": "boolean", "description": "Its receiver refused for good; write it again to use it."},
        }
    )
    return an_object(
        {
            "recipient": text,
            "name": nullable(text),
            "phone": nullable(text),
            "language": {"type": "string", "enum": list(LANGUAGES)},
            "channels": {"type": "array", "items": way},
            "updated_at": INSTANT,
        }
    )


def _query(name: str, summary: str, parameters: list[Json], schema: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["inbox"],
        "parameters": [*parameters, LANGUAGE],
        "responses": {"200": answer("The answer", schema), **problems(400, 401, 503)},
    }


def _matter() -> Json:
    identity = {"name": "matter_id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = _query(
        "matter", "督办事项 · One matter with its messages", [identity], {"$ref": "#/components/schemas/Matter"}
    )
    operation["responses"] |= problems(404)
    return operation


_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key again is the same act, where the body names no id.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def _resend() -> Json:
    return {
        "operationId": "resendNotification",
        "summary": "再次发送 · Send again what was given up",
        "tags": ["acts"],
        "description": "On one channel, or on all that gave it up, under the same id. It is looked at before it goes: "
        "what no longer holds is superseded.",
        "parameters": [
            {"name": "notification_id", "in": "path", "required": True, "schema": {"type": "string"}},
            LANGUAGE,
        ],
        "requestBody": {"required": True, "content": json_content(object_rule(Resend))},
        "responses": {
            "200": answer("The message as it is now", {"$ref": "#/components/schemas/Notification"}),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
        }
        | {"409": {**problems(409)["409"], "description": "Nothing of it was given up"}},
    }


def _matter_act(act: str, record: type[Record], summary: str) -> Json:
    matter: Json = {"$ref": "#/components/schemas/Matter"}
    text: Json = {"type": "string"}
    return {
        "post": {
            "operationId": f"{act}Matter",
            "summary": summary,
            "tags": ["acts"],
            "parameters": [
                {"name": "matter_id", "in": "path", "required": True, "schema": text},
                _KEY,
                LANGUAGE,
            ],
            "requestBody": {"required": True, "content": json_content(object_rule(record))},
            "responses": {
                "200": answer("The matter with the act", an_object({"act": text, "matter": matter})),
                **problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
            }
            | {"409": {**problems(409)["409"], "description": "It does not go with where the matter stands"}},
        }
    }


_SILENCE_ID: Json = {"name": "silence_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _silence(name: str, summary: str, record: type[Record], parameters: list[Json]) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["acts"],
        "parameters": [*parameters, _KEY, LANGUAGE],
        "requestBody": {"required": True, "content": json_content(object_rule(record))},
        "responses": {
            "200": answer("The silence", {"$ref": "#/components/schemas/Silence"}),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
        }
        | {"409": {**problems(409)["409"], "description": "It is over, or the id stands for another one"}},
    }


def _silence_body() -> Json:
    text: Json = {"type": "string"}
    return an_object(
        {
            "id": text,
            "project_id": text,
            "matter": nullable(text),
            "author": text,
            "reason": text,
            "until": {**DATE, "description": "Its last day."},
            "active": {"type": "boolean"},
            "begins_at": INSTANT,
            "over_at": INSTANT,
            "replaces": nullable(text),
            "ended_by": nullable(text),
        }
    )


def _ladder() -> Json:
    text: Json = {"type": "string"}
    people: Json = {"type": "array", "items": text}
    return an_object(
        {
            "phase": {"type": "string", "enum": list(PHASES)},
            "by": nullable(DATE),
            "climbs_at": nullable(INSTANT),
            "next": nullable(an_object({"role": text, "recipient": text})),
            "to_sign": people,
            "to_review": people,
        }
    )


def _act() -> Json:
    text: Json = {"type": "string"}
    kinds: Json = {"type": "string", "enum": ["signed", "feedback", "reviewed", "closed"]}
    return an_object({"id": text, "act": kinds, "by": text, "at": INSTANT, "data": {"type": "object"}})


def _stream() -> Json:
    return {
        "operationId": "stream",
        "summary": "实时收件箱 · Notifications as they are written, as server-sent events",
        "tags": ["inbox"],
        "parameters": [
            query("recipient", "Only this recipient's."),
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "Go on after this event; one that is too old is answered with the event `reset`.",
                "schema": {"type": "string"},
            },
            LANGUAGE,
        ],
        "responses": {
            "200": {
                "description": "Events whose data is a notification",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **problems(401, 503),
        },
    }


def _notification() -> Json:
    text: Json = {"type": "string"}
    delivery = an_object(
        {
            "channel": text,
            "status": {"type": "string", "enum": list(DELIVERY_STATUSES)},
            "attempts": {"type": "integer", "minimum": 0},
            "sent_at": nullable(INSTANT),
            "error": nullable(text) | {"description": "What the last attempt met."},
            "next_at": nullable(INSTANT) | {"description": "When the next attempt is made."},
            "history": {
                "type": "array",
                "items": an_object(
                    {
                        "at": INSTANT,
                        "what": {"type": "string", "enum": ["not-taken", "resent"]},
                        "error": nullable(text),
                        "by": nullable(text),
                    }
                ),
                "description": "Attempts that were not taken, and who had it sent again, oldest first.",
            },
        }
    )
    shown: Json = {
        "id": text,
        "kind": {"type": "string", "enum": list(KINDS)},
        "matter": text,
        "episode": {"type": "integer", "minimum": 1},
        "project_id": nullable(text),
        "zone": nullable(text),
        "demo": {"type": "boolean", "description": "It is about invented demonstration data."},
        "gap": nullable({"type": "array", "items": text}),
        "rule": nullable(text),
        "level": {"type": "integer", "minimum": 0},
        "recipient": text,
        "status": {"type": "string", "enum": list(STATUSES)},
        "title": text,
        "text": text,
        "url": nullable(text),
        "created_at": INSTANT,
        "deliveries": {"type": "array", "items": delivery},
        "urgent": {"type": "boolean", "description": "It waits neither for working hours nor for a digest."},
    }
    items: Json = {"type": "array", "items": _line(), "description": "The lines of a digest."}
    return an_object(shown | {"items": items}, shown)


def _line() -> Json:
    text: Json = {"type": "string"}
    shown: Json = {
        "group": {
            "type": "string",
            "enum": list(GROUPS),
            "description": "新增, 仍超期, 将到期, 已解除; 全部项目 in the first digest of a week",
        },
        "text": text,
        "number": {"type": "string", "description": "编号 of the message that it stands for; empty of a project."},
        "url": nullable(text),
        "project_id": nullable(text),
    }
    light: Json = {"type": "string", "enum": list(LIGHTS), "description": "Of a project, if it shows one."}
    return an_object(shown | {"light": light}, shown)


def _matter_body() -> Json:
    text: Json = {"type": "string"}
    clearing = nullable(
        an_object({"code": text, "date": nullable(DATE), "ruleset": {"type": "integer", "minimum": 1}}, ["code"])
    )
    past = an_object(
        {
            "episode": {"type": "integer", "minimum": 1},
            "opened_at": INSTANT,
            "cleared_at": nullable(INSTANT),
            "clearing": clearing,
            "due": nullable(DATE),
            "rule": nullable(text),
        }
    )
    shown: Json = {
        "id": text,
        "kind": {"type": "string", "enum": ["gap", "promise", "decision", "unit", "operations"]},
        "project_id": nullable(text),
        "name": nullable(text),
        "zone": nullable(text),
        "gap": nullable({"type": "array", "items": text}),
        "blocker": nullable(text),
        "owner": nullable(text),
        "fault": nullable({"type": "string", "enum": list(FAULTS)}),
        "state": {
            "type": "string",
            "enum": list(MATTER_STATES),
            "description": "warned: yellow, nothing to sign for; open: red; cleared: over.",
        },
        "episode": {"type": "integer", "minimum": 1},
        "round": {"type": "integer", "minimum": 1},
        "opened_at": INSTANT,
        "cleared_at": nullable(INSTANT),
        "clearing": clearing,
        "rule": nullable(text),
        "due": nullable(DATE),
        "red_since": nullable(INSTANT),
        "reason": nullable(an_object({"code": text, "text": text})),
        "recipients": {"type": "array", "items": text},
        "people": {"type": "array", "items": text},
        "level": {"type": "integer", "minimum": 0, "description": "The step of the ladder that was told last."},
        "ladder": nullable(_ladder()),
        "acts": {"type": "array", "items": _act()},
    }
    telling = an_object(
        {
            "kind": {"type": "string", "enum": list(TELLINGS)},
            "level": {"type": "integer", "minimum": 0},
            "round": {"type": "integer", "minimum": 1},
            "at": INSTANT,
            "role": text,
            "recipients": {"type": "array", "items": text},
            "why": text,
        }
    )
    only_of_one: Json = {
        "tellings": {"type": "array", "items": telling},
        "episodes": {"type": "array", "items": past},
        "notifications": {"type": "array", "items": {"$ref": "#/components/schemas/Notification"}},
    }
    return an_object(shown | only_of_one, shown)
