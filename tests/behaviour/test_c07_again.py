"""Contracts that meet something that is there already: a start by the CSMS, an answer that came late, a refusal, a reading that is signed wrongly (C07, M01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.csms.pki import EMAID
from bench.ev.talking import UTC_S, TalkingEv
from bench.v2g.model import Vehicle
from bench.v2g.pki import NOW, World
from chargepoint.commands import Log
from chargepoint.hlc import HlcState
from iso15118.evcc.refusals import unplugged
from iso15118.evcc.terms import EvWish
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Control
from tests.behaviour.pnc_site import PncSite

MODES = ("dc", "ac")
ISO = ("iso2", "iso20")
EVERYTHING = ("iso20-dc", "iso20-ac", "iso2-dc", "iso2-ac", "din")
CENTRAL = {"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true"}
REFUSED = {"iso2": "FAILED_CertificateRevoked", "iso20": "WARNING_CertificateRevoked"}


class Stubborn(TalkingEv):
    """As many on the road: it comes again as if nothing had been refused."""

    def _redial(self) -> None:
        unplugged(self.vehicle.wants)
        self.vehicle.comes_again = None
        super()._redial()


def site_of(iso: str = "iso2", mode: str = "dc", **more: Any) -> PncSite:
    return PncSite(mode, kind="p256" if iso == "iso2" else "p521", protocols=EVERYTHING, tls="optional", **more)


def payer(site: PncSite, iso: str = "iso2", *contracts: Any, **wants: Any) -> Vehicle:
    mode = "dc" if site.sim.stage else "ac"
    return site.payer(*contracts, control=Control.SCHEDULED, protocols=(f"{iso}-{mode}",), **wants)


def codes(site: PncSite, iso: str = "iso2") -> list[str]:
    return site.codes(mb.AuthorizationRes if iso == "iso2" else cm.AuthorizationRes)


def begun(site: PncSite) -> list[str]:
    """What has made each transaction go on to an authorisation."""
    triggers = ("RemoteStart", "Authorized")
    return [each["triggerReason"] for each in site.told("TransactionEvent") if each["triggerReason"] in triggers]


def remote_start(site: PncSite) -> None:
    token = {"idToken": EMAID, "type": "eMAID"}
    site.heap.receive([2, "start", "RequestStartTransaction", {"idToken": token, "remoteStartId": 1, "evseId": 1}])
    site.run(1.0)
    assert site.facts.id_token is not None


def offered(site: PncSite) -> list[tuple[str, ...]]:
    """The ways to pay, session by session."""
    said = [message for _, _, message in site.ev.messages if isinstance(message, mb.ServiceDiscoveryRes)] if site.ev else []
    return [each.PaymentOptionList.PaymentOption for each in said]


BOTH, CARD = ("Contract", "ExternalPayment"), ("ExternalPayment",)


# ---- the CSMS has started this eMAID


@pytest.mark.req("C07.FR.01", "S-16")
@pytest.mark.parametrize("iso", ISO)
def test_a_contract_is_judged_though_the_csms_has_started_its_emaid(iso: str) -> None:
    site = site_of(iso)
    remote_start(site)
    site.pays(payer(site, iso))
    assert codes(site, iso) == ["OK"]
    assert [sorted(each) for each in site.told("Authorize")] == [["idToken"], ["idToken", "iso15118CertificateHashData"]]
    assert begun(site) == ["RemoteStart"]
    assert len({each["transactionInfo"]["transactionId"] for each in site.told("TransactionEvent")}) == 1


@pytest.mark.req("C07.FR.01", "S-16")
@pytest.mark.parametrize("iso", ISO)
def test_a_revoked_contract_pays_not_by_the_start_of_its_emaid(iso: str) -> None:
    """The contract is refused; what the CSMS has started stands, for a vehicle that does not insist on its contract."""
    site = site_of(iso)
    site.roaming.revoke(EMAID)
    remote_start(site)
    site.plug(payer(site, iso))
    site.until(lambda: bool(codes(site, iso)))
    assert codes(site, iso)[0] == REFUSED[iso]
    site.run(3.0)
    assert site.shown() == [("revoked", "Your contract has been blocked. Please pay by card or app.")]
    assert site.facts.id_token is not None
    assert begun(site) == ["RemoteStart"]


@pytest.mark.req("C07.FR.06", "S-16")
@pytest.mark.parametrize("iso", ISO)
def test_a_strangers_chain_with_an_emaid_that_the_csms_has_started(iso: str) -> None:
    site = site_of(iso, roots=(), variables=CENTRAL)
    remote_start(site)
    site.plug(payer(site, iso, World.of(site.world.kind, b"stranger").contract(EMAID)))
    site.until(lambda: bool(codes(site, iso)))
    assert codes(site, iso)[0].split("_")[0] in ("FAILED", "WARNING")
    assert [sorted(each) for each in site.told("Authorize")] == [["idToken"], ["certificate", "idToken"]]
    assert site.facts.id_token is not None


@pytest.mark.req("S-11", "S-16")
def test_a_start_that_ends_while_its_contract_is_looked_at_takes_it_along() -> None:
    site = site_of()
    remote_start(site)
    site.slow("Authorize", 3.0)
    site.plug(payer(site))
    site.until(lambda: len(site.told("Authorize")) == 2)
    site.heap.receive([2, "stop", "RequestStopTransaction", {"transactionId": site.facts.transaction_id}])
    site.run(10.0)
    assert "OK" not in codes(site)
    assert site.facts.id_token is None
    assert begun(site) == ["RemoteStart"]


@pytest.mark.req("S-16")
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("iso", ISO)
def test_another_certificate_of_the_contract_after_a_pause_is_judged(iso: str, *, good: bool) -> None:
    site = site_of(iso)
    ev = site.pays(payer(site, iso))
    site.run(2.0)
    another = site.world.contract(EMAID, lambda spec: replace(spec, ends=spec.ends - timedelta(days=1)))
    ev.vehicle.wants.contracts = (another,)
    if not good:
        site.roaming.revoke(EMAID)
    said = len(codes(site, iso))
    ev.vehicle.wants.wish = EvWish.PAUSE
    site.until(lambda: ev.over is not None)
    site.run(5.0)
    ev.vehicle.wants.wish = None
    ev.toggle_bcb()
    site.until(lambda: len(codes(site, iso)) > said)
    assert codes(site, iso)[said] == ("OK" if good else REFUSED[iso])
    assert ["iso15118CertificateHashData" in each for each in site.told("Authorize")] == [True, True]
    assert site.facts.id_token is not None
    assert begun(site) == ["Authorized"]


# ---- what the provisioning service has made comes late


@pytest.mark.req("M01.FR.01")
@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_contract_that_comes_late_is_for_the_session_that_comes_next(mode: str, *, update: bool) -> None:
    site = site_of(mode=mode)
    site.slow("Get15118EVCertificate", 6.0)
    site.plug(payer(site, update=True) if update else payer(site, installs=True), kind=Stubborn)
    site.until(site.charges)
    assert site.codes(mb.CertificateUpdateRes if update else mb.CertificateInstallationRes) == ["FAILED_NoCertificateAvailable", "OK"]
    assert len(site.told("Get15118EVCertificate")) == 1
    assert site.ev is not None
    assert site.ev.sessions == 2
    assert len(site.logged("v2g.installation_late")) == 1


@pytest.mark.req("M01.FR.01")
@pytest.mark.parametrize("seconds", [10.0, 20.0])
def test_the_session_that_comes_next_waits_for_the_same_answer(seconds: float) -> None:
    site = site_of()
    site.slow("Get15118EVCertificate", seconds)
    site.plug(payer(site, installs=True), kind=Stubborn)
    site.until(site.charges)
    assert len(site.told("Get15118EVCertificate")) == 1


@pytest.mark.parametrize("mode", MODES)
def test_what_came_late_is_not_for_who_is_plugged_in_next(mode: str) -> None:
    site = site_of(mode=mode)
    site.slow("Get15118EVCertificate", 6.0)
    ev = site.plug(payer(site, installs=True))
    site.until(lambda: ev.over is not None)
    site.unplug()
    site.run(8.0)
    site.plug(payer(site, installs=True), kind=Stubborn)
    site.until(site.charges)
    assert len(site.told("Get15118EVCertificate")) == 2


# ---- refused again and again


@pytest.mark.parametrize("mode", MODES)
def test_a_contract_that_was_refused_twice_is_not_asked_for_again(mode: str) -> None:
    """Its driver reads once why; and the third session leaves the vehicle to a card, or to the driver's app."""
    site = site_of(mode=mode)
    site.roaming.contracts[EMAID] = "Blocked"
    site.plug(payer(site), kind=Stubborn)
    site.until(lambda: len(offered(site)) == 3)
    assert codes(site) == ["FAILED_CertificateNotAllowedAtThisEVSE"] * 2
    assert len(site.told("Authorize")) == 2
    assert offered(site) == [BOTH, BOTH, CARD]
    assert len(site.shown()) == 1
    site.card()
    site.until(site.charges)
    assert site.hlc is HlcState.TALKING
    assert {each["idToken"]["type"] for each in site.told("TransactionEvent") if "idToken" in each} == {"ISO14443"}
    site.unplug()
    site.run(5.0)
    site.roaming.contracts[EMAID] = "Accepted"
    site.pays(payer(site))
    assert offered(site) == [BOTH]


def test_one_that_the_session_refuses_twice_neither() -> None:
    site = site_of()
    expired = site.world.contract(EMAID, lambda spec: replace(spec, ends=NOW - timedelta(days=1)))
    site.plug(payer(site, "iso2", expired), kind=Stubborn, utc_s=UTC_S - 7 * 86_400)
    site.until(lambda: len(offered(site)) == 3)
    assert site.codes(mb.PaymentDetailsRes) == ["FAILED_CertificateExpired"] * 2
    assert offered(site) == [BOTH, BOTH, CARD]
    assert len(site.shown()) == 1


@pytest.mark.parametrize("mode", MODES)
def test_where_nobody_could_tell_a_contract_is_asked_for_as_before(mode: str) -> None:
    site = site_of(mode=mode)
    site.slow("Authorize", 40.0)
    site.plug(payer(site), kind=Stubborn)
    site.run(140.0)
    assert len(codes(site)) == 3
    assert set(offered(site)) == {BOTH}
    assert site.shown() == [("not accepted", "Your contract cannot be checked at the moment. Please pay by card or app.")]


# ---- readings


@pytest.mark.req("S-21")
@pytest.mark.parametrize("iso", ISO)
def test_a_reading_that_is_signed_by_another_key_is_not_confirmed(iso: str) -> None:
    site = site_of(iso, "ac", confirm_metering_s=5.0)
    ev = site.pays(payer(site, iso))
    dialect: Any = ev.evcc.dialect
    wrong = replace(ev.vehicle.wants.contracts[0], signer=site.world.contract("DETSTC00000002").signer)
    if iso == "iso20":
        dialect.talk.contract = wrong
    else:
        dialect.talk.contracts[:] = [wrong]
    site.until(lambda: bool(site.logged("v2g.metering_refused")))
    assert site.logged("v2g.metering_confirmed") == []
    (refused,) = site.logged("v2g.metering_refused")
    assert not refused["signed"]
    assert refused["why"]
    assert [each.level for _, each in site.at(Log) if each.key == "v2g.metering_refused"] == ["warning"]
