"""The names of contracts and vehicles: eMAID, EVCCID and PCID, judged and brought to one form.

| name | form | source |
|---|---|---|
| eMAID | country 2 letters, provider 3, account 9, check digit | ISO 15118-2, annex H; RFC 5234 form quoted by hubject/opcp |
| EVCCID of -2, DIN | MAC address | [V2G2-879] [K] |
| EVCCID of -20 | WMI 3, "V", 15 to 250 of the maker, check digit | [V2G20-2089] to -2093, annex C.5 |
| PCID of -20 | WMI 3, "P", 13 to 250 of the maker, check digit | [V2G20-2077] to -2081, annex C.2 |
| PCID of -2 | WMI 3, 14 of the maker, and in some a check digit | VDE-AR-E 2802-100-1, quoted by hubject/opcp |

Separators are read and left out; capitals and small letters are one ([V2G20-2081]). Letters I, O and Q are in no WMI (ISO 3780), so in no PCID and EVCCID
([V2G20-2077], [V2G20-2090]).

Two check digits: of an eMAID the one of the paper "Check Digit Calculation for Contract-IDs" (eMI3): matrices over the fields of 2 and 3 elements. Of the
identifiers of -20 the one of annex C.6 [V2G20-2095], in substance that of DIN SPEC 91286: each character's value in base 36, in decimal digits, the n-th of
them times 2^n, modulo 11, with X for 10. The one public program that names C.6 leaves out the zeros that a part begins with, and begins the powers anew
after 28 digits; the standard's two examples fit with and without. We write as it does, and read either.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_CHARACTERS = 255
"""Of any name ([V2G20-2126], [V2G20-2079], [V2G20-2089])."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EMAID = re.compile(r"([A-Z]{2})(-?)([0-9A-Z]{3})\2([0-9A-Z]{9})(?:\2([0-9A-Z]))?")
_DIN = re.compile(r"([A-Z]{2})([*-]?)([0-9A-Z]{3})\2([0-9A-Z]{6})\2([0-9X])")
_MAC = re.compile(r"[0-9A-F]{12}|[0-9A-F]{2}(?:([:-])[0-9A-F]{2})(?:\1[0-9A-F]{2}){4}")
_OF_MAKER = re.compile(r"([0-9A-Z]{3})(-?)([PV])\2([0-9A-Z]+)\2([0-9X])")
_PCID_2 = re.compile(r"[0-9A-Z]{17,18}")
_NO_WMI = frozenset("IOQ")


class IdError(Exception):
    """This is no such name; the message says why."""


class Emaid(NamedTuple):
    """An eMAID in its parts."""

    country: str
    provider: str
    account: str
    check_digit: str

    @property
    def short(self) -> str:
        """14 characters, as providers keep it."""
        return self.country + self.provider + self.account

    @property
    def whole(self) -> str:
        """15 characters."""
        return self.short + self.check_digit

    @property
    def shown(self) -> str:
        """With separators, for people."""
        return "-".join(self)


# ---- eMAID


def emaid_of(text: str) -> Emaid:
    """With or without separators, with or without its check digit (which is then computed), or in the form of DIN SPEC 91286. Raises IdError."""
    plain = _plain(text, "eMAID")
    if found := _EMAID.fullmatch(plain):
        country, _, provider, account, given = found.groups()
        right = emaid_check_digit(country + provider + account)
        _same(given, right, "eMAID")
        return Emaid(country, provider, account, right)
    if found := _DIN.fullmatch(plain):
        # The account of six, its check digit behind it, two zeros before them: as eMI3 and the libraries for it read the older form.
        country, _, provider, account, given = found.groups()
        _same(given, din_check_digit(country + provider + account), "contract of DIN SPEC 91286")
        nine = f"00{account}{given}"
        return Emaid(country, provider, nine, emaid_check_digit(country + provider + nine))
    raise IdError(f"{_shown(text)} is no eMAID: two letters, three and nine characters, and a check digit")


_Vector = tuple[int, int]
_Matrix = tuple[_Vector, _Vector]
_P1: _Matrix = ((0, 1), (1, 1))
_P2: _Matrix = ((0, 1), (1, 2))


def emaid_check_digit(short: str) -> str:
    """Of 14 characters: with it, both sums over the powers of a matrix are nothing. Raises IdError."""
    if len(short) != 14 or not set(short) <= set(_ALPHABET):
        raise IdError(f"{_shown(short)}: a check digit is of 14 capitals and digits")
    return next(each for each in _ALPHABET if _sum(_ones(short + each), _P1, 2) == (0, 0) == _sum(_twos(short + each), _P2, 3))


def _ones(text: str) -> list[_Vector]:
    return [divmod(_ALPHABET.index(each) // 9, 2) for each in text]


def _twos(text: str) -> list[_Vector]:
    return [divmod(_ALPHABET.index(each) % 9, 3) for each in text]


def _sum(vectors: list[_Vector], matrix: _Matrix, modulus: int) -> _Vector:
    """Each times one power more of the matrix; from the last one on, so that no power is written down."""
    first = second = 0
    for a, b in reversed(vectors):
        first, second = _times((a + first, b + second), matrix, modulus)
    return first, second


def _times(vector: _Vector, matrix: _Matrix, modulus: int) -> _Vector:
    (a, b), ((c, d), (e, f)) = vector, matrix
    return (a * c + b * e) % modulus, (a * d + b * f) % modulus


# ---- what makers give


def evccid_of(text: str) -> str:
    """Of -20: capitals, no separators. Raises IdError."""
    return _of_maker(text, "EVCCID", "V", 15)


def pcid_of(text: str) -> str:
    """Of -20 or -2: capitals, no separators. Raises IdError."""
    plain = _plain(text, "PCID").replace("-", "")
    if _PCID_2.fullmatch(plain) and (len(plain) == 17 or plain[3] != "P"):
        return plain  # that of -2; how its check digit is computed, no text at hand says
    return _of_maker(text, "PCID", "P", 13)


def mac_of(text: str) -> str:
    """The EVCCID of -2 and DIN, or an address as people write it: twelve capital digits. Raises IdError."""
    plain = _plain(text, "EVCCID")
    if not _MAC.fullmatch(plain):
        raise IdError(f"{_shown(text)} is no EVCCID of ISO 15118-2: that is a MAC address")
    return plain.replace(":", "").replace("-", "")


def iso20_check_digit(*parts: str) -> str:
    """Of the parts of an identifier of -20, without separators ([V2G20-2095]). Raises IdError."""
    return _modulo_11("".join(each.lstrip("0") for each in parts), 28)


def din_check_digit(name: str) -> str:
    """Of an identifier of DIN SPEC 91286, without separators. Raises IdError."""
    return _modulo_11(name, MOST_CHARACTERS * 2)


def _modulo_11(name: str, period: int) -> str:
    if not name or len(name) > MOST_CHARACTERS or not set(name) <= set(_ALPHABET):
        raise IdError(f"{_shown(name)}: a check digit is of capitals and digits")
    digits = "".join(str(_ALPHABET.index(each)) for each in name)
    value = sum(int(each) * pow(2, at % period, 11) for at, each in enumerate(digits)) % 11
    return "X" if value == 10 else str(value)


def _of_maker(text: str, what: str, letter: str, least: int) -> str:
    found = _OF_MAKER.fullmatch(_plain(text, what))
    if not found or found[3] != letter or len(found[4]) < least:
        raise IdError(f"{_shown(text)} is no {what}: three characters of the maker, {letter}, at least {least} more, and a check digit")
    wmi, _, kind, own, given = found.groups()
    if bad := sorted(_NO_WMI & set(wmi + own)):
        raise IdError(f"{_shown(text)} is no {what}: {bad[0]} is not used in one")
    if given != din_check_digit(wmi + kind + own):
        _same(given, iso20_check_digit(wmi, kind, own), what)
    return wmi + kind + own + given


def _plain(text: str, what: str) -> str:
    if len(text) > MOST_CHARACTERS or not text.isascii():
        raise IdError(f"{_shown(text)} is no {what}: at most {MOST_CHARACTERS} letters, digits and separators")
    return text.upper()


def _same(given: str | None, right: str, what: str) -> None:
    if given is not None and given != right:
        raise IdError(f"the check digit of this {what} is {given}, it should be {right}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
