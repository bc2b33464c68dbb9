"""Structured logs: one JSON object a line on standard error.

Event names are dotted and past tense and come from the closed list in `luodi.runtime.names`, so that a search for a
name finds every place that writes it. One canonical line tells a whole request, record batch, sweep or delivery.
"""

from __future__ import annotations

import logging as stdlib_logging
import sys
from typing import Any

import orjson
import structlog

from luodi.runtime import trace

Logger = structlog.typing.FilteringBoundLogger


def _dumps(event: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def _with_trace_id(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    traceparent = event.pop("traceparent", None)
    if traceparent:
        event["trace_id"] = trace.trace_id(traceparent)
    return event


def _naming(service: str) -> structlog.typing.Processor:
    # Not by context variables: threads start without those of the thread that configured.
    def name(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    return name


def configure(service: str, level: int = stdlib_logging.INFO) -> None:
    """Send all logs of this process to standard error as JSON lines, each naming `service`."""
    structlog.configure(
        processors=[
            _naming(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_trace_id,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard module; only their warnings matter beside our canonical lines.
    stdlib_logging.basicConfig(
        level=stdlib_logging.WARNING, format=f"%(asctime)s {service} %(levelname)s %(name)s %(message)s", force=True
    )


def get(name: str) -> Logger:
    """A logger for one room of the program."""
    logger: Logger = structlog.get_logger(room=name)
    return logger
