"""A DC stage, its insulation monitor, and the contactor behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hal.conformance.rig import PERMIT_S, Bench, Can, now_s
from hal.conformance.story import story
from hal.errors import LeaseLapsed, StageFault
from hal.ports import DcSupply
from hal.types import BoardInfo, ContactorFeedback, DcRatings, DcSample, EvseInfo, InsulationSample, MeterSample, Opens

TOLERANCE_V = 20.0
"""Between order and output: within this of the battery, a contactor may be closed (IEC 61851-23)."""
TOLERANCE_SHARE = 0.05
RISES_WITHIN_S = 7.0
"""An order is carried out by then (V2G_EVCC_PreCharge_Timeout of ISO 15118)."""
ENDS_WITHIN_S = 1.0
"""Off: the current is gone by then, and the voltage so long after opening (IEC 61851-23 [K])."""
SMALL_A, SMALL_V = 5.0, 60.0
TESTING_A = 2.0
"""As little as the cable check wants."""
HALF = 0.5
LEAST_OHM_PER_V = 100.0
"""What is less is a fault (IEC 61851-23); a rig's cable is whole."""


def dc(board: BoardInfo, evse: EvseInfo) -> bool:
    """It has a DC stage."""
    return evse.dc is not None


def dc_meter(board: BoardInfo, evse: EvseInfo) -> bool:
    """And a meter at its output."""
    return evse.dc is not None and evse.has_meter


def dc_opens(board: BoardInfo, evse: EvseInfo) -> bool:
    """And its hardware opens by itself."""
    return evse.dc is not None and evse.contactor_feedback and isinstance(board.on_silence, Opens)


def takes_back(board: BoardInfo, evse: EvseInfo) -> bool:
    """And it can take current from the vehicle."""
    return evse.dc is not None and evse.dc.max_discharge_A > 2.0 * SMALL_A


def _fitted(bench: Bench) -> tuple[DcSupply, DcRatings, float]:
    """The stage, its ratings, and a voltage well inside of them."""
    stage, ratings = bench.ports.dc, bench.info.dc
    assert stage is not None
    assert ratings is not None
    return stage, ratings, max(ratings.min_voltage_V, ratings.max_voltage_V * HALF)


async def _sample(bench: Bench, holds: Callable[[DcSample], bool], since: int, within_s: float) -> DcSample:
    """The first sample of which this holds."""
    return await bench.hears(DcSample, holds, since=since, within_s=within_s)


async def _closed(bench: Bench, current_A: float) -> float:
    """The contactor closed, the car's as well, and so much of the rated current ordered; gives the battery's voltage."""
    stage, ratings, volts = _fitted(bench)
    await bench.supply()
    mark = bench.mark()
    await stage.set_output(volts, 0.0)
    await _sample(bench, lambda s: abs(s.outlet_V - volts) <= TOLERANCE_V, mark, RISES_WITHIN_S)
    await bench.rig.battery(volts)
    mark = bench.mark()
    await stage.set_output(min(volts + TOLERANCE_V, ratings.max_voltage_V), current_A)
    near_A = max(abs(current_A) * TOLERANCE_SHARE, 1.0)
    await _sample(bench, lambda s: abs(s.current_A - current_A) <= near_A, mark, RISES_WITHIN_S)
    return volts


def _some_A(bench: Bench) -> float:
    """A current well inside of the ratings, and more than what a contactor may break."""
    _, ratings, volts = _fitted(bench)
    return min(ratings.max_current_A, ratings.max_power_W / volts) * HALF


@story(fits=dc)
async def an_output_needs_a_permit(bench: Bench) -> None:
    """Without a live lease the stage gives nothing; going off needs none."""
    stage, _, volts = _fitted(bench)
    await bench.refuses(stage.set_output(volts, TESTING_A), LeaseLapsed)
    await bench.ports.power.permit(PERMIT_S)
    await bench.ports.power.withdraw()
    await bench.refuses(stage.set_output(volts, TESTING_A), LeaseLapsed)
    await stage.off()
    await asyncio.sleep(bench.rig.tells_within_s)
    assert all(s.voltage_V < SMALL_V for s in bench.since(0, DcSample))


@story(fits=dc)
async def orders_beyond_the_ratings_are_refused(bench: Bench) -> None:
    """StageFault, and nothing of it is done."""
    stage, r, volts = _fitted(bench)
    bench.keep_permitted()
    await asyncio.sleep(0)
    await bench.ports.power.permit(PERMIT_S)
    for voltage_V, current_A in (
        (r.max_voltage_V + 1.0, TESTING_A),
        (r.min_voltage_V - 1.0, TESTING_A),
        (volts, r.max_current_A + 1.0),
        (volts, -r.max_discharge_A - 1.0),
        (float("nan"), TESTING_A),
        (volts, float("nan")),
    ):
        await bench.refuses(stage.set_output(voltage_V, current_A), StageFault)
    await asyncio.sleep(bench.rig.tells_within_s)
    assert all(s.voltage_V < SMALL_V for s in bench.since(0, DcSample))


@story(fits=dc)
async def the_voltage_comes_and_goes(bench: Bench) -> None:
    """With no vehicle behind it the output goes where it is sent, up and down; off and opened there is none, and at the stage neither."""
    stage, ratings, volts = _fitted(bench)
    await bench.supply()
    for order_V in (volts, ratings.max_voltage_V, max(ratings.min_voltage_V, SMALL_V)):
        mark = bench.mark()
        await stage.set_output(order_V, TESTING_A)
        at = await _sample(bench, lambda s, order_V=order_V: abs(s.voltage_V - order_V) <= TOLERANCE_V, mark, RISES_WITHIN_S)  # type: ignore[misc] # of this turn
        assert abs(at.outlet_V - at.voltage_V) <= TOLERANCE_V, f"the contactor is closed: {at}"
        assert abs(at.current_A) < TESTING_A, f"nobody takes it: {at}"
    await stage.off()
    await bench.ports.contactor.open()
    mark = bench.mark()
    await _sample(bench, lambda s: s.outlet_V < SMALL_V, mark, ENDS_WITHIN_S + bench.rig.tells_within_s)
    await _sample(bench, lambda s: s.voltage_V < SMALL_V, mark, RISES_WITHIN_S)


@story(fits=dc)
async def a_stage_that_is_off_is_told_each_second(bench: Bench) -> None:
    """Nobody goes by an old reading: what says nothing is silent."""
    for _ in range(3):
        await bench.hears(DcSample, since=bench.mark(), within_s=1.0 + bench.rig.tells_within_s)


@story(Can.BATTERY, fits=dc)
async def off_takes_the_current_first(bench: Bench) -> None:
    """Under 5 A within a second, so that the contactor opens without load; under 60 V a second after it is open."""
    stage, _, _ = _fitted(bench)
    await _closed(bench, _some_A(bench))
    mark, began_s = bench.mark(), now_s()
    await stage.off()
    await _sample(bench, lambda s: abs(s.current_A) < SMALL_A, mark, ENDS_WITHIN_S + bench.rig.tells_within_s)
    assert now_s() - began_s <= ENDS_WITHIN_S + bench.rig.tells_within_s
    await bench.ports.contactor.open()
    mark = bench.mark()
    await bench.rig.battery(None)
    await _sample(bench, lambda s: s.outlet_V < SMALL_V, mark, ENDS_WITHIN_S + bench.rig.tells_within_s)


@story(Can.BATTERY, fits=dc)
async def the_outlet_is_read_behind_an_open_contactor(bench: Bench) -> None:
    """What a vehicle has on the cable is told there, and not at the stage; and that it is gone, once it is."""
    stage, _, _ = _fitted(bench)
    volts = await _closed(bench, TESTING_A)
    await stage.off()
    await bench.ports.contactor.open()
    mark = bench.mark()
    held = await _sample(bench, lambda s: s.voltage_V < SMALL_V, mark, RISES_WITHIN_S)
    assert abs(held.outlet_V - volts) <= TOLERANCE_V, f"the battery is on the cable: {held}"
    mark = bench.mark()
    await bench.rig.battery(None)
    await _sample(bench, lambda s: s.outlet_V < SMALL_V, mark, ENDS_WITHIN_S + bench.rig.tells_within_s)


@story(Can.BATTERY, fits=dc)
async def a_newer_order_is_followed(bench: Bench) -> None:
    """More, less, and none."""
    stage, ratings, _ = _fitted(bench)
    volts = await _closed(bench, _some_A(bench))
    for current_A in (_some_A(bench) * HALF, _some_A(bench), 0.0):
        mark = bench.mark()
        await stage.set_output(min(volts + TOLERANCE_V, ratings.max_voltage_V), current_A)
        near_A = max(current_A * TOLERANCE_SHARE, 1.0)
        await _sample(bench, lambda s, to_A=current_A, near_A=near_A: abs(s.current_A - to_A) <= near_A, mark, RISES_WITHIN_S)  # type: ignore[misc] # of this turn


@story(Can.BATTERY, fits=takes_back)
async def a_negative_current_comes_from_the_vehicle(bench: Bench) -> None:
    """So much is taken, and the samples say it with its sign."""
    _, ratings, volts = _fitted(bench)
    await _closed(bench, -min(ratings.max_discharge_A, ratings.max_discharge_W / volts) * HALF)


@story(Can.BATTERY, fits=dc_opens)
async def a_lapsed_lease_ends_the_output_and_opens(bench: Bench) -> None:
    """The stage goes off, then the contactor opens: a station that hangs holds no power (F-16)."""
    on_silence = bench.board.info.on_silence
    assert isinstance(on_silence, Opens)
    await _closed(bench, _some_A(bench))
    await bench.let_lapse()
    mark = bench.mark()
    await bench.open_told(mark, within_s=on_silence.within_s + bench.rig.tells_within_s)
    opened = next(at for at, each in enumerate(bench.heard) if at >= mark and isinstance(each, ContactorFeedback) and not each.closed)
    before = [each for each in bench.heard[:opened] if isinstance(each, DcSample)]
    assert abs(before[-1].current_A) < SMALL_A, f"opened under load: {before[-1]}"
    await bench.rig.battery(None)
    await _sample(bench, lambda s: s.voltage_V < SMALL_V and s.outlet_V < SMALL_V, opened, RISES_WITHIN_S)
    await bench.refuses(_set(bench), LeaseLapsed)


async def _set(bench: Bench) -> None:
    stage, _, volts = _fitted(bench)
    await stage.set_output(volts, TESTING_A)


@story(fits=dc)
async def the_insulation_is_measured(bench: Bench) -> None:
    """A reading, at the voltage that is on the output; a whole cable has more than is asked of it."""
    stage, _, volts = _fitted(bench)
    monitor = bench.ports.insulation
    assert monitor is not None
    await bench.supply()
    mark = bench.mark()
    await stage.set_output(volts, TESTING_A)
    await _sample(bench, lambda s: abs(s.outlet_V - volts) <= TOLERANCE_V, mark, RISES_WITHIN_S)
    reading = await monitor.measure()
    assert isinstance(reading, InsulationSample)
    assert reading.evse_id == bench.rig.evse_id
    assert reading.resistance_ohm >= LEAST_OHM_PER_V * volts


@story(Can.BATTERY, fits=dc_meter)
async def the_register_counts_direct_current(bench: Bench) -> None:
    """Energy goes up while current flows, and never back."""
    meter = bench.ports.meter
    assert meter is not None
    before, mark = await meter.read(), bench.mark()
    current_A = _some_A(bench)
    volts = await _closed(bench, current_A)
    near_A = max(current_A * TOLERANCE_SHARE, 1.0)
    flowing = await bench.hears(MeterSample, lambda m: abs(m.current_A[0] - current_A) <= near_A, since=mark, within_s=5.0)
    assert flowing.power_W is None or flowing.power_W > HALF * volts * current_A
    await bench.hears(MeterSample, lambda m: m.energy_import_Wh > before.energy_import_Wh, since=mark, within_s=10.0)
    registers = [each.energy_import_Wh for each in bench.since(0, MeterSample)]
    assert registers == sorted(registers)
