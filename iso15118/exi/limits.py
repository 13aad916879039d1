"""Bounds of ours where the schemas have none: a message from the cable must not make us allocate what it likes (S-28)."""

from __future__ import annotations

MOST_OCTETS = 1 << 17
"""Of one EXI body; V2GTP has its own, smaller bound."""
MOST_CHARACTERS = 4096
"""Of a text without maxLength (anyURI and string in xmldsig; names)."""
MOST_BINARY = 8192
"""Octets of a binary value without maxLength (xmldsig: certificates, signature values)."""
MOST_NAME = 256
"""Characters of a namespace or of a name that no schema declares."""
MOST_REPEATS = 64
"""Elements of a list without maxOccurs (xmldsig: Reference, Transform, ...; wildcards)."""
MOST_INTEGER_OCTETS = 10
"""7-bit groups of an integer of at most 64 bits."""
MOST_RECALLED = 1 << 16
"""Characters that string-table hits may give in one stream: a hit of one octet stands for a text of any length."""
MOST_BIG_INTEGER_OCTETS = 40
"""The same for integers without bounds: X509SerialNumber has up to 20 octets (RFC 5280 4.1.2.2), and peers exceed it."""
MOST_DEPTH = 24
"""Elements in elements, wildcards included."""
MOST_EVENTS = 4096
"""Events of a stream that needs the long way (string-table hits, second-level productions, wildcards); the generated functions have no such bound."""
