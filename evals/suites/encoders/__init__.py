"""Class-incremental learning in which the encoder is trained as well."""
