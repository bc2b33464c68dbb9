"""The closed list of metrics, in Prometheus' conventions. Every service shares it and moves its own."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"

_REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_BATCH_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """All metrics of one process. Pass a registry of its own in tests; a process has one."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        r = self.registry

        # HTTP, every service
        self.requests = Counter("luodi_http_requests", "Requests answered", ["route", "status"], registry=r)
        self.request_seconds = Histogram(
            "luodi_http_request_seconds", "Time to answer", ["route"], buckets=_REQUEST_BUCKETS_S, registry=r
        )

        # ingest
        self.acked = Counter("luodi_ingest_events_acked", "Events that Kafka acknowledged", registry=r)
        self.refused = Counter("luodi_ingest_events_refused", "Events refused as invalid", ["code"], registry=r)
        self.unknown = Counter("luodi_ingest_events_unknown", "Events answered 503: outcome unknown", registry=r)
        self.unacknowledged = Gauge(
            "luodi_ingest_unacknowledged_events",
            "Events sent and not yet acknowledged",
            registry=r,
            multiprocess_mode="livesum",
        )
        self.clock_skew = Gauge(
            "luodi_clock_skew_seconds",
            "The broker's clock less this machine's",
            registry=r,
            multiprocess_mode="livemostrecent",
        )

        # tracker
        self.applied = Counter("luodi_tracker_events_applied", "Events journaled for the first time", registry=r)
        self.refolds = Counter("luodi_tracker_refolds", "Subjects folded again from their journal", registry=r)
        self.published = Counter("luodi_tracker_states_published", "Documents written to project-states", registry=r)
        self.healed = Counter(
            "luodi_tracker_states_healed", "Documents published again after a late older write", registry=r
        )
        self.rollups = Counter("luodi_tracker_rollups_made", "Roll-ups of phases and tenants made anew", registry=r)
        self.batch_seconds = Histogram(
            "luodi_tracker_batch_seconds",
            "From poll to commit of one record batch",
            buckets=_BATCH_BUCKETS_S,
            registry=r,
        )
        self.lag = Gauge("luodi_tracker_lag_records", "Records not yet applied", ["partition"], registry=r)
        self.histories = Counter("luodi_history_rows", "Histories of projects written", registry=r)
        self.history_age = Gauge(
            "luodi_history_age_seconds",
            "Business now less the instant until which a partition's history is written",
            ["partition"],
            registry=r,
        )
        self.rejected = Counter("luodi_rejected", "Records written to the rejected topic", ["reason"], registry=r)
        self.transient = Counter(
            "luodi_transient_failures", "Batches or sweeps begun again after a passing fault", ["where"], registry=r
        )

        # tracker and notify
        self.watermark_age = Gauge(
            "luodi_watermark_age_seconds", "Business now less the partition's watermark", ["partition"], registry=r
        )

        # notify
        self.sweep_age = Gauge("luodi_sweep_age_seconds", "Since the last sweep that ended well", registry=r)
        self.sweep_seconds = Histogram("luodi_sweep_seconds", "Time of one sweep", buckets=_BATCH_BUCKETS_S, registry=r)
        self.job_age = Gauge("luodi_job_age_seconds", "Since the job last got somewhere", ["job"], registry=r)
        self.failing_addresses = Gauge(
            "luodi_failing_addresses",
            "Addresses that took nothing at the last attempt, of all notifiers",
            ["channel"],
            registry=r,
        )
        self.notifications = Counter("luodi_notifications", "Notifications written", ["kind"], registry=r)
        self.deliveries = Counter("luodi_deliveries", "Delivery attempts", ["channel", "outcome"], registry=r)
        self.skipped = Counter("luodi_notify_states_skipped", "States that could not be read", ["reason"], registry=r)
        self.watches = Gauge("luodi_notify_watches", "Projects watched, of all notifiers", registry=r)
        self.open_matters = Gauge("luodi_notify_open_matters", "Matters open, of all notifiers", registry=r)
        self.streams = Gauge("luodi_notify_streams", "Live streams open", registry=r)

    def render(self) -> bytes:
        """The text that Prometheus scrapes; the sum over workers where several processes serve one address."""
        if os.environ.get(MULTIPROCESS_DIR):
            merged = CollectorRegistry()
            MultiProcessCollector(merged)  # type: ignore[no-untyped-call]  # untyped in prometheus-client
            return generate_latest(merged)
        return generate_latest(self.registry)
