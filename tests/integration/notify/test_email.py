"""E-mail against a server on loopback: what arrives, what an answer means, hostile words, log-in and TLS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from luodi.local.harness import Servers
from luodi.runtime.clock import SystemClock
from luodi.runtime.settings import Smtp
from services.notify.channels import Outcome
from services.notify.channels.email import Email
from services.notify.channels.writing import Message, message_of, number_of
from services.notify.contacts import Way
from tests.integration.notify.test_contacts import ask, deliveries, put
from tests.integration.notify.world import World, until
from tests.receivers.mail import Mailbox, mailbox
from tests.unit.notify.builders import COMPOSER, at, open_matter

pytestmark = pytest.mark.timeout(120)

SENDER = "luodi@example.com"
TO = "zhang.example@mail.test"


def server(box: Mailbox, **fields: Any) -> Smtp:
    return replace(Smtp("127.0.0.1", box.port, "none", box.user, box.password, SENDER), **fields)


def way(address: str = TO, secret: str | None = None, mention: str | None = None, style: str | None = None) -> Way:
    return Way("email", address, secret, mention, style, "0011223344556677")


def message(**facts: Any) -> Message:
    (row,) = COMPOSER.openings(open_matter(**facts), ("inbox",), at(0))
    return message_of(row, "zh-CN")


def send(box: Mailbox, told: Message | None = None, timeout_s: float = 10, style: str | None = None) -> Outcome:
    channel = Email(server(box), SystemClock(), timeout_s)
    return channel.send(told or message(), way(style=style), "msg_0a1b")


def test_a_message_arrives_as_text_and_html_with_link_number_and_who_acts_next() -> None:
    (row,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    with mailbox() as box:
        assert send(box, message_of(row, "zh-CN")) == Outcome("sent")
        (mail,) = box.to(TO)
    head = mail.parsed
    assert (mail.sender, head["From"], head["To"]) == (SENDER, SENDER, TO)
    assert head["Message-ID"] == "<msg_0a1b@example.com>"
    assert head["Auto-Submitted"] == "auto-generated"
    assert "示例精密部件" in head["Subject"]
    for part in (mail.part("plain"), mail.part("html")):
        assert number_of(row) in part
        assert "https://luodi.example/matters/" in part
        assert "专员 u-zhang" in part


def test_plain_text_alone_where_the_contact_asks_for_it() -> None:
    with mailbox() as box:
        assert send(box, style="text") == Outcome("sent")
        assert box.to(TO)[0].parsed.get_content_type() == "text/plain"


def test_its_id_is_the_same_at_every_attempt_even_when_nobody_was_told_that_it_was_taken() -> None:
    with mailbox() as box:
        box.answers["DATA"] = ["LOST"]
        assert send(box).kind == "retry"
        assert send(box) == Outcome("sent")
        assert {mail.parsed["Message-ID"] for mail in box.to(TO)} == {"<msg_0a1b@example.com>"}
        assert len(box.to(TO)) == 2


@pytest.mark.parametrize(
    ("command", "said", "outcome"),
    [
        ("RCPT", "450 4.2.0 greylisted", Outcome("retry", "smtp-450")),
        ("RCPT", "421 busy", Outcome("retry", "smtp-421")),
        ("RCPT", "452 4.2.2 full", Outcome("retry", "smtp-452")),
        ("RCPT", "550 5.1.1 no such user", Outcome("gone", "smtp-550")),
        ("RCPT", "550 no such user", Outcome("gone", "smtp-550")),
        ("RCPT", "553 5.1.3 no address", Outcome("gone", "smtp-553")),
        ("RCPT", "550 5.2.1 closed", Outcome("gone", "smtp-550")),
        ("RCPT", "550 5.7.1 policy", Outcome("refused", "smtp-550")),
        ("RCPT", "552 5.2.2 full", Outcome("refused", "smtp-552")),
        ("RCPT", "554 5.1.8 bad sender", Outcome("refused", "smtp-554")),
        ("DATA", "451 later", Outcome("retry", "smtp-451")),
        ("DATA", "554 5.6.0 no", Outcome("refused", "smtp-554")),
        ("MAIL", "550 5.7.1 not you", Outcome("retry", "smtp-550")),
        ("CONNECT", "421 busy", Outcome("retry", "smtp-421")),
        ("CONNECT", "554 no service", Outcome("retry", "smtp-554")),
    ],
)
def test_what_an_answer_means(command: str, said: str, outcome: Outcome) -> None:
    with mailbox() as box:
        box.answers[command] = [said]
        assert send(box) == outcome
        assert box.mails == []
        assert send(box) == Outcome("sent")


def test_a_server_that_is_not_there_or_falls_silent_or_drips_is_worth_another_attempt() -> None:
    with mailbox() as box:
        box.silent = {"RCPT"}
        began = time.monotonic()
        assert send(box, timeout_s=0.5).kind == "retry"
        box.silent, box.drips = set(), True
        assert send(box, timeout_s=0.5) == Outcome("retry", "timed-out")
        assert time.monotonic() - began < 10
    assert send(box) == Outcome("retry", "ConnectionRefusedError")


HOSTILE = "x\r\nBcc: evil@mail.test\r\n\r\n.\r\nMAIL FROM:<evil@mail.test>\u202e <img src=http://evil.test/a> <b> \x00"


def test_words_that_people_typed_add_no_header_no_recipient_no_markup_and_no_link() -> None:
    with mailbox() as box:
        assert send(box, replace(message(name=HOSTILE), title=HOSTILE)) == Outcome("sent")
        (mail,) = box.mails
    head = mail.parsed
    assert mail.recipients == [TO]
    assert head["Bcc"] is None
    assert sorted(head.keys()) == [
        *("Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "MIME-Version", "Message-ID"),
        *("Subject", "To"),
    ]
    assert "<img" not in mail.part("html")
    assert "<b>" not in mail.part("html")
    for part in (mail.part("plain"), mail.part("html"), head["Subject"]):
        assert "http://evil" not in part
        assert "\u202e" not in part


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "nobody",
            "a@b@c",
            "a b@mail.test",
            "a@mail.test\r\nBcc: x@mail.test",
            "<a@mail.test>",
            "A <a@mail.test>",
        ),
        *("a@mail.test,b@mail.test", '"a b"@mail.test', "a@-mail.test", "a@mail..test", ".a@mail.test", "…@mail.test"),
        *("a@[127.0.0.1]", "é@mail.test", "a" * 250 + "@mail.test", "a@mail.test ", "a@mail.test\n"),
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with mailbox() as box:
        assert Email(server(box), SystemClock()).faults(way(address)) == [("address", "not-email")]


def test_what_mail_does_not_know_is_refused_and_nothing_goes_without_a_server() -> None:
    with mailbox() as box:
        faults = Email(server(box), SystemClock()).faults(way(secret="s", mention="m"))
    assert faults == [("secret", "no-secret-here"), ("mention", "no-mention-here")]
    none = Email(None, SystemClock())
    assert none.faults(way()) == [("channel", "no-smtp")]
    assert none.send(message(), way(), "msg_1") == Outcome("refused", "no-smtp")


def test_with_a_log_in_that_fails_the_address_stays_in_use() -> None:
    with mailbox() as box:
        box.user, box.password = "luodi", "right"
        assert send(box) == Outcome("sent")
        assert box.mails[0].user == "luodi"
        wrong = Email(server(box, password="wrong"), SystemClock())
        assert wrong.send(message(), way(), "msg_1") == Outcome("retry", "smtp-535")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this machine, signed by itself; key and certificate in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    made = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    done = subprocess.run([*command.split(), "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    made.write_bytes(done.stdout)
    return made


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_over_tls_only_a_server_that_is_trusted_gets_the_message(certificate: Path, security: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with mailbox(wrapped=security == "tls", tls=context) as box:
        box.user, box.password = "luodi", "right"
        where = server(box, security=security)
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert Email(where, SystemClock(), tls=trusting).send(message(), way(), "msg_1") == Outcome("sent")
        assert (box.mails[0].secured, box.mails[0].user) == (True, "luodi")
        assert Email(where, SystemClock()).send(message(), way(), "msg_2").kind == "retry"
        assert len(box.mails) == 1


def test_where_starttls_is_asked_for_nothing_goes_without_it() -> None:
    with mailbox() as box:
        channel = Email(server(box, security="starttls"), SystemClock())
        assert channel.send(message(), way(), "msg_1") == Outcome("retry", "SMTPNotSupportedError")
        assert box.mails == []


@pytest.mark.stack
def test_a_stall_and_its_end_reach_a_contact_by_mail_and_a_mailbox_that_is_none_is_given_up(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailbox() as box:
        url = f"smtp://127.0.0.1:{box.port}"
        world = World(servers, tmp_path, LUODI_SMTP_URL=url, LUODI_SMTP_FROM=SENDER)
        try:
            world.notifier()
            world.watermarks_run()
            status, body = put(world, "u-mail", {"channel": "email", "address": TO}, language="en")
            assert (status, body["channels"][0]["address"]) == (200, "…@mail.test")
            world.overdue("p-mail", officer="u-mail", zone="qingyuan")
            until(lambda: len(box.to(TO)) == 1, "told by mail")
            until(lambda: deliveries(world, "project_id=p-mail")[0].get("email") == "sent", "marked")
            world.reached("p-mail")
            until(lambda: len(box.to(TO)) == 2, "the all-clear too")
            first, second = box.to(TO)
            assert "All clear" in second.parsed["Subject"]
            assert first.parsed["Message-ID"] != second.parsed["Message-ID"]
            box.answers["RCPT"] = ["550 5.1.1 no such user"]
            world.overdue("p-mail-2", officer="u-mail", zone="qingyuan")
            until(lambda: ask(world, "GET", "/v1/contacts/u-mail")[1]["channels"][0]["disabled"], "given up")
            until(lambda: world.notifications("kind=operations&recipient=operators"), "the operators told")
        finally:
            world.close()
    shown = capsys.readouterr()
    assert "zhang.example" not in shown.out + shown.err
