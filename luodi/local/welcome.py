"""What a newcomer reads when the stack is ready: where everything is, and three commands to try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
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


def welcome(places: Places, *, today: date, with_key: bool, project_id: str = "my-first-project") -> str:
    """The text shown when the stack is ready.

    Args:
        places: where the services and servers are.
        today: the business date to post.
        with_key: whether the services want the key of `LUODI_API_KEY`.
        project_id: the project of the three commands.
    """
    key = ' -H "Authorization: Bearer $LUODI_API_KEY"' if with_key else ""
    return f"""
Luodi is ready.
  ingest    {places.ingest}   post events        {places.ingest}/v1/docs
  tracker   {places.tracker}   ask for projects   {places.tracker}/v1/docs
  notify    {places.notify}   read notifications {places.notify}/v1/docs
  kafka     {places.kafka}
  mongodb   {places.mongodb}
  data and logs in {places.home}

Try (示例高新区 is the zone demo, all invented):
  1. post a milestone
     curl -s{key} {places.ingest}/v1/milestones -H 'Content-Type: application/json' \\
       -d '{{"project_id": "{project_id}", "stage": "signed", "date": "{today.isoformat()}"}}'
  2. see the project it moved
     curl -s{key} {places.tracker}/v1/projects/{project_id}
  3. see the notice that another project has stalled
     curl -s{key} '{places.notify}/v1/notifications?kind=stalled&limit=1'

Stop with Ctrl-C or `make down`; the data stays. `luodi status`, `luodi doctor`, `luodi --help` tell more."""
