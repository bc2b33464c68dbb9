"""Settings: one frozen value read from the environment, every fault reported at once.

A secret `NAME` may also be given as `NAME_FILE`, the path of a file that holds it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.links import MIN_SECRET_BYTES

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a client on this machine would write it."""
        return f"http://{self}"

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the three topics."""

    events: str
    rejected: str
    states: str


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that takes our e-mail, and whom it comes from."""

    host: str
    port: int
    security: Literal["none", "tls", "starttls"]
    user: str | None
    password: str | None = field(repr=False)
    sender: str  # the address alone


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a service needs to know before it starts. See the settings table of the README for the meanings."""

    home: Path
    mode: str
    ingest_listen: Address
    tracker_listen: Address
    notify_listen: Address
    kafka: Mapping[str, Any]
    mongodb_uri: str = field(repr=False)
    database: str
    partitions: int
    timezone: ZoneInfo
    config_dir: Path | None
    api_key: str | None = field(repr=False)
    public_url: str | None
    settle_s: float
    working_hours: tuple[time, time] | None  # None: always
    silent_unit_days: int  # 0: never
    clock_offset_s: float
    webhook_url: str | None
    webhook_secret: str | None = field(repr=False)
    webhook_allow: tuple[str, ...]
    link_secret: str | None = field(repr=False)  # None: enterprises get no links
    smtp: Smtp | None
    slot: str
    topic_prefix: str
    group_prefix: str
    ingest_workers: int

    @property
    def topics(self) -> Topics:
        p = self.topic_prefix
        return Topics(f"{p}project-events", f"{p}project-events.rejected", f"{p}project-states")

    @property
    def is_local(self) -> bool:
        return self.mode == "local"


KAFKA_SETTINGS = {
    "KAFKA_SECURITY_PROTOCOL": "security_protocol",
    "KAFKA_SASL_MECHANISM": "sasl_mechanism",
    "KAFKA_SASL_PLAIN_USERNAME": "sasl_plain_username",
    "KAFKA_SASL_PLAIN_PASSWORD": "sasl_plain_password",
    "KAFKA_SASL_KERBEROS_NAME": "sasl_kerberos_name",
    "KAFKA_SASL_KERBEROS_SERVICE_NAME": "sasl_kerberos_service_name",
    "KAFKA_SASL_KERBEROS_DOMAIN_NAME": "sasl_kerberos_domain_name",
    "KAFKA_SSL_CAFILE": "ssl_cafile",
    "KAFKA_SSL_CERTFILE": "ssl_certfile",
    "KAFKA_SSL_KEYFILE": "ssl_keyfile",
    "KAFKA_SSL_PASSWORD": "ssl_password",
    "KAFKA_SSL_CRLFILE": "ssl_crlfile",
    "KAFKA_SSL_CIPHERS": "ssl_ciphers",
    "KAFKA_SSL_CHECK_HOSTNAME": "ssl_check_hostname",
}
"""Environment name -> argument of kafka-python's clients, passed through as they are."""

SECRETS = (
    "LUODI_API_KEY",
    "LUODI_WEBHOOK_SECRET",
    "LUODI_SMTP_URL",
    "LUODI_LINK_SECRET",
    "MONGODB_URI",
    "KAFKA_SASL_PLAIN_PASSWORD",
    "KAFKA_SSL_PASSWORD",
)
"""Settings that may also come as `NAME_FILE`."""

SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
USUAL_HOURS: tuple[time, time] | None = (time(8, 30), time(18))
MAX_PARTITIONS = 1000
ONE_DAY_S = 86_400


class _Reader:
    """Reads values out of the environment and collects the faults instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def text(self, name: str) -> str | None:
        value = self.environ.get(name, "").strip()
        if name not in SECRETS:
            return value or None
        path = self.environ.get(f"{name}_FILE", "").strip()
        if not path:
            return value or None
        if value:
            self.faults.append(f"{name} and {name}_FILE are both set: keep one")
            return None
        try:
            content = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            self.faults.append(f"{name}_FILE={path} cannot be read: {exc}")
            return None
        if not content:
            self.faults.append(f"{name}_FILE={path} is empty")
        return content or None

    def value(self, name: str, default: T, convert: Callable[[str], T], expected: str) -> T:
        text = self.text(name)
        if text is None:
            return default
        try:
            return convert(text)
        except (ValueError, KeyError, OSError) as exc:
            shown = "***" if name in SECRETS else text
            self.faults.append(f"{name}={shown}: {expected} ({exc})" if str(exc) else f"{name}={shown}: {expected}")
            return default

    def check(self, ok: bool, fault: str) -> None:
        if not ok:
            self.faults.append(fault)


def address(text: str) -> Address:
    """Parse `host:port` or `[v6]:port`; raises ValueError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("no host:port")
    return Address(host, int(port))


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("no http or https address")
    return text.rstrip("/")


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        number = float(text)
        if not low <= number <= high:
            raise ValueError("out of range")
        return number

    return convert


def _whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError("out of range")
        return number

    return convert


def _choice(*allowed: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in allowed:
            raise ValueError("unknown")
        return text

    return convert


def _hosts(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    for word in words:
        if "/" in word or ":" in word or word.replace(".", "").isdigit():
            ip_network(word)
        elif not word.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise ValueError("not a host")
    return words


SMTP_SCHEMES: Mapping[str, tuple[Literal["none", "tls", "starttls"], int]] = {
    "smtp": ("none", 25),
    "smtps": ("tls", 465),
    "starttls": ("starttls", 587),
}
"""Scheme of LUODI_SMTP_URL -> how the connection is secured, and the port where none is named."""

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def _smtp_url(text: str) -> Smtp:
    """The server, still without its sender. What it raises never repeats the text, which holds a password."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("a part of it cannot be read: write @ : / in a password as %40 %3A %2F") from None
    if parts.scheme not in SMTP_SCHEMES or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("it is spelled otherwise")
    last = host.rpartition(".")[2]
    if ":" in host or last.isdigit() or last.startswith("0x"):
        try:
            ip_address(host)
        except ValueError:
            raise ValueError("the host is none") from None
    elif not _HOST.fullmatch(host):
        raise ValueError("the host is none")
    security, usual = SMTP_SCHEMES[parts.scheme]
    user, password = unquote(parts.username or "") or None, unquote(parts.password or "") or None
    if not ((user or "") + (password or "")).isascii():
        raise ValueError("user and password are ASCII")
    if (user is None) != (password is None):
        raise ValueError("user and password belong together")
    if password is not None and security == "none" and not Address(host, 25).is_loopback:
        raise ValueError("smtp:// would send the password in the clear: use smtps:// or starttls://")
    return Smtp(host, port or usual, security, user, password, "")


def _mailbox(text: str) -> str:
    if not _MAILBOX.fullmatch(text):
        raise ValueError("no address")
    return text


def _smtp(reader: _Reader) -> Smtp | None:
    faults = len(reader.faults)
    server = reader.value(
        "LUODI_SMTP_URL", None, _smtp_url, "smtp://, smtps:// or starttls://, then user:password@host:port"
    )
    sender = reader.value("LUODI_SMTP_FROM", None, _mailbox, "one address like luodi@example.com")
    if len(reader.faults) == faults:
        reader.check(
            (server is None) == (sender is None), "LUODI_SMTP_URL and LUODI_SMTP_FROM belong together: set both or none"
        )
    return replace(server, sender=sender) if server is not None and sender is not None else None


def _directory(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError("no such folder")
    return path


def _working_hours(text: str) -> tuple[time, time] | None:
    if text == "always":
        return None
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError("no span of a day")
    opens, closes = time.fromisoformat(match[1]), time.fromisoformat(match[2])
    if opens >= closes:
        raise ValueError("the end is not after the beginning")
    return opens, closes


_HOURS = re.compile(r"([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")


def _slot(text: str) -> str:
    if not text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError("not a name")
    return text


def _kafka(reader: _Reader) -> dict[str, Any]:
    servers = reader.text("KAFKA_BOOTSTRAP_SERVERS")
    reader.check(
        servers is not None, "KAFKA_BOOTSTRAP_SERVERS is not set: name the brokers, or use `luodi up` for a local one"
    )
    kafka: dict[str, Any] = {"bootstrap_servers": [s.strip() for s in (servers or "").split(",") if s.strip()]}
    for name, argument in KAFKA_SETTINGS.items():
        text = reader.text(name)
        if text is not None:
            kafka[argument] = text
    protocol = kafka.setdefault("security_protocol", "PLAINTEXT")
    reader.check(
        protocol in SECURITY_PROTOCOLS, f"KAFKA_SECURITY_PROTOCOL={protocol}: one of {', '.join(SECURITY_PROTOCOLS)}"
    )
    if "ssl_check_hostname" in kafka:
        kafka["ssl_check_hostname"] = kafka["ssl_check_hostname"].lower() not in {"0", "false", "no"}
    for argument in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "ssl_crlfile"):
        if argument in kafka:
            reader.check(Path(kafka[argument]).is_file(), f"KAFKA_{argument.upper()}={kafka[argument]}: no such file")
    return kafka


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings of a service.

    Raises InvalidSettingsError with every fault found; nothing is opened or connected here.
    """
    reader = _Reader(environ)
    mode = reader.value("LUODI_MODE", "production", _choice("local", "production"), "local or production")
    listen = {
        name: reader.value(f"LUODI_{name.upper()}_LISTEN", Address("127.0.0.1", port), address, "an address host:port")
        for name, port in (("ingest", 8101), ("tracker", 8102), ("notify", 8103))
    }
    api_key = reader.text("LUODI_API_KEY")
    offset = reader.value(
        "LUODI_CLOCK_OFFSET", 0.0, _seconds(-36_500 * ONE_DAY_S, 36_500 * ONE_DAY_S), "seconds added to business time"
    )
    if mode == "production":
        reader.check(api_key is not None, "LUODI_API_KEY is not set: production does not start without a key")
        reader.check(offset == 0, "LUODI_CLOCK_OFFSET: production runs on the real time")
        reader.check(environ.get("LUODI_SAMPLE", "0") != "1", "LUODI_SAMPLE=1: production loads no sample data")
    if api_key is None:
        for name, where in listen.items():
            reader.check(
                where.is_loopback,
                f"LUODI_{name.upper()}_LISTEN={where} is reachable from other machines: set LUODI_API_KEY",
            )
    mongodb_uri = reader.text("MONGODB_URI")
    reader.check(
        mongodb_uri is None or mongodb_uri.startswith(("mongodb://", "mongodb+srv://")),
        "MONGODB_URI: starts with mongodb:// or mongodb+srv://",
    )
    reader.check(mongodb_uri is not None or "MONGODB_URI_FILE" in environ, _NO_MONGODB)
    webhook_url = reader.value("LUODI_WEBHOOK_URL", None, _url, "an http or https address")
    webhook_secret = reader.text("LUODI_WEBHOOK_SECRET")
    if webhook_url:
        reader.check(webhook_secret is not None, "LUODI_WEBHOOK_URL is set, so LUODI_WEBHOOK_SECRET is needed")
    if webhook_secret:
        reader.check(
            all(part.startswith("whsec_") for part in webhook_secret.split()),
            "LUODI_WEBHOOK_SECRET: starts with whsec_ (several, for a change of secret, stand apart by a space)",
        )
    link_secret = reader.text("LUODI_LINK_SECRET")
    if link_secret:
        reader.check(
            all(len(part.encode()) >= MIN_SECRET_BYTES for part in link_secret.split()),
            f"LUODI_LINK_SECRET: at least {MIN_SECRET_BYTES} characters (several, for a change of secret, stand apart "
            "by a space)",
        )
    settings = Settings(
        home=Path(environ.get("LUODI_HOME") or ".luodi").expanduser().resolve(),
        mode=mode,
        ingest_listen=listen["ingest"],
        tracker_listen=listen["tracker"],
        notify_listen=listen["notify"],
        kafka=_kafka(reader),
        mongodb_uri=mongodb_uri or "",
        database=reader.text("LUODI_DATABASE") or "luodi",
        partitions=reader.value("LUODI_PARTITIONS", 8, _whole(1, MAX_PARTITIONS), f"1 to {MAX_PARTITIONS}"),
        timezone=reader.value("LUODI_TIMEZONE", ZoneInfo("Asia/Shanghai"), ZoneInfo, "a time zone like Asia/Shanghai"),
        config_dir=reader.value("LUODI_CONFIG_DIR", None, _directory, "an existing folder"),
        api_key=api_key,
        public_url=reader.value("LUODI_PUBLIC_URL", None, _url, "an http or https address"),
        settle_s=reader.value("LUODI_SETTLE_S", 10.0, _seconds(0, 3600), "0 to 3600 seconds"),
        working_hours=reader.value(
            "LUODI_WORKING_HOURS", USUAL_HOURS, _working_hours, "a span like 08:30-18:00, or always"
        ),
        silent_unit_days=reader.value("LUODI_SILENT_UNIT_DAYS", 5, _whole(0, 60), "0 to 60 working days"),
        clock_offset_s=offset,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        webhook_allow=reader.value(
            "LUODI_WEBHOOK_ALLOW", (), _hosts, "hosts and ranges apart by commas, like 127.0.0.1,10.0.0.0/8,relay.local"
        ),
        link_secret=link_secret,
        smtp=_smtp(reader),
        slot=reader.value(
            "LUODI_SLOT", "local" if mode == "local" else socket.gethostname(), _slot, "letters, digits, - _ ."
        ),
        topic_prefix=reader.text("LUODI_TOPIC_PREFIX") or "",
        group_prefix=reader.text("LUODI_GROUP_PREFIX") or "",
        ingest_workers=reader.value("LUODI_INGEST_WORKERS", 2, _whole(1, 64), "1 to 64"),
    )
    if reader.faults:
        raise InvalidSettingsError(reader.faults)
    return settings


_NO_MONGODB = "MONGODB_URI is not set: name the server, or use `luodi up` for a local one"
