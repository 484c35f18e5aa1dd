"""Receipts in the record."""

from __future__ import annotations

from lifelong.core import (
    Receipt,
)
from lifelong.memory import Record


def test_receipts(record: Record) -> None:
    receipt = Receipt(id="r", asked="tenant=x", episodes=2, lessons=1, adapters_erased=("v1",), adapters_rebuilt=(), probe={"rows": 0.0})
    record.receipts.record(receipt)
    assert record.receipts.find() == [receipt]
