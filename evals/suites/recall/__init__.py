"""Whether what was said is found: evidence of questions over long conversations."""
