"""ISO 15118-20, the vehicle's side."""
