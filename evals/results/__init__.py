"""Published figures: a JSON file for each suite, which `lifelong bench SUITE --json` writes."""
