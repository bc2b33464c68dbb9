"""The baseline's reader: one `update_one` per message, commit after each poll; and the query beside it.

`python -m bench.baseline.tracker` consumes; `create_app` is the query, served by gunicorn in a process of its own, so
neither waits for the other.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Any

from flask import Flask, Response, jsonify
from kafka import KafkaConsumer
from pymongo import MongoClient
from pymongo.collection import Collection


def projects() -> Collection[dict[str, Any]]:
    """The collection of projects; `BASELINE_MONGO` is the URI, `BASELINE_DATABASE` the database."""
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["BASELINE_MONGO"])
    return client[os.environ["BASELINE_DATABASE"]]["projects"]


def consume(stop: threading.Event) -> None:
    """Apply messages until `stop`; `BASELINE_KAFKA`, `BASELINE_TOPIC` and `BASELINE_GROUP` say from where."""
    collection = projects()
    consumer = KafkaConsumer(
        os.environ["BASELINE_TOPIC"],
        bootstrap_servers=os.environ["BASELINE_KAFKA"],
        group_id=os.environ["BASELINE_GROUP"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        while not stop.is_set():
            polled = consumer.poll(timeout_ms=500)
            for messages in polled.values():
                for message in messages:
                    apply(collection, json.loads(message.value))
            if polled:
                consumer.commit()
    finally:
        consumer.close()


def apply(collection: Collection[dict[str, Any]], event: dict[str, Any]) -> None:
    """Set the stage's date, the stage and the time of the report on the project's document."""
    collection.update_one(
        {"_id": event["project_id"]},
        {
            "$set": {
                f"milestones.{event['stage']}": event["date"],
                "stage": event["stage"],
                "stage_since": event["date"],
                "updated_at": event["recorded_at"],
            }
        },
        upsert=True,
    )


def create_app() -> Flask:
    """The query `GET /v1/projects/<id>`."""
    app = Flask("baseline-tracker")
    collection = projects()

    @app.get("/v1/projects/<project_id>")
    def project(project_id: str) -> tuple[Response, int]:
        document = collection.find_one({"_id": project_id})
        if document is None:
            return jsonify(title="No such project."), 404
        return jsonify(id=document.pop("_id"), **document), 200

    @app.get("/health")
    def health() -> Response:
        collection.find_one({}, {"_id": True})
        return jsonify(ok=True)

    return app


def main() -> None:
    """Consume until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    consume(stop)


if __name__ == "__main__":
    main()
