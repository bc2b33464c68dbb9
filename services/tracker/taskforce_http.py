"""The routes of the task forces: follow-ups, and the weekly report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Flask, Response, request

from luodi.domain.subjects import is_project
from luodi.domain.taskforce import WAYS
from luodi.domain.weekly import Week
from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError
from services.tracker import filters
from services.tracker.days import Days, Share, totals
from services.tracker.past import When
from services.tracker.ports import Document
from services.tracker.relations import HELD
from services.tracker.taskforce import TaskForces, Wanted, narrowed
from services.tracker.views import Viewer

FOLLOWUP_PARAMETERS = (
    *("project_id", "team", "zone", "industry", "chain", "park", *HELD, "key", "q"),
    *("way", "actor", "since", "until", "needs_leader", "next_before", "limit", "cursor", "after"),
)
"""Every query parameter of the list of follow-ups."""


def add_routes(
    app: Flask,
    forces: TaskForces,
    days: Days,
    await_position: Callable[[], None],
    settled: Callable[..., When],
    viewer: Callable[[], Viewer],
) -> None:
    """All routes. Each takes `after=<position>` and then answers nothing older than that position.

    `settled` waits until the histories know what they must; `viewer` looks now, in the caller's language.
    """

    def midnight(day: str) -> str:
        return viewer().calendar.midnight(date.fromisoformat(day))

    @app.get("/v1/followups")
    def followups() -> Response:
        http.known_parameters(*FOLLOWUP_PARAMETERS)
        asked, wanted = filters.read(request.args, midnight), _wanted()
        conditions = _standing(request.args.get("needs_leader"), filters.day(request.args, "next_before"))
        project_ids = filters.values(request.args, "project_id")
        await_position()
        view = viewer()
        today = view.today.isoformat()
        if project_ids:
            conditions.append({"_id": {"$in": list(project_ids)}})
        conditions += forces.followed_by_any(asked.teams, today)
        query = narrowed(forces.holders.asked(asked, today), conditions)
        items, following = forces.followups(query, wanted)
        http.tell(items=len(items))
        return _answer(view, {"items": items, "next": following})

    @app.get("/v1/weekly")
    def weekly() -> Response:
        http.known_parameters("project_id", "team", "week", "limit", "cursor", "after")
        project_ids, teams = filters.values(request.args, "project_id"), filters.values(request.args, "team")
        if len(project_ids) + len(teams) != 1:
            raise ProblemError("bad-query", errors=[FieldError("team", "one-of", {"names": "team, project_id"})])
        asked = filters.listed(request.args, ())
        await_position()
        view = viewer()
        week = _week(request.args.get("week"), view.today)
        of: dict[str, Any] = {"team": None}
        ids, following = list(project_ids), None
        if teams:
            found = forces.team(teams[0])
            of["team"] = {"id": teams[0], **{name: found.get(name) for name in ("name", "zone", "chain", "head")}}
            ids, following = forces.page_of(found, asked, min(view.today, week.last).isoformat())
        items = forces.weekly([id_ for id_ in ids if is_project(id_)], week, view.now, view.language)
        if project_ids and not items:
            raise ProblemError("not-found", what=project_ids[0])
        http.tell(items=len(items))
        days = {"week": week.text, "from": week.first.isoformat(), "to": week.last.isoformat()}
        return _answer(view, {**days, **of, "counts": _counts(items), "items": items, "next": following})

    @app.get("/v1/people/<person_id>/days")
    def held_days(person_id: str) -> Response:
        http.known_parameters("zone", "since", "until", "limit", "cursor", "after")
        asked, zones = filters.listed(request.args, ()), filters.values(request.args, "zone")
        since, until = filters.day(request.args, "since"), filters.day(request.args, "until")
        await_position()
        view = viewer()
        known_at = settled(view.now, fresh="after" in request.args).known_at
        last = min(until or view.today, view.today)
        shares = days.of(person_id, (since or date.min).toordinal(), last.toordinal(), zones)
        following = [share for share in shares if asked.after is None or share.project_id > asked.after[1]]
        page, more = _whole_projects(following, asked.limit)
        http.tell(items=len(page))
        body = {
            "person_id": person_id,
            "known_at": known_at,
            "from": _text(since),
            "to": last.isoformat(),
            "totals": totals(shares),
            "items": [share.told() for share in page],
            "next": asked.cursor((None, page[-1].project_id)) if more else None,
        }
        return _answer(view, body)

    def _wanted() -> Wanted:
        args = request.args
        ways = filters.values(args, "way")
        unknown = [way for way in ways if way not in WAYS]
        if unknown:
            raise ProblemError("bad-query", errors=[FieldError("way", "not-allowed", {"allowed": ", ".join(WAYS)})])
        since, until = filters.day(args, "since"), filters.day(args, "until")
        wanted = Wanted(ways, filters.values(args, "actor"), _text(since), _text(until))
        return replace(wanted, standing="needs_leader" in args or "next_before" in args)

    def _answer(view: Viewer, body: Any) -> Response:
        return http.tagged(body, view.today)


def _whole_projects(shares: Sequence[Share], limit: int) -> tuple[Sequence[Share], bool]:
    """The first of them, up to the end of the project at which the limit is reached; whether more follow."""
    end = next((n for n in range(limit, len(shares)) if shares[n].project_id != shares[n - 1].project_id), len(shares))
    return shares[:end], end < len(shares)


def _standing(needs_leader: str | None, next_before: date | None) -> list[filters.Condition]:
    """What is asked of the follow-up of a project that stands."""
    conditions: list[filters.Condition] = []
    if needs_leader is not None:
        if needs_leader not in ("true", "false"):
            fault = FieldError("needs_leader", "not-allowed", {"allowed": "true, false"})
            raise ProblemError("bad-query", errors=[fault])
        conditions.append({"followups.stands.needs_leader": needs_leader == "true"})
    if next_before is not None:
        conditions.append({"followups.stands.next_date": {"$lt": next_before.isoformat()}})
    return conditions


def _week(text: str | None, today: date) -> Week:
    """The week asked for, this one when none is; none of the future."""
    if text is None:
        return Week.of(today)
    try:
        week = Week.parse(text)
    except ValueError as exc:
        raise ProblemError("bad-query", errors=[FieldError("week", "bad-week", {})]) from exc
    if week.first > today:
        raise ProblemError("bad-query", errors=[FieldError("week", "in-the-future", {})])
    return week


def _counts(items: Sequence[Document]) -> dict[str, int]:
    """How the projects of an answer stand."""
    return {
        "projects": len(items),
        "updated": sum(item["updated"] for item in items),
        "unchanged": sum(item["unchanged"] for item in items),
        "not_updated": sum(not item["updated"] for item in items),
        "with_problems": sum(bool(item["problems"]) for item in items),
        "to_coordinate": sum(bool(item["coordination"]) for item in items),
    }


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
