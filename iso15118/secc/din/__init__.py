"""The charger's side of DIN SPEC 70121."""
