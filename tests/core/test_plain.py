"""Dataclasses become what `asdict` makes of them, without copies."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lifelong.core.plain import plain


@dataclass(frozen=True)
class Inner:
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    one: Inner
    many: list[Inner]
    named: dict[str, Inner]
    text: str


def test_it_is_what_the_library_makes() -> None:
    value = Outer(Inner((1, 2)), [Inner(())], {"a": Inner((3,))}, "text")
    assert plain(value) == asdict(value)
    assert plain((value, 1, None)) == (asdict(value), 1, None)


def test_nothing_is_copied_but_what_holds_dataclasses() -> None:
    text = "x" * 1000
    assert plain(Outer(Inner(()), [], {}, text))["text"] is text
