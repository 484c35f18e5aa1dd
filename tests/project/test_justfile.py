"""Quick tests try properties on few examples, and the whole test tries the same ones on all."""

from __future__ import annotations

from hypothesis import settings
from properties import examples
from source_tree import ROOT


def recipe(name: str) -> str:
    """The lines of a recipe of the justfile."""
    _, _, rest = (ROOT / "justfile").read_text().partition(f"\n{name}")
    return rest.partition("\n\n")[0]


def test_properties_are_tried_on_all_their_examples_where_everything_is_tested() -> None:
    assert "--hypothesis-profile quick" in recipe("unit *flags:")
    assert '-m "(model or slow or hypothesis) and not vllm"' in recipe("test: check unit")
    assert "--hypothesis-profile" not in recipe("test: check unit")
    assert settings.get_profile("quick").max_examples < settings.get_profile("tests").max_examples == 100


def test_a_number_of_ones_own_is_as_much_smaller_as_the_profile() -> None:
    usual = settings.default
    assert usual is not None
    assert examples(200) == 2 * usual.max_examples
    assert examples(10) >= 5
