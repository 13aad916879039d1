"""Whether a vehicle's certificates have been revoked, through station and CSMS: what its session comes to (OCPP 2.1 M07, ISO 15118-20)."""

from __future__ import annotations

from typing import Any

import pytest

from bench.csms.pki import EMAID
from bench.v2g.pki import World
from chargepoint.commands import Indicate, SetRevocations
from chargepoint.events import ChargingState, VehicleConnected, VehicleGone
from chargepoint.hlc import HlcState
from chargepoint.ocpp import vehicle_status
from chargepoint.ocpp.messages import CallAnswered
from iso15118.messages.iso20 import common_messages as cm
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import CARD
from tests.behaviour.pnc_site import RESPONDER, PncSite

ACTION = "GetCertificateChainStatus"
LISTS = "http://lists.example/oem.crl"
SENTENCE = "Your vehicle's certificate has been blocked. Please pay by card or app."


class Site(PncSite):
    """Vehicles show their chain in TLS; `lists`: their certificates name revocation lists instead of a responder."""

    def __init__(self, mode: Any = "dc", *, lists: bool = False, **more: Any) -> None:
        super().__init__(mode, responder="" if lists else RESPONDER, **more)
        if lists:
            self.world = self.roaming.world = World.of("p521", lists=LISTS)
            self.roaming.responder.world = self.world
        self.silent = False
        """The CSMS does not answer just now."""
        leaf, root = self.world.made["vehicleLeaf"], self.world.made["oemRoot"]
        self.heap.chain_pem = (leaf.chain_pem + root.certificate_pem).decode()

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        return None if action == ACTION and self.silent else super()._csms(message_id, action, payload)

    def answers(self) -> None:
        """The CSMS says at this moment what there is to say of the vehicle's chain."""
        assert self.heap.station is not None
        asked = vehicle_status.questions(self.heap.chain_pem, vehicle_status.SOURCES)
        self.heap.station.wiring.machines["vehicle_status"].state.asking = asked
        payload = {"certificateStatusRequests": [each.wire() for each in asked]}
        self.heap.tell(CallAnswered("vehicle_status", ACTION, self.roaming.answer("", ACTION, payload)))

    def finds_out(self) -> None:
        """It charges, and has for a while, when the CSMS says that its vehicle is revoked: five minutes after it did not answer."""
        self.until(self.charges, 120.0)
        self.silent = False
        self.until(lambda: bool(self.driver_reads()), 400.0)

    def shows_card(self) -> list[str]:
        """And what the driver reads then."""
        before = len(self.at(Indicate))
        self.card()
        self.run(1.0)
        return [each.key for _, each in self.at(Indicate)[before:]]

    def driver_reads(self) -> list[str]:
        return [each.values["sentence"] for _, each in self.at(Indicate) if each.key == "vehicle.refused"]

    def comes(self) -> None:
        self.plug(self.vehicle(Energy.DC if self.sim.stage else Energy.AC))

    def pays_now(self) -> str:
        """Whose energy it is."""
        return self.facts.id_token.id_token if self.facts.id_token is not None else ""

    def stopped(self) -> bool:
        return self.facts.charging_state is not ChargingState.CHARGING and max(map(abs, self.sim.current_A)) < 1.0


@pytest.mark.req("M07")
@pytest.mark.req("M07.FR.10", "M07.FR.11")
def test_a_vehicle_that_is_good_charges_and_is_asked_about_once() -> None:
    site = Site()
    site.pays(site.payer(loop_s=0.4))
    site.unplug()
    site.run(10.0)
    site.pays(site.payer(loop_s=0.4))
    (asked,) = site.told(ACTION)
    assert len(asked["certificateStatusRequests"]) == 3
    assert site.driver_reads() == []


@pytest.mark.req("M07", "S-29")
@pytest.mark.parametrize("name", ["vehicleLeaf", "oemSub2"])
@pytest.mark.parametrize("lists", [False, True], ids=["OCSP", "CRL"])
def test_a_revoked_one_gets_no_energy_and_its_driver_is_told_why(name: str, *, lists: bool) -> None:
    site = Site(lists=lists)
    site.roaming.revoke(name)
    site.comes()
    site.card()
    site.run(60.0)
    assert {each["source"] for each in site.told(ACTION)[0]["certificateStatusRequests"]} == {"CRL" if lists else "OCSP"}
    assert site.driver_reads() == [SENTENCE]
    assert not site.charges()
    assert not any(isinstance(message, cm.PowerDeliveryRes) for _, _, message in site.ev.messages) if site.ev else False
    assert len(site.at(SetRevocations)[-1][1].fingerprints) == 1


def test_ac_goes_on_with_the_pilot_alone_where_a_card_pays() -> None:
    site = Site("ac")
    site.roaming.revoke("vehicleLeaf")
    site.comes()
    site.card()
    site.until(site.charges, 240.0)
    assert site.facts.id_token is not None
    assert site.facts.id_token.id_token == CARD
    assert site.driver_reads() == [SENTENCE]


@pytest.mark.req("M07")
def test_nobody_waits_for_an_answer_and_one_that_comes_late_ends_the_charge_in_order() -> None:
    site = Site()
    site.silent = True
    site.roaming.revoke("vehicleLeaf")
    site.pays(site.payer(loop_s=0.4))
    site.run(20.0)
    assert site.charges()
    site.silent = False
    site.until(lambda: bool(site.driver_reads()), 400.0)  # it is asked again five minutes after no answer
    site.until(lambda: "SessionStopReq" in site.said("ev"), 60.0)
    assert site.stopped()
    site.unplug()
    site.run(10.0)
    site.comes()
    site.card()
    site.run(60.0)
    assert not site.charges()
    assert site.driver_reads() == [SENTENCE] * 2


@pytest.mark.req("M07", "S-11")
@pytest.mark.parametrize("pays", ["contract", "card"])
@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_one_that_does_not_stop_when_it_is_asked_to_has_no_energy_five_seconds_later(mode: str, pays: str) -> None:
    site = Site(mode)
    site.silent = True
    site.roaming.revoke("vehicleLeaf")
    vehicle = site.payer(loop_s=0.4) if pays == "contract" else site.vehicle(Energy.DC if mode == "dc" else Energy.AC)
    vehicle.wants.heeds = frozenset()
    site.plug(vehicle)
    if pays == "card":
        site.card()
    site.finds_out()
    talks = len(site.ev.messages) if site.ev else 0
    assert site.facts.power_closed
    site.run(5.0)
    assert (site.stopped(), site.facts.power_closed) == (True, False)
    assert site.ev is not None
    assert len(site.ev.messages) > talks
    assert site.hlc is not HlcState.TALKING
    site.run(300.0)
    assert site.charges() is (mode == "ac" and pays == "card")  # by the pilot alone
    assert site.driver_reads() == [SENTENCE]


@pytest.mark.req("M07", "S-16")
@pytest.mark.parametrize("mode", ["ac", "dc"])
@pytest.mark.parametrize("moment", ["authorised", "charging", "between sessions"])
def test_what_its_contract_has_authorised_ends_and_a_card_pays(mode: str, moment: str) -> None:
    site = Site(mode)
    site.silent = moment == "charging"
    if moment != "charging":
        site.set("CertificateStatusSource", "")
    site.roaming.revoke("vehicleLeaf")
    site.plug(site.payer(loop_s=0.4))
    site.until((lambda: site.pays_now() == EMAID) if moment != "charging" else site.charges, 60.0)
    if moment == "between sessions":
        site.heap.tell(VehicleGone(1, site.heap.connections, "closed by the vehicle"))
        site.run(0.5)
        assert site.pays_now() == EMAID
    if moment == "charging":
        site.finds_out()
    else:
        site.answers()
    assert site.pays_now() == ""
    site.run(5.0)
    assert site.stopped()
    site.run(300.0)
    assert (site.pays_now(), site.charges(), site.facts.power_closed) == ("", False, False)
    assert site.driver_reads() == [SENTENCE]
    assert "auth.other_card" not in site.shows_card()
    assert site.pays_now() == CARD
    site.run(120.0)
    assert site.charges() is (mode == "ac")
    reasons = [each["transactionInfo"].get("stoppedReason") for each in site.told() if each["eventType"] == "Ended"]
    assert reasons == (["DeAuthorized"] if moment == "charging" else reasons)


@pytest.mark.req("M07")
def test_strangers_on_the_cable_push_nobody_out() -> None:
    site = Site()
    site.silent = True
    site.roaming.revoke("vehicleLeaf")
    site.plug(site.payer(loop_s=0.4))
    site.until(site.charges, 60.0)
    for number in range(100, 108):
        site.heap.tell(VehicleConnected(1, number, "fe80::bad", "TLSv1.3", verified=True, chain_pem=site.heap.chain_pem))
        site.run(1.0)
    assert site.charges()
    site.finds_out()
    assert len(site.logged("vehicle.revoked")) == 1
    site.run(10.0)
    assert site.stopped()


@pytest.mark.req("M07")
def test_offline_what_is_known_counts_and_what_is_not_refuses_nobody() -> None:
    site = Site()
    site.roaming.revoke("vehicleLeaf")
    site.comes()
    site.run(20.0)
    site.unplug()
    site.run(5.0)
    site.offline()
    site.heap.cut()
    site.run(1.0)
    site.heap.start()
    assert len(site.at(SetRevocations)) == 2  # the port of the next life knows before anybody comes
    site.run(5.0)
    site.comes()
    site.run(30.0)
    assert not site.charges()
    assert site.driver_reads() == [SENTENCE] * 2


@pytest.mark.req("M07")
def test_offline_one_that_nobody_has_asked_about_charges() -> None:
    site = Site()
    site.pays(site.payer(loop_s=0.4))
    site.unplug()
    site.run(5.0)
    site.heap.store["vehicle_status"].clear()
    site.offline()
    site.roaming.revoke("vehicleLeaf")
    site.pays(site.payer(loop_s=0.4))


@pytest.mark.req("M07")
def test_where_the_row_names_no_source_nobody_is_asked() -> None:
    site = Site()
    site.set("CertificateStatusSource", "")
    site.roaming.revoke("vehicleLeaf")
    site.pays(site.payer(loop_s=0.4))
    assert site.told(ACTION) == []
    assert site.driver_reads() == []
