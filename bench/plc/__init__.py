"""A power line that is simulated: modems, what lies between them, and hosts that match over it (SLAC)."""
