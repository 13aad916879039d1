"""What an EVSE can give, by its configuration: the blocks that tell it say the same."""

from __future__ import annotations

from chargepoint.config import EvseConfig


def rated_W(evse: EvseConfig) -> float:
    """To the vehicle: at nominal voltage on all phases, or what the DC stage may give.

    >>> rated_W(EvseConfig(max_current_A=16, phases=1)), rated_W(EvseConfig(mode="dc"))
    (3680.0, 60000.0)
    """
    return evse.dc.max_power_W if evse.mode == "dc" else evse.max_current_A * evse.nominal_V * evse.phases


def supply_phases(evse: EvseConfig) -> int:
    """SupplyPhases of the EVSE and its connector: alternating ones, 0 of a DC output."""
    return 0 if evse.mode == "dc" else evse.phases


def discharge_W(evse: EvseConfig) -> float:
    """From the vehicle; 0: one way only."""
    return evse.dc.max_discharge_W if evse.mode == "dc" else evse.v2g.ac_discharge_W
