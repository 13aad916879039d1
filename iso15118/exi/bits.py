"""Bits in and out: the primitives of EXI 1.0 section 7.1, one at a time. What is quick about the codec is elsewhere (`straight`)."""

from __future__ import annotations

from iso15118.exi.errors import Ended, ExiError


class BitReader:
    """Reads from the front; raises ExiError at the end of the octets."""

    __slots__ = ("_octets", "end", "pos")

    def __init__(self, octets: bytes) -> None:
        self._octets, self.pos, self.end = octets, 0, 8 * len(octets)

    def read(self, bits: int) -> int:
        """An unsigned integer of so many bits."""
        at = self.pos
        end = at + bits
        if end > self.end:
            raise Ended(f"the octets end {end - self.end} bits early", bit=at)
        self.pos = end
        return int.from_bytes(self._octets[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7) & ((1 << bits) - 1)

    def unsigned(self, most_groups: int) -> int:
        """Unsigned Integer (7.1.6): groups of 7 bits, the lowest first."""
        at, value, shift = self.pos, 0, 0
        for _ in range(most_groups):
            group = self.read(8)
            value |= (group & 127) << shift
            if group < 128:
                return value
            shift += 7
        raise ExiError(f"an integer of more than {most_groups} groups of 7 bits", bit=at)

    def octets(self, count: int) -> bytes:
        """So many octets, wherever they begin."""
        return self.read(8 * count).to_bytes(count, "big")

    def check_end(self) -> None:
        """Raises ExiError unless only padding is left: of the last octet, and one octet of zeros, which a car on the road sends (Tesla Model 3, DIN)."""
        left = self.end - self.pos
        if left >= 16 or (left >= 8 and self._octets[-1]):
            raise ExiError(f"{left // 8} octets are left over", bit=self.pos)


class BitWriter:
    """Collects bits; `finish` pads the last octet with zeros."""

    __slots__ = ("_acc", "_done")

    def __init__(self) -> None:
        self._acc = 1  # a leading one keeps the zeros before the first bit
        self._done = bytearray()

    def write(self, value: int, bits: int) -> None:
        """An unsigned integer in so many bits."""
        self._acc = self._acc << bits | value
        if self._acc >> 4096:
            self._flush()

    def _flush(self) -> None:
        have = self._acc.bit_length() - 1
        rest = have & 7
        octets = have >> 3
        self._done += (self._acc >> rest ^ 1 << 8 * octets).to_bytes(octets, "big")
        self._acc = 1 << rest | self._acc & ((1 << rest) - 1)

    def unsigned(self, value: int) -> None:
        """Unsigned Integer (7.1.6)."""
        while value > 127:
            self.write(value & 127 | 128, 8)
            value >>= 7
        self.write(value, 8)

    def octets(self, octets: bytes) -> None:
        """Octets, wherever they begin."""
        self.write(int.from_bytes(octets, "big"), 8 * len(octets))

    def finish(self) -> bytes:
        """All that was written."""
        self._acc <<= -(self._acc.bit_length() - 1) & 7
        self._flush()
        return bytes(self._done)
