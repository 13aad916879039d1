"""Long campaigns over real processes; `make soak` runs them whole, `make test` seeded slices."""
