"""The names are those of OpenTelemetry's conventions, as far as its package has them."""

from __future__ import annotations

import pytest

from lifelong.interfaces.gateway.telemetry import names

NOT_IN_THE_PACKAGE = {"gen_ai.memory.record.count", "gen_ai.evaluation.result"}
"""A newer attribute, and the name of an event."""


def test_every_name_is_one_of_the_conventions() -> None:
    known = pytest.importorskip("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    defined = {value for value in vars(known).values() if isinstance(value, str)}
    used = {value for value in vars(names).values() if isinstance(value, str) and value.startswith("gen_ai.")}
    assert len(used) > 12
    assert used - defined == NOT_IN_THE_PACKAGE


def test_no_name_stands_in_the_code_itself() -> None:
    from source_tree import SOURCES, name, text

    holders = {name(file) for file in SOURCES if '"gen_ai.' in text(file)}
    assert holders == {"interfaces/gateway/telemetry/names.py"}
