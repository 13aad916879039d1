"""ISO 15118-2, the vehicle's side."""
