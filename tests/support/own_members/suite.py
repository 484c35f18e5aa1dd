"""A benchmark of coins: how often each method guesses the side."""

from __future__ import annotations

from pathlib import Path

from lifelong.evals import Row, Suite

SUITE = Suite(
    name="coin",
    shows="how often the side of a coin that never turns is guessed",
    needs="nothing",
    selection="Nothing was chosen.",
    module="suites.my_suite",
)


def run(*, quick: bool, seeds: int, data: Path | None) -> list[Row]:
    tosses = 10 if quick else 1_000
    guesses = {"lifelong": lambda number: 0, "alternating": lambda number: number % 2}
    return [
        Row(case="tosses", method=name, metric="accuracy", value=sum(guess(n) == 0 for n in range(tosses)) / tosses, n=tosses, seeds=seeds)
        for name, guess in guesses.items()
    ]
