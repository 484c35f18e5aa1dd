"""Spans of OpenTelemetry with the names of its conventions for generative AI; none where `opentelemetry-api` is not installed."""

from __future__ import annotations
