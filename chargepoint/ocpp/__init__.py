"""OCPP: the wire, the device model, and one block for each functional block of the standard."""
