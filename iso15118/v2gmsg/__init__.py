"""What both sides of the cable share of the protocols that speak in a V2G_Message: DIN 70121 and ISO 15118-2."""
