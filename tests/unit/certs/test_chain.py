"""Chains as they should be: each profile, each edition, and what is odd and refuses nothing."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs import chain, testpki
from certs.profiles import PROFILES

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
GOOD = [
    (kind, f"{role}{number}", leaf, root)
    for kind, number in (("p256", 2), ("p521", 20), ("ed448", 20))
    for role, leaf, root in (
        ("secc", "seccLeaf", "v2gRoot"), ("cps", "cpsLeaf", "v2gRoot"), ("contract", "contractLeaf", "moRoot"), ("oem", "oemLeaf", "oemRoot"), ("vehicle", "vehicleLeaf", "oemRoot"),
    )
    if f"{role}{number}" in PROFILES
]  # fmt: skip


@cache
def made(kind: testpki.Kind) -> dict[str, testpki.Identity]:
    return testpki.build(kind, seed=b"s", now=NOW)


@pytest.mark.parametrize(("kind", "name", "leaf", "root"), GOOD)
def test_right(kind: testpki.Kind, name: str, leaf: str, root: str) -> None:
    identity, profile = made(kind)[leaf], PROFILES[name]
    trust = [made(kind)[each].certificate for each in ("v2gRoot", "moRoot", "oemRoot")]
    verdict = chain.validate(identity.chain_pem, NOW, profile, trust, key=identity.key.public_key())
    assert verdict.ok, verdict.why
    assert not verdict.findings
    assert verdict.sentence == ""
    assert verdict.path == (*identity.chain, made(kind)[root].certificate)
    assert verdict.why == f"{profile.what}, {verdict.title}: right"
    der = [each.public_bytes(Encoding.DER) for each in identity.chain]
    assert chain.validate(der, NOW, profile, trust) == chain.validate(identity.chain, NOW, profile, trust) == verdict


@pytest.mark.req("F-3")
def test_clock_unset_is_no_reason() -> None:
    identity = testpki.build("p521", seed=b"s", now=NOW, wrong="expired")["seccLeaf"]
    trust = [made("p521")["v2gRoot"].certificate]
    profile = PROFILES["secc20"]
    unset = chain.validate(identity.chain, None, profile, trust)
    assert unset.ok
    assert [each.code for each in unset.warnings] == ["clock_unset"]
    assert unset.why.endswith("right, though chain: the clock is not set yet: dates are not judged")
    refused = chain.validate(identity.chain, NOW, profile, trust)
    assert [each.code for each in refused.refusals] == ["expired"]
    assert refused.why == (
        "the station's certificate (SECC, ISO 15118-20), DETSTE000001: refused: "
        "leaf: it expired 2029-12-31 00:00 UTC; it is 2030-01-01 00:00"
    )
    assert refused.sentence == "This station's certificate has expired. Please tell the operator."
