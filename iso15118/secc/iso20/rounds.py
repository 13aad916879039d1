"""ISO 15118-20, what the charge loop of every kind of energy transfer has: battery and needs of the vehicle, wishes and the meter of the charger."""

from __future__ import annotations

import math
from typing import Any

from iso15118.iso20.values import maybe
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc import phases
from iso15118.secc.iso20.talk import Talk, status
from iso15118.secc.offers import least_of, usable_W
from iso15118.terms import Battery, Control, EnergyWanted, EvLimits, Reading, Told, Wish

MOST_WH = (1 << 64) - 1
"""More no message says."""
_NOTHING = EnergyWanted()


def uncontrolled(talk: Talk, mode: ct.CLReqControlModeType) -> str:
    """Another control mode than was chosen."""
    dynamic = isinstance(mode, ct.Dynamic_CLReqControlModeType)
    right = talk.way is not None and dynamic == (talk.way.control is Control.DYNAMIC)
    return "" if right else "the control mode is not that of the chosen parameter set"


def battery(request: ct.ChargeLoopReqType) -> tuple[Told, ...]:
    """What the vehicle shows of it."""
    if (shown := request.DisplayParameters) is None:
        return ()
    return (
        Battery(
            shown.PresentSOC, shown.MinimumSOC, shown.TargetSOC, shown.MaximumSOC, shown.RemainingTimeToMinimumSOC, shown.RemainingTimeToTargetSOC,
            shown.RemainingTimeToMaximumSOC, shown.ChargingComplete, maybe(shown.BatteryEnergyCapacity), shown.InletHot,
        ),
    )  # fmt: skip


def told_W(talk: Talk, limits: EvLimits, most_back_W: float = math.inf) -> float:
    """AC, what the vehicle is told to draw, or to give: nothing, where that is less than it can. In its loop it need not say again how much that is; what
    it does say holds for its next schedules, too: else they had nothing for a vehicle that is told something here, or the other way round.
    """
    talk.least_W, talk.least_back_W = least_of(limits, talk.least)
    return usable_W(max(phases.target_W(talk), -most_back_W), talk.least)


def common(request: ct.ChargeLoopReqType, mode: Any) -> tuple[Told, ...]:
    """What the loops of AC and DC say about the battery and the energy that is still wanted."""
    told = battery(request)
    wanted = EnergyWanted(
        departure_s=getattr(mode, "DepartureTime", None),
        target_Wh=maybe(mode.EVTargetEnergyRequest),
        max_Wh=maybe(mode.EVMaximumEnergyRequest),
        min_Wh=maybe(mode.EVMinimumEnergyRequest),
        max_v2x_Wh=maybe(getattr(mode, "EVMaximumV2XEnergyRequest", None)),
        min_v2x_Wh=maybe(getattr(mode, "EVMinimumV2XEnergyRequest", None)),
    )
    return (*told, wanted) if wanted != _NOTHING else told


def seen(talk: Talk, request: ct.ChargeLoopReqType) -> dict[str, Any]:
    """What we want, and the meter where the vehicle asks for it, or is to confirm it."""
    wanted = request.MeterInfoRequested or talk.facts.wish is Wish.CONFIRM_METERING
    return {"EVSEStatus": status(talk.facts), "MeterInfo": _meter(talk.facts.meter) if wanted and talk.facts.meter else None}


def _meter(reading: Reading) -> ct.MeterInfoType:
    return ct.MeterInfoType(
        MeterID=reading.meter_id[:32],
        ChargedEnergyReadingWh=min(max(0, reading.import_Wh), MOST_WH),
        BPT_DischargedEnergyReadingWh=min(max(0, reading.export_Wh), MOST_WH) if reading.export_Wh is not None else None,
        MeterSignature=reading.signature[:64] or None,
        MeterTimestamp=reading.utc,
    )
