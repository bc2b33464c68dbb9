"""`luodi config show|activate`: the rules and calendar in force, and going back to earlier ones on purpose."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from luodi.runtime.clock import SystemClock
from services.tracker import console, rulesets
from services.tracker.console import Connections
from services.tracker.rulesets import Content, MongoRulesets

DIGEST_CHARS = 12


def main(words: Sequence[str]) -> int:
    """The command. `show` ends with 1 when what is in force is not what this version brings."""
    parser = argparse.ArgumentParser(prog="luodi config", description="Rules and calendar in force.")
    verbs = parser.add_subparsers(dest="verb")
    showing = verbs.add_parser("show", help="every activation, the one in force last (the default)")
    showing.add_argument("--json", action="store_true", help="for programs")
    verbs.add_parser("activate", help="put this version's rules, calendar and fold in force under a new number")
    asked = parser.parse_args(words or ["show"])
    if asked.verb == "activate":
        return console.run("config", activate)
    return console.run("config", lambda c: show(c, as_json=asked.json))


def show(connections: Connections, *, as_json: bool) -> int:
    mine = _content(connections).digest
    rows = MongoRulesets(connections.database).all()
    in_force = bool(rows) and rows[-1].digest == mine
    if as_json:
        console.say_json(
            {
                "activations": [
                    {
                        "number": row.number,
                        "activated_at": row.activated_at,
                        "digest": row.digest,
                        "fold_version": row.fold_version,
                        "rules": row.rules,
                        "calendar": row.calendar,
                    }
                    for row in rows
                ],
                "this_version": mine,
                "in_force": in_force,
            }
        )
    else:
        for row in rows:
            whose = "  this version's" if row.digest == mine else ""
            console.say(f"{row.number:>4}  {row.activated_at}  {row.digest[:DIGEST_CHARS]}{whose}")
        console.say(_verdict(in_force, bool(rows)))
    return 0 if in_force or not rows else console.EXIT_FAILED


def activate(connections: Connections) -> int:
    number = rulesets.activate(MongoRulesets(connections.database), _content(connections), SystemClock().wall_text())
    console.say(f"activation {number} is in force; the trackers make every document anew under it")
    return 0


def _content(connections: Connections) -> Content:
    return Content.of(connections.config.rules, connections.config.calendar)


def _verdict(in_force: bool, any_: bool) -> str:
    if not any_:
        return "nothing is activated yet: the first tracker that starts does it"
    if in_force:
        return "this version's rules, calendar and fold are in force"
    return "others than this version's are in force: `luodi config activate` puts this version's in force"
