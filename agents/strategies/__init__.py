"""Ways of running a task: the members of `Strategy`."""
