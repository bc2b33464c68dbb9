"""The stand-in of ingest."""

import sys

from services.standin import main

sys.exit(main("ingest"))
