"""SLAC: which vehicle hangs on which cable, found over the power line (ISO 15118-3); both sides, no I/O, no clock, no randomness."""
