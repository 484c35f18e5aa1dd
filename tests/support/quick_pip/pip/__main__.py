"""`python -m pip download ... --dest FOLDER NAME==VERSION`, from the folder in PIP_FIND_LINKS."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

*_, folder, requirement = sys.argv
links = os.environ.get("PIP_FIND_LINKS")
found = sorted(Path(links).glob(f"{requirement.replace('-', '_').replace('==', '-')}-*.whl")) if links else []
if not found:
    sys.exit(f"ERROR: No matching distribution found for {requirement}")
shutil.copy(found[0], folder)
