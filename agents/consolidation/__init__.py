"""Which turns of which episodes an adapter is trained on."""
