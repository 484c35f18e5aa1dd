"""The measured tables of the documents say what the results files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.core import DataMissing
from lifelong.evals import Row, make_results, write_results
from lifelong.evals.documents import DOCUMENTS, HEADLINES, fill_document, fill_tables, headline_table

ROOT = Path(__file__).resolve().parents[2]


def test_tables_are_filled_twice_the_same_and_only_with_the_metrics_asked_for(tmp_path: Path) -> None:
    rows = [
        Row(case="a", method="lifelong", metric="success_after", value=0.5, seeds=3),
        Row(case="a", method="lifelong", metric="forgetting", value=0.25, seeds=3),
    ]
    write_results(tmp_path / "letters.json", make_results("letters", rows))
    text = "before\n<!-- table: letters forgetting -->\nstale figures\n<!-- end -->\nmid\n<!-- table: numbers -->\n<!-- end -->\nafter\n"
    filled = fill_tables(text, tmp_path)
    assert "stale figures" not in filled
    assert "0.250" in filled
    assert "success_after" not in filled
    assert "3 seeds" in filled
    assert "Not measured yet: `lifelong bench numbers" in filled
    assert [line for line in filled.splitlines() if line in {"before", "mid", "after"}] == ["before", "mid", "after"]
    assert fill_tables(filled, tmp_path) == filled


def test_a_case_has_a_line_a_method(tmp_path: Path) -> None:
    rows = [
        Row(case=case, method=method, metric=metric, value=0.25 * place)
        for case in ("a, first", "b")
        for place, method in enumerate(("lifelong", "plain"))
        for metric in ("accuracy", "ood_auroc")
    ]
    write_results(tmp_path / "letters.json", make_results("letters", rows))
    filled = fill_tables("<!-- table: letters / a, first / ood_auroc accuracy -->\n<!-- end -->\n", tmp_path)
    assert "| a, first | ood_auroc | accuracy |" in filled
    assert "| plain | 0.250 | 0.250 |" in filled
    assert filled.count("| lifelong |") == 1
    assert fill_tables(filled, tmp_path) == filled
    with pytest.raises(DataMissing, match="it has: a, first, b"):
        fill_tables("<!-- table: letters / c / -->\n<!-- end -->\n", tmp_path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_shows_what_the_results_files_say(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "<!-- end -->" in text
    assert fill_document(text, ROOT / "evals" / "results") == text, "run `just docs`"


def test_a_figure_within_a_sentence_is_written_anew(tmp_path: Path) -> None:
    rows = [
        Row(case="a, b", method="lifelong", metric="accuracy", value=0.184),
        Row(case="a, b", method="lifelong", metric="disk_bytes", value=4199.0),
    ]
    write_results(tmp_path / "letters.json", make_results("letters", rows))
    place = "<!-- figure: letters / a, b / lifelong / {} -->{}<!-- end -->"
    text = f"It takes {place.format('accuracy', '21 %')} and {place.format('disk_bytes', '3 521')} bytes.\n"
    filled = fill_document(text, tmp_path)
    assert filled == f"It takes {place.format('accuracy', '18 %')} and {place.format('disk_bytes', '4,199')} bytes.\n"
    assert fill_document(filled, tmp_path) == filled
    with pytest.raises(DataMissing, match="holds no figure"):
        fill_document(place.format("other", "1"), tmp_path)


def test_every_headline_links_to_a_heading() -> None:
    headings = [line.lstrip("# ").lower() for line in (ROOT / "docs" / "benchmarks.md").read_text().splitlines() if line.startswith("##")]
    anchors = {"".join(letter for letter in heading if letter.isalnum() or letter in " -").replace(" ", "-") for heading in headings}
    assert {row.anchor for row in HEADLINES} <= anchors


def test_a_headline_without_its_figure_is_refused(tmp_path: Path) -> None:
    for suite in {row.ours.suite for row in HEADLINES}:
        write_results(tmp_path / f"{suite}.json", make_results(suite, [Row(case="other", method="lifelong", metric="accuracy", value=1.0)]))
    with pytest.raises(DataMissing, match="holds no figure"):
        headline_table(tmp_path)
