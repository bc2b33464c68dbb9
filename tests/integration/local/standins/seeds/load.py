"""The stand-in of the sample loader: tells what it was called with, and that it goes on."""

import os
import sys
import time

if fault := os.environ.get("STANDIN_SEED"):
    sys.exit(fault)
sys.stdout.write(f"called with {' '.join(sys.argv[1:])}\n")
for number in (259, 518):
    sys.stdout.write(f"{number} of 518 projects\n")
    sys.stdout.flush()
    time.sleep(0.05)
