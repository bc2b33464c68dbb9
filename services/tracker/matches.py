"""Projects that wait for land or a plant × what fits (供需匹配): a page of projects, each with the best places.

Projects are found by what they seek, which only those that wait have. Plots, buildings and carriers are few: all of the
zones of the page are read and ranked in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain.assess import ACTIVE, POOL, SUSPENDED
from luodi.domain.matching import SEEKS, Match, Offer, matches, need_of, offer_of, sentence, vacancy_of
from luodi.domain.resources import OFFERED, STATES, TAKEN
from luodi.domain.stages import Language
from luodi.domain.subjects import id_of
from luodi.runtime.mongo import translated
from services.tracker.carriers import Carriers
from services.tracker.filters import Condition, Reader
from services.tracker.ports import Document
from services.tracker.resources import Resources

TEXTS = ("zone", "park", "industry", "chain", "lead_unit", "group_head", "officer")
"""Parameters that name values of the project's field of that name."""

PARAMETERS = (*TEXTS, "project_id", "seeks", "pool", "state", "best", "limit", "cursor", "after")

INDEX = "seeks"
BEST = 3  # places shown per project
MOST = 20

_READ = (
    *("name", "zone", "route", "status", "stage", "stage_since", "industry", "chain", "park", "parcel", "seeks"),
    *("area_mu", "floor_m2", "investment", "lead_unit", "group_head", "officer"),
)
_TOLD = tuple(name for name in _READ if name != "route")
_STATES = tuple(state for state in STATES if state != TAKEN)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about matches."""

    conditions: Sequence[Condition]
    states: tuple[str, ...]
    best: int
    limit: int
    after: str | None
    cursor: Callable[[Any, str], str]


def asked(args: MultiDict[str, str]) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    seeks = reader.chosen("seeks", SEEKS) or SEEKS
    statuses = [ACTIVE, SUSPENDED, *([POOL] if reader.flag("pool") else [])]
    conditions: list[Condition] = [{"seeks": {"$in": [*seeks]}}, {"status": {"$in": statuses}}]
    chosen = {name: reader.values(name) for name in TEXTS}
    conditions += [{name: {"$in": [*values]}} for name, values in chosen.items() if values]
    if projects := reader.values("project_id"):
        conditions.append({"_id": {"$in": [*projects]}})
    after = reader.after()
    found = Asked(
        conditions=conditions,
        states=reader.chosen("state", _STATES) or (OFFERED,),
        best=reader.whole("best", 1, MOST, BEST),
        limit=reader.limit(),
        after=None if after is None else after[1],
        cursor=reader.cursor,
    )
    reader.done()
    return found


class Matches:
    """What the route asks the stores. Raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document], resources: Resources, carriers: Carriers) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._resources = resources
        self._carriers = carriers

    def page(self, question: Asked, on: str, language: Language) -> tuple[list[dict[str, Any]], str | None]:
        """One page of projects that wait on a business date, in the order of their ids, and the cursor of the next.

        Who has a resource assigned waits no longer and is left out.
        """
        found, following = self._waiting(question, on)
        zones = sorted({document["zone"] for document in found if document.get("zone")})
        offers = list(self._offers(zones, question.states, on)) if found else []
        items = []
        for document in found:
            fitting, none = matches(need_of(document), offers, question.best)
            items.append(
                {
                    "project_id": document["_id"],
                    **{name: document.get(name) for name in _TOLD},
                    "matches": [_match(match, language) for match in fitting],
                    "none": None if none is None else {"code": none["code"], "text": sentence([none], language)},
                }
            )
        return items, following

    def _waiting(self, question: Asked, on: str) -> tuple[list[Document], str | None]:
        """As many as the page holds; more are read while some of them have a resource already."""
        found: list[Document] = []
        after = question.after
        while True:
            room = question.limit + 1 - len(found)
            conditions = [*question.conditions, *([{"_id": {"$gt": after}}] if after is not None else [])]
            with translated():
                matching = self._documents.find({"$and": conditions}, dict.fromkeys(_READ, 1))
                rows = list(matching.sort("_id").hint(INDEX).limit(room))
            holding = self._resources.holders([row["_id"] for row in rows], on) if rows else set()
            found += [row for row in rows if row["_id"] not in holding]
            if len(rows) < room:
                return found, None
            if len(found) > question.limit:
                return found[:-1], question.cursor(None, found[-2]["_id"])
            after = rows[-1]["_id"]

    def _offers(self, zones: Sequence[str], states: Sequence[str], on: str) -> Iterator[Offer]:
        """What there is: resources, and what is vacant of carriers none of whose parts is offered by itself."""
        parted: set[str] = set()
        for document in self._resources.offered(zones, states, on):
            parted.add(document.get("carrier") or "")
            offer = offer_of(document, id_of(document["_id"]), on)
            if offer is not None:
                yield offer
        if OFFERED in states:
            for house in self._carriers.houses(zones):
                offer = None if house.carrier["_id"] in parted else vacancy_of(house)
                if offer is not None:
                    yield offer


def _match(match: Match, language: Language) -> dict[str, Any]:
    told: Mapping[str, Any] = {name: value for name, value in asdict(match.offer).items() if name != "zone"}
    return {
        **told,
        "spare": match.spare,
        "why": [reason["code"] for reason in match.why],
        "text": sentence(match.why, language),
    }
