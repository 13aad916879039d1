"""Vehicles that come without a cable, on virtual time: over a coil (WPT) and under an arm (ACDP). Whole sessions, stops at every step, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.v2g.approaching import CODE, STEPS, Steps
from bench.v2g.charger import Pace
from bench.v2g.pair import Pair
from iso15118 import v2gtp
from iso15118.approach import (
    AlignmentWanted,
    ArmMoved,
    ArmWanted,
    ChargerStatus,
    Paired,
    PairingWanted,
    Placed,
    PositioningWanted,
    VehicleStatus,
    WptDeclared,
    WptDemand,
)
from iso15118.connection import Abort, Lost
from iso15118.evcc.terms import EvWish
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Control, Ending, Energy, PowerOff, SessionOver, Wish
from tests.behaviour.iso20_rig import ask, ended_well, goes_on_after_a_pause, make, requests, told

WAYS = [(energy, control) for energy in (Energy.WPT, Energy.ACDP, Energy.ACDP_BPT) for control in Control]
in_every_way = pytest.mark.parametrize(("energy", "control"), WAYS, ids=[f"{e.value}-{c.value}" for e, c in WAYS])
BEGINNING = ["AuthorizationSetup", "Authorization", "ServiceDiscovery", "ServiceDetail", "ServiceSelection"]
SAID = {
    Energy.WPT: [
        "WPT_FinePositioningSetup", "WPT_FinePositioning", "WPT_Pairing", *BEGINNING, "WPT_ChargeParameterDiscovery", "ScheduleExchange",
        "WPT_AlignmentCheck", "PowerDelivery Start", "WPT_ChargeLoop", "PowerDelivery Stop",
    ],
    Energy.ACDP: [
        "ACDP_VehiclePositioning", *BEGINNING, "DC_ChargeParameterDiscovery", "ScheduleExchange", "ACDP_Connect", "DC_CableCheck", "DC_PreCharge",
        "PowerDelivery Start", "DC_ChargeLoop", "PowerDelivery Stop", "DC_WeldingDetection", "ACDP_Disconnect",
    ],
}  # fmt: skip
"""What a vehicle says between its setup and its end."""
SAID[Energy.ACDP_BPT] = SAID[Energy.ACDP]


def paced(energy: Energy, steps: Steps, **wants: Any) -> Pair:
    pair = make(energy, **wants)
    pair.charger.pace = replace(Pace(), steps=steps)
    return pair


@in_every_way
def test_a_session_from_place_to_place(energy: Energy, control: Control) -> None:
    pair = make(energy, control, status_every_s=None).session()
    ended_well(pair)
    assert requests(pair) == ["supportedAppProtocol", "SessionSetup", *SAID[energy], "SessionStop Terminate"]
    assert pair.vehicle.taken_Wh > 10
    assert pair.charger.energy_Wh == pytest.approx(pair.vehicle.taken_Wh, rel=0.1)
    assert len(told(pair, PositioningWanted)) > 5
    if energy is Energy.WPT:
        assert told(pair, Paired, "ev") == [Paired(CODE)]
        assert told(pair, PairingWanted)
        assert told(pair, AlignmentWanted)
        assert told(pair, WptDeclared)[0].max_power_W == 11_000
        assert max(each.output_W for each in told(pair, WptDemand)) == pytest.approx(11_000)
    else:
        places = told(pair, Placed, "ev")
        assert Placed((240, -90), there=False) in places
        assert places[-1] == Placed((12, -5), there=True)
        moved = [(each.arm.value, each.connected) for each in told(pair, ArmMoved, "ev")]
        assert list(dict.fromkeys(moved)) == [("home", False), ("moving", False), ("there", True)]
        assert moved[-1] == ("home", False)
        down = [each.down for each in told(pair, ArmWanted)]
        assert down == sorted(down, reverse=True), "down, and then home"


def test_both_say_how_they_are_beside_the_loop() -> None:
    pair = make(Energy.ACDP, status_every_s=1.0).session()
    ended_well(pair)
    said = told(pair, VehicleStatus)
    assert len(said) > 3
    assert (said[-1].ready, said[-1].pilot, said[-1].soc, said[-1].error) == (True, "StateC", 30, "")
    assert told(pair, ChargerStatus, "ev")[-1] == ChargerStatus(ready=True, isolation="Safe", in_place=True)
    types = {int.from_bytes(octets[2:4], "big") for _, _, octets in pair.octets}
    assert types == {
        v2gtp.SAP_DIN_ISO2, v2gtp.ISO20_MAIN, v2gtp.ISO20_DC, v2gtp.ISO20_ACDP, v2gtp.ISO20_ACDP_STATUS,
    }  # fmt: skip


@in_every_way
def test_a_pause_and_the_way_back(energy: Energy, control: Control) -> None:
    pair = make(energy, control)
    goes_on_after_a_pause(pair, loops=60)
    assert told(pair, SessionOver)[-1].ending is Ending.TERMINATED


@in_every_way
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (EvWish.STANDBY, None),
        (EvWish.RENEGOTIATE_SCHEDULE, None),
        (EvWish.RENEGOTIATE_SERVICE, None),
        (EvWish.CONFIRM_METERING, None),
        (EvWish.CHECK_IN, None),
        (None, Wish.RENEGOTIATE_SERVICE),
        (None, Wish.STOP),
        (None, Wish.PAUSE),
    ],
)
def test_wishes_in_the_loop(energy: Energy, control: Control, ours: EvWish | None, theirs: Wish | None) -> None:
    pair = make(energy, control)
    ask(pair, "vehicle" if ours else "charger", 10, ours, theirs)
    if ours is EvWish.STANDBY:
        ask(pair, "vehicle", 20, EvWish.RESUME, None)
    pair.session()
    ended_well(pair, Ending.PAUSED if theirs is Wish.PAUSE else Ending.TERMINATED)


@pytest.mark.parametrize("energy", [Energy.WPT, Energy.ACDP])
def test_other_schedules_beside_the_loop(energy: Energy) -> None:
    pair = make(energy, Control.SCHEDULED, other_schedules_aside=True)
    ask(pair, "charger", 10, None, Wish.RENEGOTIATE_SCHEDULE)
    pair.session()
    ended_well(pair)
    assert "PowerDelivery ScheduleRenegotiation" in requests(pair)


# ---- stops


def _at(pair: Pair, step: str, what: Callable[[], object]) -> None:
    """When the vehicle has said this for the first time."""
    name = step.partition(" ")[0] + "Req"

    def said() -> bool:
        return any(
            end == "ev" and type(message).__name__ == name and getattr(message, "ChargeProgress", "") in step
            for _, end, message in pair.messages
        )

    pair.when(said, what)


STEPS_OF = [(energy, step) for energy in (Energy.WPT, Energy.ACDP) for step in ("SessionSetup", *SAID[energy])]
at_every_step = pytest.mark.parametrize(("energy", "step"), STEPS_OF, ids=[f"{e.value}-{s.replace(' ', '-')}" for e, s in STEPS_OF])


@at_every_step
def test_the_vehicle_stops_at_every_step(energy: Energy, step: str) -> None:
    pair = make(energy, loops=5)
    _at(pair, step, lambda: setattr(pair.vehicle.wants, "wish", EvWish.STOP))
    pair.session()
    ended_well(pair)
    if energy is Energy.ACDP:
        pair.run(10.0)
        assert pair.charger.facts.approach is not None
        assert not pair.charger.facts.approach.connected


@at_every_step
@pytest.mark.parametrize("how", ["abort", "cut", "fault"])
def test_no_energy_after_the_charger_ends_it_at_any_step(energy: Energy, step: str, how: str) -> None:
    """S-11: whatever the step, 5 s later nothing flows, and the host was told before anything else."""
    pair = make(energy, loops=5)

    def end() -> None:
        if how == "abort":
            pair.abort(Abort("authorisation was withdrawn"))
        elif how == "cut":
            pair.lose(Lost("the radio link is gone"))
        else:
            pair.charger.facts.fault = "something is wrong"
            pair.changed()
            pair.at(1.0, lambda: pair.abort(Abort("the fault stays")))

    _at(pair, step, end)
    pair.watches[:] = pair.watches[:1]  # a vehicle whose connection is cut draws for a moment more
    pair.connect()
    pair.run(120.0, until=lambda: pair.evse_over is not None)
    pair.run(5.0)
    assert pair.evse_over is not None
    assert pair.charger.facts.current_A == 0.0
    at = [thing for end_, thing in pair.story if end_ == "evse"]
    if any(isinstance(each, PowerOff) for each in at):
        assert max(i for i, each in enumerate(at) if isinstance(each, PowerOff)) < next(
            i for i, each in enumerate(at) if isinstance(each, SessionOver)
        )


# ---- what goes wrong


@pytest.mark.parametrize(
    ("energy", "steps", "code", "words"),
    [
        (Energy.WPT, replace(STEPS, finds=False), "FAILED", "positioning has failed"),
        (Energy.WPT, replace(STEPS, pairs=False), "FAILED_AssociationError", "pairing has failed"),
        (Energy.WPT, replace(STEPS, aligns=False), "FAILED", "alignment has failed"),
        (Energy.WPT, replace(STEPS, positioning_s=1e6), "FAILED", "no end of positioning"),
        (Energy.WPT, replace(STEPS, pairing_s=1e6), "FAILED_AssociationError", ""),
        (Energy.WPT, replace(STEPS, alignment_s=1e6), "FAILED", "no end of alignment"),
        (Energy.ACDP, replace(STEPS, finds=False), "FAILED", "does not come to its place"),
        (Energy.ACDP, replace(STEPS, positioning_s=1e6), "FAILED", "does not come to its place"),
        (Energy.ACDP, replace(STEPS, arm_s=1e6), "FAILED", "no contact in time"),
    ],
)
def test_steps_that_come_to_no_end(energy: Energy, steps: Steps, code: str, words: str) -> None:
    pair = paced(energy, steps)
    pair.session(700.0)
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert words in pair.evse_over.why
    last = [message for _, end, message in pair.messages if end == "evse"][-1]
    assert isinstance(last, ct.V2GResponseType)
    assert last.ResponseCode == (code if words else "FAILED"), pair.evse_over


def test_a_vehicle_that_is_still_on_its_way() -> None:
    pair = make(Energy.WPT, placed=False)
    pair.at(20.0, lambda: setattr(pair.vehicle.wants, "placed", True))
    pair.session()
    ended_well(pair)
    assert pair.moments[-1][0] > 120.0


def test_clearances_that_do_not_meet() -> None:
    pair = make(Energy.WPT, clearance_mm=(300, 400)).session()
    assert pair.evse_over is not None
    assert "clearances" in pair.evse_over.why


@pytest.mark.parametrize("when", ["DC_CableCheck", "DC_PreCharge", "PowerDelivery Start", "DC_ChargeLoop"])
@pytest.mark.parametrize("how", ["contact", "emergency"])
def test_nothing_is_granted_without_contact(when: str, how: str) -> None:
    pair = make(Energy.ACDP)
    approach = pair.charger.facts.approach
    assert approach is not None

    def lost() -> None:
        if how == "contact":
            approach.connected = False
        else:
            approach.emergency = True
        pair.changed()

    _at(pair, when, lost)
    pair.watches[:] = pair.watches[:1]
    pair.session(60.0)
    assert pair.evse_over is not None
    assert pair.evse_over.ending is Ending.ABORTED
    assert ("contact" if how == "contact" else "emergency") in pair.evse_over.why
    assert pair.charger.facts.current_A == 0.0


def test_the_arm_stays_while_a_current_flows() -> None:
    """It is told to go home when hardly any flows; the vehicle asks on."""
    pair = make(Energy.ACDP)
    _at(pair, "ACDP_Disconnect", lambda: None)
    pair.session()
    at = next(mono for mono, end, thing in pair.moments if end == "evse" and isinstance(thing, ArmWanted) and not thing.down)
    assert at > next(mono for mono, end, thing in pair.moments if end == "evse" and isinstance(thing, PowerOff))


@pytest.mark.parametrize("how", ["vehicle", "charger"])
def test_the_small_power_of_the_alignment_goes_off_too(how: str) -> None:
    pair = make(Energy.WPT)
    if how == "vehicle":
        pair.when(lambda: bool(told(pair, AlignmentWanted)), lambda: setattr(pair.vehicle.wants, "wish", EvWish.STOP))
    else:
        pair.when(lambda: bool(told(pair, AlignmentWanted)), lambda: pair.abort(Abort("authorisation was withdrawn")))
    pair.session()
    assert len(told(pair, PowerOff)) == 1
    assert pair.evse_over is not None
