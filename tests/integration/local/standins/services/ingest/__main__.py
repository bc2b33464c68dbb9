"""The stand-in of ingest."""

import sys

from ..standin import main

sys.exit(main("ingest"))
