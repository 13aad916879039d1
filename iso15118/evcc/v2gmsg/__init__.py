"""The vehicle's side of the protocols that speak in a V2G_Message, as far as DIN 70121 and ISO 15118-2 are alike; each one's spelling is in its own room."""
