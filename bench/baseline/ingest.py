"""`POST /v1/milestones` of the baseline: check with marshmallow, send to Kafka, wait for the acknowledgement.

Served as tutorials do, by gunicorn with two workers of eight threads; each worker has one producer.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from typing import Any

from flask import Flask, Response, jsonify, request
from kafka import KafkaProducer
from kafka.errors import KafkaError
from marshmallow import Schema, ValidationError, fields, validate, validates

STAGES = ("signed", "land_supplied", "started", "completed", "producing")
ACK_TIMEOUT_S = 5
MAX_BATCH = 1000


class EvidenceSchema(Schema):
    """A document that shows the milestone."""

    kind = fields.String(required=True, validate=validate.Length(max=64))
    ref = fields.String(required=True, validate=validate.Length(max=256))


class MilestoneSchema(Schema):
    """One milestone as posted; marshmallow refuses unknown fields by itself."""

    id = fields.String(validate=validate.Length(min=1, max=64))
    project_id = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"))
    stage = fields.String(required=True, validate=validate.OneOf(STAGES))
    date = fields.Date(required=True)
    note = fields.String(validate=validate.Length(max=2000))
    evidence = fields.List(fields.Nested(EvidenceSchema), validate=validate.Length(max=20))
    actor = fields.String(validate=validate.Length(max=64))

    @validates("date")
    def not_in_the_future(self, value: dt.date, **_: Any) -> None:
        """A milestone has been reached: at most tomorrow, for clocks differ."""
        if value > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1):
            raise ValidationError("The date lies in the future.")


def create_app() -> Flask:
    """The application; reads `BASELINE_KAFKA` (host:port) and `BASELINE_TOPIC`, connects at once.

    Called by each gunicorn worker after the fork, so each has a producer of its own.
    """
    app = Flask("baseline-ingest")
    schema = MilestoneSchema()
    topic = os.environ["BASELINE_TOPIC"]
    producer = KafkaProducer(bootstrap_servers=os.environ["BASELINE_KAFKA"], acks="all")

    def publish(milestone: dict[str, Any]) -> dict[str, Any]:
        event = {
            **milestone,
            "id": milestone.get("id") or str(uuid.uuid4()),
            "date": milestone["date"].isoformat(),
            "recorded_at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        }
        key, value = event["project_id"].encode(), json.dumps(event).encode()
        metadata = producer.send(topic, key=key, value=value).get(timeout=ACK_TIMEOUT_S)
        return {
            "id": event["id"],
            "project_id": event["project_id"],
            "stage": event["stage"],
            "partition": metadata.partition,
            "offset": metadata.offset,
        }

    @app.post("/v1/milestones")
    def milestones() -> tuple[Response, int]:
        body = request.get_json()
        if not isinstance(body, list):
            return jsonify(publish(schema.load(body))), 202
        if len(body) > MAX_BATCH:
            return jsonify(title=f"At most {MAX_BATCH} milestones."), 422
        items = [publish(milestone) for milestone in schema.load(body, many=True)]
        return jsonify(accepted=len(items), items=items), 202

    @app.get("/health")
    def health() -> Response:
        return jsonify(ok=True)

    @app.errorhandler(ValidationError)
    def refused(exc: ValidationError) -> tuple[Response, int]:
        return jsonify(title="The milestone was refused.", errors=exc.messages), 422

    @app.errorhandler(KafkaError)
    def unavailable(exc: KafkaError) -> tuple[Response, int]:
        return jsonify(title="Kafka did not answer.", detail=str(exc)), 503

    return app
