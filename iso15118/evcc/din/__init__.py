"""DIN 70121, the vehicle's side."""
