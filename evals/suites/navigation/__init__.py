"""Goal categories taught stage by stage to one navigator: what is learned, kept, and paid for it."""
