"""Prices of energy in both directions (ISO 15118-20:2022, schema CommonMessages [K]).

Power in W, Duration and other spans in s, TimeAnchor in seconds since 1970 (UTC); fees in the schedule's currency.
"""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, unsignedByte, unsignedInt, unsignedLong, unsignedShort
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


currencyType = Annotated[str, Length(0, 3)]
"""Three letters of ISO 4217."""

languageType = Annotated[str, Length(0, 3)]
"""Three letters of ISO 639."""


class EVPriceRuleType(Message):
    """Fee for a kWh fed back with at least the power PowerRangeStart."""

    EnergyFee: ct.RationalNumberType
    PowerRangeStart: ct.RationalNumberType


class EVPriceRuleStackType(Message):
    """Rules of the EV's offer that hold at the same time, one for each range of power."""

    Duration: unsignedInt
    EVPriceRule: Annotated[tuple[EVPriceRuleType, ...], Occurs(1, 8)]


class EVPriceRuleStackListType(Message):
    """Stacks one after the other."""

    EVPriceRuleStack: Annotated[tuple[EVPriceRuleStackType, ...], Occurs(1, 1024)]


class EVAbsolutePriceScheduleType(Message):
    """Prices that the EV asks for energy fed back."""

    TimeAnchor: unsignedLong
    Currency: currencyType
    PriceAlgorithm: ct.identifierType
    EVPriceRuleStacks: EVPriceRuleStackListType


class PriceScheduleType(Message, abstract=True):
    """Base of both kinds of price schedule."""

    TimeAnchor: unsignedLong
    PriceScheduleID: ct.numericIDType
    PriceScheduleDescription: ct.descriptionType | None = None


class PriceLevelScheduleEntryType(Message):
    """Price level for a while."""

    Duration: unsignedInt
    PriceLevel: unsignedByte


class PriceLevelScheduleEntryListType(Message):
    """Entries one after the other."""

    PriceLevelScheduleEntry: Annotated[tuple[PriceLevelScheduleEntryType, ...], Occurs(1, 1024)]


class PriceLevelScheduleType(PriceScheduleType):
    """Prices as levels without amounts: they say when it is cheap, not what it costs."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    NumberOfPriceLevels: unsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryListType


class TaxRuleType(Message):
    """A tax in %, and on what it is levied."""

    TaxRuleID: ct.numericIDType
    TaxRuleName: ct.nameType | None = None
    TaxRate: ct.RationalNumberType
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleListType(Message):
    """Taxes that the schedule knows."""

    TaxRule: Annotated[tuple[TaxRuleType, ...], Occurs(1, 10)]


class PriceRuleType(Message):
    """Fees from the power PowerRangeStart on; energy per kWh, CO2 in g per kWh, renewable share in %."""

    EnergyFee: ct.RationalNumberType
    ParkingFee: ct.RationalNumberType | None = None
    ParkingFeePeriod: unsignedInt | None = None
    CarbonDioxideEmission: unsignedShort | None = None
    RenewableGenerationPercentage: unsignedByte | None = None
    PowerRangeStart: ct.RationalNumberType


class PriceRuleStackType(Message):
    """Rules that hold at the same time, one for each range of power."""

    Duration: unsignedInt
    PriceRule: Annotated[tuple[PriceRuleType, ...], Occurs(1, 8)]


class PriceRuleStackListType(Message):
    """Stacks one after the other."""

    PriceRuleStack: Annotated[tuple[PriceRuleStackType, ...], Occurs(1, 1024)]


class OverstayRuleType(Message):
    """Fee for each OverstayFeePeriod from StartTime on, once charging is over."""

    OverstayRuleDescription: ct.descriptionType | None = None
    StartTime: unsignedInt
    OverstayFee: ct.RationalNumberType
    OverstayFeePeriod: unsignedInt


class OverstayRuleListType(Message):
    """What staying on costs, and from which time and power it counts as staying on."""

    OverstayTimeThreshold: unsignedInt | None = None
    OverstayPowerThreshold: ct.RationalNumberType | None = None
    OverstayRule: Annotated[tuple[OverstayRuleType, ...], Occurs(1, 5)]


class AdditionalServiceType(Message):
    """A service beside the energy, and what it costs."""

    ServiceName: ct.nameType
    ServiceFee: ct.RationalNumberType


class AdditionalServiceListType(Message):
    """Services beside the energy."""

    AdditionalService: Annotated[tuple[AdditionalServiceType, ...], Occurs(1, 5)]


class AbsolutePriceScheduleType(PriceScheduleType):
    """Prices as amounts, with taxes and fees; PriceAlgorithm: URN of how they are added up."""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    Currency: currencyType
    Language: languageType
    PriceAlgorithm: ct.identifierType
    MinimumCost: ct.RationalNumberType | None = None
    MaximumCost: ct.RationalNumberType | None = None
    TaxRules: TaxRuleListType | None = None
    PriceRuleStacks: PriceRuleStackListType
    OverstayRules: OverstayRuleListType | None = None
    AdditionalSelectedServices: AdditionalServiceListType | None = None
