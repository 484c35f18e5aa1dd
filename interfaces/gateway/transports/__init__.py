"""Ways to a server: `ConnectionPool`."""
