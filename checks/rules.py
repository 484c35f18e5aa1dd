"""How a contract check says which rule is broken, whatever the member under check raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rule(text: str) -> Iterator[None]:
    """A rule that what is done inside must keep; whatever it raises becomes an `AssertionError` that names the rule."""
    try:
        yield
    except (AssertionError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a member may even call `sys.exit`
        raise AssertionError(f"{text}; it raised {type(error).__name__}: {error}") from error
