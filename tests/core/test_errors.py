"""Every named error is one of ours and also the built-in kind that callers would catch."""

from __future__ import annotations

import inspect

import pytest

from lifelong.core import errors
from lifelong.core.errors import LifelongError

NAMED = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, LifelongError) and one is not LifelongError]
BUILT_IN = (ValueError, LookupError, OSError, ImportError, RuntimeError)


def test_all_are_looked_at() -> None:
    assert len(NAMED) > 8


@pytest.mark.parametrize("error", NAMED)
def test_an_error_is_caught_by_either_name_and_says_its_message(error: type[LifelongError]) -> None:
    assert issubclass(error, BUILT_IN)
    assert error.__doc__
    for caught in (LifelongError, *(kind for kind in BUILT_IN if issubclass(error, kind))):
        with pytest.raises(caught, match="do this instead"):
            raise error("that was wrong; do this instead")
