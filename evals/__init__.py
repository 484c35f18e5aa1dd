"""Benchmarks: suites, the files that keep their figures, and the tables made from them.

A suite yields `Row`s, one figure each; a results file keeps them with the commit, versions, machine, data and the statement of what
was chosen on which data, and the tables of the documents are made from that file. No product path imports this package: only
`lifelong bench` does.
"""

from __future__ import annotations

from .bench import Suite
from .results_file import Results, Row, make_results, read_results, write_results
from .results_tables import case_table, markdown_table, pipe_table, terminal_tables

__all__ = [
    "MEMBERS",
    "SUITES",
    "Results",
    "Row",
    "Suite",
    "case_table",
    "make_results",
    "markdown_table",
    "pipe_table",
    "read_results",
    "terminal_tables",
    "write_results",
]

SUITES = (
    Suite(
        name="memory",
        shows="how fast, how exact and how large the record is at 1k, 10k and 100k episodes",
        needs="nothing; 2 GB of disk for the largest size",
        selection="Nothing was chosen: sizes are fixed and texts are made up.",
        module="suites.memory.suite",
    ),
    Suite(
        name="recall",
        shows="how much of the evidence for questions over long conversations is found, turns and nothing shown where nothing is needed",
        needs="the default encoder; for the full run LoCoMo in the data directory",
        selection=(
            "The shipped weights, their penalty and the floor: on the project's own dialogues alone, one left out in turn. Which "
            "signals there are was settled while LoCoMo's results were looked at, so that choice is not blind. The row "
            "leave_one_dialogue_out learns on the other dialogues of LoCoMo and is not shipped."
        ),
        module="suites.recall.suite",
        files=("locomo/locomo7.json",),
    ),
    Suite(
        name="scale",
        shows="what a request, a start and an erasure cost beside a model that answers at once, up to 1 000 000 episodes or turns",
        needs="the default encoder; 4 GB of disk and half an hour for the largest size",
        selection="Nothing was chosen: sizes are fixed, and episodes and turns are made up.",
        module="suites.scale.suite",
    ),
    Suite(
        name="serving",
        shows="what the gateway adds to a request beside the upstream alone, a plain proxy and LiteLLM's, with up to 1 000 000 episodes",
        needs="the default encoder and 10 GB of disk for the largest size; for LiteLLM's rows its command `litellm` on the path",
        selection="Nothing was chosen: rates and sizes are fixed, chats are made up, and the upstream answers by the clock.",
        module="suites.serving.suite",
    ),
    Suite(
        name="loop",
        shows="what wake and sleep learn on unseen tasks, and what they keep, against four baselines",
        needs="the default model files; for lab-db the data directory",
        selection=(
            "The share of replayed samples of lifelong (one old for each new one) was set near 1.28, the share in a cross-"
            "validation inside the stream tasks 0 to 149 of lab-db, which compared no other share. All other settings are the same "
            "for every method."
        ),
        module="suites.loop.suite",
        files=("lifelongagentbench/db_bench.json",),
    ),
    Suite(
        name="agents",
        shows="what an agent learns without an answer key: grammar, agreement, practice and attempts, alone and left out; contrasts",
        needs="the default model files; for lab-db and bfcl the data directory; for reasoning-products the extra reasoning; hours",
        selection=(
            "Kinds of exercises, their shares and their wording were set by hand in sight of the requests of lab-db's tasks 0 to 149; "
            "the grammar was widened until it accepted the reference answers of these tasks. No request or answer of the unseen "
            "tasks 150 to 299 was looked at for either. That practice and a grammar help at all was known from trials on unseen tasks. "
            "Contrasts have the weights of their papers or of trl, and learning rates that were set beforehand; none was tuned. "
            "The data set of reasoning-gym was chosen among nineteen by how often samples of the base model answer 24 of its entries, of "
            "which some may be among the unseen tasks. Passes over corrected function calls (4): as were made by hand, by their seconds. "
            "Sizes of the ten nights: by their seconds."
        ),
        module="suites.agents.suite",
        files=(
            "lifelongagentbench/db_bench.json",
            *(f"bfcl/{part}BFCL_v4_{name}.json" for name in ("simple_python", "multiple", "parallel") for part in ("", "possible_answer/")),
        ),
    ),
    Suite(
        name="perception",
        shows="what is known, what will fail and what is new: rejection, open intents, promises, discovery, queries, label noise, adapters",
        needs="the data directory and the default encoder",
        selection=(
            "Weights, thresholds and the settings under label noise: on validation splits, or on known classes held out of the "
            "training texts. The evidence that `lifelong` reads was chosen on CLINC150's validation split and out-of-scope queries for "
            "training and validation, and on BANKING77's training texts under other draws of classes than those measured. Which "
            "kinds of evidence `selective_classifier` reads, and the rate of 10 % for open intents, were chosen after looking at "
            "test results, so these two choices are not blind. The estimate of the number of classes: on other draws of classes "
            "than those measured, by the labels of their training texts. Logistic regression: C on a held-out fifth of the training "
            "texts."
        ),
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
        selection="Nothing was chosen: formulas of the same definition are timed and compared on made data.",
        module="suites.scoring.suite",
    ),
    Suite(
        name="images",
        shows="whether FMFP, OpenMix and AoP tell failures and unknown images better than plain training, where the encoder trains",
        needs="the data directory; full size on a GPU, a reduced one on a CPU",
        selection=(
            "Nothing was chosen: every setting is its paper's, the schedule scaled to the epochs; no image of an unknown class is "
            "trained on."
        ),
        module="suites.images.suite",
        files=("cifar10/cifar10_jpeg.zip",),
    ),
    Suite(
        name="continual",
        shows="class after class on frozen vectors: accuracy, bytes a class and time, against replay, Gaussians and joint training",
        needs='the default encoder once, and the data directory; for the peers\' rows, pip install "lifelong[peers]"',
        selection=(
            "Settings of lifelong: on CLINC150's validation split, on fifths of BANKING77's training texts, and on class orders "
            "from 2093 on; frozen before the measured orders were run. An earlier form of the cue head was settled after looking at"
            " test accuracies of the orders 1993 to 1997. RanPAC's regularisation: on a held-out fifth of what it has seen. Other "
            "baselines: settings of their papers. Logistic regression: C on a held-out fifth of what it has."
        ),
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
        selection=(
            "Images: on images held out of the training images, under other class orders (seeds 100 to 102). An earlier form of "
            "ours was run once on the test images of order 1993 and given up. Nothing was chosen for self-supervision. Texts: with "
            "class order 100, on CLINC150's validation texts and on held-out training texts of BANKING77."
        ),
        module="suites.encoders.suite",
        files=("cifar10/cifar10_jpeg.zip", "clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
    Suite(
        name="unlearning",
        shows="samples and classes taken back from heads in closed form: how far from retraining, and in what time",
        needs="the default encoder once, and the data directory",
        selection=("Nothing was chosen on test data: an erasure is compared with retraining of the same head at the same settings."),
        module="suites.unlearning.suite",
        files=("clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
    Suite(
        name="networks",
        shows="a sequence of requests taken back from networks: what is forgotten, kept, traceable, and how soon it is learned again",
        needs="the default encoder and the default language model once, and the data directory",
        selection=(
            "Each method's setting, among four: by the H-mean on validation texts of two other draws of classes. No test text was "
            "used for it."
        ),
        module="suites.networks.suite",
        files=("clinc150/data_full.json", "clinc150/all_wiki_sents.txt"),
    ),
    Suite(
        name="navigation",
        shows="object navigation, goal categories stage by stage: success, SPL, forgetting and bytes kept, C-NAV against its contrasts",
        needs='minigrid and miniworld, from pip install "lifelong[navigation]"; EGL for three dimensions; at full size an hour a seed',
        selection=(
            "The network, the expert, the number of episodes and passes, and the weights of C-NAV's terms (three pairs): by success in "
            "validation scenes, one seed, with fine-tuning, data replay and C-NAV; two further pairs were tried there later and not taken. "
            "The other methods have one setting each that was not searched for. The measure of unknown goals, the kind of trees for the "
            "chance of success and the traits of scenes: in validation scenes, one seed; thresholds in validation scenes. That a forgotten "
            "goal is drawn anew, and not reset to where training began, was chosen after looking at the test results of one seed. In three "
            "dimensions: the map, the network and the number of passes by imitation in further training scenes of the first stage and by "
            "success in validation scenes, one seed, with fine-tuning; the weights of C-NAV's terms are the grid's."
        ),
        module="suites.navigation.suite",
    ),
)
"""Suites that are described here, so that they are listed without being imported."""

MEMBERS: dict[str, Suite | str] = {
    **{suite.name: suite for suite in SUITES},
}
"""What `lifelong bench` runs, by name. A new suite is one file that describes itself, and one line here: its `module:object`."""
