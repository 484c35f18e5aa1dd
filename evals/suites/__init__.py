"""The benchmark suites, a package each."""
