"""Learning from nothing but the environment's yes or no: each part alone and left out."""
