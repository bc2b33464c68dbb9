"""The closed list of log event names: what each canonical line tells. A test keeps it true."""

from __future__ import annotations

LOG_EVENTS: dict[str, str] = {
    "service.started": "a service is up: address, mode, slot",
    "service.stopped": "a service ended in order: seconds taken",
    "service.failed": "a service ends because it must not go on: the exception",
    "settings.refused": "the environment is faulty: every fault",
    "http.answered": "one request: method, path, status, milliseconds, trace",
    "http.failed": "a request met an unforeseen exception: a defect, with the trace",
    "topics.ensured": "the topics exist: partitions and tag",
    "kafka.found": "ingest: the broker answers and takes events",
    "kafka.lost": "ingest: the broker does not answer, so posts get 503 at once: the exception",
    "kafka.sought": "ingest: one attempt to open a producer failed: the exception",
    "append.refused": "ingest: the broker refused a record as such, by a limit of its own: the exception",
    "clock.skewed": "ingest: the broker's clock and ours differ by a second or more, or agree again: seconds",
    "topics.warned": "a topic's settings are weaker than the system wants",
}
