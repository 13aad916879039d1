"""A contract whose certificate the CSMS has called revoked is refused offline, too, and not only as long as the cache has it (OCPP 2.1 C07)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bench.v2g.pki import World
from certs.testpki_make import twin
from chargepoint.ocpp import revoked_contracts
from iso15118.trust import Refusal
from tests.unit.ocpp.test_authorize_contracts import ANOTHER_PEM, PEM, SITE, TOKEN, Rig, comes_back, strange


@pytest.fixture
def rig() -> Rig:
    rig = Rig(config=SITE)
    rig.plug()
    return rig


def revoked(rig: Rig, number: int = 1, **more: Any) -> None:
    rig.show(number=number, **more)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertificateRevoked"})


@pytest.mark.req("S-16")
@pytest.mark.parametrize("forgets", ["cache is off", "cache is cleared", "cache has lapsed", "cache is cleared before a restart"])
def test_a_revoked_certificate_stays_refused_offline_whatever_becomes_of_the_cache(rig: Rig, forgets: str) -> None:
    rig.send_list(1, (TOKEN, {"status": "Accepted"}))
    if forgets == "cache is off":
        rig.set("AuthCacheCtrlr.Enabled", "false")
    rig.set("AuthCacheCtrlr.LifeTime", "60")
    revoked(rig)
    if forgets != "cache has lapsed":
        rig.ask("ClearCache", {})
    rig.advance(120.0)
    if forgets == "cache is cleared before a restart":
        rig = Rig(config=SITE, store=rig.store)
    assert comes_back(rig, 2) is Refusal.REVOKED
    assert comes_back(rig, 3, chain_pem=ANOTHER_PEM) is None


@pytest.mark.req("S-16")
def test_another_signature_makes_no_other_certificate_of_it(rig: Rig) -> None:
    rig.send_list(1, (TOKEN, {"status": "Accepted"}))
    chain = World.of("p521").made["contractLeaf"].chain
    its, twins = ("".join(each.public_bytes(Encoding.PEM).decode() for each in (leaf, *chain[1:])) for leaf in (chain[0], twin(chain[0])))
    assert its != twins
    revoked(rig, chain_pem=its)
    rig = Rig(config=SITE, store=rig.store)
    assert len(rig.store[revoked_contracts.TABLE]) == 1
    assert comes_back(rig, 2, chain_pem=twins) is Refusal.REVOKED
    rig.ask("ClearCache", {})
    assert comes_back(rig, 3, chain_pem=twins) is Refusal.REVOKED


@pytest.mark.req("S-16")
def test_a_csms_that_says_nothing_of_the_certificate_takes_no_revocation_back(rig: Rig) -> None:
    revoked(rig)
    rig.ask("ClearCache", {})
    for number in (2, 3):
        rig.show(number=number)
        rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}})
        assert rig.judged()[-1] == (number, Refusal.REVOKED)
    assert rig.token_of() is None
    rig.show(number=4, chain_pem=ANOTHER_PEM)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}})
    assert rig.judged()[-1] == (4, None)


def test_a_row_with_a_name_of_another_kind_goes(rig: Rig) -> None:
    revoked(rig)
    rig.store[revoked_contracts.TABLE]["a" * 64] = 1.0
    assert len(Rig(config=SITE, store=rig.store).store[revoked_contracts.TABLE]) == 1


def test_until_the_csms_accepts_it_again(rig: Rig) -> None:
    revoked(rig)
    rig.show(number=2)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"})
    assert rig.store[revoked_contracts.TABLE] == {}
    assert comes_back(rig, 3) is None


def test_a_chain_that_nobody_here_knows_revokes_nothing(rig: Rig) -> None:
    strange(rig)
    rig.answer("Authorize", {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertificateRevoked"})
    assert rig.store.get(revoked_contracts.TABLE, {}) == {}


def test_revoked_certificates_have_their_bound(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoked_contracts, "MOST_ROWS", 2)
    for number in range(1, 5):
        rig.advance(1.0)
        revoked(rig, number, chain_pem=PEM.replace("leaf", f"leaf {number}"))
    assert len(rig.store[revoked_contracts.TABLE]) == 2
    rig.set("AuthCacheCtrlr.Enabled", "false")
    rig.send_list(1, (TOKEN, {"status": "Accepted"}))
    assert comes_back(rig, 5, chain_pem=PEM.replace("leaf", "leaf 4")) is Refusal.REVOKED
