"""`luodi config`: look at the rules and calendars, check the files, put them in force, go back to earlier ones."""

from __future__ import annotations

import argparse
import getpass
import time
from collections.abc import Sequence
from datetime import date, timedelta

from luodi.domain import reasons
from luodi.domain.days import instant
from luodi.runtime import configuration, kafka, lifecycle
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError
from services.tracker import console, rulesets
from services.tracker.console import Connections, Progress
from services.tracker.folding import Folder
from services.tracker.journal import MongoJournal
from services.tracker.outbox import KafkaOutbox
from services.tracker.recompute import Change, Face, Outcome, Recompute
from services.tracker.rulesets import Activation, Content, MongoRulesets
from services.tracker.stores import MongoProjects

DIGEST_CHARS = 12
ROWS = 50  # of the list of changes that are printed for people, unless they ask for another number
HOLD_S = 20.0  # for so long trackers leave the documents to this command, from when it last said that it lives
HOLD_AGAIN_S = 5.0
PRODUCER = {"linger_ms": 20, "batch_size": 512 * 1024}


def main(words: Sequence[str]) -> int:
    """The command. `show` ends with 1 when what is in force is not what this version brings."""
    parser = argparse.ArgumentParser(prog="luodi config", description="Rules and calendars in force.")
    verbs = parser.add_subparsers(dest="verb")
    showing = verbs.add_parser("show", help="every activation, the one in force last (the default)")
    showing.add_argument("--json", action="store_true", help="for programs")
    verbs.add_parser("check", help="read the configuration and list every fault; needs no server")
    applying = verbs.add_parser("apply", help="put the configuration in force and make every document anew under it")
    applying.add_argument("--by", default=None, help="who orders it (default: the user of this machine)")
    applying.add_argument("--dry-run", action="store_true", help="change nothing: only list what would change")
    applying.add_argument("--rows", type=int, default=ROWS, help=f"changes to print (default {ROWS}; 0: all)")
    applying.add_argument("--json", action="store_true", help="for programs; holds every change")
    applying.add_argument("--rewrite-history", action="store_true", help="change verdicts of the past too")
    verbs.add_parser("activate", help="put this version's rules, calendar and fold in force; trackers do the rest")
    asked = parser.parse_args(words or ["show"])
    if asked.verb == "check":
        return check()
    if asked.verb == "activate":
        return console.run("config", activate)
    if asked.verb == "apply":
        return console.run(
            "config",
            lambda c: apply(
                c,
                asked.by or getpass.getuser(),
                dry=asked.dry_run,
                rewrite=asked.rewrite_history,
                rows=asked.rows,
                as_json=asked.json,
            ),
        )
    return console.run("config", lambda c: show(c, as_json=asked.json))


def check() -> int:
    """Read all configuration; say every fault of every file."""
    settings = lifecycle.read_settings()
    try:
        config = configuration.load(settings)
    except InvalidSettingsError as exc:
        for fault in exc.faults:
            console.complain("config", fault)
        console.complain("config", f"{len(exc.faults)} faults")
        return EXIT_CONFIG
    where = settings.config_dir or "the packaged files"
    console.say(f"no fault in {where}: {len(config.zones)} zones, digest {_content_of(config).digest[:DIGEST_CHARS]}")
    return 0


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
                        "by": row.by,
                        "changes": row.changes,
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
            console.say(f"{row.number:>4}  {row.activated_at}  {row.digest[:DIGEST_CHARS]}  {row.by or '–'}{whose}")
            for change in row.changes:
                console.say(f"      {change}")
        console.say(_verdict(in_force, bool(rows)))
    return 0 if in_force or not rows else console.EXIT_FAILED


def activate(connections: Connections) -> int:
    clock = SystemClock(connections.settings.clock_offset_s)
    activation = rulesets.activate(
        MongoRulesets(connections.database),
        _content(connections),
        clock.wall_text(),
        _today(connections, clock),
        by=getpass.getuser(),
    )
    console.say(f"activation {activation.number} is in force; the trackers make every document anew under it")
    return 0


def apply(connections: Connections, by: str, *, dry: bool, rewrite: bool, rows: int, as_json: bool) -> int:
    """Put the configuration in force, make every document anew under it, and list what looks different.

    1. refuse what would change verdicts of the past, unless that is ordered
    2. activate, unless this very content is in force already; from here on trackers read their files again
    3. make every document anew and publish it, so that notify hears of it
    4. list, for each gap whose light or due date is another one now, what it was and is
    """
    clock = SystemClock(connections.settings.clock_offset_s)
    store, content, today = MongoRulesets(connections.database), _content(connections), _today(connections, clock)
    latest = store.latest()
    is_new = latest is None or latest.digest != content.digest
    for change in rulesets.changes(latest, content, today):
        console.note(f"{change}{', which changes verdicts of the past' if change.rewrites else ''}")
        if change.rewrites and not (rewrite or dry):
            raise FatalError(
                f"{change}: verdicts of the past would change. Give the rule a new version with a later valid_from, or "
                "order it with --rewrite-history; --dry-run shows what would look different"
            )
    number = _number(latest, is_new=is_new)
    if is_new and not dry:
        held = rulesets.activate(store, content, clock.wall_text(), today, by=by, held_until=_hold_until(clock))
        number = held.number
        console.note(f"activation {number} by {by} is in force")
    elif not dry:
        store.hold(number, _hold_until(clock))
        console.note(f"activation {number} has the same content and is in force already")
    outcome, seconds = _recompute(connections, store, number, clock, dry=dry)
    if as_json:
        console.say_json(_as_json(outcome, number, by, seconds, dry=dry))
    else:
        _print(outcome, number, seconds, rows, dry=dry)
    return 0


def _recompute(
    connections: Connections, store: MongoRulesets, number: int, clock: Clock, *, dry: bool
) -> tuple[Outcome, float]:
    config, activations = connections.config, {row.number: row for row in store.all()}
    producers = kafka.Producers(connections.settings, **PRODUCER)
    began = time.monotonic()
    try:
        recompute = Recompute(
            connections.database,
            MongoJournal(connections.database),
            MongoProjects(connections.database),
            None if dry else KafkaOutbox(connections.settings, producers),
            Folder(config.rules, config.calendar, number),
            lambda earlier: rulesets.may_take_over(activations, earlier, number),
        )
        total, progress, hold_at = recompute.outstanding(), Progress(), time.monotonic() + HOLD_AGAIN_S

        def tell(done: int) -> None:
            nonlocal hold_at
            progress.tell(f"{done} of {total} projects {'looked at' if dry else 'made anew'}")
            if not dry and time.monotonic() > hold_at:
                hold_at = time.monotonic() + HOLD_AGAIN_S
                store.hold(number, _hold_until(clock))

        outcome = recompute.run(clock.now_text(), tell)
    finally:
        producers.close(10)
        if not dry:
            store.hold(number, None)
    return outcome, time.monotonic() - began


def _number(latest: Activation | None, *, is_new: bool) -> int:
    if latest is None:
        return 1
    return latest.number + 1 if is_new else latest.number


def _today(connections: Connections, clock: Clock) -> date:
    return connections.config.calendar.business_date(clock.now_text())


def _hold_until(clock: Clock) -> str:
    return instant(clock.wall() + timedelta(seconds=HOLD_S))


def _print(outcome: Outcome, number: int, seconds: float, rows: int, *, dry: bool) -> None:
    shown = outcome.changes if rows == 0 else outcome.changes[:rows]
    for change in shown:
        console.say(_line(change))
    if len(shown) < len(outcome.changes):
        console.say(f"… and {len(outcome.changes) - len(shown)} more: --rows 0 prints all, --json holds all")
    verb = "would be made anew" if dry else "made anew and published"
    console.say(f"{outcome.documents} projects {verb} under activation {number} in {seconds:.1f} s")
    for before, after, count in outcome.turns():
        what = f"{before} → {after}" if before != after else f"{after}, another due date"
        console.say(f"{count:>8}  {what}")
    if outcome.verdicts:
        console.say(f"{outcome.verdicts:>8}  verdicts on closed gaps changed")
    console.say(_told(outcome))


def _told(outcome: Outcome) -> str:
    if not outcome.changes:
        return "nothing looks different: nobody is told anything"
    reds = outcome.new_reds()
    return f"{reds} newly red: only of these will anybody be told" if reds else "nothing is newly red: nobody is told"


def _line(change: Change) -> str:
    gap = "→".join(change.gap) if change.gap else "–"
    before, after = _face(change.before), _face(change.after)
    return f"{change.project_id}  {gap}  {before} → {after}  {change.name or ''}".rstrip()


def _face(face: Face) -> str:
    return f"{reasons.light_name(face.light, 'en')} ({face.due})" if face.due else reasons.light_name(face.light, "en")


def _as_json(outcome: Outcome, number: int, by: str, seconds: float, *, dry: bool) -> dict[str, object]:
    return {
        "ruleset": number,
        "by": by,
        "dry_run": dry,
        "documents": outcome.documents,
        "seconds": round(seconds, 3),
        "new_reds": outcome.new_reds(),
        "verdicts": outcome.verdicts,
        "turns": [{"before": before, "after": after, "count": count} for before, after, count in outcome.turns()],
        "changes": [
            {
                "project_id": change.project_id,
                "name": change.name,
                "zone": change.zone,
                "gap": change.gap,
                "light": {"before": change.before.light, "after": change.after.light},
                "due": {"before": change.before.due, "after": change.after.due},
                "rule": {"before": change.before.rule, "after": change.after.rule},
            }
            for change in outcome.changes
        ],
    }


def _content(connections: Connections) -> Content:
    return _content_of(connections.config)


def _content_of(config: configuration.Configuration) -> Content:
    return Content.of(config.rules, config.calendar)


def _verdict(in_force: bool, any_: bool) -> str:
    if not any_:
        return "nothing is activated yet: the first tracker that starts does it"
    if in_force:
        return "this version's rules, calendar and fold are in force"
    return "others than this version's are in force: `luodi config apply` puts this version's in force"
