"""The stand-in of notify."""

import sys

from services.standin import main

sys.exit(main("notify"))
