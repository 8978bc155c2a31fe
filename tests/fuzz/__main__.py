"""`python -m tests.fuzz --minutes 30`: a campaign; its findings are in out/fuzz."""

from __future__ import annotations

import os
import sys
from pathlib import Path

for _each in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_each, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fuzz.command import main

if __name__ == "__main__":
    sys.exit(main())
