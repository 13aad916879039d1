"""Names of networks and keys: the published pairs, and a second way to compute them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from iso15118.slac.keys import nid_of, nmk_of

PAIRS = [
    ("HomePlugAV", "50D3E4933F855B7040784DF815AA8DB7", "B0F2E695666B03"),
    ("HomePlugAV0123", "B59319D7E8157BA001B018669CCEE30D", "026BCBA5354E08"),
]
"""What modems have when they are new: password, key and name as open-plc-utils lists them."""


@pytest.mark.parametrize(("password", "nmk", "nid"), PAIRS)
def test_the_published_keys_and_names(password: str, nmk: str, nid: str) -> None:
    assert nmk_of(password).hex().upper() == nmk
    assert nid_of(bytes.fromhex(nmk)).hex().upper() == nid


def _hashed(octets: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(octets)
    return digest.finalize()


@given(st.binary(min_size=16, max_size=16))
def test_a_name_is_52_bits_of_the_fifth_hash_whoever_hashes(nmk: bytes) -> None:
    bits = int.from_bytes(_hashed(_hashed(_hashed(_hashed(_hashed(nmk))))), "big") >> (256 - 52)
    found = nid_of(nmk)
    assert len(found) == 7
    assert found[6] < 16, "security level 0, and the two highest bits are none of a NID's"
    assert (int.from_bytes(found[:6], "big") << 4 | found[6]) == bits


@pytest.mark.parametrize("length", [0, 15, 17])
def test_no_other_length_is_a_key(length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} octets"):
        nid_of(bytes(length))
