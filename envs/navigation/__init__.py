"""Navigation in rooms, one move at a time."""
