"""OCPP 2.1 payloads as types: plain dicts with the wire's own keys, described by TypedDicts (`requests`, `responses`, `types`, `enums`).

Generated, but for this file: lengths, ranges and counts are not types, they stand in the schemas (`chargepoint.ocpp.schemas`).
"""
