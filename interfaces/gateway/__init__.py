"""The HTTP gateway that chat tools and agents talk to."""
