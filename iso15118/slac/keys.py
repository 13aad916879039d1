"""Keys and names of HomePlug networks (HomePlug AV 1.1 clause 10 [K]; the numbers are those of open-plc-utils and libslac [S])."""

from __future__ import annotations

import hashlib

NID_ROUNDS, NMK_ROUNDS = 5, 1000
NMK_SALT = bytes.fromhex("08856DAF7CF58186")


def nid_of(nmk: bytes) -> bytes:
    """The name of the network that a key of 16 octets opens: 52 bits of its hash, and 0 for the security level (simple connect)."""
    if len(nmk) != 16:
        raise ValueError(f"an NMK of {len(nmk)} octets, has to be 16")
    digest = nmk
    for _ in range(NID_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest[:6] + bytes((digest[6] >> 4,))


def nmk_of(password: str) -> bytes:
    """The key that a password means, such as the one on a power line adapter's label."""
    digest = password.encode() + NMK_SALT
    for _ in range(NMK_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest[:16]
