"""Makes the helpers beside this file, such as `models`, importable from every folder of tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # last: the folders here must shadow nothing
