"""Contracts that get into vehicles through station and CSMS, from a provisioning service behind it (OCPP 2.1 M01, M02, ISO 15118-20)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.csms.pki import EMAID, WRONGS
from iso15118 import exi
from iso15118.messages.iso20 import common_messages as cm
from tests.behaviour.pnc_site import PncSite

OTHERS = ("DETSTC00000002", "DETSTC00000003")
OF_THE_SERVICE = ("cps_of_another_root", "cps_by_a_station")
OF_THE_ANSWER = [each for each in WRONGS if each not in (*OF_THE_SERVICE, "contract_cancelled")]


def forwarded(site: PncSite) -> list[dict[str, Any]]:
    return site.told("Get15118EVCertificate")


@pytest.mark.req("M01.FR.01", "TC_M_26_CS", "TC_M_100_CS")
@pytest.mark.parametrize("kind", ["p521", "ed448"])
def test_first_plug_installs_a_contract_and_charges_by_it(kind: str) -> None:
    site = PncSite(kind=kind)
    ev = site.pays(site.payer(installs=True, soc=79.0))
    (asked,) = forwarded(site)
    assert asked["action"] == "Install"
    assert asked["iso15118SchemaVersion"] == "urn:iso:std:iso:15118:-20:CommonMessages"
    assert asked["maximumContractCertificateChains"] == 1
    sent = next(message for _, by, message in ev.messages if by == "ev" and isinstance(message, cm.CertificateInstallationReq))
    assert exi.decode(b64decode(asked["exiRequest"]), cm.NAMESPACE) == sent
    assert site.codes(cm.CertificateInstallationRes) == ["OK"]
    assert [each["idToken"]["idToken"] for each in site.told("Authorize")] == [EMAID]
    site.until(lambda: ev.over is not None, most_s=600.0)
    site.unplug()
    site.run(5.0)
    ev.vehicle.soc, ev.vehicle.wants.wish = 30.0, None
    site.pays(ev.vehicle)
    assert len(forwarded(site)) == 1


@pytest.mark.req("M01.FR.03", "M01.FR.04", "M01.FR.05")
@pytest.mark.req("M01.FR.06")
def test_several_contracts_one_by_one() -> None:
    site = PncSite()
    site.roaming.given = (EMAID, *OTHERS)
    site.roaming.contracts |= dict.fromkeys(OTHERS, "Accepted")
    ev = site.pays(site.payer(installs=True, most_contracts=3, emaids=OTHERS[:1]))
    asked = forwarded(site)
    assert [each["maximumContractCertificateChains"] for each in asked] == [3, 3, 3]
    assert [each["prioritizedEMAIDs"] for each in asked] == [[OTHERS[0]]] * 3
    assert {each.emaid for each in ev.vehicle.wants.contracts} == {EMAID, *OTHERS}
    said = [message for _, _, message in ev.messages if isinstance(message, cm.CertificateInstallationRes)]
    assert [each.RemainingContractCertificateChains for each in said if each.EVSEProcessing == "Finished"] == [2, 1, 0]


@pytest.mark.req("TC_M_27_CS")
@pytest.mark.parametrize("wrong", OF_THE_ANSWER)
def test_what_the_csms_answers_wrong_leaves_the_vehicle_to_a_card(wrong: str) -> None:
    site = PncSite()
    site.roaming.wrong = wrong
    ev = site.plug(site.payer(installs=True))
    site.run(70.0)
    assert set(site.codes(cm.CertificateInstallationRes)) == {"WARNING_NoCertificateAvailable"}
    assert ev.online
    assert ev.vehicle.wants.contracts == ()
    assert site.facts.id_token is None
    assert site.logged("contracts.not_installed") or site.logged("v2g.installation_refused")
    site.card()
    site.until(site.charges)


@pytest.mark.parametrize("wrong", OF_THE_SERVICE)
def test_a_service_that_is_none_is_seen_through_by_the_vehicle(wrong: str) -> None:
    site = PncSite()
    site.roaming.wrong = wrong
    ev = site.plug(site.payer(installs=True))
    site.run(30.0)
    assert site.codes(cm.CertificateInstallationRes)[0] == "OK"
    assert ev.vehicle.wants.contracts == ()
    assert site.facts.id_token is None
    site.card()
    site.until(site.charges)


def test_the_link_is_lost_while_the_service_works() -> None:
    site = PncSite()
    site.roaming.wrong = "silence"
    ev = site.plug(site.payer(installs=True))
    site.until(lambda: bool(forwarded(site)))
    site.offline()
    site.run(2.0)
    assert site.codes(cm.CertificateInstallationRes) == ["WARNING_NoCertificateAvailable"]
    assert ev.online


def test_a_card_while_the_service_works() -> None:
    """What the vehicle was offered holds: it gets its contract, and the card pays."""
    site = PncSite()
    site.heap.latency_s = 3.0
    site.card()
    site.plug(site.payer(installs=True))
    site.until(lambda: bool(forwarded(site)))
    site.until(site.charges)
    assert site.codes(cm.CertificateInstallationRes) == ["OK"]
    assert {each["idToken"]["type"] for each in site.told() if "idToken" in each} == {"ISO14443"}


def test_an_answer_that_comes_late_finds_nobody() -> None:
    site = PncSite()
    site.heap.latency_s = 25.0
    site.plug(site.payer(installs=True))
    site.until(lambda: bool(forwarded(site)))
    site.unplug()
    site.run(1.0)
    site.heap.latency_s = 0.01
    site.roaming.wrong = "status_failed"
    site.plug(site.payer(installs=True))
    site.run(40.0)
    assert "OK" not in site.codes(cm.CertificateInstallationRes)


@pytest.mark.parametrize("how", ["offline", "switched off"])
def test_where_none_can_be_had_none_are_offered(how: str) -> None:
    site = PncSite()
    if how == "offline":
        site.offline()
    else:
        site.set("ContractCertificateInstallationEnabled", "false")
    ev = site.plug(site.payer(installs=True))
    site.run(20.0)
    (setup,) = [message for _, _, message in ev.messages if isinstance(message, cm.AuthorizationSetupRes)]
    assert setup.AuthorizationServices == ("PnC", "EIM")
    assert not setup.CertificateInstallationService
    assert forwarded(site) == []


@pytest.mark.req("M02.FR.02")
def test_a_contract_that_has_expired_is_renewed_by_installing_another() -> None:
    """ISO 15118-20 has no update: the vehicle asks as for the first one."""
    site = PncSite()
    old = site.world.contract(EMAID, lambda spec: replace(spec, begins=spec.begins - timedelta(900), ends=spec.begins - timedelta(1)))
    ev = site.plug(site.payer(old))
    ev.vehicle.wants.provisioning = site.world.provisioning()
    site.until(site.charges, most_s=60.0)
    assert [each["action"] for each in forwarded(site)] == ["Install"]
