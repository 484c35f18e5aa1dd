from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from lifelong import learners
from lifelong.checks.head import check_head
from lifelong.learners import (
    Head,
    KernelLDAHead,
    NearestMeanHead,
    RanPACHead,
    RidgeHead,
    StreamingLDAHead,
)

MEMBERS = [
    member
    for name in learners.__all__
    if inspect.isclass(member := getattr(learners, name)) and not member.__dict__.get("_is_protocol") and hasattr(member, "logits")
]
SMALL = {"features": 40, "hidden": 16}


def small(member: type) -> Callable[[], Head]:
    """Makes a member with few features, where it has any."""
    parameters = inspect.signature(member).parameters
    return lambda: member(**{name: value for name, value in SMALL.items() if name in parameters})


def test_members_are_found() -> None:
    assert {NearestMeanHead, RanPACHead, RidgeHead, StreamingLDAHead, KernelLDAHead} <= set(MEMBERS)


# Those fitted by gradients take seconds.
BY_GRADIENTS = [pytest.param(member, marks=pytest.mark.slow) for member in MEMBERS if not hasattr(member, "unlearn")]


@pytest.mark.parametrize("member", [member for member in MEMBERS if hasattr(member, "unlearn")] + BY_GRADIENTS)
def test_every_head_keeps_the_rules(member: type) -> None:
    check_head(small(member))
