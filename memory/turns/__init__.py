"""What was said: the words, times and passages of a turn. Pure; nothing here reads the record."""
