"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import Message, Occurs, OneOf, Range, unsignedInt, unsignedLong
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


maxSupportingPointsScheduleTupleType = Annotated[int, Range(12, 1024)]
"""TODO"""

powerToleranceAcceptanceType = Literal["PowerToleranceNotConfirmed", "PowerToleranceConfirmed"]
"""TODO"""


class EVPowerScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    Power: ct.RationalNumberType


class EVPowerScheduleEntryListType(Message):
    """TODO"""

    EVPowerScheduleEntry: Annotated[tuple[EVPowerScheduleEntryType, ...], Occurs(1, 1024)]


class EVPowerScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryListType


class EVEnergyOfferType(Message):
    """TODO"""

    EVPowerSchedule: EVPowerScheduleType
    EVAbsolutePriceSchedule: pr.EVAbsolutePriceScheduleType


class Scheduled_SEReqControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    EVTargetEnergyRequest: ct.RationalNumberType | None = None
    EVMaximumEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumEnergyRequest: ct.RationalNumberType | None = None
    EVEnergyOffer: EVEnergyOfferType | None = None


class Dynamic_SEReqControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    EVTargetEnergyRequest: ct.RationalNumberType
    EVMaximumEnergyRequest: ct.RationalNumberType
    EVMinimumEnergyRequest: ct.RationalNumberType
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None


class PowerScheduleEntryType(Message):
    """TODO"""

    Duration: unsignedInt
    Power: ct.RationalNumberType
    Power_L2: ct.RationalNumberType | None = None
    Power_L3: ct.RationalNumberType | None = None


class PowerScheduleEntryListType(Message):
    """TODO"""

    PowerScheduleEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 1024)]


class PowerScheduleType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    AvailableEnergy: ct.RationalNumberType | None = None
    PowerTolerance: ct.RationalNumberType | None = None
    PowerScheduleEntries: PowerScheduleEntryListType


class ChargingScheduleType(Message):
    """TODO"""

    PowerSchedule: PowerScheduleType
    AbsolutePriceSchedule: Annotated[pr.AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[pr.PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class ScheduleTupleType(Message):
    """TODO"""

    ScheduleTupleID: ct.numericIDType
    ChargingSchedule: ChargingScheduleType
    DischargingSchedule: ChargingScheduleType | None = None


class Scheduled_SEResControlModeType(Message):
    """TODO"""

    ScheduleTuple: Annotated[tuple[ScheduleTupleType, ...], Occurs(1, 3)]


class Dynamic_SEResControlModeType(Message):
    """TODO"""

    DepartureTime: unsignedInt | None = None
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    AbsolutePriceSchedule: Annotated[pr.AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[pr.PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class EVPowerProfileEntryListType(Message):
    """TODO"""

    EVPowerProfileEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 2048)]


class Scheduled_EVPPTControlModeType(Message):
    """TODO"""

    SelectedScheduleTupleID: ct.numericIDType
    PowerToleranceAcceptance: powerToleranceAcceptanceType | None = None


class Dynamic_EVPPTControlModeType(Message):
    """TODO"""


class EVPowerProfileType(Message):
    """TODO"""

    TimeAnchor: unsignedLong
    Dynamic_EVPPTControlMode: Annotated[Dynamic_EVPPTControlModeType, OneOf("choice1")] | None = None
    Scheduled_EVPPTControlMode: Annotated[Scheduled_EVPPTControlModeType, OneOf("choice1")] | None = None
    EVPowerProfileEntries: EVPowerProfileEntryListType
