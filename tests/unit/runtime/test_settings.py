from __future__ import annotations

from pathlib import Path

import pytest

from luodi.runtime import settings
from luodi.runtime.errors import InvalidSettingsError

LOCAL = {
    "LUODI_MODE": "local",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:8192",
    "MONGODB_URI": "mongodb://127.0.0.1:8117",
}


def faults(**environ: str) -> list[str]:
    with pytest.raises(InvalidSettingsError) as caught:
        settings.read(environ)
    return caught.value.faults


def test_the_defaults_are_those_of_the_contract() -> None:
    got = settings.read(LOCAL)
    assert (str(got.ingest_listen), str(got.tracker_listen), str(got.notify_listen)) == (
        "127.0.0.1:8101",
        "127.0.0.1:8102",
        "127.0.0.1:8103",
    )
    assert (got.database, got.partitions, str(got.timezone), got.settle_s) == ("luodi", 8, "Asia/Shanghai", 10)
    assert (got.topics.events, got.topics.rejected, got.topics.states) == (
        "project-events",
        "project-events.rejected",
        "project-states",
    )


def test_every_fault_is_reported_at_once() -> None:
    found = faults(
        LUODI_MODE="local",
        KAFKA_BOOTSTRAP_SERVERS="k:1",
        MONGODB_URI="http://x",
        LUODI_PARTITIONS="0",
        LUODI_TIMEZONE="Asia/Nowhere",
        LUODI_TRACKER_LISTEN="nonsense",
        LUODI_SETTLE_S="soon",
    )
    assert [fault.split("=")[0].split(":")[0] for fault in found] == [
        "LUODI_TRACKER_LISTEN",
        "MONGODB_URI",
        "LUODI_PARTITIONS",
        "LUODI_TIMEZONE",
        "LUODI_SETTLE_S",
    ]


def test_production_refuses_no_key_a_shifted_clock_and_sample_data() -> None:
    found = faults(**{**LOCAL, "LUODI_MODE": "production", "LUODI_CLOCK_OFFSET": "60", "LUODI_SAMPLE": "1"})
    assert [fault.split()[0].rstrip(":") for fault in found] == [
        "LUODI_API_KEY",
        "LUODI_CLOCK_OFFSET",
        "LUODI_SAMPLE=1",
    ]


def test_an_address_that_others_can_reach_needs_a_key() -> None:
    assert "LUODI_INGEST_LISTEN=0.0.0.0:8101" in faults(**{**LOCAL, "LUODI_INGEST_LISTEN": "0.0.0.0:8101"})[0]
    assert settings.read({**LOCAL, "LUODI_INGEST_LISTEN": "0.0.0.0:8101", "LUODI_API_KEY": "k"}).api_key == "k"
    assert settings.read({**LOCAL, "LUODI_INGEST_LISTEN": "[::1]:8101"}).ingest_listen.url == "http://[::1]:8101"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("opened\n", encoding="utf-8")
    assert settings.read({**LOCAL, "LUODI_API_KEY_FILE": str(file)}).api_key == "opened"
    assert "both set" in faults(**{**LOCAL, "LUODI_API_KEY_FILE": str(file), "LUODI_API_KEY": "x"})[0]
    assert "cannot be read" in faults(**{**LOCAL, "LUODI_API_KEY_FILE": str(tmp_path / "none")})[0]


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(settings.read({**LOCAL, "LUODI_API_KEY": "hidden-1", "MONGODB_URI": "mongodb://u:hidden-2@h"}))
    shown += repr(settings.read({**LOCAL, "LUODI_LINK_SECRET": "hidden-3" * 4}))
    assert "hidden" not in shown


def test_the_operators_kafka_arguments_pass_through() -> None:
    got = settings.read(
        {
            **LOCAL,
            "KAFKA_BOOTSTRAP_SERVERS": "a:1, b:2",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_PLAIN_USERNAME": "u",
            "KAFKA_SASL_PLAIN_PASSWORD": "p",
            "KAFKA_SSL_CHECK_HOSTNAME": "false",
        }
    ).kafka
    assert got == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
        "ssl_check_hostname": False,
    }


def test_the_secret_of_links_is_long_and_so_is_each_of_several() -> None:
    assert "LUODI_LINK_SECRET" in faults(**{**LOCAL, "LUODI_LINK_SECRET": "short"})[0]
    assert "LUODI_LINK_SECRET" in faults(**{**LOCAL, "LUODI_LINK_SECRET": "x" * 32 + " short"})[0]
    assert settings.read({**LOCAL, "LUODI_LINK_SECRET": "x" * 32 + " " + "y" * 32}).link_secret is not None
    assert settings.read(LOCAL).link_secret is None


def test_a_webhook_needs_a_secret_of_the_standard_form() -> None:
    assert "LUODI_WEBHOOK_SECRET is needed" in faults(**{**LOCAL, "LUODI_WEBHOOK_URL": "http://h/x"})[0]
    assert "whsec_" in faults(**{**LOCAL, "LUODI_WEBHOOK_URL": "http://h/x", "LUODI_WEBHOOK_SECRET": "plain"})[0]


def smtp(url: str, **more: str) -> settings.Smtp | None:
    return settings.read({**LOCAL, "LUODI_SMTP_URL": url, "LUODI_SMTP_FROM": "luodi@example.com", **more}).smtp


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, "none", None, None)),
        ("smtp://mail.example", ("mail.example", 25, "none", None, None)),
        ("smtp://u:p@[::1]", ("::1", 25, "none", "u", "p")),
        ("smtps://u%40x:p%2F%3A@mail.example", ("mail.example", 465, "tls", "u@x", "p/:")),
        ("starttls://u:p@mail.example/", ("mail.example", 587, "starttls", "u", "p")),
    ],
)
def test_a_mail_server_is_one_address(url: str, expected: tuple[object, ...]) -> None:
    got = smtp(url)
    assert got is not None
    assert (got.host, got.port, got.security, got.user, got.password) == expected
    assert got.sender == "luodi@example.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hush@mail.example",
        "smtp://u:hush@mail.example",
        "smtps://u:hush/x@mail.example",
        "smtps://u:@mail.example",
        "smtps://hush@mail.example",
        "smtps://u:hush@",
        "smtps://u:hush@mail.example:70000",
        "smtps://u:hush@mail example",
        "smtps://u:hush@0x7f000001",
        "smtps://u:hush@127.1",
        "smtps://u:hushé@mail.example",
        "smtps://u:p@mail.example?hush",
    ],
)
def test_a_mail_server_that_cannot_be_used_is_a_fault_without_its_password(url: str) -> None:
    (fault,) = faults(**{**LOCAL, "LUODI_SMTP_URL": url, "LUODI_SMTP_FROM": "luodi@example.com"})
    assert fault.startswith("LUODI_SMTP_URL=***: ")
    assert "hush" not in fault


@pytest.mark.parametrize(
    "sender", ["Luodi <luodi@example.com>", "luodi", "a@example.com\nBcc: b@example.com", "a@b,c@d"]
)
def test_the_sender_of_mail_is_one_address(sender: str) -> None:
    found = faults(**{**LOCAL, "LUODI_SMTP_URL": "smtp://127.0.0.1", "LUODI_SMTP_FROM": sender})
    assert [fault.partition("=")[0] for fault in found] == ["LUODI_SMTP_FROM"]


def test_a_mail_server_needs_a_sender_and_comes_from_a_file_too(tmp_path: Path) -> None:
    assert "belong together" in faults(**{**LOCAL, "LUODI_SMTP_URL": "smtp://127.0.0.1"})[0]
    assert "belong together" in faults(**{**LOCAL, "LUODI_SMTP_FROM": "luodi@example.com"})[0]
    secret = tmp_path / "smtp"
    secret.write_text("smtps://u:p@mail.example\n")
    got = settings.read({**LOCAL, "LUODI_SMTP_URL_FILE": str(secret), "LUODI_SMTP_FROM": "luodi@example.com"})
    assert got.smtp is not None
    assert got.smtp.password == "p"
    assert "'p'" not in repr(got)
