"""Every fault of an EVSE as a table: what it does to charging, how long it stays, and how OCPP calls it.

The names of the second column are the Minimum Required Error Codes (ChargeX consortium, MREC 1 to 26); OCPP 2.x carries them as
`techCode`/statusInfo, OCPP 1.6 as vendorErrorCode beside its own ChargePointErrorCode.
"""

from __future__ import annotations

import enum

from iso15118.frozen import dataclass


class Reaction(enum.Enum):
    """What happens to the supply while the fault stands."""

    OPEN = "open"
    """The contactor opens at once."""
    STOP = "stop"
    """The PWM goes away, the EV gets its time to stop by itself, then the contactor opens."""
    GO_ON = "go on"
    """Told, nothing else."""


class Until(enum.Enum):
    """What ends the fault."""

    OVER = "over"
    """Its cause is gone."""
    UNPLUGGED = "unplugged"
    """Its cause is gone and the EV has been unplugged."""
    ACKNOWLEDGED = "acknowledged"
    """A person at the box has looked (`FaultAcknowledged`); stays over a restart (table `faults`)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: `component` and `variable` of OCPP 2.x, `error_code` of OCPP 1.6."""

    code: str
    mrec: str
    reaction: Reaction
    until: Until
    component: str
    error_code: str
    text: str
    variable: str = "Problem"
    state_f: bool = False
    """Whether the pilot goes to F (not available) instead of X1. F hides the EV, so only where no EV may hope (F-14)."""


_O, _S, _G = Reaction.OPEN, Reaction.STOP, Reaction.GO_ON
_OVER, _UNPLUG, _ACK = Until.OVER, Until.UNPLUGGED, Until.ACKNOWLEDGED

CONTACTOR_WELDED = "ContactorWelded"
CONTACTOR_STUCK_OPEN = "ContactorFailedToClose"
CONTACTOR_DROPPED = "ContactorDropped"
CURRENT_WHILE_OPEN = "CurrentWhileOpen"
RESIDUAL_CURRENT = "ResidualCurrentTrip"
OVER_CURRENT = "OverCurrent"
DIODE = "DiodeFault"
PILOT = "PilotFault"
PROXIMITY = "ProximityFault"
LOCK = "ConnectorLockFailure"
OVER_TEMPERATURE = "OverTemperature"
METER_SILENT = "MeterSilent"
METER_SILENT_STOPS = "MeterSilentStops"
BOARD_SILENT = "BoardSilent"
OTHER = "OtherError"
NO_VEHICLE_LINK, NO_VEHICLE_LINK_DC = "NoVehicleLink", "NoVehicleLinkDc"
VEHICLE_SILENT, SESSION_FAILED = "VehicleDoesNotTalk", "VehicleSessionFailed"
CABLE_CHECK = "CableCheckFailure"
INSULATION = "InsulationFault"
EV_CONTACTOR = "EVContactorFault"
DC_STAGE = "PowerStageFault"
DC_OVER = "OutputOutOfControl"
DC_SILENT = "PowerStageSilent"
OUTLET_LIVE = "OutletLive"

# fmt: off
FAULTS: dict[str, Fault] = {
    row.code: row
    for row in (
        # What this station finds by itself.
        Fault(CONTACTOR_WELDED, "MREC17EVSEContactorFault", _O, _ACK, "PowerContactor", "PowerSwitchFailure", "contactor closed though it was told to open", state_f=True),
        Fault(CURRENT_WHILE_OPEN, "MREC17EVSEContactorFault", _O, _ACK, "PowerContactor", "PowerSwitchFailure", "current flows though the contactor says open", state_f=True),
        Fault(CONTACTOR_STUCK_OPEN, "MREC17EVSEContactorFault", _O, _UNPLUG, "PowerContactor", "PowerSwitchFailure", "contactor did not close"),
        Fault(CONTACTOR_DROPPED, "MREC17EVSEContactorFault", _O, _UNPLUG, "PowerContactor", "PowerSwitchFailure", "contactor keeps opening by itself"),
        Fault(RESIDUAL_CURRENT, "MREC2GroundFailure", _O, _ACK, "RCD", "GroundFailure", "residual current device tripped", variable="Tripped"),
        Fault(OVER_CURRENT, "MREC4OverCurrentFailure", _O, _UNPLUG, "OverCurrentProtection", "OverCurrentFailure", "the EV draws more than it is offered", variable="Tripped"),
        Fault(DIODE, "MREC14PilotFault", _O, _UNPLUG, "CPPWMController", "EVCommunicationError", "no diode in the EV's pilot circuit"),
        Fault(PILOT, "MREC14PilotFault", _O, _OVER, "CPPWMController", "EVCommunicationError", "the pilot shows no valid state"),
        Fault(PROXIMITY, "MREC23ProximityFault", _O, _OVER, "Connector", "OtherError", "the cable's coding is out of range"),
        Fault(LOCK, "MREC1ConnectorLockFailure", _O, _UNPLUG, "ConnectorPlugRetentionLock", "ConnectorLockFailure", "the plug could not be locked or released"),
        Fault(OVER_TEMPERATURE, "MREC3HighTemperature", _S, _OVER, "TemperatureSensor", "HighTemperature", "too hot"),
        Fault(METER_SILENT, "", _G, _OVER, "FiscalMetering", "PowerMeterFailure", "the meter does not answer"),
        Fault(METER_SILENT_STOPS, "", _S, _OVER, "FiscalMetering", "PowerMeterFailure", "the meter does not answer, and nothing is sold unmeasured"),
        Fault(BOARD_SILENT, "", _O, _OVER, "Controller", "InternalError", "the board does not answer"),
        # ISO 15118 and DC.
        Fault(NO_VEHICLE_LINK, "", _G, _OVER, "ISO15118Ctrlr", "EVCommunicationError", "the network interface to the vehicle is not ready"),
        Fault(NO_VEHICLE_LINK_DC, "", _S, _OVER, "ISO15118Ctrlr", "EVCommunicationError", "the network interface to the vehicle is not ready, and DC needs it"),
        Fault(VEHICLE_SILENT, "", _G, _OVER, "ConnectedEV", "EVCommunicationError", "the vehicle does not talk"),
        Fault(SESSION_FAILED, "", _G, _OVER, "ConnectedEV", "EVCommunicationError", "the sessions with the vehicle failed"),
        Fault(INSULATION, "MREC2GroundFailure", _O, _UNPLUG, "ElectricalFeed", "GroundFailure", "too little insulation of the DC output"),
        Fault(DC_STAGE, "", _O, _UNPLUG, "ElectricalFeed", "InternalError", "the DC stage does not do what it is ordered"),
        Fault(DC_SILENT, "", _O, _OVER, "ElectricalFeed", "InternalError", "the DC stage says nothing"),
        Fault(DC_OVER, "MREC5OverVoltage", _O, _UNPLUG, "ElectricalFeed", "OverVoltage", "the DC output has more than was ordered"),
        Fault(OUTLET_LIVE, "MREC24ConnectorVoltageHigh", _O, _ACK, "Connector", "OverVoltage", "voltage at an outlet that is open", state_f=True),
        # What boards report of themselves, by their MREC names.
        Fault("EmergencyStop", "MREC8EmergencyStop", _O, _OVER, "EmergencyStopSensor", "OtherError", "emergency stop pressed", variable="Active"),
        Fault("GroundFailure", "MREC2GroundFailure", _O, _OVER, "RCD", "GroundFailure", "earth fault or no protective earth"),
        Fault("OverVoltage", "MREC5OverVoltage", _S, _OVER, "ElectricalFeed", "OverVoltage", "the supply's voltage is too high"),
        Fault("UnderVoltage", "MREC6UnderVoltage", _S, _OVER, "ElectricalFeed", "UnderVoltage", "the supply's voltage is too low"),
        Fault("WeakSignal", "MREC7WeakSignal", _G, _OVER, "Controller", "WeakSignal", "weak radio signal"),
        Fault("AuthorizationTimeout", "MREC9AuthorizationTimeout", _G, _OVER, "TokenReader", "OtherError", "no authorisation in time"),
        Fault("InvalidVehicleMode", "MREC10InvalidVehicleMode", _S, _OVER, "ConnectedEV", "EVCommunicationError", "the vehicle is in no mode to charge"),
        Fault("CableCheckFailure", "MREC11CableCheckFault", _O, _UNPLUG, "Connector", "OtherError", "cable check failed"),
        Fault("PreChargeFailure", "MREC12PreChargeFailure", _O, _UNPLUG, "Connector", "OtherError", "pre-charge failed"),
        Fault("NoInternet", "MREC13NoInternet", _G, _OVER, "Controller", "OtherError", "no internet"),
        Fault("PowerLoss", "MREC15PowerLoss", _O, _OVER, "ElectricalFeed", "OtherError", "the supply is away"),
        Fault("EVContactorFault", "MREC16EVContactorFault", _O, _UNPLUG, "ConnectedEV", "EVCommunicationError", "a contactor in the EV failed"),
        Fault("CableOverTempDerate", "MREC18CableOverTempDerate", _G, _OVER, "TemperatureSensor", "HighTemperature", "the cable is warm: less current"),
        Fault("CableOverTempStop", "MREC19CableOverTempStop", _O, _OVER, "TemperatureSensor", "HighTemperature", "the cable is too hot"),
        Fault("PartialInsertion", "MREC20PartialInsertion", _O, _OVER, "Connector", "OtherError", "the plug is not fully in"),
        Fault("CapacitanceFault", "MREC21CapacitanceFault", _O, _UNPLUG, "Connector", "OtherError", "capacitance out of range"),
        Fault("ResistanceFault", "MREC22ResistanceFault", _O, _UNPLUG, "Connector", "OtherError", "resistance out of range"),
        Fault("ConnectorVoltageHigh", "MREC24ConnectorVoltageHigh", _O, _OVER, "Connector", "OverVoltage", "voltage at an open connector"),
        Fault("BrokenLatch", "MREC25BrokenLatch", _O, _OVER, "Connector", "ConnectorLockFailure", "the plug's latch is broken"),
        Fault("CutCable", "MREC26CutCable", _O, _ACK, "Connector", "OtherError", "the cable is cut"),
        Fault("VentilationNotAvailable", "", _O, _OVER, "CPPWMController", "OtherError", "the EV asks for ventilation that is not there"),
        Fault("EVCommunicationError", "", _O, _OVER, "CPPWMController", "EVCommunicationError", "the EV does not follow the pilot"),
        Fault("PowerMeterFailure", "", _G, _OVER, "FiscalMetering", "PowerMeterFailure", "the meter reports a failure"),
        Fault("PowerSwitchFailure", "MREC17EVSEContactorFault", _O, _OVER, "PowerContactor", "PowerSwitchFailure", "the board reports a contactor failure"),
        Fault("ReaderFailure", "", _G, _OVER, "TokenReader", "ReaderFailure", "the card reader failed"),
        Fault("ResetFailure", "", _G, _OVER, "Controller", "ResetFailure", "a reset failed"),
        Fault("InternalError", "", _O, _OVER, "Controller", "InternalError", "internal error of the board"),
        Fault(OTHER, "", _O, _OVER, "EVSE", "OtherError", "the board reports an error that this station does not know"),
    )
}
# fmt: on

ALIASES: dict[str, str] = {
    # OCPP 1.6 names and common driver names for rows above.
    "HighTemperature": OVER_TEMPERATURE,
    "OverCurrentFailure": OVER_CURRENT,
    "ContactorWeld": CONTACTOR_WELDED,
    "RcdTrip": RESIDUAL_CURRENT,
    # The MREC names. Where several rows share one, a board that reports it means the plain one.
    **{row.mrec: row.code for row in reversed(FAULTS.values()) if row.mrec},
    "MREC17EVSEContactorFault": "PowerSwitchFailure",
    "MREC2GroundFailure": "GroundFailure",
    "MREC5OverVoltage": "OverVoltage",
    "MREC14PilotFault": PILOT,
    "MREC24ConnectorVoltageHigh": "ConnectorVoltageHigh",
}


def known(code: str) -> Fault:
    """The row for a code, an MREC name or an alias; for anything else the row OtherError, which opens (an unknown error is not harmless).

    >>> known("MREC6UnderVoltage").code, known("HighTemperature").code, known("Zorp").code
    ('UnderVoltage', 'OverTemperature', 'OtherError')
    """
    name = ALIASES.get(code, code)
    return FAULTS.get(name, FAULTS[OTHER])
