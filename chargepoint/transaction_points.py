"""TxStartPoint and TxStopPoint as tables over what is so (OCPP 2.1 E01, E06).

A transaction starts with the first of the listed conditions that becomes true; it ends when any of the listed ones ceases.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from iso15118.frozen import dataclass

PARKING_BAY = "ParkingBayOccupancy"
EV_CONNECTED = "EVConnected"
AUTHORIZED = "Authorized"
DATA_SIGNED = "DataSigned"
POWER_PATH = "PowerPathClosed"
ENERGY_TRANSFER = "EnergyTransfer"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is so at one EVSE, as far as the start and the end of a transaction go."""

    bay_occupied: bool = False
    connected: bool = False
    authorised: bool = False
    signed: bool = False
    """A signed meter value has been taken for the transaction to come."""
    energy: bool = False
    """Energy can flow and the EV takes it: chargingState Charging."""


START_POINTS: dict[str, Callable[[Conditions], bool]] = {
    PARKING_BAY: lambda c: c.bay_occupied,
    EV_CONNECTED: lambda c: c.connected,
    AUTHORIZED: lambda c: c.authorised,
    DATA_SIGNED: lambda c: c.signed,
    POWER_PATH: lambda c: c.connected and c.authorised,
    ENERGY_TRANSFER: lambda c: c.energy,
}
"""TxStartPointEnumStringType -> its condition. The power path is closed, in OCPP's words, when the EV is connected and authorised."""

STOP_POINTS: dict[str, Callable[[Conditions], bool]] = {name: holds for name, holds in START_POINTS.items() if name != DATA_SIGNED}
"""TxStopPointEnumStringType -> the condition that has to cease."""


def holding(points: Collection[str], now: Conditions) -> frozenset[str]:
    """Those of the points whose condition is true.

    >>> sorted(holding({"EVConnected", "Authorized"}, Conditions(connected=True)))
    ['EVConnected']
    """
    return frozenset(name for name in points if name in START_POINTS and START_POINTS[name](now))


def trigger_of(points: Collection[str], now: Conditions) -> str:
    """TriggerReasonEnumType of a start at the last moment, by the points that hold.

    >>> trigger_of({"EnergyTransfer"}, Conditions(connected=True, authorised=True, energy=True))
    'ChargingStateChanged'
    """
    held = holding(points, now)
    if held & {AUTHORIZED, POWER_PATH}:
        return "Authorized"
    return "CablePluggedIn" if EV_CONNECTED in held else "ChargingStateChanged"


def starts(points: Collection[str], before: Conditions, after: Conditions, *, fresh: bool = False) -> bool:
    """Whether a transaction starts: a listed condition has become true; with `fresh` (a new authorisation, a wish for power) one that is true.

    After a transaction that was stopped by card the cable may still be in: that alone starts nothing, the next card does.

    >>> starts({"EVConnected"}, Conditions(connected=True), Conditions(connected=True, authorised=True), fresh=True)
    True
    """
    holds = holding(points, after)
    return bool(holds if fresh else holds - holding(points, before))


def idle(start_points: Collection[str], stop_points: Collection[str], before: Conditions, after: Conditions) -> bool:
    """Whether a transaction has nothing to wait for when its authorisation is over: no stop point held that could cease, and no start point holds.

    One that began for energy which never flowed, under TxStopPoint EnergyTransfer, would stand open until the plug is out, and nobody else could charge.

    >>> idle({"EnergyTransfer"}, {"EnergyTransfer"}, Conditions(connected=True, authorised=True), Conditions(connected=True))
    True
    >>> idle({"EVConnected"}, {"EnergyTransfer"}, Conditions(connected=True, authorised=True), Conditions(connected=True))
    False
    """
    return not holding(stop_points, before) and not holding(start_points, after)


def ends(points: Collection[str], before: Conditions, after: Conditions) -> bool:
    """Whether a transaction ends: a listed condition has ceased, or something has and nothing is left that an end could wait for.

    The second half closes what a poor pair of start and stop points would leave open for ever: an authorisation that timed out before
    any plug under TxStopPoint EVConnected, for instance.

    >>> ends({"EVConnected"}, Conditions(authorised=True), Conditions())
    True
    """
    if holding(points, before) - holding(points, after):
        return True
    left = after.bay_occupied or after.connected or after.authorised
    return not left and (before.bay_occupied or before.connected or before.authorised)
