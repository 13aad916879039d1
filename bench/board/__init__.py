"""The simulated board in a process of its own: it outlives a hanging station, and dies with it."""
