"""The contract of encoders can be broken, and the check says so."""

from __future__ import annotations

import os

import pytest

from lifelong.checks.encoder import check_encoder
from lifelong.perception import (
    HashedEncoder,
)


def test_the_check_notices_an_encoder_that_draws() -> None:
    class Drawn(HashedEncoder):
        def __init__(self) -> None:
            super().__init__(seed=int.from_bytes(os.urandom(4), "big"))

    with pytest.raises(AssertionError, match="another instance"):
        check_encoder(Drawn)
