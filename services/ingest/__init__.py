"""Ingest: takes what staff and systems report over HTTP and makes it durable events."""
