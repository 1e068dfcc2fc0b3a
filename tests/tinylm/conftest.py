"""The scripts of `data/tinylm` find each other as those of a command do: by their folder."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "data" / "tinylm"
if str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))
