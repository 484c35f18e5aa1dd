from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import EACH

from lifelong.evals.data.texts import TextData
from lifelong.evals.suites.perception.classifiers import partial_split


@pytest.mark.parametrize("validated", [True, False])
def test_a_part_knows_nothing_of_what_is_unknown(data: TextData, validated: bool) -> None:
    from dataclasses import replace

    if not validated:
        data = replace(data, validation=data.train.subset(np.zeros(len(data.train), dtype=bool)))
    split = partial_split(data, 0.75, 3, data.sentences)
    assert set(split.train.labels) == set(split.test.labels) == set(range(6))
    assert len(split.unknown) == 2 * EACH + 10
    assert not len(split.validation_outliers)
    assert not set(split.train.texts) & {*split.validation.texts, *split.test.texts, *split.unknown.texts}
    assert not set(split.outliers.texts) & {*data.outliers_test.texts, *data.outliers_validation.texts}
    known = {int(text.split("word")[1]) for text in split.train.texts}
    assert known == {int(text.split("word")[1]) for text in split.validation.texts + split.test.texts}
    assert len(known) == 6
    other = {int(text.split("word")[1]) for text in partial_split(data, 0.75, 4, data.sentences).train.texts}
    assert known != other
