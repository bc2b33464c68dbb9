"""Hundreds of hostile webhook addresses by the whole way, contact to delivery: nobody inside is ever knocked at."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import psutil
import pytest

from luodi.local.harness import Servers
from services.notify.contact_store import MongoContacts
from services.notify.contacts import Contact, Way
from tests.integration.notify import receiver as webhooks
from tests.integration.notify.hostile import Answers, Canary, Names, canary, hostile_addresses, hostile_names
from tests.integration.notify.receiver import SECRET, receiver
from tests.integration.notify.test_contacts import put
from tests.integration.notify.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

GOOD = 50
INNOCENT = "127.0.0.9"  # allowed by its number: where good names that are not allowed by themselves may lead
REDIRECTS = (301, 302, 303, 307, 308)
ZONE = "qingyuan"


def own_numbers() -> list[str]:
    """The numbers of this machine's network cards."""
    found = [row.address for rows in psutil.net_if_addrs().values() for row in rows if row.family in FAMILIES]
    return sorted({number.partition("%")[0] for number in found} - {"127.0.0.1", "::1"})


FAMILIES = {socket.AF_INET, socket.AF_INET6}


def test_no_hostile_address_is_knocked_at_and_every_good_one_is_served(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_numbers()
    evil = hostile_names(own, INNOCENT)
    good: Answers = {f"good-{n}.hook.example": [["127.0.0.1" if n % 2 else INNOCENT]] for n in range(GOOD)}
    turning: Answers = {f"turning-{n}.hook.example": [[INNOCENT]] for n in range(len(REDIRECTS) * 4)}
    rebinding: Answers = {f"rebinding-{n}.hook.example": [[INNOCENT], ["127.0.0.1"]] for n in range(10)}
    names = Names({**evil, **good, **turning, **rebinding})
    monkeypatch.setattr("services.notify.guard.resolved", names)
    allowed = [*(name for name, answers in good.items() if answers == [["127.0.0.1"]]), f"{INNOCENT}/32"]
    with canary() as door, receiver(SECRET, host="0.0.0.0") as sink:
        port = int(sink.url.rpartition(":")[2].partition("/")[0])
        inside = [f"http://127.0.0.1:{door.port}/", f"http://[::1]:{door.port}/", f"http://localhost:{door.port}/"]
        inside.append(f"//127.0.0.1:{door.port}/")

        def elsewhere(path: str, message: str) -> webhooks.Answer | None:
            """Good receivers take; turning ones send away; rebinding ones break off, so that they are asked again."""
            kind, _, number = path.removeprefix("/").partition("-")
            if kind == "turning":
                code, target = REDIRECTS[int(number) % len(REDIRECTS)], inside[int(number) // len(REDIRECTS)]
                return webhooks.status(code, Location=target)
            return webhooks.reset if kind == "rebinding" else None

        sink.weather = elsewhere
        world = World(servers, tmp_path, LUODI_WEBHOOK_ALLOW=",".join(allowed))
        try:
            world.notifier()
            world.watermarks_run()
            hostile = hostile_addresses(door.port, evil, own)
            # A name that is asked again leads elsewhere, while the port stays: these two kinds need the sink's own.
            others = [f"http://{name}:{port}/{name.partition('.')[0]}" for name in (*turning, *rebinding)]
            people = {f"u-{n}": address for n, address in enumerate([*hostile, *others])}
            assert len(people) >= 300
            refused = 0
            for who, address in people.items():
                status, body = put(world, who, {"channel": "webhook", "address": address, "secret": SECRET})
                assert status in {200, 422}, (address, body)
                if status == 422:  # as if it had been written before there was a rule against it
                    refused += 1
                    way = Way("webhook", address, SECRET, None, None, f"{refused:016x}")
                    contact = Contact(who, None, None, "zh-CN", (way,), "2026-03-05T00:00:00.000Z")
                    assert MongoContacts(world.database).put(contact)
            assert refused >= 200
            for number, name in enumerate(good):
                address = f"http://{name}:{port}/good-{number}"
                put(world, f"u-good-{number}", {"channel": "webhook", "address": address, "secret": SECRET})
            for who in [*people, *(f"u-good-{n}" for n in range(GOOD))]:
                world.overdue(f"p-{who}", officer=who, zone=ZONE)

            rows = world.database["notifications"]
            tried = {"deliveries": {"$elemMatch": {"channel": "own-webhook", "attempts": {"$gt": 0}}}}

            def left() -> dict[str, str]:
                found = {row["recipient"] for row in rows.find(tried)}
                return {who: address for who, address in people.items() if who not in found}

            until(lambda: not left(), "everybody tried", 120)
            rebound = {"deliveries": {"$elemMatch": {"channel": "own-webhook", "error": "address-forbidden"}}}
            asked = {"recipient": {"$in": [w for w, a in people.items() if "//rebinding-" in a]}}
            until(lambda: rows.count_documents({**rebound, **asked}) == len(rebinding), "asked again", 60)
            for number in range(GOOD):
                until(partial(sink_at, sink, f"/good-{number}"), f"good receiver {number} told")

            assert door.visits == []
            assert all(len(sink_at(sink, f"/good-{number}")) == 1 for number in range(GOOD))
            assert {got.path for got in sink.got} == {
                f"/{name.partition('.')[0]}" for name in (*good, *turning, *rebinding)
            }
            for row in rows.find({"kind": "stalled", "recipient": {"$in": [*people]}}):
                (told,) = [d for d in row["deliveries"] if d["channel"] == "own-webhook"]
                assert told["status"] != "sent", people[row["recipient"]]
                assert told["error"], people[row["recipient"]]
        finally:
            world.close()


def sink_at(sink: webhooks.Receiver, path: str) -> list[webhooks.Message]:
    return [got for got in sink.got if got.path == path]


def heard(door: Canary, number: str) -> bool:
    return any(visit.endswith(f"-> {number}") for visit in door.visits)


def test_the_canary_hears_whoever_knocks() -> None:
    with canary() as door:
        for number in ("127.0.0.1", "127.1.2.3", *own_numbers()):
            family = socket.AF_INET6 if ":" in number else socket.AF_INET
            if family == socket.AF_INET:
                socket.create_connection((number, door.port), 5).close()
                until(partial(heard, door, number), f"{number} heard")
