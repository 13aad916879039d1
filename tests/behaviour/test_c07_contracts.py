"""Whole charges that are paid by contract, at the station: vehicle, session, authorisation and CSMS together (OCPP 2.1 C07, ISO 15118-20)."""

from __future__ import annotations

import pytest

from bench.csms.pki import EMAID
from iso15118.terms import Control, Ending
from tests.behaviour.pnc_site import PncSite


@pytest.mark.req("C07.FR.01", "C07.FR.02", "TC_C_50_CS")
@pytest.mark.parametrize(("mode", "kind", "control"), [("dc", "p521", Control.DYNAMIC), ("ac", "ed448", Control.SCHEDULED)])
def test_plug_in_and_pay(mode: str, kind: str, control: Control) -> None:
    site = PncSite(mode, kind=kind)
    ev = site.pays(site.payer(soc=79.0, control=control))
    (asked,) = site.told("Authorize")
    assert asked["idToken"] == {"idToken": EMAID, "type": "eMAID"}
    assert len(asked["iso15118CertificateHashData"]) == 3
    assert all(each["responderURL"] == "http://ocsp.example/" for each in asked["iso15118CertificateHashData"])
    assert "certificate" not in asked
    site.until(lambda: ev.over is not None, most_s=600.0)
    assert ev.over is not None
    assert ev.over.ending is Ending.TERMINATED
    assert site.codes() == ["OK"]
    tokens = [each["idToken"] for each in site.told() if "idToken" in each]
    assert tokens
    assert all(each == asked["idToken"] for each in tokens)
    site.unplug()
    site.run(2.0)
    assert site.told()[-1]["eventType"] == "Ended"
    assert site.shown() == []
