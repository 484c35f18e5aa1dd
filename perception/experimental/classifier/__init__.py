"""A selective classifier that fuses many kinds of evidence."""
