"""Laboratory methods that no product path uses yet; they are measured in the suites and have their own tests."""
