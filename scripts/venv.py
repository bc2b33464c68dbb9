"""Makes `.venv` from a lock file: `python3 scripts/venv.py local|dev`. Standard library only, Python 3.11 or newer.

1. Look at the Python: its version, and whether it can make virtual environments (Debian ships that apart). One that was
   built without profile-guided optimisation, as version managers do, gives way to the distribution's own of the same
   version: the services then need 15 to 25 % less of the processor. `--this-python` keeps the one that runs.
2. Do nothing when the stamp in `.venv` says that exactly this lock file is installed.
3. Make `.venv`, install the locked packages with their hashes, and the project itself in editable mode.
4. Write the stamp last, so that whatever broke off is done again by the next call.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "luodi-stamp.json"
OLDEST = (3, 11)
DISTRIBUTIONS = "/usr/bin/python3"  # distributions build theirs to be fast
LISTS = ("local", "dev")  # each holds the one before
EX_UNAVAILABLE = 69


def main() -> int:
    """Makes the environment; returns the exit code."""
    wanted = sys.argv[1]
    if sys.version_info < OLDEST:
        return fail(
            f"Python {sys.version.split()[0]} is too old, {'.'.join(map(str, OLDEST))} is needed",
            "make PYTHON=/path/to/python3.11",
        )
    with (ROOT / "pyproject.toml").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two make runs at a time
        if is_current(wanted):
            return 0
        if (not PYTHON.exists() or run(PYTHON, "-m", "pip", "--version", quiet=True)) and (fault := make_environment()):
            return fault
        return install(wanted)


def is_current(wanted: str) -> bool:
    """Whether the stamp tells of this very list at this very place."""
    try:
        stamps = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return any(stamps.get(name) == fingerprint(name) for name in LISTS[LISTS.index(wanted) :])


def fingerprint(name: str) -> str:
    """What the stamp holds for a list: changes with the list, the project's metadata, its place and the Python."""
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]}".encode())
    for file in (ROOT / "requirements" / f"{name}.txt", ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def make_environment() -> int:
    """Makes an empty `.venv`; returns an exit code, 0 when it is there."""
    python = sys.executable if "--this-python" in sys.argv else quicker_python() or sys.executable
    if not can_make_environments(python) and not install_debian_package():
        version = ".".join(map(str, sys.version_info[:2]))
        sudo = "" if os.geteuid() == 0 else "sudo "
        command = f"{sudo}apt-get update && {sudo}apt-get install -y python{version}-venv"
        return fail(f"{sys.executable} cannot make virtual environments: ensurepip is missing", command)
    say("making .venv" + (f" of {python}" if python != sys.executable else ""))
    return run(python, "-m", "venv", "--clear", VENV)


def quicker_python() -> str | None:
    """The distribution's Python where it is of this version and can make environments, and this one is a slow build."""
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    if optimised or os.path.realpath(sys.executable) == os.path.realpath(DISTRIBUTIONS):
        return None
    same = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    if not Path(DISTRIBUTIONS).exists() or run(DISTRIBUTIONS, "-c", same, quiet=True):
        return None
    return DISTRIBUTIONS if can_make_environments(DISTRIBUTIONS) else None


def can_make_environments(python: str = sys.executable) -> bool:
    """Debian puts `ensurepip` into a package of its own."""
    return run(python, "-c", "import ensurepip, venv", quiet=True) == 0


def install_debian_package() -> bool:
    """Installs the missing package when nobody needs to be asked: root, on Debian or its like, with its own Python."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or not sys.executable.startswith("/usr/bin/"):
        return False
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    say(f"installing {package} by apt-get")
    run("apt-get", "update", "-qq", quiet=True)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package, quiet=True)
    return can_make_environments()


def install(wanted: str) -> int:
    """Installs the locked packages and the project; returns an exit code."""
    say(f"installing the packages of requirements/{wanted}.txt into .venv (the first time takes a minute or two)")
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install")
    quiet = () if sys.stdout.isatty() else ("--progress-bar", "off")
    locked = (*pip, *quiet, "--require-hashes", "--no-deps", "-r", ROOT / "requirements" / f"{wanted}.txt")
    project = (*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    for command in (locked, project):
        if status := run(*command):
            return status
    done = LISTS[: LISTS.index(wanted) + 1]
    STAMP.write_text(json.dumps({name: fingerprint(name) for name in done}), "utf-8")
    return 0


def run(*words: str | Path, quiet: bool = False) -> int:
    """Runs a command, without a question; returns its exit code."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(words, env=environ, stdout=output, stderr=output, check=False).returncode  # noqa: S603 - ours


def say(text: str) -> None:
    """Tells what happens."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def fail(what: str, mend: str) -> int:
    """Tells what is wrong and the command that mends it; returns the exit code."""
    sys.stderr.write(f"{what}\n  {mend}\n")
    return EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main())
