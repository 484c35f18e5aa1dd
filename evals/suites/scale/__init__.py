"""Cost of a request, of starting and of forgetting, as the record grows."""
