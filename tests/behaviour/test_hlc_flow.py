"""AC, a vehicle that talks, in its loop: what the CSMS hears of its energy (OCPP 2.1 chargingState)."""

from __future__ import annotations

from typing import Any

import pytest

from bench.ev.talking import TalkingEv
from chargepoint.events import ChargingState
from hal.types import MeterSample, TokenPresented
from iso15118.evcc.terms import EvWish
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import HlcSite
from tests.behaviour.test_hlc_own_limits import LEAST, AtLeast
from tests.behaviour.test_hlc_v2gmsg import BIG, site_of

SPEECHES = [("iso2-ac", Control.SCHEDULED), ("iso20-ac", Control.SCHEDULED), ("iso20-ac", Control.DYNAMIC)]
BELOW_A, ABOVE_A = 3.0, 16.0
STATES = {state.value for state in ChargingState}


class Sated(TalkingEv):
    """It stays in its loop, and draws nothing as long as it has enough."""

    enough = False

    def currents_A(self, at_s: float) -> tuple[float, float, float]:
        return (0.1, 0.1, 0.1) if self.enough else super().currents_A(at_s)


class Lasting(TalkingEv):
    """It goes on drawing a little while it may not."""

    lasts = True

    def currents_A(self, at_s: float) -> tuple[float, float, float]:
        drawn = super().currents_A(at_s)
        return (2.0, 2.0, 2.0) if self.lasts and self.s2 and max(drawn) <= 0.0 else drawn


class Slow(TalkingEv):
    """It takes its time until it draws."""

    begins_s: float | None = None

    def currents_A(self, at_s: float) -> tuple[float, float, float]:
        drawn = super().currents_A(at_s)
        if self.begins_s is None and max(drawn) > 0.0:
            self.begins_s = at_s + 40.0
        return drawn if self.begins_s is None or at_s >= self.begins_s else (0.0, 0.0, 0.0)


def vehicle_of(site: HlcSite, speech: str, control: Control, **more: Any) -> Any:
    vehicle = site.vehicle(Energy.AC, control, **{"spec": BIG, **more})
    vehicle.wants.protocols = (speech,)
    return vehicle


def states(site: HlcSite) -> list[str]:
    """Those that the CSMS was told, one after the other."""
    said = (each["transactionInfo"].get("chargingState", "") for each in site.told())
    return [state for state in said if state in STATES]


def charging(speech: str, control: Control, kind: Any = AtLeast, **more: Any) -> HlcSite:
    site = site_of(speech, **more)
    site.charge(vehicle_of(site, speech, control, spec=BIG if kind is Sated else LEAST), kind=kind)
    site.run(15.0)
    assert states(site)[-1] == "Charging"
    site.heap.frames.clear()
    return site


def changed_s(site: HlcSite, state: str, most_s: float = 120.0) -> float:
    return site.until(lambda: states(site) == [state], most_s)


@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_told_less_than_it_can_draw_it_is_suspended_by_the_station(speech: str, control: Control) -> None:
    site = charging(speech, control)
    transaction_id = site.facts.transaction_id
    site.limit(amps=BELOW_A)
    assert changed_s(site, "SuspendedEVSE") == pytest.approx(10.0, abs=2.0)
    site.run(120.0)
    assert states(site) == ["SuspendedEVSE"]
    assert site.facts.power_closed
    site.heap.frames.clear()
    site.limit(amps=ABOVE_A)
    assert changed_s(site, "Charging") < 20.0
    assert site.facts.transaction_id == transaction_id


@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_a_limit_that_wanders_about_its_least_is_not_told_each_time(speech: str, control: Control) -> None:
    site = charging(speech, control)
    for _ in range(20):
        site.limit(amps=BELOW_A)
        site.run(4.0)
        site.limit(amps=ABOVE_A)
        site.run(4.0)
    assert states(site) == []


def too_little(speech: str, control: Control, amps: float, **more: Any) -> HlcSite:
    """A vehicle and a card come while there is less than it can draw, and it has been in its loop for a while."""
    site = site_of(speech, **more)
    site.limit(amps=amps)
    site.plug(vehicle_of(site, speech, control, spec=LEAST), kind=AtLeast)
    site.card()
    site.until(lambda: site.facts.power_closed)
    site.run(120.0)
    return site


@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_where_there_is_too_little_from_the_beginning_it_has_not_charged(speech: str, control: Control) -> None:
    site = too_little(speech, control, BELOW_A)
    assert states(site) == ["EVConnected", "SuspendedEVSE"]
    site.limit(amps=ABOVE_A)
    site.run(60.0)
    assert states(site) == ["EVConnected", "SuspendedEVSE", "Charging"]


BY_ENERGY = {"TxCtrlr.TxStartPoint": "EnergyTransfer", "TxCtrlr.TxStopPoint": "EnergyTransfer"}


@pytest.mark.req("E06.FR.07")
@pytest.mark.parametrize("limit_A", [0.0, BELOW_A])
@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_what_has_not_begun_to_flow_ends_no_transaction(speech: str, control: Control, limit_A: float) -> None:
    """It is there before the contactor closes, and says so; its energy begins and ends with the current."""
    site = too_little(speech, control, limit_A, variables=BY_ENERGY)
    assert states(site) == ["EVConnected", "SuspendedEVSE"]
    site.limit(amps=ABOVE_A)
    site.run(60.0)
    assert states(site) == ["EVConnected", "SuspendedEVSE", "Charging"]
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 1
    assert not any(each.startswith("Ended") for each in site.story())
    site.limit(amps=limit_A)
    site.run(30.0)
    assert [each for each in site.story() if each.startswith("Ended")] == ["Ended ChargingStateChanged SuspendedEVSE Other"]


@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_who_stops_before_anything_flowed_leaves_the_evse_to_the_next(speech: str, control: Control) -> None:
    site = too_little(speech, control, BELOW_A, variables=BY_ENERGY)
    site.card()
    site.run(30.0)
    assert site.story()[-1] == "Ended StopAuthorized Local"
    site.limit(amps=ABOVE_A)
    site.heap.tell(TokenPresented("0BADCAFE"))
    site.until(lambda: site.facts.charging_state is ChargingState.CHARGING)
    assert len({each["transactionInfo"]["transactionId"] for each in site.told()}) == 2


@pytest.mark.parametrize(("speech", "control"), SPEECHES)
def test_a_vehicle_that_takes_nothing_of_what_it_may_is_suspended_by_itself(speech: str, control: Control) -> None:
    site = charging(speech, control, Sated)
    ev: Any = site.ev
    ev.enough = True
    assert changed_s(site, "SuspendedEV") == pytest.approx(60.0, abs=2.0)
    assert site.facts.power_closed
    site.heap.frames.clear()
    ev.enough = False
    assert changed_s(site, "Charging") == pytest.approx(10.0, abs=2.0)


def test_one_that_takes_something_now_and_then_is_not_told_each_time() -> None:
    site = charging("iso2-ac", Control.SCHEDULED, Sated)
    ev: Any = site.ev
    for _ in range(6):
        ev.enough = True
        site.run(50.0)
        ev.enough = False
        site.run(3.0)
    assert states(site) == []


def test_one_that_takes_its_time_charges() -> None:
    site = site_of("iso2-ac")
    site.plug(vehicle_of(site, "iso2-ac", Control.SCHEDULED), kind=Slow)
    site.card()
    site.until(lambda: max(site.sim.current_A) > 1.0, most_s=100.0)
    site.run(15.0)
    assert states(site)[-1] == "Charging"
    assert "SuspendedEV" not in states(site)


def test_what_was_too_little_and_is_enough_again_is_the_vehicles_matter() -> None:
    site = charging("iso2-ac", Control.SCHEDULED, Sated)
    ev: Any = site.ev
    site.limit(amps=0.0)
    site.run(20.0)
    assert states(site) == ["SuspendedEVSE"]
    ev.enough = True
    site.heap.frames.clear()
    site.limit(amps=ABOVE_A)
    assert changed_s(site, "SuspendedEV") == pytest.approx(60.0, abs=3.0)


def test_a_loop_that_begins_anew_does_not_go_by_what_the_last_one_was_told() -> None:
    """It stood by while there was too little."""
    site = charging("iso20-ac", Control.DYNAMIC)
    site.limit(amps=BELOW_A)
    changed_s(site, "SuspendedEVSE")
    assert site.ev is not None
    site.ev.vehicle.wants.wish = EvWish.STANDBY
    site.until(lambda: not site.facts.power_closed)
    site.run(5.0)
    site.limit(amps=ABOVE_A)
    site.heap.frames.clear()
    site.until(lambda: site.facts.power_closed)
    site.run(30.0)
    assert states(site) == ["Charging"]


@pytest.mark.parametrize("limit_A", [0.0, BELOW_A])
def test_one_that_gives_while_it_may_draw_nothing_charges(limit_A: float) -> None:
    site = site_of("iso20-ac", both_ways=True)
    vehicle = site.vehicle(Energy.AC_BPT, Control.SCHEDULED, spec=LEAST, give=True)
    vehicle.wants.protocols = ("iso20-ac",)
    site.charge(vehicle)
    site.run(30.0)
    site.heap.frames.clear()
    site.limit(amps=limit_A)
    site.run(60.0)
    assert site.facts.vehicle is not None
    assert site.facts.vehicle.target_W == 0.0
    assert min(site.sim.current_A) < -10.0
    assert states(site) == []
    assert site.facts.charging_state is ChargingState.CHARGING


def test_one_that_draws_whatever_it_is_told_charges() -> None:
    site = charging("iso2-ac", Control.SCHEDULED, Lasting)
    ev: Any = site.ev
    site.limit(amps=BELOW_A)
    site.run(60.0)
    assert states(site) == []
    ev.lasts = False
    assert changed_s(site, "SuspendedEVSE") == pytest.approx(10.0, abs=2.0)


def test_where_nobody_reads_the_meter_any_more_one_that_had_enough_still_has() -> None:
    site = charging("iso2-ac", Control.SCHEDULED, Sated)
    ev: Any = site.ev
    ev.enough = True
    changed_s(site, "SuspendedEV")
    site.heap.deaf = MeterSample
    site.run(120.0)
    assert states(site) == ["SuspendedEV"]
    site.limit(amps=0.0)
    site.run(30.0)
    site.limit(amps=ABOVE_A)
    site.run(30.0)
    assert states(site) == ["SuspendedEV", "SuspendedEVSE", "Charging"]


def test_where_nobody_reads_the_meter_it_is_believed_to_charge() -> None:
    site = charging("iso2-ac", Control.SCHEDULED, Sated)
    ev: Any = site.ev
    ev.enough = True
    site.run(5.0)
    site.heap.deaf = MeterSample
    site.run(120.0)
    assert "SuspendedEV" not in states(site)
    assert site.facts.charging_state is ChargingState.CHARGING
