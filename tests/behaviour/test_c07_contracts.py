"""Whole charges that are paid by contract, at the station: vehicle, session, authorisation and CSMS together (OCPP 2.1 C07, ISO 15118-20)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from bench.csms.pki import EMAID
from bench.v2g.misbehave_pnc import as_pem
from bench.v2g.pki import World, der
from certs.testpki import spec_of
from certs.testpki_make import issue, key_of
from chargepoint.events import VehicleGone
from iso15118.evcc.terms import Contract, EvWish
from iso15118.messages.iso20 import common_messages as cm
from iso15118.signature import signer_of
from iso15118.terms import Control, Ending
from tests.behaviour.pnc_site import KNOWN, PncSite


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


def revoked(site: PncSite) -> None:
    site.roaming.revoke(EMAID)


def blocked(site: PncSite) -> None:
    site.roaming.contracts[EMAID] = "Blocked"


def unknown(site: PncSite) -> None:
    site.roaming.contracts.clear()


def cancelled(site: PncSite) -> None:
    site.roaming.wrong = "contract_cancelled"


REFUSALS = {
    "revoked": (revoked, "WARNING_CertificateRevoked", "revoked"),
    "blocked": (blocked, "WARNING_GeneralPnCAuthorizationError", "not accepted"),
    "unknown": (unknown, "WARNING_GeneralPnCAuthorizationError", "not accepted"),
    "cancelled, though the token is accepted": (cancelled, "WARNING_GeneralPnCAuthorizationError", "cancelled"),
}


@pytest.mark.req("TC_C_51_CS")
@pytest.mark.parametrize("name", REFUSALS)
def test_refused_by_the_csms_and_then_a_card(name: str) -> None:
    change, code, why = REFUSALS[name]
    site = PncSite()
    change(site)
    ev = site.plug(site.payer(soc=79.0))
    site.run(20.0)
    assert site.facts.id_token is None
    assert site.guard.closed_s == 0.0
    assert site.codes() == [code]
    ((shown, sentence),) = site.shown()
    assert shown == why
    assert sentence.endswith("Please pay by card or app.")
    site.card()
    site.until(site.charges)
    assert {each["idToken"]["type"] for each in site.told() if "idToken" in each} == {"ISO14443"}
    site.until(lambda: ev.over is not None, most_s=600.0)


@pytest.mark.req("TC_C_52_CS", "C07.FR.06")
def test_a_root_that_is_not_known_here_is_the_csms_s_to_judge() -> None:
    site = PncSite(roots=(), variables={"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true"})
    site.pays()
    (asked,) = site.told("Authorize")
    assert asked["certificate"].count("BEGIN CERTIFICATE") == 3
    assert "iso15118CertificateHashData" not in asked


@pytest.mark.req("TC_C_53_CS", "C07.FR.06")
def test_the_csms_judges_a_root_and_refuses() -> None:
    site = PncSite(roots=("v2gRoot",), variables={"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true"})
    site.roaming.revoke(EMAID)
    site.plug(site.payer())
    site.run(20.0)
    assert site.codes() == ["WARNING_CertificateRevoked"]
    assert site.facts.id_token is None


@pytest.mark.req("C07.FR.06", "S-16")
def test_a_root_that_is_not_known_here_and_a_csms_that_judges_none() -> None:
    """The eMAID is known to it; whose chain that is, nobody has looked at."""
    site = PncSite(roots=(), variables={"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true"})
    site.roaming.checks = False
    site.plug(site.payer(World.of("p521", b"somebody else").contract(EMAID)))
    site.run(20.0)
    assert len(site.told("Authorize")) == 1
    assert site.codes() == ["WARNING_GeneralPnCAuthorizationError"]
    assert site.facts.id_token is None
    assert site.guard.closed_s == 0.0
    assert site.shown() == [("not accepted", "Your contract is not accepted here. Please pay by card or app.")]


@pytest.mark.req("S-21")
@pytest.mark.parametrize("roots", [(), KNOWN])
def test_pem_from_a_vehicle_is_refused_and_a_card_pays(roots: tuple[str, ...]) -> None:
    site = PncSite(roots=roots, variables={"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true"})
    right = site.world.contract(EMAID)
    site.plug(site.payer(replace(right, chain=(right.chain[0], *map(as_pem, right.chain[1:])))))
    site.run(20.0)
    assert site.codes() == ["WARNING_CertificateValidationError"]
    assert site.told("Authorize") == []
    assert site.shown() == [("invalid", "Your contract is not as it has to be. Please pay by card or app.")]
    site.card()
    site.until(site.charges)


def test_vehicles_are_told_whose_contracts_pay_and_no_other_one_is_taken() -> None:
    site = PncSite()
    site.set("SupportedProviders", "NL-XYZ")
    ev = site.plug(site.payer())
    site.run(20.0)
    (setup,) = [message for _, by, message in ev.messages if by == "evse" and isinstance(message, cm.AuthorizationSetupRes)]
    assert setup.PnC_ASResAuthorizationMode == cm.PnC_ASResAuthorizationModeType(
        GenChallenge=setup.PnC_ASResAuthorizationMode.GenChallenge if setup.PnC_ASResAuthorizationMode else b"",
        SupportedProviders=cm.SupportedProvidersListType(ProviderID=("NLXYZ",)),
    )
    assert site.codes() == []
    assert site.told("Authorize") == []
    assert not site.charges()


def test_a_provider_that_is_named_pays() -> None:
    site = PncSite()
    site.set("SupportedProviders", f"NL-XYZ,{EMAID[:2]}-{EMAID[2:5]}")
    site.pays()


def test_of_several_contracts_that_are_refused_the_driver_reads_one_sentence() -> None:
    site = PncSite()
    site.plug(site.payer(*(site.world.contract(f"DETSTC0000001{each}") for each in (1, 2, 3))))
    site.run(20.0)
    assert len(site.codes()) == 3
    assert len(site.shown()) == 1
    site.card()
    site.until(site.charges)
    assert len(site.shown()) == 1


def test_where_a_later_contract_pays_nothing_is_said_of_those_before() -> None:
    site = PncSite()
    site.roaming.contracts["DETSTC00000011"] = "Blocked"
    site.pays(site.payer(site.world.contract("DETSTC00000011"), site.world.contract(EMAID)))
    assert len(site.codes()) == 2
    assert site.shown() == []


def test_a_root_that_nobody_knows_is_refused_without_asking() -> None:
    site = PncSite(roots=("v2gRoot",))
    site.plug(site.payer())
    site.run(20.0)
    assert site.codes() == ["WARNING_eMSPUnknown"]
    assert site.told("Authorize") == []
    assert site.shown() == [
        ("unknown provider", "Your contract comes from somebody whom this station does not know. Please pay by card or app.")
    ]


@pytest.mark.req("S-16", "S-29")
@pytest.mark.parametrize(
    ("leaf", "sub"), [("seccLeaf", "cpoSub2"), ("cpsLeaf", "cpsSub2"), ("cpoSub2Ocsp", "cpoSub2"), ("contractLeaf", "cpsSub2")]
)
def test_what_stands_below_a_root_for_contracts_is_not_for_that_a_contract(leaf: str, sub: str) -> None:
    """A station's key, and a name that somebody's contract has."""
    site = PncSite()
    world = site.world
    spec = spec_of(leaf, world.kind, seed=world.seed, now=world.now, responder=world.responder)
    key, above = key_of(world.kind, b"thief", leaf), world.made[sub]
    assert isinstance(key, EllipticCurvePrivateKey)
    thief = issue(replace(spec, common_name=EMAID, issuer=above.certificate.subject), key, above.key)
    site.plug(site.payer(Contract(EMAID, der((thief, *above.chain)), signer_of(key))))
    site.run(20.0)
    assert site.told("Authorize") == []
    assert site.codes() == ["WARNING_CertificateValidationError"]
    assert site.facts.id_token is None


def test_without_anybody_to_judge_a_contract_none_is_asked_for() -> None:
    site = PncSite(roots=("oemRoot",))
    ev = site.plug(site.payer())
    site.run(20.0)
    assert site.told("Authorize") == []
    assert [m.AuthorizationServices for _, _, m in ev.messages if isinstance(m, cm.AuthorizationSetupRes)] == [("EIM",)]
    site.card()
    site.until(site.charges)


def test_plug_and_charge_can_be_switched_off() -> None:
    site = PncSite()
    site.set("PnCEnabled", "false")
    site.plug(site.payer())
    site.run(20.0)
    assert site.told("Authorize") == []
    assert site.facts.id_token is None


def test_a_csms_that_does_not_look_at_certificates_is_believed() -> None:
    site = PncSite()
    site.roaming.checks = False
    site.roaming.revoke(EMAID)
    site.pays()
    assert site.codes() == ["OK"]


def test_certificates_that_name_no_responder() -> None:
    site = PncSite(responder="")
    site.pays()
    (asked,) = site.told("Authorize")
    assert set(asked) == {"idToken"}


def test_without_a_verified_vehicle_no_contract_pays() -> None:
    site = PncSite(unverified_vehicles=True)
    site.heap.verified = False
    site.plug(site.payer())
    site.run(20.0)
    assert site.codes() == []
    assert site.told("Authorize") == []


# ---- offline


@pytest.mark.req("TC_C_54_CS", "C07.FR.08", "C07.FR.09", "C07.FR.10")
@pytest.mark.parametrize("known_by", ["cache", "list"])
@pytest.mark.req("C07.FR.11")
def test_offline_from_cache_and_list(known_by: str) -> None:
    site = PncSite()
    if known_by == "cache":
        ev = site.pays(site.payer(soc=79.5))
        site.until(lambda: ev.over is not None, most_s=600.0)
        site.unplug()
        site.run(5.0)
    else:
        entry = {"idToken": {"idToken": EMAID, "type": "eMAID"}, "idTokenInfo": {"status": "Accepted"}}
        site.heap.receive([2, "l", "SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}])
        site.run(0.1)
    site.offline()
    before = len(site.told("Authorize"))
    site.pays()
    assert len(site.told("Authorize")) == before
    site.heap.reachable = True
    site.run(60.0)
    begun = [each for each in site.told() if each["eventType"] == "Started"][-1]
    assert begun["offline"]


@pytest.mark.req("TC_C_55_CS", "C07.FR.07")
@pytest.mark.req("C01.FR.12", "C01.FR.13")
def test_offline_contracts_may_be_refused_whatever_is_known() -> None:
    site = PncSite()
    site.set("ContractValidationOffline", "false")
    ev = site.pays(site.payer(soc=79.5))
    site.until(lambda: ev.over is not None, most_s=600.0)
    site.unplug()
    site.run(5.0)
    site.offline()
    site.plug(site.payer())
    site.run(20.0)
    assert site.facts.id_token is None
    assert site.shown()[-1] == ("not accepted", "Your contract cannot be checked at the moment. Please pay by card or app.")


@pytest.mark.req("C07.FR.12")
@pytest.mark.parametrize("charges", [True, False])
def test_offline_and_not_known(charges: bool) -> None:
    site = PncSite(variables={"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true" if charges else "false"})
    if charges:
        site.guard.csms.knows(EMAID)
    site.offline()
    site.plug(site.payer())
    site.run(30.0)
    assert (site.facts.id_token is not None) == charges


@pytest.mark.req("C07.FR.08")
def test_offline_a_root_that_is_not_known_here_is_not_enough() -> None:
    site = PncSite(
        roots=("v2gRoot",),
        variables={"ISO15118Ctrlr@1.CentralContractValidationAllowed": "true", "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"},
    )
    site.offline()
    site.plug(site.payer())
    site.run(20.0)
    assert site.facts.id_token is None


def test_what_was_revoked_is_not_taken_offline_either() -> None:
    site = PncSite()
    site.roaming.revoke(EMAID)
    site.plug(site.payer())
    site.run(10.0)
    site.unplug()
    site.run(5.0)
    site.offline()
    site.plug(site.payer())
    site.run(20.0)
    assert site.facts.id_token is None


def test_the_link_is_lost_under_the_question() -> None:
    site = PncSite()
    site.heap.csms = lambda message_id, action, payload: None if action == "Authorize" else site._csms(message_id, action, payload)
    site.plug(site.payer())
    site.until(lambda: bool(site.told("Authorize")))
    site.heap.reachable = False
    site.heap.lose_link()
    site.run(10.0)
    assert site.codes() == ["WARNING_GeneralPnCAuthorizationError"]
    assert site.facts.id_token is None


# ---- beside others


def test_the_card_was_first() -> None:
    site = PncSite()
    site.card()
    site.run(1.0)
    site.pays()
    assert {each["idToken"]["type"] for each in site.told("Authorize")} == {"ISO14443"}


def test_the_contract_was_first_and_the_card_is_still_being_looked_up() -> None:
    site = PncSite()
    site.plug(site.payer())
    site.until(lambda: bool(site.told("Authorize")))
    site.card()
    site.until(site.charges)
    site.run(10.0)
    assert site.charges()
    assert {each["idToken"]["type"] for each in site.told() if "idToken" in each} == {"eMAID"}


@pytest.mark.req("S-11")
def test_who_was_stopped_does_not_begin_again_by_itself() -> None:
    site = PncSite()
    ev = site.pays()
    transaction = site.facts.transaction_id
    site.heap.receive([2, "stop", "RequestStopTransaction", {"transactionId": transaction}])
    site.run(30.0)
    assert not site.facts.power_closed
    ev.toggle_bcb()
    site.run(60.0)
    assert site.facts.id_token is None
    assert not site.facts.power_closed
    site.unplug()
    site.run(5.0)
    site.pays()


def test_a_session_that_is_gone_does_not_pay() -> None:
    """The verdict comes when its session is over: nobody has asked to charge any more."""
    site = PncSite()
    site.heap.latency_s = 5.0
    ev = site.plug(site.payer())
    site.until(lambda: bool(site.told("Authorize")))
    ev.mute()
    site.heap.tell(VehicleGone(1, site.heap.connections, "cut"))
    site.run(8.0)
    assert site.facts.id_token is None


def test_unplugged_under_the_question() -> None:
    site = PncSite()
    site.heap.latency_s = 5.0
    site.plug(site.payer())
    site.until(lambda: bool(site.told("Authorize")))
    site.unplug()
    site.run(10.0)
    assert site.facts.id_token is None
    assert site.shown() == []


def test_a_pause_and_the_same_contract_again() -> None:
    site = PncSite()
    ev = site.pays(site.payer(control=Control.SCHEDULED))
    ev.vehicle.wants.wish = EvWish.PAUSE
    site.until(lambda: ev.over is not None)
    site.run(5.0)
    ev.toggle_bcb()
    site.until(site.charges)
    assert len(site.told("Authorize")) == 1
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 1
