"""What both sides of the cable share of ISO 15118-2."""
