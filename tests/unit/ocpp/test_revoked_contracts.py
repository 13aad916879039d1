"""A contract whose certificate the CSMS has called revoked is refused offline, too, and not only as long as the cache has it (OCPP 2.1 C07)."""

from __future__ import annotations

from typing import Any

import pytest

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
