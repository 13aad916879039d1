"""Devices as their drivers meet them: on a pseudo-terminal, in the same event loop."""
