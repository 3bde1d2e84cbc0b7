"""DynoAI Desktop: the measurement program for the PC beside the dyno."""

import os

__version__ = "0.1.0"

# Matrix threads that wait for a busy processor make small matrices up to fifty times slower, and
# the second core belongs to the capture. Must stand before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
