"""Speed, exactness and size of the record."""
