"""Class-incremental learning on frozen vectors."""
