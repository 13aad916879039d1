"""The guard of the closing invariant: an honest charge passes, and each thing that a closing needs is missed when it is taken away."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from bench.campaign.invariant import BoardGuard
from bench.ev import Ev, EvSpec
from bench.heap import Heap
from chargepoint import evse_hlc
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.events import StopRequested, SupplyStopped
from hal.sim import sensors
from hal.sim.contactor import Contactor
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.world import SimWorld
from hal.types import DcSample, EvseInfo, TokenPresented
from iso15118.terms import Energy
from tests.behaviour.hlc_rig import HlcSite

CARD = TokenPresented("04A1B2C3D4")
SOCKET = EvseInfo(1, 32.0, connector="sType2", has_lock=True)


class Place:
    """A socket with a lock, a plain car, and a CSMS that accepts whom it should."""

    def __init__(self) -> None:
        config = StationConfig(
            csms=CsmsConfig(url="ws://csms.example/ocpp", identity="G-1", security_profile=0),
            evses=(EvseConfig(1, 32.0, connector="sType2"),),
            timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0),
        )
        self.heap = Heap(config, SimWorld([SimEvseOptions(SOCKET)]), self._csms)
        self.accepts = True
        self.guard = BoardGuard(self.heap)
        self.heap.looks.append(self.guard)
        self.heap.start()
        self.heap.run(4.0)

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        match action:
            case "BootNotification":
                return {"currentTime": "2026-01-01T00:00:00Z", "interval": 300, "status": "Accepted"}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted" if self.accepts else "Invalid"}}
        return {}

    @property
    def evse(self) -> SimEvse:
        return self.heap.world.evses[1]

    def accepted(self) -> bool:
        return self.guard.csms.accepted

    def plug(self) -> None:
        self.evse.plug(Ev(EvSpec(ignores_pwm_loss=True), self.heap.now))
        self.heap.run(1.0)

    def charge(self) -> None:
        self.plug()
        self.heap.tell(CARD)
        self.heap.run(10.0)
        assert self.evse.contactor.poles == 3

    def close_anyhow(self) -> None:
        """As a station would that forgets what it needs."""
        self.evse.contactor.permit(self.heap.now + 60.0)
        self.evse.contactor.close(3)
        self.evse.settle()
        self.heap.run(0.0)

    def keeps_the_coil_on(self) -> None:
        """Whatever the station does from now on."""
        old = self.evse.contactor
        self.evse.contactor = DeafContactor(**{each.name: getattr(old, each.name) for each in fields(old)})
        self.evse.contactor.permit_until = float("inf")


class DeafContactor(Contactor):
    """Its coil keeps its current."""

    def open(self) -> None: ...

    def permit(self, until_s: float) -> None: ...

    def withdraw(self) -> None: ...


def test_an_honest_charge_passes() -> None:
    place = Place()
    place.charge()
    place.heap.run(60.0)
    assert place.accepted()
    place.heap.tell(StopRequested(1, "Local"))
    place.heap.run(30.0)
    assert not place.accepted()
    place.evse.unplug_vehicle()
    place.heap.run(5.0)
    place.charge()
    assert place.guard.closed_s > 60.0


def test_a_closing_that_nobody_may() -> None:
    place = Place()
    place.plug()
    with pytest.raises(AssertionError, match="without: PWM that allows it, somebody is authorised, a Started on disk, the plug is locked"):
        place.close_anyhow()


def test_a_card_that_the_csms_refuses_is_no_permission() -> None:
    place = Place()
    place.accepts = False
    place.plug()
    place.heap.tell(CARD)
    place.heap.run(3.0)
    assert not place.accepted()
    with pytest.raises(AssertionError, match="somebody is authorised"):
        place.close_anyhow()


def test_who_comes_after_somebody_inherits_nothing() -> None:
    place = Place()
    place.charge()
    place.evse.unplug_vehicle()
    place.heap.run(5.0)
    place.plug()
    with pytest.raises(AssertionError, match="somebody is authorised"):
        place.close_anyhow()


def test_a_permission_of_another_life_is_none() -> None:
    place = Place()
    place.charge()
    place.heap.cut()
    place.heap.start()
    place.heap.run(1.0)
    with pytest.raises(AssertionError, match="somebody is authorised"):
        place.close_anyhow()


def stopped(place: Place) -> None:
    place.heap.tell(StopRequested(1, "Local"))
    place.heap.run(0.1)
    place.heap.station = None


def unlocked(place: Place) -> None:
    place.evse.lock.locked = place.evse.lock.wanted = False


def no_diode(place: Place) -> None:
    place.heap.station = None  # it hangs
    place.evse.diode_bridged = True


def no_coding(place: Place) -> None:
    place.heap.station = None
    place.evse.proximity_forced = (350_000.0,)


def emergency(place: Place) -> None:
    place.heap.world.inject(1, "EmergencyStop")


def forgotten(place: Place) -> None:
    place.heap.store["transactions"].clear()


def state_b(place: Place) -> None:
    load = place.evse.load
    assert isinstance(load, Ev)
    load.state.s2 = False
    load.pause()


@pytest.mark.parametrize(
    ("lose", "missed"),
    [
        (stopped, "somebody is authorised"),
        (unlocked, "the plug is locked"),
        (no_diode, "the diode"),
        (no_coding, "the plug's coding"),
        (emergency, "no fault that the board reports"),
        (state_b, "the vehicle wants energy"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_what_is_lost_and_does_not_open(lose: Callable[[Place], None], missed: str) -> None:
    place = Place()
    place.charge()
    place.keeps_the_coil_on()
    lose(place)
    with pytest.raises(AssertionError, match=missed):
        place.heap.run(8.0)


def test_a_started_that_is_not_on_disk() -> None:
    place = Place()
    place.charge()
    place.heap.looks.insert(0, lambda: forgotten(place))  # whatever writes it again
    with pytest.raises(AssertionError, match="a Started on disk"):
        place.heap.run(8.0)


# ---- whom the CSMS has not heard of yet


def known(place: Place) -> None:
    """Its card has charged here before; it has left, and somebody is there without one."""
    place.charge()
    place.evse.unplug_vehicle()
    place.heap.run(5.0)
    place.plug()


def busy(place: Place) -> None:
    """The CSMS has something else to answer first."""
    place.heap.world.inject(1, "EmergencyStop")
    place.heap.run(0.0)
    place.heap.world.clear(1)
    place.heap.run(0.0)


def on_disk(place: Place, number: int = 1, kind: str = "Started", trigger: str = "Authorized") -> None:
    """An event for the CSMS, with the card that it knows."""
    event = {"eventType": kind, "triggerReason": trigger, "timestamp": f"{number}", "idToken": {"idToken": CARD.id_token}}
    text = json.dumps({**event, "transactionInfo": {"transactionId": "x"}})
    place.heap.store.setdefault("outbox", {})[f"99999999{number:04}"] = {"action": "TransactionEvent", "text": text}


def test_a_card_that_the_station_knows_charges_before_the_csms_hears_of_it() -> None:
    place = Place()
    known(place)
    place.heap.latency_s = 5.0
    busy(place)
    told = len(place.heap.frames)
    place.heap.tell(CARD)
    place.heap.run(3.0)
    assert place.evse.contactor.poles == 3
    assert not [frame for frame in place.heap.frames[told:] if frame[2:3] == ["TransactionEvent"]]
    assert place.accepted()
    place.heap.run(60.0)
    assert place.accepted()


def test_what_is_on_disk_without_a_card_at_the_reader_is_no_permission() -> None:
    place = Place()
    known(place)
    on_disk(place)
    assert not place.accepted()
    with pytest.raises(AssertionError, match="somebody is authorised"):
        place.close_anyhow()


def test_what_was_on_disk_when_the_vehicle_left_is_none_for_the_next_one() -> None:
    place = Place()
    known(place)
    place.heap.deaf = TokenPresented  # nothing comes of it
    place.guard.csms._hear(CARD)  # but it was at the reader
    on_disk(place)
    assert place.accepted()
    place.evse.unplug_vehicle()
    place.heap.run(5.0)
    assert not place.accepted()
    assert place.heap.csms is not None
    (row,) = (each for each in place.heap.store["outbox"].values() if "text" in each)
    place.heap.csms("1", "TransactionEvent", json.loads(row["text"]))
    assert not place.accepted()  # nor when it is said at last


def test_an_end_on_disk_is_an_end_and_a_card_counts_once() -> None:
    place = Place()
    known(place)
    place.guard.csms._hear(CARD)
    on_disk(place)
    on_disk(place, 2, "Ended", "StopAuthorized")
    assert not place.accepted()
    on_disk(place, 3)
    assert not place.accepted()


def test_a_card_that_the_csms_has_never_accepted_is_not_known() -> None:
    place = Place()
    place.plug()
    place.guard.csms._hear(CARD)
    on_disk(place)
    assert not place.accepted()


def test_one_card_begins_one_charge() -> None:
    """A station that says again on the wire whom it knows has no new permission from that."""
    place = Place()
    place.charge()
    place.evse.unplug_vehicle()
    place.heap.run(5.0)
    event = {"eventType": "Started", "triggerReason": "Authorized", "timestamp": "t", "idToken": {"idToken": CARD.id_token}}
    assert place.heap.csms is not None
    place.heap.csms("1", "TransactionEvent", {**event, "transactionInfo": {"transactionId": "x"}})
    assert not place.accepted()


# ---- what is so when it closes


def test_a_vehicle_that_leaves_in_the_moment_of_closing_had_consented() -> None:
    """What a closing needs is looked at when the coil gets its current, not when the moment is over."""
    site = HlcSite("dc")
    waits_for_supply(site)
    seen: list[tuple[int, bool]] = []
    site.heap.looks.append(lambda: seen.append((site.sim.contactor.coil, site.sim.load is not None)))
    site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
    assert seen == [(3, True)]
    site.unplug()
    site.run(5.0)
    assert site.sim.contactor.poles == 0


def test_one_whose_connection_still_stands_has_consented() -> None:
    """It has left in this moment: nobody can know that yet."""
    site = HlcSite("dc")
    waits_for_supply(site)
    site.unplug()
    site.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
    assert site.sim.contactor.coil
    site.run(5.0)
    assert site.sim.contactor.poles == 0


def test_one_that_has_left_before_has_not() -> None:
    site = HlcSite("dc")
    waits_for_supply(site)
    site.unplug()
    site.run(0.01)
    site.sim.contactor.permit(site.heap.now + 1.0)
    site.sim.contactor.close(3)
    with pytest.raises(AssertionError, match=r"closed at .* the consent of the session"):
        site.run(0.0)


def waits_for_supply(site: HlcSite) -> None:
    """In its cable check, with all but the supply."""
    site.heap.tell(SupplyStopped(1, stopped=True, cause="test"))
    site.plug(site.vehicle(Energy.DC))
    site.card()
    site.until(lambda: site.said("evse")[-1:] == ["DC_CableCheckRes"])
    site.run(1.0)
    assert not site.sim.contactor.coil


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_a_station_that_needs_no_consent_is_found(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evse_hlc, "consents", lambda evse: True)
    site = HlcSite(mode)
    ev = site.plug(site.vehicle(Energy.DC if mode == "dc" else Energy.AC))
    site.card()
    site.run(1.0)
    ev.s2 = True
    with pytest.raises(AssertionError, match="without: the consent of the session"):
        site.run(10.0)


@pytest.mark.parametrize("volts", [400.0, 30.0])
def test_a_contactor_that_closes_onto_a_live_outlet_is_found(volts: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "DcSample", lambda evse_id, volts, amps, _: DcSample(evse_id, volts, amps, 0.0))  # its sensor is blind
    site = HlcSite("dc")
    site.stage.stray_V = volts
    site.plug(site.vehicle(Energy.DC))
    site.card()
    if volts > 60.0:
        with pytest.raises(AssertionError, match="without: an outlet without voltage"):
            site.run(10.0)
    else:
        site.until(lambda: site.sim.contactor.poles > 0)
