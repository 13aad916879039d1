"""Contracts of ISO 15118-2 at a station: they pay, and get into vehicles through station and CSMS, new or anew (OCPP 2.1 C07, M01, M02)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.csms.pki import EMAID
from bench.ev.talking import UTC_S
from bench.v2g.model import Vehicle
from bench.v2g.pki import NOW
from iso15118 import exi
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_def as md
from iso15118.protocols import ISO2
from iso15118.terms import Control
from tests.behaviour.pnc_site import PncSite

MODES = ("dc", "ac")
EVERYTHING = ("iso20-dc", "iso20-ac", "iso2-dc", "iso2-ac", "din")


def site_of(mode: str = "dc", **more: Any) -> PncSite:
    return PncSite(mode, kind="p256", protocols=EVERYTHING, tls="optional", **more)


def payer(site: PncSite, *contracts: Any, **wants: Any) -> Vehicle:
    """A vehicle of ISO 15118-2."""
    mode = "dc" if site.sim.stage else "ac"
    return site.payer(*contracts, control=Control.SCHEDULED, protocols=(f"iso2-{mode}",), **wants)


def forwarded(site: PncSite) -> list[dict[str, Any]]:
    return site.told("Get15118EVCertificate")


def sent(site: PncSite, kind: type[Any]) -> Any:
    assert site.ev is not None
    return next(message for _, by, message in site.ev.messages if by == "ev" and isinstance(message, kind))


@pytest.mark.req("C07.FR.01", "TC_C_50_CS")
@pytest.mark.parametrize("mode", MODES)
def test_plugged_in_and_nothing_else(mode: str) -> None:
    site = site_of(mode)
    ev = site.pays(payer(site, soc=79.0))
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.protocol == ISO2
    (asked,) = site.told("Authorize")
    assert asked["idToken"] == {"idToken": EMAID, "type": "eMAID"}
    assert len(asked["iso15118CertificateHashData"]) == 3
    assert {each["idToken"]["type"] for each in site.told() if "idToken" in each} == {"eMAID"}
    site.until(lambda: ev.over is not None, most_s=600.0)


@pytest.mark.req("M01.FR.01", "M01.FR.02", "TC_M_26_CS")
@pytest.mark.parametrize("mode", MODES)
def test_first_plug_installs_a_contract_and_charges_by_it(mode: str) -> None:
    site = site_of(mode)
    ev = site.pays(payer(site, installs=True, soc=79.0))
    (asked,) = forwarded(site)
    assert {name: asked[name] for name in asked if name != "exiRequest"} == {"iso15118SchemaVersion": ISO2, "action": "Install"}
    document: Any = exi.decode(b64decode(asked["exiRequest"]), md.NAMESPACE)
    assert document.Body.BodyElement == sent(site, mb.CertificateInstallationReq)
    assert site.codes(mb.CertificateInstallationRes) == ["OK"]
    assert [each["idToken"]["idToken"] for each in site.told("Authorize")] == [EMAID]
    assert [each.emaid for each in ev.vehicle.wants.contracts] == [EMAID]


@pytest.mark.req("M02.FR.01", "TC_M_28_CS")
@pytest.mark.parametrize("mode", MODES)
def test_a_contract_is_had_anew_and_charges(mode: str) -> None:
    site = site_of(mode)
    site.pays(payer(site, update=True, soc=79.0))
    (asked,) = forwarded(site)
    assert {name: asked[name] for name in asked if name != "exiRequest"} == {"iso15118SchemaVersion": ISO2, "action": "Update"}
    document: Any = exi.decode(b64decode(asked["exiRequest"]), md.NAMESPACE)
    assert document.Body.BodyElement == sent(site, mb.CertificateUpdateReq)
    assert site.codes(mb.CertificateUpdateRes) == ["OK"]


@pytest.mark.req("TC_M_27_CS", "TC_M_29_CS")
@pytest.mark.parametrize("wrong", ["status_failed", "garbage_exi", "no_exi", "no_base64", "another_message", "error", "silence"])
@pytest.mark.parametrize("update", [False, True])
def test_what_the_csms_answers_wrong_is_told_to_the_vehicle(wrong: str, update: bool) -> None:
    """The session ends; one that comes next is served: here by a card."""
    site = site_of()
    site.roaming.wrong = wrong
    ev = site.plug(payer(site, update=True) if update else payer(site, installs=True))
    site.until(lambda: ev.over is not None)
    assert site.codes(mb.CertificateUpdateRes if update else mb.CertificateInstallationRes) == ["FAILED_NoCertificateAvailable"]
    assert site.logged("contracts.not_installed") or site.logged("v2g.installation_refused")
    assert site.facts.id_token is None
    assert site.guard.closed_s == 0.0
    site.unplug()
    site.run(2.0)
    site.card()
    site.plug(payer(site, update=False))
    site.until(site.charges)


def test_no_link_no_certificate_service() -> None:
    site = site_of()
    site.offline()
    site.plug(payer(site, installs=True, fall_back=True))
    site.run(10.0)
    assert forwarded(site) == []
    assert site.ev is not None
    (offer,) = (message for _, _, message in site.ev.messages if isinstance(message, mb.ServiceDiscoveryRes))
    assert offer.ServiceList is None
    assert offer.PaymentOptionList.PaymentOption == ("Contract", "ExternalPayment")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("blocked", "FAILED_CertificateNotAllowedAtThisEVSE"),
        ("cancelled", "FAILED_ContractCanceled"),
        ("revoked", "FAILED_CertificateRevoked"),
    ],
)
def test_refused_by_the_csms(name: str, code: str) -> None:
    site = site_of()
    if name == "blocked":
        site.roaming.contracts[EMAID] = "Blocked"
    elif name == "cancelled":
        site.roaming.wrong = "contract_cancelled"
    else:
        site.roaming.revoke(EMAID)
    ev = site.plug(payer(site))
    site.until(lambda: ev.over is not None)
    assert site.codes(mb.AuthorizationRes) == [code]
    assert len(site.shown()) == 1
    assert site.guard.closed_s == 0.0


def test_a_contract_that_has_expired_is_told_to_its_driver_and_in_the_log() -> None:
    """It comes with the end of its session."""
    site = site_of()
    expired = site.world.contract(EMAID, lambda spec: replace(spec, ends=NOW - timedelta(days=1)))
    ev = site.plug(payer(site, expired), utc_s=UTC_S - 7 * 86_400)  # by whose own clock it has not: else the vehicle would not show it
    site.until(lambda: ev.over is not None)
    assert site.codes(mb.PaymentDetailsRes) == ["FAILED_CertificateExpired"]
    assert site.shown() == [("expired", "Your contract has expired. Please pay by card or app.")]
    (logged,) = site.logged("v2g.contract_refused")
    assert logged["refusal"] == "expired"
    assert site.told("Authorize") == []


def test_while_a_card_pays_no_contract_is_offered() -> None:
    site = site_of()
    site.card()
    site.plug(payer(site))
    site.until(site.charges)
    assert {each["idToken"]["type"] for each in site.told() if "idToken" in each} == {"ISO14443"}


def test_a_session_is_saved_and_goes_on() -> None:
    """Who pays is known when the station's snapshot has been read back."""
    site = site_of(confirm_metering_s=5.0)
    site.pays(payer(site))
    assert site.heap.station is not None
    machine: Any = site.heap.station.wiring.machines["v2g:1"]
    before = machine.state
    machine.state = before
    assert machine.state == before
    site.run(8.0)
    confirmed = site.logged("v2g.metering_confirmed")
    assert confirmed
    assert all(each["signed"] for each in confirmed)


@pytest.mark.req("S-21")
@pytest.mark.parametrize("mode", MODES)
def test_the_vehicle_signs_the_meter_as_often_as_is_wanted(mode: str) -> None:
    site = site_of(mode, confirm_metering_s=10.0)
    site.pays(payer(site))
    site.run(35.0)
    confirmed = site.logged("v2g.metering_confirmed")
    assert len(confirmed) in (3, 4)
    assert {each["signed"] for each in confirmed} == {True}
    assert site.codes(mb.MeteringReceiptRes) == ["OK"] * len(confirmed)


@pytest.mark.parametrize("mode", MODES)
def test_a_pause_and_its_end(mode: str) -> None:
    """The contract is shown again, over another challenge, and pays on."""
    site = site_of(mode)
    ev = site.pays(payer(site, soc=30.0))
    site.run(2.0)
    site.pause_and_back(ev)
    challenges = {
        each.GenChallenge for _, by, each in ev.messages if by == "ev" and isinstance(each, mb.AuthorizationReq) and each.GenChallenge
    }
    assert len(challenges) == 2
    assert {each["idToken"]["idToken"] for each in site.told() if "idToken" in each} == {EMAID}
