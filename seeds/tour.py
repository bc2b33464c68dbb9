"""The first three commands to try, as the README prints them and `luodi up` fills them in."""

from __future__ import annotations

from seeds.demo import SCENARIOS, TOUR
from seeds.story import project_id

PROJECT = project_id(1 + sum(row.count for row in SCENARIOS[: SCENARIOS.index(TOUR)]))
"""A demonstration project that has its land and has not started: red until its start is reported."""


READABLE = "python3 -m json.tool --no-ensure-ascii"


def commands(ingest: str, tracker: str, notify: str, *, with_key: bool = False) -> list[tuple[str, str]]:
    """What each command shows, and the command for bash, zsh or any POSIX shell. The arguments are base addresses.

    `with_key`: the services want the key in `LUODI_API_KEY`. The answer to the first command holds the position of its
    event and the second waits until that is visible; in another shell, where there is no such answer, it shows what is
    there.
    """
    curl = "curl -sS" + (' -H "Authorization: Bearer $LUODI_API_KEY"' if with_key else "")
    milestone = f'{{"project_id": "{PROJECT}", "stage": "started", "date": "\'$(date +%F)\'", "note": "桩基施工"}}'
    return [
        (
            "post a milestone: construction has started today",
            f"answer=$({curl} {ingest}/v1/milestones -H 'Content-Type: application/json' \\\n"
            f"  -d '{milestone}'); echo \"$answer\"",
        ),
        (
            "see it in the project: it was red, now it is green and its next clock runs",
            """position=$(echo "$answer" | sed -n 's/.*"position": *"\\([^"]*\\)".*/\\1/p')\n"""
            f'{curl} "{tracker}/v1/projects/{PROJECT}${{position:+?after=$position}}" | {READABLE}',
        ),
        (
            "see the notices that other projects have stalled (the first come about 15 s after the sample is in)",
            f'{curl} "{notify}/v1/notifications?kind=stalled&limit=3" | {READABLE}',
        ),
    ]
