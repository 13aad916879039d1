"""Services of ISO 15118-20 and their parameters, by number and name (tables of 8.4.3 [K])."""

from __future__ import annotations

from typing import NamedTuple

from iso15118.iso20.values import number, rational
from iso15118.messages.iso20 import common_services as sv
from iso15118.terms import BY_CABLE, Control, Energy, Offered, Parameter, ParameterSet

SERVICE_IDS: dict[Energy, int] = {
    Energy.AC: 1, Energy.DC: 2, Energy.WPT: 3, Energy.ACDP: 4, Energy.AC_BPT: 5, Energy.DC_BPT: 6, Energy.ACDP_BPT: 7, Energy.AC_DER_IEC: 10,
    Energy.AC_DER_SAE: 11,
}  # fmt: skip
"""8 and 9 are MCS; those of AC_DER are EVerest's [K]. Beside energy there are 65, internet, and 66, parking."""
ENERGIES: dict[int, Energy] = {number: energy for energy, number in SERVICE_IDS.items()}

SCHEDULED, DYNAMIC = 1, 2
"""ControlMode."""
BY_EVCC, BY_SECC = 1, 2
"""MobilityNeedsMode: who says departure time and states of charge."""
NO_PRICING, ABSOLUTE_PRICES, PRICE_LEVELS = 0, 1, 2
"""Pricing."""
SINGLE_PHASE, THREE_PHASE = 1, 2
"""Connector, AC: 2 is three-phase by our reading and Josev's, EVerest writes 3 [K]. A vehicle of ours takes either."""
_PHASES: dict[object, int] = {1: 1, 2: 3, 3: 3}
DC_EXTENDED = 2
"""Connector, DC: combined charging system with an outlet of its own pins."""
UNIFIED, GRID_FOLLOWING, PASSIVE = 1, 1, 2
"""BPTChannel, GeneratorMode, GridCodeIslandingDetectionMethod: so Josev has it, EVerest DetectionMethodGridCodeIslanding; a text of a table [K]."""


class Way(NamedTuple):
    """What a parameter set of an energy transfer service means."""

    id: int
    control: Control
    mobility_by_secc: bool
    pricing: int = NO_PRICING
    phases: int = 0
    """AC: 1 or 3 (Connector). 0: it says nothing of them."""


def _by_phases(energy: Energy) -> bool:
    """Its parameter sets say how many: AC by cable."""
    return not energy.is_dc and energy in BY_CABLE


def ways(offered: Offered) -> tuple[Way, ...]:
    """The parameter sets of what is offered, numbered from 1. Where there are three phases, a vehicle may choose one: those sets stand behind the others, which
    keep their numbers. There are 18 at most, of 32 that a message can have.
    """
    connected = ((3, 1) if offered.phases == 3 else (1,)) if _by_phases(offered.energy) else (0,)
    found = [
        (control, by_secc, pricing, phases)
        for phases in connected
        for control in offered.controls
        for by_secc in ((False, True) if control is Control.DYNAMIC and offered.mobility_by_secc else (False,))
        for pricing in offered.pricings
    ]
    return tuple(Way(number, *each) for number, each in enumerate(found, 1))


def parameter_sets(offered: Offered) -> tuple[ParameterSet, ...]:
    """The same as the messages say it."""
    return tuple(ParameterSet(way.id, _parameters(offered, way)) for way in ways(offered))


def _parameters(offered: Offered, way: Way) -> tuple[Parameter, ...]:
    energy, found = offered.energy, []
    ac = _by_phases(energy)
    if energy in BY_CABLE:
        found.append(Parameter("Connector", (THREE_PHASE if way.phases == 3 else SINGLE_PHASE) if ac else DC_EXTENDED))
    found.append(Parameter("ControlMode", SCHEDULED if way.control is Control.SCHEDULED else DYNAMIC))
    if ac:
        found.append(Parameter("EVSENominalVoltage", round(offered.nominal_V)))
    found.append(Parameter("MobilityNeedsMode", BY_SECC if way.mobility_by_secc else BY_EVCC))
    found.append(Parameter("Pricing", way.pricing))
    if energy.is_der:
        found.append(Parameter("DERControlFunctions", offered.grid_functions))
    elif energy.is_bpt:
        found += [Parameter("BPTChannel", UNIFIED), Parameter("GeneratorMode", GRID_FOLLOWING)]
        if ac:
            found.append(Parameter("GridCodeIslandingDetectionMethod", PASSIVE))
    return tuple(found)


def written(each: ParameterSet) -> sv.ParameterSetType:
    """A parameter set as a message."""
    return sv.ParameterSetType(ParameterSetID=each.id, Parameter=tuple(_written(parameter) for parameter in each.parameters))


def _written(parameter: Parameter) -> sv.ParameterType:
    value = parameter.value
    if isinstance(value, bool):
        return sv.ParameterType(Name=parameter.name, boolValue=value)
    if isinstance(value, int):
        return sv.ParameterType(Name=parameter.name, intValue=value)
    if isinstance(value, float):
        return sv.ParameterType(Name=parameter.name, rationalNumber=rational(value))
    return sv.ParameterType(Name=parameter.name, finiteString=value)


def read(each: sv.ParameterSetType) -> ParameterSet:
    """The other way; integers of all widths are integers."""
    return ParameterSet(each.ParameterSetID, tuple(Parameter(parameter.Name, _read(parameter)) for parameter in each.Parameter))


def _read(parameter: sv.ParameterType) -> bool | int | str | float:
    for value in (parameter.boolValue, parameter.byteValue, parameter.shortValue, parameter.intValue, parameter.finiteString):
        if value is not None:
            return value
    return number(parameter.rationalNumber) if parameter.rationalNumber is not None else ""


def meaning(energy: Energy, each: ParameterSet) -> Way:
    """What a parameter set of a charger means to a vehicle: what it does not say is as the first value of its table."""
    values = {parameter.name: parameter.value for parameter in each.parameters}
    control = Control.DYNAMIC if values.get("ControlMode") == DYNAMIC else Control.SCHEDULED
    pricing = values.get("Pricing")
    known = pricing if isinstance(pricing, int) and pricing in (ABSOLUTE_PRICES, PRICE_LEVELS) else NO_PRICING
    phases = _PHASES.get(values.get("Connector"), 0) if _by_phases(energy) else 0
    return Way(each.id, control, values.get("MobilityNeedsMode") == BY_SECC, known, phases)
