"""The variables that a station has to have, as TC_B_53 lists them: those of every station, and of the blocks that this one has."""

from __future__ import annotations

from dataclasses import dataclass

AVAILABILITY = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "DataSigned", "PowerPathClosed", "EnergyTransfer")
SOURCES = ("Heartbeat", "NTP", "GPS", "RealTimeClock", "MobileNetwork", "RadioTimeTransmitter")
PROTOCOLS = ("FTP", "FTPS", "HTTP", "HTTPS", "SFTP")
RO, RW, EITHER = "ReadOnly", "ReadWrite", "ReadOnly|ReadWrite"


@dataclass(frozen=True, slots=True)
class Row:
    """A required variable."""

    component: str
    variable: str
    mutability: str
    type: str
    instance: str = ""
    units: tuple[str, ...] = ("",)
    values: tuple[str, ...] = ()
    positive: bool = False
    """Its maxLimit is more than 0."""


SECONDS = ("s",)
CORE = (
    Row("AlignedDataCtrlr", "Interval", RW, "integer", units=SECONDS),
    Row("AlignedDataCtrlr", "Measurands", RW, "MemberList"),
    Row("AlignedDataCtrlr", "TxEndedInterval", RW, "integer", units=SECONDS),
    Row("AlignedDataCtrlr", "TxEndedMeasurands", RW, "MemberList"),
    Row("AuthCtrlr", "AuthorizeRemoteStart", EITHER, "boolean"),
    Row("AuthCtrlr", "LocalAuthorizeOffline", RW, "boolean"),
    Row("AuthCtrlr", "LocalPreAuthorize", RW, "boolean"),
    *(Row(component, "AvailabilityState", RO, "OptionList", values=AVAILABILITY) for component in ("ChargingStation", "EVSE", "Connector")),
    *(Row(component, "Available", RO, "boolean") for component in ("ChargingStation", "EVSE", "Connector")),
    *(Row(component, "SupplyPhases", RO, "integer") for component in ("ChargingStation", "EVSE", "Connector")),
    Row("ClockCtrlr", "DateTime", RO, "dateTime"),
    Row("ClockCtrlr", "TimeSource", RW, "SequenceList", values=SOURCES),
    Row("Connector", "ConnectorType", RO, "string"),
    *(
        Row("DeviceDataCtrlr", name, RO, "integer", of)
        for name in ("BytesPerMessage", "ItemsPerMessage")
        for of in ("GetReport", "GetVariables", "SetVariables")
    ),
    Row("EVSE", "Power", RO, "decimal", units=("W", "kW"), positive=True),
    Row("OCPPCommCtrlr", "FileTransferProtocols", RO, "MemberList", values=PROTOCOLS),
    Row("OCPPCommCtrlr", "MessageTimeout", RO, "integer", "Default", SECONDS),
    Row("OCPPCommCtrlr", "MessageAttemptInterval", RW, "integer", "TransactionEvent", SECONDS),
    Row("OCPPCommCtrlr", "MessageAttempts", RW, "integer", "TransactionEvent"),
    Row("OCPPCommCtrlr", "NetworkConfigurationPriority", RW, "SequenceList", values=("1", "2", "3", "4", "5")),
    Row("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", RW, "integer"),
    Row("OCPPCommCtrlr", "OfflineThreshold", RW, "integer", units=SECONDS),
    Row("OCPPCommCtrlr", "ResetRetries", RW, "integer"),
    Row("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", EITHER, "boolean"),
    Row("SampledDataCtrlr", "TxEndedInterval", RW, "integer", units=SECONDS),
    Row("SampledDataCtrlr", "TxEndedMeasurands", RW, "MemberList"),
    Row("SampledDataCtrlr", "TxStartedMeasurands", RW, "MemberList"),
    Row("SampledDataCtrlr", "TxUpdatedInterval", RW, "integer", units=SECONDS),
    Row("SampledDataCtrlr", "TxUpdatedMeasurands", RW, "MemberList"),
    Row("SecurityCtrlr", "CertificateEntries", RO, "integer", positive=True),
    Row("SecurityCtrlr", "OrganizationName", RW, "string"),
    Row("SecurityCtrlr", "SecurityProfile", RO, "integer"),
    Row("TxCtrlr", "EVConnectionTimeOut", RW, "integer", units=SECONDS),
    Row("TxCtrlr", "StopTxOnEVSideDisconnect", EITHER, "boolean"),
    Row("TxCtrlr", "StopTxOnInvalidId", RW, "boolean"),
    Row("TxCtrlr", "TxStartPoint", EITHER, "MemberList", values=POINTS),
    Row("TxCtrlr", "TxStopPoint", EITHER, "MemberList", values=POINTS),
)
LOCAL_LIST = (
    Row("LocalAuthListCtrlr", "BytesPerMessage", RO, "integer", units=("", "B")),
    Row("LocalAuthListCtrlr", "Entries", RO, "integer", positive=True),
    Row("LocalAuthListCtrlr", "ItemsPerMessage", RO, "integer"),
)
