"""The broker's jars: one locked list, one cache per user, and nothing started that was not checked.

The lock file names every jar by coordinates, version and sha256, and no address: where a jar comes from does not
matter, what is in it does. A download goes to a folder of its own and is renamed into the cache only after its hash
was found right, so a half-finished download is simply not there for the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")
DOWNLOADS_AT_ONCE = 4  # jars; more does not help on an ordinary line and is unkind to a mirror
DOWNLOAD_ATTEMPTS = 3  # per jar; the resolver itself already waits and retries when told to slow down
TIMEOUT_S = 60  # for one answer of the repository
PROGRESS_S = 2.0  # between two words about a download
CHUNK = 1 << 20  # bytes hashed at a time


@dataclass(frozen=True)
class Jar:
    """One locked jar: Maven coordinates and the sha256 its content must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The file's name in the cache; the group keeps equal artifact names apart."""
        return f"{self.group}.{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def read_lock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The locked jars in class path order.

    Raises:
        UnavailableError: the file is missing or not a lock file.
    """
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["jar"]
        return tuple(Jar(row["group"], row["artifact"], row["version"], row["sha256"]) for row in rows)
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as exc:
        raise UnavailableError(f"the lock file {path} cannot be read: {exc}", mend="make lock") from exc


def lock_digest(jars: tuple[Jar, ...]) -> str:
    """A short name for exactly this list of jars."""
    return hashlib.sha256("\n".join(f"{jar} {jar.sha256}" for jar in jars).encode()).hexdigest()[:16]


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where this user's downloads are kept: `LUODI_CACHE`, else the XDG cache folder, else `~/.cache`."""
    if explicit := environ.get("LUODI_CACHE"):
        return Path(explicit).expanduser().absolute()
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(base).expanduser().absolute() / "luodi"


def file_sha256(path: Path) -> str:
    """The sha256 of a file as hex.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`, waiting for whoever holds it; the kernel frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sound(folder: Path, jar: Jar) -> bool:
    """Whether the cached file is there and holds exactly what the lock file says."""
    try:
        return file_sha256(folder / jar.filename) == jar.sha256
    except OSError:
        return False


def missing(folder: Path, jars: tuple[Jar, ...]) -> tuple[Jar, ...]:
    """The jars that are absent from the folder, or there with another content. Every file is read."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return tuple(
            jar for jar, good in zip(jars, pool.map(lambda jar: sound(folder, jar), jars), strict=True) if not good
        )


def ensure_jars(
    environ: Mapping[str, str], tell: Callable[[str], None], jars: tuple[Jar, ...] | None = None
) -> tuple[Path, ...]:
    """The paths of all locked jars, each checked against its hash just now; what is missing is fetched first.

    Safe for several stacks of one user at a time: only one of them downloads, the others wait and find it done.

    Raises:
        UnavailableError: a jar could not be fetched, or what came is not what the lock file says.
    """
    wanted = read_lock() if jars is None else jars
    cache = cache_folder(environ)
    folder = cache / "jars"
    if missing(folder, wanted):
        with exclusive(cache / "lock"):
            absent = missing(folder, wanted)
            if absent:
                _fetch(folder, absent, environ, tell)
    return tuple(folder / jar.filename for jar in wanted)


def _fetch(folder: Path, jars: tuple[Jar, ...], environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
    if find_spec("jgo") is None:
        raise UnavailableError("the package jgo is not installed", mend="pip install 'luodi[local]'")
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".fetch-*"):  # of a start that was killed; we hold the lock, so nobody uses it
        shutil.rmtree(leftover, ignore_errors=True)
    tell(f"fetching {len(jars)} jars of Apache Kafka into {folder} (about 45 MB, once per user)")
    told_at = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch,
        ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
    ):
        try:
            fetched = pool.map(lambda jar: _fetch_one(folder, Path(scratch), jar, environ), jars)
            for done, jar in enumerate(fetched, 1):
                if done == len(jars) or time.monotonic() - told_at >= PROGRESS_S:
                    told_at = time.monotonic()
                    tell(f"fetched {done}/{len(jars)} {jar.artifact} {jar.version}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch_one(folder: Path, scratch: Path, jar: Jar, environ: Mapping[str, str]) -> Jar:
    from jgo.maven import MavenContext, PythonResolver  # heavy, and needed by a cold start only

    mirror = environ.get("LUODI_MAVEN_URL")
    last = ""
    for attempt in range(DOWNLOAD_ATTEMPTS):
        # A fresh folder per attempt: the resolver takes a file that is already there for a finished one.
        context = MavenContext(
            resolver=PythonResolver(),
            repo_cache=scratch / f"{jar.filename}.{attempt}",
            remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
            timeout=TIMEOUT_S,
        )
        try:
            fetched = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            found = file_sha256(fetched)
        except (OSError, RuntimeError) as exc:  # requests' errors are OSErrors; the resolver's "not found" is the other
            last = str(exc)
            continue
        if found == jar.sha256:
            fetched.replace(folder / jar.filename)
            return jar
        last = f"its sha256 is {found}, the lock file says {jar.sha256}"
    raise UnavailableError(
        f"{jar} could not be fetched: {last}",
        mend="start again when the network is back, or name a Maven mirror in LUODI_MAVEN_URL",
    )
