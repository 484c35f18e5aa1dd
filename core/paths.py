"""Paths as callers give them."""

from __future__ import annotations

import os

AnyPath = str | os.PathLike[str]
"""What every public function takes where it says that it takes a path."""
