"""What a board tells, and what its pilot shows."""

from __future__ import annotations

from hal.conformance.rig import DUTY_16_A, PERMIT_S, TOLERANCE_V, Bench
from hal.conformance.story import delegated, raw, story
from hal.errors import PilotFault
from hal.types import (
    BoardInput,
    ContactorFeedback,
    DcSample,
    LockState,
    MeterSample,
    PilotState,
    PilotVoltage,
    ProximityResistance,
    ResidualCurrentReset,
    ResidualCurrentTrip,
    Shape,
)


def _kinds(bench: Bench) -> list[tuple[type[BoardInput], ...]]:
    """Every input that this EVSE has."""
    info, ports = bench.info, bench.ports
    parts: list[tuple[bool, tuple[type[BoardInput], ...]]] = [
        (True, (PilotVoltage,) if bench.board.info.shape is Shape.RAW else (PilotState,)),
        (info.contactor_feedback, (ContactorFeedback,)),
        (info.has_meter, (MeterSample,)),
        (info.has_lock, (LockState,)),
        (info.residual_current, (ResidualCurrentReset, ResidualCurrentTrip)),
        (ports.proximity is not None, (ProximityResistance,)),
        (info.dc is not None, (DcSample,)),
    ]
    return [kinds for fitted, kinds in parts if fitted]


async def everything(bench: Bench, since: int) -> None:
    """Wait until every input was told."""
    for kinds in _kinds(bench):
        await bench.hears(BoardInput, lambda said, kinds=kinds: isinstance(said, kinds), since=since, within_s=bench.rig.silent_within_s)  # type: ignore[misc] # the kinds of this turn


@story()
async def start_tells_every_input_once(bench: Bench) -> None:
    """Everything is told after a start, and nothing twice but samples, which come at their interval."""
    await everything(bench, 0)
    for kinds in _kinds(bench):
        told = [each for kind in kinds for each in bench.since(0, kind)]
        assert MeterSample in kinds or DcSample in kinds or len(told) == 1, f"told {len(told)} times: {told}"
    if bench.info.contactor_feedback:
        assert bench.since(0, ContactorFeedback) == [ContactorFeedback(bench.rig.evse_id, closed=False, phases=0)]


@story()
async def ports_are_those_of_the_traits(bench: Bench) -> None:
    """What `EvseInfo` says is fitted is there, and nothing else."""
    info, ports = bench.info, bench.ports
    assert (ports.meter is not None) == info.has_meter
    assert (ports.lock is not None) == info.has_lock
    assert (ports.signed_meter is not None) == info.signs
    assert (ports.dc is not None) == (info.dc is not None)
    assert (ports.insulation is not None) == (info.dc is not None)
    assert info.closes_by_itself is bench.board.info.closes_by_itself


@story(fits=raw)
async def voltages_follow_the_car(bench: Bench) -> None:
    """A-B-C-D-B-A, with X1 and with PWM; the negative half is there with PWM only."""
    await bench.car("B")
    last = bench.since(0, PilotVoltage)[-1]
    assert last.low_V is None, f"X1 has no negative half: {last}"
    mark = bench.mark()
    await bench.ports.pilot.set_pwm(DUTY_16_A)
    await bench.hears(PilotVoltage, lambda v: v.low_V is not None and abs(v.low_V + 12.0) <= TOLERANCE_V, since=mark)
    for state in ("C", "D", "B", "A"):
        await bench.car(state)
    mark = bench.mark()
    await bench.ports.pilot.set_x1()
    await bench.hears(PilotVoltage, lambda v: v.low_V is None and v.high_V > 0.0, since=mark)
    mark = bench.mark()
    await bench.ports.pilot.set_f()
    await bench.hears(PilotVoltage, lambda v: v.low_V is None and abs(v.high_V + 12.0) <= TOLERANCE_V, since=mark)


@story(fits=delegated)
async def states_follow_the_car(bench: Bench) -> None:
    """A-B-C-B-A, with "not now" and with "allowed"."""
    await bench.car("B")
    await bench.ports.power.permit(PERMIT_S)
    await bench.ports.pilot.set_pwm(DUTY_16_A)
    for state in ("C", "B", "A"):
        await bench.car(state)


@story()
async def a_duty_that_means_nothing_is_refused(bench: Bench) -> None:
    """Only 5 % and 8 to 97 % are put on a pilot."""
    for duty in (-1.0, 0.0, 2.0, 98.0, 150.0):
        await bench.refuses(bench.ports.pilot.set_pwm(duty), PilotFault)
