"""Needs, power schedules and the EV's power profile (ISO 15118-20:2022, schema CommonMessages [K]).

Power in W, energy in Wh, Duration in s, TimeAnchor in seconds since 1970 (UTC).
"""

from typing import Annotated, Literal

from iso15118.messages.declare import Message, Occurs, OneOf, Range, unsignedInt, unsignedLong
from iso15118.messages.iso20 import common_prices as pr
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


maxSupportingPointsScheduleTupleType = Annotated[int, Range(12, 1024)]
"""How many entries of a schedule the EV can take."""

powerToleranceAcceptanceType = Literal["PowerToleranceNotConfirmed", "PowerToleranceConfirmed"]
"""Whether the EV will keep within the PowerTolerance of the schedule."""


class EVPowerScheduleEntryType(Message):
    """Power that the EV offers to discharge with for a while."""

    Duration: unsignedInt
    Power: ct.RationalNumberType


class EVPowerScheduleEntryListType(Message):
    """Entries one after the other."""

    EVPowerScheduleEntry: Annotated[tuple[EVPowerScheduleEntryType, ...], Occurs(1, 1024)]


class EVPowerScheduleType(Message):
    """Discharge power that the EV offers over time."""

    TimeAnchor: unsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryListType


class EVEnergyOfferType(Message):
    """Energy that the EV would give back, and its price."""

    EVPowerSchedule: EVPowerScheduleType
    EVAbsolutePriceSchedule: pr.EVAbsolutePriceScheduleType


class Scheduled_SEReqControlModeType(Message):
    """The EV will choose from schedules; DepartureTime in s from now."""

    DepartureTime: unsignedInt | None = None
    EVTargetEnergyRequest: ct.RationalNumberType | None = None
    EVMaximumEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumEnergyRequest: ct.RationalNumberType | None = None
    EVEnergyOffer: EVEnergyOfferType | None = None


class Dynamic_SEReqControlModeType(Message):
    """The EV leaves the power to the EVSE; DepartureTime in s from now, states of charge in %."""

    DepartureTime: unsignedInt
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    EVTargetEnergyRequest: ct.RationalNumberType
    EVMaximumEnergyRequest: ct.RationalNumberType
    EVMinimumEnergyRequest: ct.RationalNumberType
    EVMaximumV2XEnergyRequest: ct.RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: ct.RationalNumberType | None = None


class PowerScheduleEntryType(Message):
    """Power for a while; L2 and L3 apart where the phases differ."""

    Duration: unsignedInt
    Power: ct.RationalNumberType
    Power_L2: ct.RationalNumberType | None = None
    Power_L3: ct.RationalNumberType | None = None


class PowerScheduleEntryListType(Message):
    """Entries one after the other."""

    PowerScheduleEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 1024)]


class PowerScheduleType(Message):
    """Greatest power over time; PowerTolerance: how far the EV may stay below its profile."""

    TimeAnchor: unsignedLong
    AvailableEnergy: ct.RationalNumberType | None = None
    PowerTolerance: ct.RationalNumberType | None = None
    PowerScheduleEntries: PowerScheduleEntryListType


class ChargingScheduleType(Message):
    """Power schedule with its prices; which direction, the place says where it stands."""

    PowerSchedule: PowerScheduleType
    AbsolutePriceSchedule: Annotated[pr.AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[pr.PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class ScheduleTupleType(Message):
    """What the EV chooses as one: charging, and discharging where both ways are possible."""

    ScheduleTupleID: ct.numericIDType
    ChargingSchedule: ChargingScheduleType
    DischargingSchedule: ChargingScheduleType | None = None


class Scheduled_SEResControlModeType(Message):
    """Schedules to choose from."""

    ScheduleTuple: Annotated[tuple[ScheduleTupleType, ...], Occurs(1, 3)]


class Dynamic_SEResControlModeType(Message):
    """Targets that the EVSE will steer for, and the prices; DepartureTime in s from now."""

    DepartureTime: unsignedInt | None = None
    MinimumSOC: ct.percentValueType | None = None
    TargetSOC: ct.percentValueType | None = None
    AbsolutePriceSchedule: Annotated[pr.AbsolutePriceScheduleType, OneOf("choice1", optional=True)] | None = None
    PriceLevelSchedule: Annotated[pr.PriceLevelScheduleType, OneOf("choice1", optional=True)] | None = None


class EVPowerProfileEntryListType(Message):
    """Entries one after the other."""

    EVPowerProfileEntry: Annotated[tuple[PowerScheduleEntryType, ...], Occurs(1, 2048)]


class Scheduled_EVPPTControlModeType(Message):
    """Which schedule the profile is drawn from."""

    SelectedScheduleTupleID: ct.numericIDType
    PowerToleranceAcceptance: powerToleranceAcceptanceType | None = None


class Dynamic_EVPPTControlModeType(Message):
    """Empty: there is no schedule to name."""


class EVPowerProfileType(Message):
    """Power that the EV plans to draw over time."""

    TimeAnchor: unsignedLong
    Dynamic_EVPPTControlMode: Annotated[Dynamic_EVPPTControlModeType, OneOf("choice1")] | None = None
    Scheduled_EVPPTControlMode: Annotated[Scheduled_EVPPTControlModeType, OneOf("choice1")] | None = None
    EVPowerProfileEntries: EVPowerProfileEntryListType
