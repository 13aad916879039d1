"""The guard of the closing invariant: an honest charge passes, and each thing that a closing needs is missed when it is taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from bench.campaign.invariant import BoardGuard
from bench.ev import Ev, EvSpec
from bench.heap import Heap
from chargepoint.config import CsmsConfig, EvseConfig, StationConfig, Timings
from chargepoint.events import StopRequested
from hal.sim.contactor import Contactor
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.world import SimWorld
from hal.types import EvseInfo, TokenPresented

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
