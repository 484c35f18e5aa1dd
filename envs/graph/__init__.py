"""Questions about generated knowledge graphs, answered in SPARQL."""
