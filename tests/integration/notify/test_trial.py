"""The command that sends a test, beside a running notifier."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from tests.integration.notify.test_contacts import ask, put, wecom
from tests.integration.notify.world import World, until
from tests.receivers.mail import Mailbox, mailbox
from tests.receivers.robots import Robots, robots

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

MAIL = {"channel": "email", "address": "li.example@mail.test"}


@pytest.fixture
def group() -> Iterator[Robots]:
    with robots() as made:
        yield made


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def world(servers: Servers, tmp_path: Path, box: Mailbox) -> Iterator[World]:
    made = World(
        servers,
        tmp_path,
        LUODI_WEBHOOK_ALLOW="127.0.0.1",
        LUODI_SMTP_URL=f"smtp://127.0.0.1:{box.port}",
        LUODI_SMTP_FROM="luodi@example.com",
    )
    yield made
    made.close()


def command(world: World, *words: str) -> tuple[int, str]:
    """Exit code and everything said, of the command as people run it."""
    program = (sys.executable, "-m", "luodi.cli", "notify", "test", *words)
    done = subprocess.run(
        program, env={**os.environ, **world.environ}, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_test_reaches_every_channel_and_nobody_else_and_says_what_became_of_it(
    world: World, group: Robots, box: Mailbox
) -> None:
    world.notifier()
    world.watermarks_run()
    put(world, "u-trial", wecom(group, "k-trial"), MAIL)
    put(world, "u-other", wecom(group, "k-other"))
    assert command(world, "u-trial") == (0, "inbox        delivered\nwecom        delivered\nemail        delivered\n")
    (said,) = group.taken("k-trial")
    assert "测试消息" in said.text
    assert "测试消息" in box.mails[0].parsed["Subject"]
    assert group.taken("k-other") == []
    (row,) = world.notifications("recipient=u-trial&kind=test")
    assert {d["channel"] for d in row["deliveries"]} == {"inbox", "wecom", "email"}

    box.answers["RCPT"] = ["450 4.2.0 later"]
    group.removed.add("k-trial")
    code, shown = command(world, "u-trial")
    assert code == 1
    assert "wecom        failed for good: code-93000" in shown
    assert "email        not taken: smtp-450; goes again at " in shown
    assert "li.example" not in shown
    until(lambda: ask(world, "GET", "/v1/contacts/u-trial")[1]["channels"][0]["disabled"], "given up")
    code, shown = command(world, "u-trial")
    assert code == 1
    assert "wecom        given up before, not tried" in shown
    until(lambda: len(box.mails) == 3, "the mail that had to wait, and the last one")


def test_without_a_notifier_or_a_channel_it_says_so(world: World, group: Robots) -> None:
    code, shown = command(world, "u-nobody")
    assert code == 1
    assert shown.startswith("luodi notify test: u-nobody has no channel")
    service = world.notifier()
    put(world, "u-late", wecom(group, "k-late"))
    world.end(service)
    code, shown = command(world, "u-late", "--wait", "1")
    assert code == 1
    assert "wecom        not sent yet" in shown
    assert group.taken("k-late") == []
