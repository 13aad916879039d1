"""The charger's side of the conversation: one pure machine for each connection. No I/O, no clock, no randomness."""
