"""The simulated board as a driver: nothing is plugged in by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from hal.errors import OptionError
from hal.options import Range
from hal.ports import Board
from hal.types import ConnectorKind, DcRatings, EvseInfo, Phases, PhaseWiring


@dataclass(frozen=True, slots=True)
class Options:
    """Every EVSE of the board is of this kind."""

    mode: Literal["ac", "dc"] = "ac"
    max_current_A: Annotated[float, Range(6, 80)] = 32.0
    phases: Phases = 3
    switches_phases: bool = False
    connector: ConnectorKind = "cType2"
    voltage_V: Annotated[float, Range(100, 260)] = 230.0
    meter_interval_s: Annotated[float, Range(0.1, 60)] = 1.0
    dc_max_voltage_V: Annotated[float, Range(100, 1_250)] = 1_000.0
    dc_min_voltage_V: Annotated[float, Range(50, 1_000)] = 150.0
    dc_max_current_A: Annotated[float, Range(1, 1_500)] = 200.0
    dc_max_power_W: Annotated[float, Range(1_000, 1_000_000)] = 60_000.0
    dc_max_discharge_A: Annotated[float, Range(0, 1_500)] = 0.0
    dc_max_discharge_W: Annotated[float, Range(0, 1_000_000)] = 0.0
    dc_ramp_A_per_s: Annotated[float, Range(1, 10_000)] = 200.0


def make(options: Options, evse_ids: Sequence[int]) -> Board:
    """In the running event loop. Raises OptionError where the options do not go together."""
    from hal.sim.ports import SimBoard  # noqa: PLC0415 asyncio is no import of a core, and options are read without it

    dc = _ratings(options) if options.mode == "dc" else None
    wiring = PhaseWiring.SERIAL if options.switches_phases else PhaseWiring.NONE
    evses = [
        EvseInfo(
            evse_id,
            options.max_current_A,
            phases=options.phases,
            connector=options.connector,
            has_lock=options.connector.startswith("s"),
            residual_current=dc is None,  # the insulation monitor watches
            phase_wiring=wiring,
            dc=dc,
        )
        for evse_id in evse_ids
    ]
    return SimBoard.of(evses, voltage_V=(options.voltage_V,) * 3, meter_interval_s=options.meter_interval_s)


def _ratings(options: Options) -> DcRatings:
    if not options.connector.startswith("cCCS"):
        raise OptionError(f"connector = {options.connector!r}: one of 'cCCS1', 'cCCS2' with mode = 'dc'")
    if options.dc_min_voltage_V >= options.dc_max_voltage_V:
        raise OptionError(f"dc_min_voltage_V = {options.dc_min_voltage_V:g}: less than dc_max_voltage_V ({options.dc_max_voltage_V:g})")
    if options.switches_phases:
        raise OptionError("switches_phases = True: there are no phases with mode = 'dc'")
    return DcRatings(
        options.dc_max_voltage_V,
        options.dc_min_voltage_V,
        options.dc_max_current_A,
        options.dc_max_power_W,
        options.dc_max_discharge_A,
        options.dc_max_discharge_W,
        options.dc_ramp_A_per_s,
    )
