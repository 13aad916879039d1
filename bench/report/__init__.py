"""What a journal tells of the sessions with vehicles, as pictures: `chargepoint report`."""
