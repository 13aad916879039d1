"""OpenEVSE controller over its serial line (RAPI, firmware 8.2.3): delegated, one EVSE, one phase measured.

When the station falls silent it does not open: after `heartbeat_s` without a pulse it lowers the current to `fall_back_A`. So a site has to
accept `falls_back` by name. Needs the extra `serial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from hal.errors import OptionError
from hal.options import Range, Text
from hal.ports import Board
from hal.types import ConnectorKind, Phases


@dataclass(frozen=True, slots=True)
class Options:
    """Of one controller."""

    port: Annotated[str, Text(200, r"/dev/.+")]
    """A name that stays, as under /dev/serial/by-id/."""
    baudrate: Annotated[int, Range(9600, 921600)] = 115200
    max_current_A: Annotated[int, Range(6, 80)] = 16
    """What was commissioned; more is never asked for."""
    fall_back_A: Annotated[int, Range(6, 80)] = 6
    """After silence; below 6 the controller does not go."""
    heartbeat_s: Annotated[int, Range(1, 60)] = 5
    """Silence is that long without a pulse. Above 65 the arithmetic of AVR boards wraps."""
    poll_s: Annotated[float, Range(0.2, 10)] = 1.0
    """Between two readings of state and meter; changes of state come at once by themselves."""
    phases: Phases = 1
    """What the contactor switches. With 3 there is no meter: the controller measures one phase."""
    meter: bool = True
    """Whether the controller has its current sensor."""
    nominal_V: Annotated[int, Range(100, 260)] = 230
    """The controller reckons energy with it."""
    connector: ConnectorKind = "cType2"


def make(options: Options, evse_ids: Sequence[int]) -> Board:
    """Not started yet. Raises OptionError."""
    from hal.drivers.openevse.board import OpenEvseBoard  # noqa: PLC0415 options are read without asyncio

    if len(evse_ids) != 1:
        raise OptionError(f"one EVSE per controller, not {len(evse_ids)}")
    if options.fall_back_A > options.max_current_A:
        raise OptionError(f"fall_back_A = {options.fall_back_A}: at most max_current_A, {options.max_current_A}")
    return OpenEvseBoard(options, evse_ids[0])
