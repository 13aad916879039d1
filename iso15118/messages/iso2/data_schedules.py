"""Schedules, tariffs, and the profile that the EV makes of them (ISO 15118-2:2014, Annex C [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, ID, REF, Length, Message, Occurs, Range, unsignedByte, unsignedInt
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgDataTypes"
QUALIFIED_ATTRIBUTES = True

maxNumPhasesType = Annotated[int, Range(1, 3)]
"""How many phases are used."""

SAIDType = Annotated[int, Range(1, 255)]
"""Number of a schedule or tariff, by which other places refer to it."""

tariffDescriptionType = Annotated[str, Length(0, 32)]
"""What a driver may read about the tariff."""

costKindType = Literal["relativePricePercentage", "RenewableGenerationPercentage", "CarbonDioxideEmission"]
"""What an amount counts: relative price in %, renewable share in %, CO2 in g/kWh."""


class SASchedulesType(Message, abstract=True, element="SASchedules"):
    """Stands for schedules of any kind."""


class IntervalType(Message, abstract=True, element="TimeInterval"):
    """Stands for a time interval of any kind."""


class EntryType(Message, abstract=True, element="Entry"):
    """What holds during one interval."""

    TimeInterval: Annotated[IntervalType, REF]


class CostType(Message):
    """Amount times ten to the power of amountMultiplier."""

    costKind: costKindType
    amount: unsignedInt
    amountMultiplier: dt.unitMultiplierType | None = None


class ConsumptionCostType(Message):
    """Costs that hold from the consumption startValue on, up to that of the next."""

    startValue: dt.PhysicalValueType
    Cost: Annotated[tuple[CostType, ...], Occurs(1, 3)]


class SalesTariffEntryType(EntryType, element="SalesTariffEntry", substitutes=EntryType):
    """Price level during an interval (the lower, the cheaper), and costs."""

    EPriceLevel: unsignedByte | None = None
    ConsumptionCost: Annotated[tuple[ConsumptionCostType, ...], Occurs(0, 3)] = ()


class SalesTariffType(Message):
    """Prices over time; under a contract its seller signs them."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: unsignedByte | None = None
    SalesTariffEntry: Annotated[tuple[SalesTariffEntryType, ...], Occurs(1, 1024), REF]


class PMaxScheduleEntryType(EntryType, element="PMaxScheduleEntry", substitutes=EntryType):
    """Greatest power during an interval."""

    PMax: dt.PhysicalValueType


class PMaxScheduleType(Message):
    """Greatest power over time."""

    PMaxScheduleEntry: Annotated[tuple[PMaxScheduleEntryType, ...], Occurs(1, 1024), REF]


class SAScheduleTupleType(Message):
    """Greatest power over time, and the prices that go with it."""

    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleList(SASchedulesType, element=True, substitutes=SASchedulesType):
    """Schedules, of which the EV takes one."""

    SAScheduleTuple: Annotated[tuple[SAScheduleTupleType, ...], Occurs(1, 3)]


class RelativeTimeInterval(IntervalType, element=True, substitutes=IntervalType):
    """Begins start s after the answer that holds it, and lasts duration s or until the next entry begins."""

    start: Annotated[int, Range(0, 16777214)]
    duration: Annotated[int, Range(0, 86400)] | None = None


class ProfileEntryType(Message):
    """Greatest power that the EV will take, and on how many phases, from ChargingProfileEntryStart s on."""

    ChargingProfileEntryStart: unsignedInt
    ChargingProfileEntryMaxPower: dt.PhysicalValueType
    ChargingProfileEntryMaxNumberOfPhasesInUse: maxNumPhasesType | None = None


class ChargingProfileType(Message):
    """Greatest power over time that the EV will take."""

    ProfileEntry: Annotated[tuple[ProfileEntryType, ...], Occurs(1, 24)]
