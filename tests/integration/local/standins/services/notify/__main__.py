"""The stand-in of notify."""

import sys

from ..standin import main

sys.exit(main("notify"))
