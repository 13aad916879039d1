"""A board on virtual physics. Everything but `ports` and `parts`, which are its ports, is pure: time is an argument."""
