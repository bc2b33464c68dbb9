"""`luodi rejects [list|show ID|resume PARTITION]`: what could not be applied, and going on after a fuse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from luodi.runtime.settings import Settings
from schemas import states
from schemas.invalid import Invalid
from services.tracker import console
from services.tracker.console import Connections
from services.tracker.ports import Fuse
from services.tracker.stores import MongoFuses

LIMIT = 50
KEY_CHARS = 40


def main(words: Sequence[str]) -> int:
    """The command. Exit code 1: there is no such reject, or the partition does not stand still."""
    parser = argparse.ArgumentParser(prog="luodi rejects", description="Records that could not be applied.")
    verbs = parser.add_subparsers(dest="verb")
    listing = verbs.add_parser("list", help="the newest rejects and the partitions that stand still (the default)")
    listing.add_argument("--limit", type=int, default=LIMIT, help=f"how many at most, {LIMIT} unless told")
    listing.add_argument("--json", action="store_true", help="for programs")
    showing = verbs.add_parser("show", help="one reject with the record it came from")
    showing.add_argument("id")
    resuming = verbs.add_parser("resume", help="let a partition go on that stands still")
    resuming.add_argument("partition", type=int)
    asked = parser.parse_args(words or ["list"])
    if asked.verb == "show":
        return console.run("rejects", lambda c: show(c, asked.id))
    if asked.verb == "resume":
        return console.run("rejects", lambda c: resume(c, asked.partition))
    return console.run("rejects", lambda c: listed(c, asked.limit, as_json=asked.json))


def listed(connections: Connections, limit: int, *, as_json: bool) -> int:
    found = list(read_all(connections.settings).values())
    newest = found[-limit:] if limit > 0 else found
    fuses = _fuses(connections)
    if as_json:
        shown = [{name: row[name] for name in row if name not in {"key", "value"}} for row in newest]
        console.say_json(
            {
                "total": len(found),
                "rejects": shown,
                "standing_still": [
                    {"partition": f.partition, "offset": f.offset, "reason": f.reason, "since": f.blown_at}
                    for f in fuses
                ],
            }
        )
        return 0
    for row in newest:
        console.say(
            f"{row['rejected_at']}  {row['reason']:<14} {row['id']:<32} {_key(row):<{KEY_CHARS}} {row['detail']}"
        )
    console.say(f"{len(found)} rejected records" + (f", the newest {len(newest)} shown" if newest != found else ""))
    for fuse in fuses:
        console.say(
            f"partition {fuse.partition} stands still at offset {fuse.offset} since {fuse.blown_at}: {fuse.reason}\n"
            f"  go on with: luodi rejects resume {fuse.partition}"
        )
    return 0


def show(connections: Connections, identity: str) -> int:
    row = read_all(connections.settings).get(identity)
    if row is None:
        console.complain("rejects", f"there is no rejected record {identity}")
        return console.EXIT_FAILED
    console.say_json(row)
    return 0


def resume(connections: Connections, partition: int) -> int:
    """Mend the fuse; the tracker that owns the partition looks for it every two seconds."""
    if not MongoFuses(connections.database, connections.topic.tag).mend(partition):
        console.complain("rejects", f"partition {partition} does not stand still")
        return console.EXIT_FAILED
    console.say(f"partition {partition} goes on")
    return 0


def read_all(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every reject by its identity, in the order of the topic. One written twice by a replay is one."""
    progress, found = console.Progress(), {}
    reader = console.TopicReader(settings, settings.topics.rejected)
    try:
        for batch in reader.read(reader.ends()):
            for records in batch.values():
                for record in records:
                    row = _decoded(record.value)
                    if row is not None:
                        found[row["id"]] = row
            progress.tell(f"{len(found)} rejects read")
    finally:
        reader.close()
    return found


def _decoded(value: bytes | None) -> dict[str, Any] | None:
    try:
        return states.decode_rejected(value or b"")
    except Invalid:  # written by something else than a tracker
        return None


def _key(row: dict[str, Any]) -> str:
    key, _ = states.original(row)
    text = "" if key is None else key.decode(errors="replace")
    return text if len(text) <= KEY_CHARS else text[: KEY_CHARS - 1] + "…"


def _fuses(connections: Connections) -> list[Fuse]:
    blown = MongoFuses(connections.database, connections.topic.tag).blown()
    return [blown[partition] for partition in sorted(blown)]
