"""`python -m services.ingest`: run ingest until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime import configuration, lifecycle, logging
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError
from services.ingest import workers

log = logging.get("ingest")


def main() -> int:
    settings = lifecycle.read_settings()
    logging.configure("ingest")
    try:
        configuration.load(settings)  # once here, for a worker could only crash over a faulty file, again and again
        workers.serve(settings)
    except InvalidSettingsError as exc:
        log.error("settings.refused", faults=exc.faults)  # noqa: TRY400 - the faults say it all
        return EXIT_CONFIG
    except FatalError as exc:
        log.error("service.failed", error=str(exc))  # noqa: TRY400 - the sentence says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
