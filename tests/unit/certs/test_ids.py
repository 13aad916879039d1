"""Names of contracts and vehicles."""

from __future__ import annotations

import contextlib
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.ids import (
    Emaid,
    IdError,
    din_check_digit,
    emaid_check_digit,
    emaid_of,
    evccid_of,
    iso20_check_digit,
    mac_of,
    pcid_of,
)

ALPHABET = string.digits + string.ascii_uppercase
PUBLISHED = "NN123ABCDEFGHI T, FRXYZ123456789 2, ITA1B2C3E4F5G6 4, ESZU8WOX834H1D R, PT73902837ABCZ Z, DE83DUIEN83QGZ D, DE83DUIEN83ZGQ M, DE8AA001234567 0"
"""Examples of the paper on the check digit of contracts, as ShellRechargeSolutionsEU/mobilityid has them in its tests."""


@pytest.mark.parametrize("pair", PUBLISHED.split(", "))
def test_check_digits_that_were_published(pair: str) -> None:
    short, digit = pair.split()
    assert emaid_check_digit(short) == digit
    assert emaid_of(short + digit).whole == short + digit


SHORTS = st.from_regex(r"[A-Z]{2}[0-9A-Z]{12}", fullmatch=True)


@given(short=SHORTS, at=st.integers(0, 13), other=st.sampled_from(ALPHABET))
@settings(max_examples=200, deadline=None)
def test_a_check_digit_of_an_emaid_shows_every_wrong_character_and_every_exchange(short: str, at: int, other: str) -> None:
    changed = short[:at] + other + short[at + 1 :]
    assert (emaid_check_digit(changed) == emaid_check_digit(short)) == (changed == short)
    exchanged = short[:at] + short[at : at + 2][::-1] + short[at + 2 :]
    assert (emaid_check_digit(exchanged) == emaid_check_digit(short)) == (exchanged == short)


@pytest.mark.parametrize(
    "text",
    [
        "NLTNM000122045U",
        "NL-TNM-000122045-U",
        "nl-tnm-000122045-u",
        "NLTNM000122045",
        "NL-TNM-000122045",
        "NL-TNM-012204-5",
        "NL*TNM*012204*5",
    ],
)
def test_forms_of_one_emaid(text: str) -> None:
    assert emaid_of(text) == Emaid("NL", "TNM", "000122045", "U")


def test_how_an_emaid_is_shown() -> None:
    found = emaid_of("NLTNM000122045")
    assert (found.short, found.whole, found.shown) == ("NLTNM000122045", "NLTNM000122045U", "NL-TNM-000122045-U")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NLTNM000122045X", "the check digit of this eMAID is X, it should be U"),
        ("NL-TNM-012204-6", "the check digit of this contract of DIN SPEC 91286 is 6, it should be 5"),
        ("", "'' is no eMAID"),
        ("NL-TNM000122045U", "is no eMAID"),
        ("N1TNM000122045", "is no eMAID"),
        ("NLTNM00012204", "is no eMAID"),
        ("NLTNM000122045UU", "is no eMAID"),
        ("NLTNM00012204 ", "is no eMAID"),
        ("NLTNM000122045U\n", "is no eMAID"),
        ("NL*TNM*000122045", "is no eMAID"),
        ("NLTNM00012204\u0665", "is no eMAID: at most 255 letters"),
        ("N" * 256, "'" + "N" * 40 + "...' is no eMAID: at most 255 letters"),
    ],
)
def test_what_is_no_emaid(text: str, why: str) -> None:
    with pytest.raises(IdError, match=re.escape(why)):
        emaid_of(text)


# ---- -20: the two examples of annex C


def test_the_examples_of_the_standard() -> None:
    for text in ("DE8-P-AA00003C4D58Y-2", "de8-P-aA00003C4d58y-2", "DE8PAA00003C4D58Y2"):
        assert pcid_of(text) == "DE8PAA00003C4D58Y2"
    for text in ("DE8-V-AA0000453C4D58Y-2", "de8-V-aA0000453C4d58y-2"):
        assert evccid_of(text) == "DE8VAA0000453C4D58Y2"
    assert iso20_check_digit("DE8", "P", "AA00003C4D58Y") == din_check_digit("DE8PAA00003C4D58Y") == "2"


@given(own=st.text("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", min_size=15, max_size=60), wmi=st.sampled_from(["WVW", "001", "0XX", "ZZZ"]))
@settings(max_examples=100, deadline=None)
def test_either_reading_of_the_check_digit_is_taken_and_no_other(own: str, wmi: str) -> None:
    right = {iso20_check_digit(wmi, "V", own), din_check_digit(wmi + "V" + own)}
    taken = set()
    for digit in "0123456789X":
        with contextlib.suppress(IdError):
            taken.add(evccid_of(f"{wmi}-V-{own}-{digit}")[-1])
    assert taken == right


@pytest.mark.parametrize(
    ("parts", "ours", "plain"),
    [
        ("WVW V 123456789ABCDEF", "7", "6"),
        ("WVW V ABCDEFGHJKLMNPRSTUV", "3", "8"),
        ("0XX V 00345678901234567", "X", "1"),
        ("001 V 12345678901234567", "X", "7"),
    ],
)
def test_the_two_readings_of_annex_c6(parts: str, ours: str, plain: str) -> None:
    """Computed apart from this code: with the powers anew after 28 digits and without leading zeros, and without either."""
    assert iso20_check_digit(*parts.split()) == ours
    assert din_check_digit(parts.replace(" ", "")) == plain
    for digit in (ours, plain):
        assert evccid_of(f"{parts} {digit}".replace(" ", "-")) == parts.replace(" ", "") + digit


def test_a_check_digit_of_ten_is_x() -> None:
    assert "X" in {din_check_digit(each + "1") for each in ALPHABET}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DE8-V-AA0000453C4D58Y-3", "the check digit of this EVCCID is 3, it should be 2"),
        ("DE8-P-AA0000453C4D58Y-2", "is no EVCCID: three characters of the maker, V, at least 15 more"),
        ("DE8-V-AA000053C4D58Y-2", "is no EVCCID"),
        ("DE8-V-AA0000453C4D58Y2", "is no EVCCID"),
        ("DE8-V-AAI000453C4D58Y-2", "is no EVCCID: I is not used in one"),
        ("DE8V" + "A" * 250 + "22", "is no EVCCID: at most 255"),
        ("", "is no EVCCID"),
    ],
)
def test_what_is_no_evccid_of_iso20(text: str, why: str) -> None:
    with pytest.raises(IdError, match=re.escape(why)):
        evccid_of(text)


def test_a_pcid_of_iso2() -> None:
    for text in ("WVWABCDEFGH123456", "wvwabcdefgh123456", "WVWABCDEFGH1234567", "WVWPBCDEFGH123456"):
        assert pcid_of(text) == text.upper()
    for text in ("WVWABCDEFGH12345", "WVWABCDEFGH12345678", "WVWPBCDEFGH1234568", "DE8-P-AA00003C4D58Y-3", "DE8-P-AQ00003C4D58Y-3"):
        with pytest.raises(IdError):
            pcid_of(text)


@pytest.mark.parametrize("text", ["02AB00000001", "02ab00000001", "02:ab:00:00:00:01", "02-AB-00-00-00-01"])
def test_an_evccid_of_iso2(text: str) -> None:
    assert mac_of(text) == "02AB00000001"


@pytest.mark.parametrize(
    "text", ["", "00", "02AB0000000", "02AB000000012", "02:ab:00:00:00-01", "02:ab00000001", "02AB0000000G", "02AB00000001\n"]
)
def test_what_is_no_evccid_of_iso2(text: str) -> None:
    with pytest.raises(IdError, match="is no EVCCID of ISO 15118-2: that is a MAC address"):
        mac_of(text)


@pytest.mark.parametrize("of", [emaid_check_digit, iso20_check_digit, din_check_digit])
def test_what_has_no_check_digit(of: object) -> None:
    assert callable(of)
    for text in ("", "de", "DE-8", "A" * 256):
        with pytest.raises(IdError, match="a check digit is of"):
            of(text)
