"""Makes the lock file of the broker's jars: `python -m luodi.local.locking` (or `make lock`).

Resolves Apache Kafka by the pure-Python Maven resolver, adds the binding that leads the broker's log to log4j2 in the
version of the log4j2 that Kafka itself brings, downloads everything and writes coordinates and hashes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from luodi.local.artifacts import LOCK_FILE, TIMEOUT_S, file_sha256

KAFKA = ("org.apache.kafka", "kafka_2.13", "4.4.0")
BINDING = ("org.apache.logging.log4j", "log4j-slf4j-impl")  # for slf4j 1.7, which Kafka uses
BINDING_LIKE = "log4j-core"  # its version is the binding's version

HEADER = """\
# The jars of the local Apache Kafka, in class path order. Made by `make lock`; every jar is checked before a start.
"""


def main() -> int:
    """Writes the lock file; returns the exit code."""
    from jgo.maven import MavenContext, PythonResolver  # an extra that only this command needs

    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(resolver=PythonResolver(), repo_cache=Path(scratch), timeout=TIMEOUT_S)
        roots, rest = context.resolver.resolve([context.create_dependency(":".join(KAFKA))])
        artifacts = [dependency.artifact for dependency in (*roots, *rest)]
        version = next(artifact.version for artifact in artifacts if artifact.artifactId == BINDING_LIKE)
        artifacts.append(context.project(*BINDING).at_version(version).artifact())
        blocks = [HEADER]
        for artifact in artifacts:
            blocks.append(
                "[[jar]]\n"
                f'group = "{artifact.groupId}"\n'
                f'artifact = "{artifact.artifactId}"\n'
                f'version = "{artifact.version}"\n'
                f'sha256 = "{file_sha256(artifact.resolve())}"\n'
            )
            sys.stdout.write(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}\n")
    LOCK_FILE.write_text("\n".join(blocks), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
