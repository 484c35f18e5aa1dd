"""What an outsider adds to `lifelong`: one member of each extension point."""
