"""`python -m services.ingest`: run ingest until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime import lifecycle, logging
from luodi.runtime.errors import FatalError
from services.ingest import workers

log = logging.get("ingest")


def main() -> int:
    settings = lifecycle.read_settings()
    logging.configure("ingest")
    try:
        workers.serve(settings)
    except FatalError as exc:
        log.error("service.failed", error=str(exc))  # noqa: TRY400 - the sentence says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
