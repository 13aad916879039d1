"""Needs and limits of EV and EVSE (ISO 15118-2:2014, Annex C [K])."""

from iso15118.messages.declare import Message, unsignedInt
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgDataTypes"
QUALIFIED_ATTRIBUTES = True


class EVChargeParameterType(Message, abstract=True, element="EVChargeParameter"):
    """Needs and limits of an AC or DC EV; DepartureTime in s from now."""

    DepartureTime: unsignedInt | None = None


class AC_EVChargeParameter(EVChargeParameterType, element=True, substitutes=EVChargeParameterType):
    """What an AC EV wants, and its limits per phase."""

    EAmount: dt.PhysicalValueType
    EVMaxVoltage: dt.PhysicalValueType
    EVMaxCurrent: dt.PhysicalValueType
    EVMinCurrent: dt.PhysicalValueType


class DC_EVChargeParameter(EVChargeParameterType, element=True, substitutes=EVChargeParameterType):
    """Limits of a DC EV, and the charge in % at which it is full (FullSOC) or fast charging ends (BulkSOC)."""

    DC_EVStatus: dt.DC_EVStatusType
    EVMaximumCurrentLimit: dt.PhysicalValueType
    EVMaximumPowerLimit: dt.PhysicalValueType | None = None
    EVMaximumVoltageLimit: dt.PhysicalValueType
    EVEnergyCapacity: dt.PhysicalValueType | None = None
    EVEnergyRequest: dt.PhysicalValueType | None = None
    FullSOC: dt.percentValueType | None = None
    BulkSOC: dt.percentValueType | None = None


class EVSEChargeParameterType(Message, abstract=True, element="EVSEChargeParameter"):
    """Stands for what an AC or DC EVSE can give."""


class AC_EVSEChargeParameter(EVSEChargeParameterType, element=True, substitutes=EVSEChargeParameterType):
    """Voltage, and greatest current per phase, of an AC EVSE."""

    AC_EVSEStatus: dt.AC_EVSEStatusType
    EVSENominalVoltage: dt.PhysicalValueType
    EVSEMaxCurrent: dt.PhysicalValueType


class DC_EVSEChargeParameter(EVSEChargeParameterType, element=True, substitutes=EVSEChargeParameterType):
    """Limits of a DC EVSE."""

    DC_EVSEStatus: dt.DC_EVSEStatusType
    EVSEMaximumCurrentLimit: dt.PhysicalValueType
    EVSEMaximumPowerLimit: dt.PhysicalValueType
    EVSEMaximumVoltageLimit: dt.PhysicalValueType
    EVSEMinimumCurrentLimit: dt.PhysicalValueType
    EVSEMinimumVoltageLimit: dt.PhysicalValueType
    EVSECurrentRegulationTolerance: dt.PhysicalValueType | None = None
    EVSEPeakCurrentRipple: dt.PhysicalValueType
    EVSEEnergyToBeDelivered: dt.PhysicalValueType | None = None


class EVPowerDeliveryParameterType(Message, abstract=True, element="EVPowerDeliveryParameter"):
    """Stands for what the EV tells when power goes on or off."""


class DC_EVPowerDeliveryParameter(EVPowerDeliveryParameterType, element=True, substitutes=EVPowerDeliveryParameterType):
    """How far a DC EV is charged when power goes on or off."""

    DC_EVStatus: dt.DC_EVStatusType
    BulkChargingComplete: bool | None = None
    ChargingComplete: bool
