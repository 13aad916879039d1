"""The shell around the station: ports that turn the world into events and commands into the world."""
