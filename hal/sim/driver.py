"""The simulated board as a driver: nothing is plugged in by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from hal.options import Range
from hal.ports import Board
from hal.types import ConnectorKind, EvseInfo, Phases, PhaseWiring


@dataclass(frozen=True, slots=True)
class Options:
    """Every EVSE of the board is of this kind."""

    max_current_A: Annotated[float, Range(6, 80)] = 32.0
    phases: Phases = 3
    switches_phases: bool = False
    connector: ConnectorKind = "cType2"
    voltage_V: Annotated[float, Range(100, 260)] = 230.0
    meter_interval_s: Annotated[float, Range(0.1, 60)] = 1.0


def make(options: Options, evse_ids: Sequence[int]) -> Board:
    """In the running event loop."""
    from hal.sim.ports import SimBoard  # noqa: PLC0415 asyncio is no import of a core, and options are read without it

    wiring = PhaseWiring.SERIAL if options.switches_phases else PhaseWiring.NONE
    evses = [
        EvseInfo(
            evse_id,
            options.max_current_A,
            phases=options.phases,
            connector=options.connector,
            has_lock=options.connector.startswith("s"),
            phase_wiring=wiring,
        )
        for evse_id in evse_ids
    ]
    return SimBoard.of(evses, voltage_V=(options.voltage_V,) * 3, meter_interval_s=options.meter_interval_s)
