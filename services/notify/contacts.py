"""Contacts: the one place where names, telephone numbers and addresses stand, so that they can be erased.

Everything else names people by id. What a message needs is read here at the moment of sending; nothing of it is copied
into matters, messages or logs. An address that was written anew is a new one: it gets a `key` by which it is given up
when its receiver is gone, and the key says nothing about the address.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from luodi.domain.stages import Language
from luodi.runtime.clock import Clock
from luodi.runtime.configuration import Zone
from luodi.runtime.errors import TransientError
from luodi.runtime.problems import FieldError, ProblemError

DEMO_PREFIX = "demo-"
ZONE_PREFIX = "zone:"
MAX_CONFLICTS = 10  # writers of one contact between reading and writing it
KEY_BYTES = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a contact: a channel with the contact's own address on it."""

    channel: str
    address: str
    secret: str | None
    mention: str | None
    style: str | None
    key: str  # names the address where it must not be shown


@dataclass(frozen=True, slots=True)
class Contact:
    """How one recipient is called and reached. `version` rises with each change."""

    recipient: str
    name: str | None
    phone: str | None
    language: Language
    ways: tuple[Way, ...]
    updated_at: str
    version: int = 1

    def way(self, channel: str) -> Way | None:
        return next((way for way in self.ways if way.channel == channel), None)


class ContactStore(Protocol):
    """Where the contacts are kept."""

    def get(self, recipient: str) -> Contact | None:
        """One contact."""

    def get_many(self, recipients: Collection[str]) -> dict[str, Contact]:
        """Those that exist, by recipient."""

    def put(self, contact: Contact) -> bool:
        """Write it if the stored version is the one before (none: version 1); False: another write got there first."""

    def erase(self, recipient: str) -> Contact | None:
        """Delete it; returns what was there."""

    def page(self, after: str | None, limit: int) -> list[Contact]:
        """Contacts by recipient, after that one."""


class Endpoints(Protocol):
    """Which addresses were given up."""

    def forget(self, endpoints: Collection[str]) -> None:
        """They are not in use any more."""


class Rule(Protocol):
    """What a channel asks of an address."""

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """Fields of the way that cannot be used, each with the code of its fault."""

    def shown(self, address: str) -> str:
        """How the address may be shown, without what gives access to it."""


class Contacts:
    """Writing and erasing contacts."""

    def __init__(
        self,
        store: ContactStore,
        endpoints: Endpoints,
        rules: Mapping[str, Rule],
        zones: Mapping[str, Zone],
        clock: Clock,
    ) -> None:
        self.store = store
        self._endpoints = endpoints
        self._rules = rules
        self._zones = zones
        self._clock = clock

    def put(self, recipient: str, body: Mapping[str, Any]) -> Contact:
        """Write the whole contact. An address that is not named is kept; one that is named is in use again, whatever
        was found about it before. Raises ProblemError `invalid`.
        """
        self._refuse_unreachable(recipient)
        for _ in range(MAX_CONFLICTS):
            before = self.store.get(recipient)
            contact = Contact(
                recipient=recipient,
                name=body.get("name"),
                phone=body.get("phone"),
                language=body.get("language") or "zh-CN",
                ways=self._ways(body.get("channels", []), before),
                updated_at=self._clock.now_text(),
                version=before.version + 1 if before is not None else 1,
            )
            if self.store.put(contact):
                self._endpoints.forget(_endpoints_of(before))
                return contact
        raise TransientError("contacts", "the contact is contended")

    def erase(self, recipient: str) -> Contact | None:
        """Delete everything that is known of a recipient; returns it as it was."""
        gone = self.store.erase(recipient)
        self._endpoints.forget(_endpoints_of(gone))
        return gone

    def shown(self, way: Way) -> str:
        """How a way's address may be shown."""
        return self._rules[way.channel].shown(way.address)

    def _refuse_unreachable(self, recipient: str) -> None:
        zone_id = zone_of(recipient)
        if zone_id is not None and zone_id not in self._zones:
            known = ", ".join(sorted(self._zones))
            raise ProblemError("invalid", errors=[FieldError("recipient", "unknown-zone", {"allowed": known})])
        if recipient.startswith(DEMO_PREFIX) or (zone_id is not None and self._zones[zone_id].demo):
            raise ProblemError("invalid", errors=[FieldError("recipient", "demo-recipient")])

    def _ways(self, items: Sequence[Mapping[str, Any]], before: Contact | None) -> tuple[Way, ...]:
        ways: list[Way] = []
        faults: list[FieldError] = []
        for place, item in enumerate(items):
            channel = item["channel"]
            if any(way.channel == channel for way in ways):
                faults.append(FieldError(f"/channels/{place}/channel", "channel-twice"))
                continue
            kept = before.way(channel) if before is not None else None
            address, secret = item.get("address"), item.get("secret")
            if address is None:
                if kept is None:
                    faults.append(FieldError(f"/channels/{place}/address", "required"))
                    continue
                address = kept.address
                secret = item.get("secret", kept.secret)
            way = Way(channel, address, secret, item.get("mention"), item.get("style"), secrets.token_hex(KEY_BYTES))
            faults += [
                FieldError(f"/channels/{place}/{field}", code) for field, code in self._rules[channel].faults(way)
            ]
            ways.append(way)
        if faults:
            raise ProblemError("invalid", errors=faults)
        return tuple(ways)


def endpoint_of(way: Way) -> str:
    """The id under which a way is given up."""
    return f"{way.channel}/{way.key}"


def beside_the_address(way: Way) -> list[tuple[str, str]]:
    """The faults of a way on a channel that takes an address and nothing else."""
    told = {"secret": way.secret, "mention": way.mention}
    return [(name, f"no-{name}-here") for name, value in told.items() if value is not None]


def zone_of(recipient: str) -> str | None:
    """The zone whose desk a recipient is; None for a person, a unit or the operators."""
    return recipient.removeprefix(ZONE_PREFIX) if recipient.startswith(ZONE_PREFIX) else None


def delivery_name(channel: str) -> str:
    """What deliveries call a channel of contacts: `webhook` is the operator's own receiver."""
    return "own-webhook" if channel == "webhook" else channel


def _endpoints_of(contact: Contact | None) -> list[str]:
    return [endpoint_of(way) for way in contact.ways] if contact is not None else []
