"""Whether a vehicle's certificates have been revoked, through station and CSMS: what its session comes to (OCPP 2.1 M07, ISO 15118-20)."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.pki import World
from chargepoint.commands import Indicate, SetRevocations
from chargepoint.events import ChargingState
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
        leaf, root = self.world.made["vehicleLeaf"], self.world.made["oemRoot"]
        self.heap.chain_pem = (leaf.chain_pem + root.certificate_pem).decode()

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        return None if action == ACTION and self.silent else super()._csms(message_id, action, payload)

    def driver_reads(self) -> list[str]:
        return [each.values["sentence"] for _, each in self.at(Indicate) if each.key == "vehicle.refused"]

    def comes(self) -> None:
        self.plug(self.vehicle(Energy.DC if self.sim.stage else Energy.AC))

    def stopped(self) -> bool:
        return self.facts.charging_state is not ChargingState.CHARGING and max(map(abs, self.sim.current_A)) < 1.0


@pytest.mark.req("M07")
def test_a_vehicle_that_is_good_charges_and_is_asked_about_once() -> None:
    site = Site()
    site.pays(site.payer())
    site.unplug()
    site.run(10.0)
    site.pays(site.payer())
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
    site.pays(site.payer())
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
    site.pays(site.payer())
    site.unplug()
    site.run(5.0)
    site.heap.store["vehicle_status"].clear()
    site.offline()
    site.roaming.revoke("vehicleLeaf")
    site.pays(site.payer())


@pytest.mark.req("M07")
def test_where_the_row_names_no_source_nobody_is_asked() -> None:
    site = Site()
    site.set("CertificateStatusSource", "")
    site.roaming.revoke("vehicleLeaf")
    site.pays(site.payer())
    assert site.told(ACTION) == []
    assert site.driver_reads() == []
