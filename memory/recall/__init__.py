"""What memory adds to a prompt."""
