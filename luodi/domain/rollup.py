"""What a project is by its phases, and a carrier by its tenants: made from their documents, never inside a fold.

A *phase* names its ``parent``, up to three levels deep; a *tenant* names its ``carrier``. A roll-up is a pure function
of the documents of a family, so it can be thrown away and made again. Whatever shape the links have, it ends: every
project is visited once, a ring of parents included.

A withdrawn phase is shown and speaks for nothing: not for the light, not for the stage, not for the sums, unless every
phase is withdrawn. So does one that is in the pool yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain.assess import POOL, PUBLISHED, WITHDRAWN
from luodi.domain.clocks import LIGHTS, REASON_READ, Step, reason_of
from luodi.domain.counting import arrived
from luodi.domain.days import END_OF_TIME, last_ordinal
from luodi.domain.stages import PRODUCING, STAGES, next_stage, stages_of

MAX_DEPTH = 3  # levels of phases below a project
MAX_LINEAGE = 8  # parents that are followed upwards: a longer ring is nobody's root

Document = Mapping[str, Any]

READ = (
    "name",
    "zone",
    "status",
    "source",
    "phased",
    "registered",
    "parent",
    "carrier",
    "stage",
    "reached",
    "verified",
    "investment",
    "floor_m2",
    "paid_in",
    "progress.arrived_total",
    "enterprise",
    "credit_code",
    "lights",
    *REASON_READ,
)
"""The fields of a document that a roll-up is made from."""

MUTE = frozenset({WITHDRAWN, POOL})
"""Statuses of members that are shown and not counted."""

_BADNESS = {light: place for place, light in enumerate(LIGHTS)}


@dataclass(frozen=True, slots=True)
class Family:
    """Documents by id, with the links between them: enough of them that nothing below a subject is left out."""

    documents: Mapping[str, Document]
    phases: Mapping[str, Sequence[str]]  # by parent, in the order of their ids
    tenants: Mapping[str, Sequence[str]]  # by carrier, likewise

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Family:
        known = {document["_id"]: document for document in sorted(documents, key=lambda document: document["_id"])}
        return cls(known, _by(known, "parent"), _by(known, "carrier"))

    def phases_of(self, subject: str) -> list[str]:
        return [phase for phase in self.phases.get(subject, ()) if phase != subject]

    def below(self, subject: str) -> Iterator[tuple[str, int]]:
        """Every phase below a project with its depth, each once, level by level."""
        seen, level = {subject}, [subject]
        for depth in range(1, MAX_DEPTH + 1):
            level = [phase for parent in level for phase in self.phases_of(parent) if phase not in seen]
            seen.update(level)
            yield from ((phase, depth) for phase in level)

    def lodged(self, carrier: str) -> list[str]:
        """The tenants of a carrier: projects of their own, not the phases of one that is counted already."""
        own = {carrier, *(phase for phase, _ in self.below(carrier))}
        found = [tenant for tenant in self.tenants.get(carrier, ()) if tenant not in own]
        return [tenant for tenant in found if self.documents[tenant].get("parent") not in {*found} - {tenant}]


def _by(documents: Mapping[str, Document], link: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for subject, document in documents.items():
        if document.get(link):
            found.setdefault(document[link], []).append(subject)
    return found


def roll_up(subject: str, family: Family) -> dict[str, Any]:
    """The roll-up of a project that others name as their parent or carrier.

    ``members`` are all it was made from, ``roots`` those of its phases that are counted although they name a parent
    (it is not registered, or the links run in a ring). ``phased`` says that ``lights`` and ``stage`` stand for those
    of the project itself.
    """
    own = family.documents.get(subject, {})
    below = list(family.below(subject))
    phases = [(phase, depth, family.documents[phase]) for phase, depth in below]
    tenants = [(tenant, family.documents[tenant]) for tenant in family.lodged(subject)]
    living = _living(subject, family)
    return {
        "_id": subject,
        "zone": own.get("zone"),
        "registered": bool(own.get("registered")),
        "phased": bool(own.get("phased") and living and own["status"] not in MUTE and own.get("source") != PUBLISHED),
        "members": [*(phase for phase, _ in below), *(tenant for tenant, _ in tenants)],
        "roots": _roots(subject, family),
        "lights": _phase_lights(subject, family),
        **_progress(subject, family),
        "spread": _spread(family.documents[leaf] for leaf in _leaves(subject, family)),
        "money": _money(subject, family),
        "phases": [{"parent": document.get("parent"), "depth": n, **_row(p, family)} for p, n, document in phases],
        "tenants": [_row(tenant, family) for tenant, _ in tenants],
    }


def counted(subject: str, family: Family) -> dict[str, Any]:
    """As much of a roll-up as a funnel counts by: for many families at once the rest would take too long."""
    found = reached(subject, family)
    return {
        "_id": subject,
        "roots": _roots(subject, family),
        "reached": found,
        "verified": verified(subject, family),
        "stage": next(reversed(found), None),
        "money": {"arrived": _arrived(subject, family)},
    }


def reached(subject: str, family: Family, seen: frozenset[str] = frozenset()) -> dict[str, str | None]:
    """The stages of its route that a project has reached, each when its first living phase did.

    A date that is not known yields to one that is.
    """
    document = family.documents.get(subject, {})
    found: dict[str, list[str | None]] = {}
    sources = [document.get("reached") or {}]
    if len(seen) < MAX_DEPTH:
        below = seen | {subject}
        sources += [reached(phase, family, below) for phase in _living(subject, family) if phase not in below]
    for source in sources:
        for stage, date in source.items():
            found.setdefault(stage, []).append(date)
    return {stage: _first(found[stage]) for stage in stages_of(document.get("route")) if stage in found}


def verified(subject: str, family: Family) -> list[str]:
    """The stages of its route that a project has reached and another person has verified, of itself or of any living
    phase: whoever saw one phase there saw the project there."""
    seen = _seen_by_others(subject, family)
    return [stage for stage in stages_of(family.documents.get(subject, {}).get("route")) if stage in seen]


def _seen_by_others(subject: str, family: Family, above: frozenset[str] = frozenset()) -> set[str]:
    found = set(family.documents.get(subject, {}).get("verified") or ())
    if len(above) < MAX_DEPTH:
        below = above | {subject}
        for phase in _living(subject, family):
            if phase not in below:
                found |= _seen_by_others(phase, family, below)
    return found


def _first(dates: Sequence[str | None]) -> str | None:
    return min((date for date in dates if date is not None), key=last_ordinal, default=None)


def _living(subject: str, family: Family) -> list[str]:
    """The phases that speak for a project."""
    phases = family.phases_of(subject)
    return [phase for phase in phases if family.documents[phase]["status"] not in MUTE] or phases


def _leaves(subject: str, family: Family, seen: frozenset[str] = frozenset()) -> list[str]:
    """The living phases with clocks of their own, phases of phases included."""
    found: list[str] = []
    below = seen | {subject}
    if len(below) > MAX_DEPTH:
        return found
    for phase in _living(subject, family):
        if phase in below:
            continue
        further = _leaves(phase, family, below)
        if not (family.documents[phase].get("phased") and further):
            found.append(phase)
        found += further
    return found


def _lights(subject: str, family: Family) -> Sequence[Step]:
    """The lights that a project shows: its phases' if it is phased, else its own."""
    document = family.documents[subject]
    silent = document["status"] in MUTE or document.get("source") == PUBLISHED
    phased = document.get("phased") and not silent
    lights: Sequence[Step] = (_phase_lights(subject, family) if phased else ()) or document["lights"]
    return lights


def _phase_lights(subject: str, family: Family) -> list[dict[str, Any]]:
    """The worst light of the phases at every instant, its reason naming the phase. Empty where there is none."""
    documents = [family.documents[leaf] for leaf in _leaves(subject, family)]
    tracks = [document["lights"] for document in documents]
    shown: list[dict[str, Any]] = []
    for place, step, begin in _worst(tracks):
        if shown:
            shown[-1]["to"] = begin
        phase = documents[place]
        why = reason_of(step, phase)
        reason = {"code": "of-phase", "phase": phase["_id"], "name": phase.get("name"), "of": why}
        shown.append({"light": step["light"], "from": begin, "to": END_OF_TIME, "reason": reason})
    return shown


def _worst(tracks: Sequence[Sequence[Step]]) -> Iterator[tuple[int, Step, str]]:
    """(track, step, from when) of the worst of several tracks; of equal ones the first track's."""
    changes = sorted({step["from"] for track in tracks for step in track})
    places = [0] * len(tracks)
    before: tuple[int, int] | None = None
    for begin in changes:
        for place, track in enumerate(tracks):
            while places[place] + 1 < len(track) and track[places[place] + 1]["from"] <= begin:
                places[place] += 1
        worst = min(range(len(tracks)), key=lambda place: _BADNESS[tracks[place][places[place]]["light"]])
        if (worst, places[worst]) != before:
            before = worst, places[worst]
            yield worst, tracks[worst][places[worst]], begin


def _progress(subject: str, family: Family) -> dict[str, Any]:
    """How far a project has come by its first phase, and whether all of it produces (全部投产)."""
    document = family.documents.get(subject, {})
    route, found = document.get("route"), reached(subject, family)
    stage = next(reversed(found), None)
    ends = [family.documents[leaf].get("reached") or {} for leaf in _leaves(subject, family)]
    whole = bool(ends) and all(PRODUCING in end for end in ends)
    dates = [end[PRODUCING] for end in ends] if whole else []
    known = [date for date in dates if date is not None]
    return {
        "reached": found,
        "verified": verified(subject, family),
        "stage": stage,
        "stage_since": None if stage is None else found[stage],
        "next_stage": next_stage(route, stage) if stage else stages_of(route)[0],
        "all_producing": whole,
        "all_producing_since": max(known, key=last_ordinal) if known and len(known) == len(dates) else None,
    }


def _spread(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """How many phases stand at which stage; None: no milestone yet."""
    stages = [document.get("stage") for document in documents]
    order = (None, *STAGES)
    return [{"stage": stage, "phases": stages.count(stage)} for stage in order if stage in stages]


def _money(subject: str, family: Family) -> dict[str, Any]:
    """The money of the living phases beside the project's own. It is shown, never added to a count."""
    phases = [family.documents[phase] for phase in _living(subject, family)]
    amounts = [phase.get("investment") for phase in phases]
    known = [amount for amount in amounts if amount is not None]
    own = family.documents.get(subject, {}).get("investment")
    whole = own is not None and phases and len(known) == len(amounts)
    return {
        "investment": sum(known),
        "unknown": len(amounts) - len(known),
        "difference": own - sum(known) if whole else None,
        "arrived": _arrived(subject, family),
    }


def _arrived(subject: str, family: Family, seen: frozenset[str] = frozenset()) -> int | None:
    """What has arrived of a project's money: its own figure, else the sum of its living phases'."""
    own = arrived(family.documents.get(subject, {}))
    if own is not None or len(seen) >= MAX_DEPTH:
        return own
    below = seen | {subject}
    parts = [_arrived(phase, family, below) for phase in _living(subject, family) if phase not in below]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _row(subject: str, family: Family) -> dict[str, Any]:
    """A member as its parent or carrier shows it; the lights without their reasons, which stand in its own answer."""
    document = family.documents[subject]
    found = reached(subject, family) if document.get("phased") else document.get("reached") or {}
    stage = next(reversed(found), None) if document.get("phased") else document.get("stage")
    return {
        "id": subject,
        "name": document.get("name"),
        "status": document["status"],
        "stage": stage,
        "stage_since": found.get(stage) if stage else None,
        "investment": document.get("investment"),
        "floor_m2": document.get("floor_m2"),
        "enterprise": document.get("credit_code") or document.get("enterprise"),
        "lights": [{name: step[name] for name in ("light", "from", "to")} for step in _lights(subject, family)],
    }


def _roots(subject: str, family: Family) -> list[str]:
    """Phases of this project that are counted on their own.

    A link to a project that is not registered does not hold yet. Of a ring of parents the least id is the root.
    """
    phases = family.phases.get(subject, ())
    if not family.documents.get(subject, {}).get("registered"):
        return list(phases)
    ring = [subject]
    for _ in range(MAX_LINEAGE):
        parent = family.documents.get(ring[-1], {}).get("parent")
        if parent is None or not family.documents.get(parent, {}).get("registered"):
            return []
        if parent == subject:
            least = min(ring)
            return [least] if family.documents[least].get("parent") == subject else []
        if parent in ring:
            return []
        ring.append(parent)
    return []
