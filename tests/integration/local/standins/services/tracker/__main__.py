"""The stand-in of tracker."""

import sys

from services.standin import main

sys.exit(main("tracker"))
