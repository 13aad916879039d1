"""The charger's side of what speaks in a V2G_Message, DIN 70121 and ISO 15118-2: what both have is here, and each spells it in its own words."""
