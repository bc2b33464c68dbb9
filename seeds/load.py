"""Load the sample, or files of events, through ingest: `python -m seeds.load --ingest URL --home HOME [FILE…]`.

There is no back door: everything goes through `POST /v1/events`, in batches, like the events of any other system.
The home keeps what the load has reached (`sample.json`), so a load that broke off is completed by the next one. Every
event has an id of its own for ever, so posting one again changes nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TextIO
from zoneinfo import ZoneInfo

import urllib3

from seeds import demo
from seeds.event import SeedEvent
from seeds.facts import published_events
from seeds.files import UnreadableFileError, read
from seeds.story import project_id

BATCH = 500  # events in one request: half of what ingest takes, and a bar that moves
PATIENCE_S = 120.0  # without one acknowledged event: longer than any restart of the stack
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
CONNECT_S, ANSWER_S = 5.0, 30.0
SHOWN_REFUSALS = 10
STATE, LOCK = "sample.json", "sample.lock"
BATCH_TYPE = "application/cloudevents-batch+json"
ACCEPTED, CONFLICT, INVALID, TOO_MANY, UNAVAILABLE = 202, 409, 422, 429, 503
EXIT_REFUSED, EXIT_USAGE = 1, 2
EXIT_AWAY = 75  # EX_TEMPFAIL of sysexits.h: the same command may work later
EXIT_CONFIG = 78  # EX_CONFIG: it cannot work with these settings


class LoadError(Exception):
    """The load cannot go on; the message says what to do. `exit_code` is the process's."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Answer:
    """What ingest answered; status 0 means that it could not be reached, `body` then says why."""

    status: int
    body: Any
    retry_after_s: float | None = None


class Ingest(Protocol):
    """Where events go."""

    def post(self, events: Sequence[SeedEvent]) -> Answer:
        """Post one batch. Never raises for a failure of the network."""


@dataclass(frozen=True, slots=True)
class SampleState:
    """How far the sample of this home is loaded.

    `day` is the day of loading, kept for ever; `edition` that of the stories; `posted` the number of events answered
    so far; `done` ends it.
    """

    day: str
    edition: str
    posted: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that ingest will never take, with its reasons."""

    event: SeedEvent
    status: int
    errors: str

    def __str__(self) -> str:
        return f"{self.event.subject} {self.event.type} {self.event.id}: {self.status} {self.errors}"


class HttpIngest:
    """Ingest over HTTP."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._url = f"{url.rstrip('/')}/v1/events"
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S), retries=False, maxsize=1
        )
        self._headers = {"Content-Type": BATCH_TYPE, "Accept-Language": "en", **_bearer(api_key)}

    def post(self, events: Sequence[SeedEvent]) -> Answer:
        body = json.dumps([event.cloudevent() for event in events], ensure_ascii=False).encode()
        try:
            response = self._pool.request("POST", self._url, body=body, headers=self._headers)
        except urllib3.exceptions.HTTPError as exc:
            return Answer(0, str(exc))
        return Answer(response.status, _json(response.data), _seconds(response.headers.get("Retry-After")))


class Loader:
    """Posts events in order, batch by batch; a batch begins when every event before it is answered for good."""

    def __init__(
        self,
        ingest: Ingest,
        progress: Callable[[int, int], None],
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest = ingest
        self._progress = progress
        self._sleep = sleep
        self._monotonic = monotonic

    def load(
        self, events: Sequence[SeedEvent], begin: int = 0, reached: Callable[[int], None] | None = None
    ) -> list[Refusal]:
        """Post `events[begin:]`. `reached` is told after each batch how many are behind.

        Returns what was refused. Raises LoadError when ingest refuses everything (a wrong key, a wrong address) or
        takes nothing for `PATIENCE_S`.
        """
        refusals: list[Refusal] = []
        done = begin
        self._progress(done, len(events))
        for batch in batches(events[begin:]):
            refusals += self._settle(batch)
            done += len(batch)
            if reached is not None:
                reached(done)
            self._progress(done, len(events))
        return refusals

    def _settle(self, batch: Sequence[SeedEvent]) -> list[Refusal]:
        """Post until each event is acknowledged or refused; what has an unknown outcome is posted again."""
        refusals: list[Refusal] = []
        waiting = list(batch)
        pause = FIRST_PAUSE_S
        patient_until = self._monotonic() + PATIENCE_S
        while waiting:
            answer = self._ingest.post(waiting)
            still, refused = sort_out(waiting, answer)
            refusals += refused
            if len(still) < len(waiting):
                pause, patient_until = FIRST_PAUSE_S, self._monotonic() + PATIENCE_S
            waiting = still
            if not waiting:
                break
            if self._monotonic() >= patient_until:
                raise LoadError(
                    f"ingest took nothing for {PATIENCE_S:.0f} s; its last answer: {_shown(answer)}. "
                    "Start the load again when it is back: it goes on where it stopped.",
                    EXIT_AWAY,
                )
            self._sleep(min(max(pause, answer.retry_after_s or 0), LONGEST_PAUSE_S))
            pause = min(pause * 2, LONGEST_PAUSE_S)
        return refusals


def batches(events: Sequence[SeedEvent]) -> Iterator[Sequence[SeedEvent]]:
    """Cut into batches; none spans two waves, so what an event builds on is recorded before it is posted."""
    begin = 0
    for end in range(1, len(events) + 1):
        if end == len(events) or end - begin == BATCH or events[end].wave != events[begin].wave:
            yield events[begin:end]
            begin = end


def sort_out(batch: Sequence[SeedEvent], answer: Answer) -> tuple[list[SeedEvent], list[Refusal]]:
    """What is to be posted again and what is refused for good, from ingest's answer to `batch`.

    Raises LoadError for an answer that no repetition would change.
    """
    if answer.status in {0, TOO_MANY}:
        return list(batch), []
    items = answer.body.get("items") if isinstance(answer.body, Mapping) else None
    if isinstance(items, list) and len(items) == len(batch):
        again = [event for event, item in zip(batch, items, strict=True) if item.get("status") == UNAVAILABLE]
        refused = [
            Refusal(event, item.get("status", 0), _reasons(item))
            for event, item in zip(batch, items, strict=True)
            if item.get("status") not in {ACCEPTED, UNAVAILABLE}
        ]
        return again, refused
    if answer.status == ACCEPTED:
        return [], []
    if answer.status >= 500:
        return list(batch), []
    raise LoadError(f"ingest refused the load: {_shown(answer)}", EXIT_REFUSED)


def sample(day: date) -> tuple[SeedEvent, ...]:
    """The whole sample as it is told on the day of loading: the published facts, then the demonstration zone."""
    return (*published_events(), *demo.events(day))


def load_sample(loader: Loader, home: Path, day: date) -> list[Refusal]:
    """Load the sample into the system whose home this is, or complete a load that broke off; done once it is done.

    `day` counts only when this home has not begun a load before. A load that another edition of the stories began is
    begun anew: events have other ids in each edition, so none contradicts another.
    """
    state = read_state(home) or SampleState(day.isoformat(), demo.edition())
    if state.done:
        return []
    if state.edition != demo.edition():
        state = SampleState(state.day, demo.edition())
    write_state(home, state)
    events = sample(date.fromisoformat(state.day))
    refusals = loader.load(events, state.posted, lambda posted: write_state(home, replace(state, posted=posted)))
    if not refusals:  # a load with refusals is tried again: the fault may lie in a setting
        write_state(home, replace(state, posted=len(events), done=True))
    return refusals


def read_state(home: Path) -> SampleState | None:
    """What this home knows of its sample, None before the first load. Raises LoadError for a file that is not ours."""
    path = home / STATE
    try:
        return SampleState(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as exc:
        raise LoadError(f"{path} cannot be read ({exc}); remove it to load the sample again", EXIT_USAGE) from exc


def write_state(home: Path, state: SampleState) -> None:
    """Replace the state in one step: a crash leaves the old one or the new one."""
    fresh = home / f"{STATE}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(home / STATE)


def earlier_load(tracker: str | None, api_key: str | None) -> tuple[date, str] | None:
    """Day and edition of the sample in this system, as its first project tells them; None where there is none.

    A home that is new to an existing system takes the day over, so that it posts the very same events.
    """
    if tracker is None:
        return None
    url = f"{tracker.rstrip('/')}/v1/projects/{project_id(1)}"
    try:
        response = urllib3.request("GET", url, headers=_bearer(api_key), timeout=CONNECT_S, retries=False)
        refs = _json(response.data)["refs"] if response.status == 200 else []
        told = next((ref["id"] for ref in refs or [] if ref["system"] == demo.MARK), None)
        if told is None:
            return None
        day, _, edition = told.partition(" ")
        return date.fromisoformat(day), edition
    except (urllib3.exceptions.HTTPError, KeyError, TypeError, ValueError):
        return None  # not there, or not ours: the sample is new to this system


def today(environ: Mapping[str, str]) -> date:
    """The business date, as the services see it."""
    offset = timedelta(seconds=float(environ.get("LUODI_CLOCK_OFFSET") or 0))
    zone = ZoneInfo(environ.get("LUODI_TIMEZONE") or "Asia/Shanghai")
    return (datetime.now(UTC) + offset).astimezone(zone).date()


class Bar:
    """Progress: one line that moves on a terminal, now and then a plain line elsewhere. `what` stands before it."""

    EVERY_S = 2.0

    def __init__(self, what: str, stream: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._stream = stream
        self._monotonic = monotonic
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        text = f"{self._what}{done} of {total} events"
        if self._stream.isatty():
            width = 30
            filled = width * done // max(total, 1)
            self._stream.write(f"\r{text} [{'#' * filled}{'.' * (width - filled)}]{'' if done < total else chr(10)}")
        elif done >= total or self._monotonic() >= self._next:
            self._stream.write(f"{text}\n")
            self._next = self._monotonic() + self.EVERY_S
        self._stream.flush()


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keep a second load of the same home out. Raises LoadError when one is under way."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel releases it when this process ends
            yield
    except BlockingIOError as exc:
        raise LoadError(f"another load of {home} is under way: wait for it to end", EXIT_AWAY) from exc
    except OSError as exc:
        raise LoadError(f"{home} cannot be used: {exc}", EXIT_USAGE) from exc


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """The command. Returns 0 when everything is in, 1 when something was refused, 75 when ingest is away."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options, environ)
    except (LoadError, UnreadableFileError) as exc:
        sys.stderr.write(f"luodi seed: {exc}\n")
        return exc.exit_code if isinstance(exc, LoadError) else EXIT_USAGE
    except KeyboardInterrupt:
        sys.stderr.write("luodi seed: interrupted; the next load goes on where this one stopped\n")
        return 130


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if environ.get("LUODI_MODE") == "production" and not options.files:
        raise LoadError("LUODI_MODE is production, which takes no sample data: LUODI_MODE=local does", EXIT_CONFIG)
    api_key = _api_key(options.api_key_file, environ)
    ingest = HttpIngest(options.ingest, api_key)
    files = [(path, read(path)) for path in options.files]  # all are read before the first is posted
    refusals: list[Refusal] = []
    for path, events in files:
        refusals += Loader(ingest, Bar(f"{path.name}: ", sys.stdout)).load(events)
    if not files:
        with alone(options.home):
            refusals = _sample(options, ingest, api_key, environ)
    for refusal in refusals[:SHOWN_REFUSALS]:
        sys.stderr.write(f"luodi seed: refused: {refusal}\n")
    if len(refusals) > SHOWN_REFUSALS:
        sys.stderr.write(f"luodi seed: and {len(refusals) - SHOWN_REFUSALS} more\n")
    return EXIT_REFUSED if refusals else 0


def _sample(
    options: argparse.Namespace, ingest: Ingest, api_key: str | None, environ: Mapping[str, str]
) -> list[Refusal]:
    state = read_state(options.home)
    if state is not None and state.done:
        sys.stdout.write(f"loaded on {state.day}: nothing to do\n")
        return []
    day: date = options.day or today(environ)
    if state is None and (earlier := earlier_load(options.tracker, api_key)):
        day, edition = earlier
        if edition != demo.edition():
            sys.stdout.write(f"this system holds the sample of another version, loaded on {day}: left as it is\n")
            write_state(options.home, SampleState(day.isoformat(), edition, done=True))
            return []
    return load_sample(Loader(ingest, Bar("", sys.stdout)), options.home, day)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seeds.load", description="Load the sample, or files of events, through ingest."
    )
    parser.add_argument("--ingest", metavar="URL", required=True, type=_url, help="address of ingest")
    parser.add_argument("--home", metavar="HOME", required=True, type=Path, help="folder that keeps the load's state")
    parser.add_argument("--tracker", metavar="URL", type=_url, help="address of tracker: asked for an earlier load")
    parser.add_argument("--api-key-file", metavar="FILE", type=Path, help="file with the key, else LUODI_API_KEY")
    parser.add_argument(
        "--day", metavar="YYYY-MM-DD", type=_day, help="day of loading of a first load; default: the business date"
    )
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="files of events, instead of the sample")
    return parser


def _url(text: str) -> str:
    if not re.match(r"https?://[^/]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no http or https address")
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is no date") from exc


def _api_key(path: Path | None, environ: Mapping[str, str]) -> str | None:
    if path is None and environ.get("LUODI_API_KEY_FILE"):
        path = Path(environ["LUODI_API_KEY_FILE"])
    if path is None:
        return environ.get("LUODI_API_KEY") or None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise LoadError(f"{path}: {exc.strerror or exc}", EXIT_USAGE) from exc


def _bearer(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data[:200].decode("utf-8", errors="replace")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _reasons(item: Mapping[str, Any]) -> str:
    errors = item.get("errors") or []
    return "; ".join(f"{error.get('pointer') or '/'} {error.get('detail') or error.get('code')}" for error in errors)


def _shown(answer: Answer) -> str:
    if answer.status == 0:
        return f"no connection ({answer.body})"
    if isinstance(answer.body, Mapping):
        return f"{answer.status} {answer.body.get('title', '')}: {answer.body.get('detail', '')}"
    return f"{answer.status} {answer.body}"


if __name__ == "__main__":
    sys.exit(main())
