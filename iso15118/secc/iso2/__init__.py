"""The charger's side of ISO 15118-2."""
