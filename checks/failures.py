"""What a contract check says when the member under test raises where it must not."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")


def asserting(check: Callable[P, None]) -> Callable[P, None]:
    """A check that raises `AssertionError` and nothing else: any other error says what the check was doing when the member raised it."""

    @wraps(check)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            check(*args, **kwargs)
        except AssertionError:
            raise
        except Exception as error:
            doing = [frame.line for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == HERE]
            raise AssertionError(f"it raised {type(error).__name__} ({error}) where it must not: {doing[-1]}") from error

    return checked


HERE = Path(__file__).parent
