"""TODO"""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, ID, Length, Message, Occurs, unsignedByte, unsignedInt, unsignedLong, unsignedShort
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


currencyType = Annotated[str, Length(0, 3)]
"""TODO"""

languageType = Annotated[str, Length(0, 3)]
"""TODO"""


class EVPriceRuleType(Message):
    """TODO"""

    EnergyFee: ct.RationalNumberType
    PowerRangeStart: ct.RationalNumberType


class EVPriceRuleStackType(Message):
    """TODO"""

    Duration: unsignedInt
    EVPriceRule: Annotated[tuple[EVPriceRuleType, ...], Occurs(1, 8)]


class EVPriceRuleStackListType(Message):
    """TODO"""

    EVPriceRuleStack: Annotated[tuple[EVPriceRuleStackType, ...], Occurs(1, 1024)]


class EVAbsolutePriceScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    Currency: currencyType
    PriceAlgorithm: ct.identifierType
    EVPriceRuleStacks: EVPriceRuleStackListType


class PriceScheduleType(Message, abstract=True):
    """TODO"""

    TimeAnchor: unsignedLong
    PriceScheduleID: ct.numericIDType
    PriceScheduleDescription: ct.descriptionType | None = None


class PriceLevelScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    PriceLevel: unsignedByte


class PriceLevelScheduleEntryListType(Message):
    """TODO"""

    PriceLevelScheduleEntry: Annotated[tuple[PriceLevelScheduleEntryType, ...], Occurs(1, 1024)]


class PriceLevelScheduleType(PriceScheduleType):
    """TODO"""

    Id: Annotated[ID, ATTRIBUTE] | None = None
    NumberOfPriceLevels: unsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryListType


class TaxRuleType(Message):
    """TODO"""

    TaxRuleID: ct.numericIDType
    TaxRuleName: ct.nameType | None = None
    TaxRate: ct.RationalNumberType
    TaxIncludedInPrice: bool | None = None
    AppliesToEnergyFee: bool
    AppliesToParkingFee: bool
    AppliesToOverstayFee: bool
    AppliesMinimumMaximumCost: bool


class TaxRuleListType(Message):
    """TODO"""

    TaxRule: Annotated[tuple[TaxRuleType, ...], Occurs(1, 10)]


class PriceRuleType(Message):
    """TODO"""

    EnergyFee: ct.RationalNumberType
    ParkingFee: ct.RationalNumberType | None = None
    ParkingFeePeriod: unsignedInt | None = None
    CarbonDioxideEmission: unsignedShort | None = None
    RenewableGenerationPercentage: unsignedByte | None = None
    PowerRangeStart: ct.RationalNumberType


class PriceRuleStackType(Message):
    """TODO"""

    Duration: unsignedInt
    PriceRule: Annotated[tuple[PriceRuleType, ...], Occurs(1, 8)]


class PriceRuleStackListType(Message):
    """TODO"""

    PriceRuleStack: Annotated[tuple[PriceRuleStackType, ...], Occurs(1, 1024)]


class OverstayRuleType(Message):
    """TODO"""

    OverstayRuleDescription: ct.descriptionType | None = None
    StartTime: unsignedInt
    OverstayFee: ct.RationalNumberType
    OverstayFeePeriod: unsignedInt


class OverstayRuleListType(Message):
    """TODO"""

    OverstayTimeThreshold: unsignedInt | None = None
    OverstayPowerThreshold: ct.RationalNumberType | None = None
    OverstayRule: Annotated[tuple[OverstayRuleType, ...], Occurs(1, 5)]


class AdditionalServiceType(Message):
    """TODO"""

    ServiceName: ct.nameType
    ServiceFee: ct.RationalNumberType


class AdditionalServiceListType(Message):
    """TODO"""

    AdditionalService: Annotated[tuple[AdditionalServiceType, ...], Occurs(1, 5)]


class AbsolutePriceScheduleType(PriceScheduleType):
    """TODO"""

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
