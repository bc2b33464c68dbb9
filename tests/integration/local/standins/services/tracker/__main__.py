"""The stand-in of tracker."""

import sys

from ..standin import main

sys.exit(main("tracker"))
