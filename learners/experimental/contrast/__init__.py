"""Training on successes and failures at the same tasks: objectives behind one interface, a file each, and the loop that they share."""
