"""Randomness as an input: a stream of bytes that follows from one seed, so that a replay draws the same."""

from __future__ import annotations

import hashlib

from iso15118.frozen import dataclass


@dataclass(slots=True)
class Entropy:
    """SHA-256 in counter mode over a seed that a port drew from the operating system (event `PoweredUp`).

    Whoever knows the seed knows the stream: the journal that holds it is mode 0600, and export redacts it.
    """

    seed_hex: str = ""
    counter: int = 0

    def take(self, n: int) -> bytes:
        """The next `n` bytes (1..32)."""
        if not 1 <= n <= 32:
            raise ValueError(f"take 1..32 bytes at a time, not {n}")
        self.counter += 1
        return hashlib.sha256(f"{self.seed_hex}:{self.counter}".encode()).digest()[:n]

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return int.from_bytes(self.take(7), "big") / (1 << 56)

    def uuid(self) -> str:
        """A random UUID (RFC 9562 version 4) in its usual 36 characters."""
        raw = bytearray(self.take(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        text = raw.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
