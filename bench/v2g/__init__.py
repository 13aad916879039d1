"""A vehicle and a charger on simulated power, both without I/O: for benches, commands and tests."""
