"""The prefixes of conversations that were seen, by which a request finds its session."""

from __future__ import annotations

from .nodes import SessionNodes, TenantNodes

__all__ = ["SessionNodes", "TenantNodes"]
