"""Training on successes and failures at the same tasks: objectives behind one interface, a file each, and the loop that they share."""

MEMBERS = {
    "unlikelihood": "unlikelihood:FirstDivergenceUnlikelihood",
    "dpo": "preference:DirectPreference",
    "kto": "prospect:KahnemanTversky",
    "grpo": "group_policy:GroupRelativePolicy",
    "rdb_cl": "portability:PortableAnchor",
}
"""Values of `sleep.contrast` besides `off`; each objective is made without arguments. Plain cross-entropy of successes, `positives`, is
what every night does."""
