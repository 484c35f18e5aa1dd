"""Things that tests make up: networks, texts, images and summaries, small enough for a moment."""
