"""Curves as pictures that stand alone."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

from lifelong.evals.data.curve_plots import SPACING, CurvePoint, curves_plot, standing_alone

CURVES = {
    "ours": [CurvePoint(x=100, y=0.9, interval=(0.8, 1.0)), CurvePoint(x=10, y=0.5)],
    "theirs": [CurvePoint(x=10, y=0.4), CurvePoint(x=100, y=0.899)],
    "others": [CurvePoint(x=10, y=0.3), CurvePoint(x=100, y=0.898)],
}


def drawn(**values: object) -> str:
    return curves_plot("made", CURVES, ours=("ours",), x="bytes", y="accuracy", ticks=(10, 100), **values)  # type: ignore[arg-type]


def test_a_picture_names_its_curves_axes_and_bar_and_carries_its_colours() -> None:
    picture = drawn(bar=(0.6, "the joint bound"))
    ElementTree.fromstring(picture)
    for words in (*CURVES, "bytes", "accuracy", "the joint bound", "prefers-color-scheme: dark"):
        assert words in picture
    assert "#0002" not in picture, "no stand-in colour is left"
    assert picture == drawn(bar=(0.6, "the joint bound")), "same curves, same picture"
    assert "the joint bound" not in drawn()


def test_labels_of_curves_that_end_together_do_not_cover_each_other() -> None:
    places = re.findall(r'" y="([\d.]+)"[^<]*>(?:ours|theirs|others)<', drawn())
    heights = sorted(map(float, places))
    assert len(heights) == len(CURVES)
    assert all(after - before > 0.9 * SPACING for before, after in pairwise(heights))


def test_the_style_stands_right_behind_the_head() -> None:
    assert re.fullmatch(r"<svg a='1'>\n<style>.*</style><g/></svg>", standing_alone("<svg a='1'><g/></svg>"), re.DOTALL)
