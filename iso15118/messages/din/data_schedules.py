"""Schedules, tariffs, and the profile that the EV makes of them (DIN SPEC 70121:2014 [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, IDREF, REF, Length, Message, Occurs, Range, unsignedByte, unsignedInt
from iso15118.messages.din import msg_data_types as dt

NAMESPACE = "urn:din:70121:2012:MsgDataTypes"

PMaxType = Annotated[int, Range(-32768, 32767)]
"""Power in W, so 32,767 W at most."""

SAIDType = Annotated[int, Range(-32768, 32767)]
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

    startValue: unsignedInt
    Cost: Annotated[tuple[CostType, ...], Occurs(0, None)] = ()


class SalesTariffEntryType(EntryType, element="SalesTariffEntry", substitutes=EntryType):
    """Price level during an interval (the lower, the cheaper), and costs."""

    EPriceLevel: unsignedByte
    ConsumptionCost: Annotated[tuple[ConsumptionCostType, ...], Occurs(0, None)] = ()


class SalesTariffType(Message):
    """Prices over time; under a contract its seller signs them."""

    Id: Annotated[IDREF, ATTRIBUTE]
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: unsignedByte
    SalesTariffEntry: Annotated[tuple[SalesTariffEntryType, ...], Occurs(1, None), REF]


class PMaxScheduleEntryType(EntryType, element="PMaxScheduleEntry", substitutes=EntryType):
    """Greatest power during an interval."""

    PMax: PMaxType


class PMaxScheduleType(Message):
    """Greatest power over time."""

    PMaxScheduleID: SAIDType
    PMaxScheduleEntry: Annotated[tuple[PMaxScheduleEntryType, ...], Occurs(1, None), REF]


class SAScheduleTupleType(Message):
    """Greatest power over time, and the prices that go with it."""

    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleList(SASchedulesType, element=True, substitutes=SASchedulesType):
    """Schedules, of which the EV takes one."""

    SAScheduleTuple: Annotated[tuple[SAScheduleTupleType, ...], Occurs(1, None)]


class RelativeTimeInterval(IntervalType, element=True, substitutes=IntervalType):
    """Begins start s after the answer that holds it, and lasts duration s or until the next entry begins."""

    start: unsignedInt
    duration: unsignedInt | None = None


class ProfileEntryType(Message):
    """Greatest power in W that the EV will take, from ChargingProfileEntryStart s on."""

    ChargingProfileEntryStart: unsignedInt
    ChargingProfileEntryMaxPower: PMaxType


class ChargingProfileType(Message):
    """Greatest power over time that the EV will take under a schedule."""

    SAScheduleTupleID: SAIDType
    ProfileEntry: Annotated[tuple[ProfileEntryType, ...], Occurs(1, None)]
