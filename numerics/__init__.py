"""Arrays, class statistics and intervals; numpy only."""
