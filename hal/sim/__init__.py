"""A board on virtual physics. Everything but `ports` is pure: time is an argument."""
