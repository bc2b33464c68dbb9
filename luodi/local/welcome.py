"""What a newcomer reads when the stack is ready: where everything is, and three commands to try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seeds import tour

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The addresses to show; the servers' ones carry no password."""

    ingest: str
    tracker: str
    notify: str
    kafka: str
    mongodb: str
    home: Path


def welcome(places: Places, *, with_key: bool, with_curl: bool = True) -> str:
    """The text shown when the stack is ready.

    Args:
        places: where the services and servers are.
        with_key: whether the services want the key of `LUODI_API_KEY`.
        with_curl: whether this machine has curl, which the commands call.
    """
    hint = "" if with_curl else "curl is not installed here: apt-get install -y curl\n\n"
    commands = tour.commands(places.ingest, places.tracker, places.notify, with_key=with_key)
    shown = "\n\n".join(f"# {number}. {what}\n{command}" for number, (what, command) in enumerate(commands, 1))
    return f"""
Luodi is ready.
  ingest    {places.ingest}   post events        {places.ingest}/v1/docs
  tracker   {places.tracker}   ask for projects   {places.tracker}/v1/docs
  notify    {places.notify}   read notifications {places.notify}/v1/docs
  kafka     {places.kafka}
  mongodb   {places.mongodb}
  data and logs in {places.home}

Try in another shell (示例高新区 is the zone demo, all invented):

{hint}{shown}

Stop with Ctrl-C or `make down`; the data stays. `luodi status`, `luodi doctor`, `luodi --help` tell more."""
