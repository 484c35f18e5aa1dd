"""Discovery of new classes among unlabelled vectors."""
