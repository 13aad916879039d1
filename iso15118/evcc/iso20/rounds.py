"""ISO 15118-20, what a vehicle says in the charge loop of every kind of energy transfer: needs, and its battery."""

from __future__ import annotations

from typing import Any

from iso15118.evcc.iso20.talk import Talk
from iso15118.iso20.values import maybe_rational, rational
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Battery, Control


def controlled_dynamic(talk: Talk) -> bool:
    """The charger plans."""
    return talk.way is not None and talk.way.control is Control.DYNAMIC


def needs(talk: Talk, *, dynamic: bool) -> dict[str, Any]:
    """The energy that is still wanted."""
    wanted = talk.wants.needs
    if not dynamic:
        return {
            "EVTargetEnergyRequest": maybe_rational(wanted.target_Wh),
            "EVMaximumEnergyRequest": maybe_rational(wanted.max_Wh),
            "EVMinimumEnergyRequest": maybe_rational(wanted.min_Wh),
        }
    return {
        "DepartureTime": wanted.departure_s,
        "EVTargetEnergyRequest": rational(wanted.target_Wh or 0.0),
        "EVMaximumEnergyRequest": rational(wanted.max_Wh or 0.0),
        "EVMinimumEnergyRequest": rational(wanted.min_Wh or 0.0),
    }


def v2x(talk: Talk) -> dict[str, Any]:
    """How far we may be discharged and charged again."""
    wanted = talk.wants.needs
    return {"EVMaximumV2XEnergyRequest": maybe_rational(wanted.max_v2x_Wh), "EVMinimumV2XEnergyRequest": maybe_rational(wanted.min_v2x_Wh)}


def shown(battery: Battery | None) -> ct.DisplayParametersType | None:
    """For the charger's display."""
    if battery is None:
        return None
    return ct.DisplayParametersType(
        PresentSOC=battery.soc,
        MinimumSOC=battery.min_soc,
        TargetSOC=battery.target_soc,
        MaximumSOC=battery.max_soc,
        RemainingTimeToMinimumSOC=battery.to_min_s,
        RemainingTimeToTargetSOC=battery.to_target_s,
        RemainingTimeToMaximumSOC=battery.to_max_s,
        ChargingComplete=battery.full,
        BatteryEnergyCapacity=maybe_rational(battery.capacity_Wh),
        InletHot=battery.inlet_hot,
    )
