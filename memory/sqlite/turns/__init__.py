"""What was said, by words and by meaning: the tables that recall reads."""
