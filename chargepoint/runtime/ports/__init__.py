"""One port for each side of the world; `port.Port` is their shape."""
