"""The settings of the local stack: read once from the environment, all faults reported together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from luodi.local.faults import MisconfiguredError
from luodi.local.home import SIGNS_LINKS
from luodi.local.mongo import local_uri
from luodi.local.net import reachable
from luodi.runtime import settings as runtime_settings
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.settings import Address, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_HOME = ".luodi"
SERVICES = ("ingest", "tracker", "notify")  # in the order of their start
NAMES = ("kafka", "mongodb", *SERVICES)
LISTEN_SETTINGS = {
    "kafka": "LUODI_KAFKA_LISTEN",
    "mongodb": "LUODI_MONGO_LISTEN",
    "ingest": "LUODI_INGEST_LISTEN",
    "tracker": "LUODI_TRACKER_LISTEN",
    "notify": "LUODI_NOTIFY_LISTEN",
}
DEFAULT_KAFKA = Address("127.0.0.1", 8192)
DEFAULT_MONGODB = Address("127.0.0.1", 8117)
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class StackSettings:
    """What the stack needs to know; everything else in the environment goes to the services untouched."""

    home: Path  # absolute
    kafka: Address | None  # where our own Kafka listens; None: the operator's is used
    mongodb: Address | None  # the same of MongoDB
    services: Settings  # as every service will read them
    sample: bool  # load the sample once the services are ready
    environ: Mapping[str, str] = field(repr=False)  # the whole environment of a service; holds secrets

    @property
    def listens(self) -> dict[str, Address]:
        """Where the processes that the stack starts listen, by name, in the order of their start."""
        own = {"kafka": self.kafka, "mongodb": self.mongodb}
        services = (self.services.ingest_listen, self.services.tracker_listen, self.services.notify_listen)
        return {name: at for name, at in own.items() if at} | dict(zip(SERVICES, services, strict=True))

    def address(self, name: str) -> str:
        """The address of a process as people may see it, the operator's servers included; never a password."""
        if at := self.listens.get(name):
            return str(at)
        if name == "kafka":
            return ",".join(self.services.kafka["bootstrap_servers"])
        return urlsplit(self.services.mongodb_uri).netloc.rpartition("@")[2]

    def url(self, service: str) -> str:
        """The base address of a service for a client on this machine."""
        return reachable(self.listens[service]).url


def read_settings(environ: Mapping[str, str], cwd: Path) -> StackSettings:
    """Reads the stack's settings and those of the services it will start.

    Args:
        environ: the environment.
        cwd: the working folder, which a relative `LUODI_HOME` refers to.

    Raises:
        MisconfiguredError: something is wrong; the message names every wrong setting.
    """
    faults: list[str] = []
    home = cwd / environ.get("LUODI_HOME", "").strip() if environ.get("LUODI_HOME", "").strip() else cwd / DEFAULT_HOME
    home = home.expanduser()
    kafka = None if environ.get("KAFKA_BOOTSTRAP_SERVERS") else _listen(environ, "kafka", DEFAULT_KAFKA, faults)
    theirs = environ.get("MONGODB_URI") or environ.get("MONGODB_URI_FILE")
    mongodb = None if theirs else _listen(environ, "mongodb", DEFAULT_MONGODB, faults)
    sample_text = (environ.get("LUODI_SAMPLE") or "1").strip().lower()
    if sample_text not in FLAGS:
        faults.append(f"LUODI_SAMPLE={sample_text}: 1 or 0")
    whole = {
        **environ,
        "LUODI_HOME": str(home),
        "LUODI_MODE": environ.get("LUODI_MODE") or "local",
        "LUODI_SLOT": environ.get("LUODI_SLOT") or "local",
    }
    if kafka:
        whole["KAFKA_BOOTSTRAP_SERVERS"] = str(reachable(kafka))
    if mongodb:
        whole["MONGODB_URI"] = local_uri(mongodb)
    link_secret = home / SIGNS_LINKS
    if whole["LUODI_MODE"] == "local" and not _says_link_secret(environ) and link_secret.exists():
        whole["LUODI_LINK_SECRET_FILE"] = str(link_secret)
    try:
        services = runtime_settings.read(whole)
    except InvalidSettingsError as exc:
        raise MisconfiguredError("; ".join((*faults, *exc.faults))) from exc
    settings = StackSettings(
        home=home,
        kafka=kafka,
        mongodb=mongodb,
        services=services,
        sample=FLAGS.get(sample_text, False) and services.is_local,
        environ={**whole, **{LISTEN_SETTINGS[name]: str(_service_listen(services, name)) for name in SERVICES}},
    )
    faults += _shared_addresses(settings.listens)
    if faults:
        raise MisconfiguredError("; ".join(faults))
    return settings


def _says_link_secret(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name, "").strip() for name in ("LUODI_LINK_SECRET", "LUODI_LINK_SECRET_FILE"))


def _listen(environ: Mapping[str, str], name: str, default: Address, faults: list[str]) -> Address:
    text = environ.get(LISTEN_SETTINGS[name], "").strip()
    try:
        return runtime_settings.address(text) if text else default
    except ValueError:
        faults.append(f"{LISTEN_SETTINGS[name]}={text}: an address host:port")
        return default


def _service_listen(services: Settings, name: str) -> Address:
    at: Address = getattr(services, f"{name}_listen")
    return at


def _shared_addresses(listens: Mapping[str, Address]) -> list[str]:
    names = list(listens)
    return [
        f"{LISTEN_SETTINGS[one]} and {LISTEN_SETTINGS[other]} are the same address {listens[one]}"
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if listens[one] == listens[other]
    ]
