"""Characters beyond ASCII: each is an unsigned integer in groups of 7 bits (EXI 1.0 sections 7.1.6 and 7.1.10)."""

from __future__ import annotations


class NoCharacter(ValueError):
    """What stands there is no character; the message says what."""


class NoMore(NoCharacter):
    """The octets end."""


def taken(raw: bytes, count: int) -> tuple[str, int]:
    """So many characters from the front of these octets, and how many octets they took. Raises NoCharacter, also where the octets end."""
    found, point, shift, used = [], 0, 0, 0
    for used, octet in enumerate(raw, 1):
        point |= (octet & 127) << shift
        if octet > 127:
            shift += 7
            if shift > 14:
                raise NoCharacter("a character of more than 3 octets")
            continue
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            raise NoCharacter(f"U+{point:X} is no character")
        found.append(chr(point))
        if len(found) == count:
            return "".join(found), used
        point = shift = 0
    raise NoMore(f"a text of {count} characters, and the octets end in it")
