"""Evals: how the house is measured, and how what was measured is told.

A suite yields `Row`s, one figure each; `write_results` keeps them with the commit, versions, machine and
data they came from, and the README's tables are made from that file. `metrics` turns the accuracy matrix of a
stream into transfer and forgetting, `statistics` says how sure each figure is, and `report` writes the page a
person reads after a run.
"""

from __future__ import annotations

from ..metrics.results import (
    Results,
    Row,
    git_commit,
    machine,
    markdown_table,
    package_versions,
    read_results,
    results_tables,
    write_results,
)
from .bench import Suite

__all__ = [
    "MEMBERS",
    "SUITES",
    "Results",
    "Row",
    "Suite",
    "git_commit",
    "machine",
    "markdown_table",
    "package_versions",
    "read_results",
    "results_tables",
    "write_results",
]

SUITES = (
    Suite(
        name="memory",
        shows="how fast, how exact and how large the record is at 1k, 10k and 100k episodes",
        needs="nothing; 2 GB of disk for the largest size",
        module="suites.memory.suite",
    ),
    Suite(
        name="loop",
        shows="what wake and sleep learn on unseen tasks, and what they keep, against four baselines",
        needs="the default model files; for lab-db the data directory",
        module="suites.loop.suite",
        files=("lifelongagentbench/db_bench.json",),
    ),
    Suite(
        name="perception",
        shows="what is known, what will fail and what is new: rejection, open intents, promises, discovery, queries, label noise, adapters",
        needs="the data directory and the default encoder",
        module="suites.perception.suite",
        files=(
            "clinc150/data_full.json",
            "clinc150/all_wiki_sents.txt",
            "banking77/train.csv",
            "banking77/test.csv",
            "banking77/categories.json",
        ),
    ),
    Suite(
        name="scoring",
        shows="how fast every failure and novelty score is beside pytorch-ood's of the same definition, and that both rank alike",
        needs="nothing; for the comparison, pip install --no-deps pytorch-ood",
        module="suites.scoring.suite",
    ),
    Suite(
        name="images",
        shows="whether FMFP, OpenMix and AoP tell failures and foreign images better than plain training, where the encoder trains",
        needs="the data directory; full size on a GPU, a reduced one on a CPU",
        module="suites.images.suite",
        files=("cifar10/cifar10_jpeg.zip",),
    ),
    Suite(
        name="continual",
        shows="class after class on frozen vectors: accuracy, bytes a class and time, against replay, Gaussians and joint training",
        needs='the default encoder once, and the data directory; for the peers\' rows, pip install "lifelong[peers]"',
        module="suites.continual.suite",
        files=(
            "clinc150/data_full.json",
            "clinc150/all_wiki_sents.txt",
            "banking77/train.csv",
            "banking77/test.csv",
            "banking77/categories.json",
        ),
    ),
    Suite(
        name="encoders",
        shows="class after class where the encoder trains too: images from scratch, MiniLM through LoRA",
        needs="the default encoder once, and the data directory; full size on a GPU, a reduced one on a CPU",
        module="suites.encoders.suite",
        files=("cifar10/cifar10_jpeg.zip", "clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
    Suite(
        name="unlearning",
        shows="samples and classes taken back from heads in closed form: how far from retraining, and in what time",
        needs="the default encoder once, and the data directory",
        module="suites.unlearning.suite",
        files=("clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
    Suite(
        name="networks",
        shows="a sequence of requests taken back from networks: what is forgotten, kept, traceable, and how soon it is learned again",
        needs="the default encoder and the default language model once, and the data directory",
        module="suites.networks.suite",
        files=("clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
)
"""What `lifelong bench` runs; a new suite is one file and one entry here."""

MEMBERS = {suite.name: suite for suite in SUITES}
"""Suites by name."""
