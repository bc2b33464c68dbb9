"""Shared plumbing of the services: it knows HTTP, Kafka, MongoDB and the clock, and no rule of the domain."""
