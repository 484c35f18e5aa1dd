"""One spelling for one tenant, and no name that a reader cannot see."""

from __future__ import annotations

import pytest

from lifelong.core import MalformedTask, Task, tenant_name


@pytest.mark.parametrize("spelling", ["Zoë", "Zoe\u0308", "  Zoë\u2003"])
def test_every_spelling_is_one_tenant(spelling: str) -> None:
    assert tenant_name(spelling) == "Zo\u00eb"
    assert Task(id="t", goal="g", tenant=spelling).tenant == "Zo\u00eb"


@pytest.mark.parametrize("name", ["ann", "Müller & Co.", "ann@example.org", "王", "🙂", "-", "x" * 256])
def test_names_stay_as_they_are(name: str) -> None:
    assert tenant_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u00a0",
        "\u200b",
        "ann\u200b",
        "\ufeffann",
        "\u202eann",
        "a\x00",
        "a\nb",
        "\u3164",
        "\u2800",
        "\ud800",
        "\u0301",
        "x" * 257,
    ],
)
def test_blank_invisible_and_long_names_are_refused(name: str) -> None:
    with pytest.raises(MalformedTask, match="tenant"):
        tenant_name(name)
    with pytest.raises(MalformedTask, match="tenant"):
        Task(id="t", goal="g", tenant=name)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(MalformedTask, match="must be text"):
        tenant_name(3)  # type: ignore[arg-type]
