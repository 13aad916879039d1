"""What a charger's body says, and what a board is. Frozen values; names carry the units.

Inputs are told when something changes, and all of them once when a board starts; `MeterSample` also comes at the board's interval.
`evse_id` counts from 1; 0 is the station as a whole.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

Phases = Literal[1, 3]
"""How many phases a contactor closes."""
ConnectorKind = Literal["cType2", "sType2", "cType1", "cCCS1", "cCCS2"]
"""ConnectorEnumStringType of OCPP: c = tethered cable, s = socket."""
SignedContext = Literal["Transaction.Begin", "Transaction.End", "Sample.Periodic", "Sample.Clock", "Trigger"]
"""ReadingContextEnumType of OCPP, as far as a signed value is asked for."""


class BoardInput:
    """Something that the hardware said."""

    __slots__ = ()


# ---- the pilot and the plug


@dataclass(frozen=True, slots=True)
class PilotVoltage(BoardInput):
    """A raw board measured the control pilot: the plateaus of both halves. Without PWM there is no negative half: None.

    State F is `high_V` about -12 with `low_V` None.
    """

    evse_id: int
    high_V: float
    low_V: float | None


@dataclass(frozen=True, slots=True)
class PilotState(BoardInput):
    """A delegated board runs the pilot itself and reports the state of IEC 61851-1, debounced and with the diode checked."""

    evse_id: int
    state: Literal["A", "B", "C", "D", "E", "F"]


@dataclass(frozen=True, slots=True)
class ProximityResistance(BoardInput):
    """The resistor between PP and PE of the plug in a socket; None: open, no plug."""

    evse_id: int
    ohm: float | None


@dataclass(frozen=True, slots=True)
class LockState(BoardInput):
    """Where the lock is by its own sensor; `fault`: neither here nor there, or it did not obey."""

    evse_id: int
    locked: bool
    fault: bool


# ---- power


@dataclass(frozen=True, slots=True)
class ContactorFeedback(BoardInput):
    """The mirror contact moved. `phases`: how many are closed (0 when open)."""

    evse_id: int
    closed: bool
    phases: int


@dataclass(frozen=True, slots=True)
class ResidualCurrentTrip(BoardInput):
    """The residual-current device tripped; the hardware has opened by itself. `dc` is the 6 mA detection of IEC 62955."""

    evse_id: int
    kind: Literal["ac", "dc"]


@dataclass(frozen=True, slots=True)
class ResidualCurrentReset(BoardInput):
    """The residual-current device is armed again, by whatever way."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class TemperatureSample(BoardInput):
    """A temperature; `place` is the board's name of its sensor ("relay", "plug", "board")."""

    evse_id: int
    place: str
    celsius: float


# ---- direct current


@dataclass(frozen=True, slots=True)
class DcSample(BoardInput):
    """The output of a DC stage: at its interval while it is on or on its way, else when it changes, and each second at least. A negative current comes from
    the vehicle.
    """

    evse_id: int
    voltage_V: float
    """Of the stage, before the contactor."""
    current_A: float
    outlet_V: float
    """Behind the contactor: what the vehicle has on the cable."""


@dataclass(frozen=True, slots=True)
class InsulationSample(BoardInput):
    """What the insulation monitor measures between the output and protective earth: its answer, and by itself when it changes much while
    there is voltage. Nothing at a start: without voltage there is no reading.
    """

    evse_id: int
    resistance_ohm: float
    """Of the worse pole."""


# ---- the meter


@dataclass(frozen=True, slots=True)
class MeterSample(BoardInput):
    """One reading. The registers never go back. Tuples are by phase, L1 first; as many as the meter measures."""

    evse_id: int
    energy_import_Wh: float
    energy_export_Wh: float | None
    power_W: float | None
    current_A: tuple[float, ...]
    voltage_V: tuple[float, ...]
    frequency_Hz: float | None = None


@dataclass(frozen=True, slots=True)
class MeterSilence(BoardInput):
    """Several readings in a row failed (F-13). The next `MeterSample` ends it."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class SignedSample(BoardInput):
    """A signed value, byte for byte as the meter gave it. Fields as in OCPP 2.1 SignedMeterValueType."""

    evse_id: int
    context: SignedContext
    transaction_id: str
    signed_meter_data: str
    """Base64 of the meter's record."""
    encoding_method: str
    """"OCMF", "EDL", ..."""
    signing_method: str = ""
    public_key: str = ""
    """Base64, with the prefix that OCPP asks for (oca:base16:asn1: and the like) where the meter's kind knows one."""


# ---- people


@dataclass(frozen=True, slots=True)
class TokenPresented(BoardInput):
    """A card or tag at a reader. `type` is an IdTokenEnumStringType of OCPP (ISO14443, ISO15693, KeyCode, ...)."""

    id_token: str
    type: str = "ISO14443"
    evse_ids: tuple[int, ...] = ()
    """The EVSEs that this reader serves; none = all."""
    reader: str = ""


@dataclass(frozen=True, slots=True)
class ButtonPressed(BoardInput):
    """A button at the box."""

    button: str
    long: bool = False
    evse_id: int = 0


# ---- the board itself


@dataclass(frozen=True, slots=True)
class BoardFault(BoardInput):
    """The board says that something is wrong, or no longer. `code`: a name of `chargepoint.faults`, an MREC name, or its own word."""

    evse_id: int
    code: str
    text: str
    present: bool


@dataclass(frozen=True, slots=True)
class BoardSilence(BoardInput):
    """The board stopped answering (True), or is back (False). What it said before no longer counts while it is silent."""

    silent: bool


@dataclass(frozen=True, slots=True)
class BoardRestarted(BoardInput):
    """The controller started anew by itself; every input follows once more."""

    text: str = ""


# ---- what a board is


class Shape(enum.Enum):
    """Who runs the control pilot."""

    RAW = "raw"
    """We do: `PilotVoltage` comes, and closing is ours."""
    DELEGATED = "delegated"
    """A controller does: `PilotState` comes, and with PWM on it closes by itself as soon as the EV asks."""


@dataclass(frozen=True, slots=True)
class Opens:
    """The hardware opens by itself so long after the last permit."""

    within_s: float


@dataclass(frozen=True, slots=True)
class FallsBack:
    """A running charge goes on with this current."""

    current_A: float


@dataclass(frozen=True, slots=True)
class GoesOn:
    """A running charge goes on as it is, for ever."""


OnSilence = Opens | FallsBack | GoesOn
"""What a board does when the station falls silent: the process hangs, is killed, or the line is cut."""

SILENCE_NAMES: dict[type, Literal["opens", "falls_back", "goes_on"]] = {Opens: "opens", FallsBack: "falls_back", GoesOn: "goes_on"}
"""How the configuration (`accept_on_silence`) names them; the strongest first."""


class PhaseWiring(enum.Enum):
    """How a board switches between one and three phases."""

    NONE = "none"
    SERIAL = "serial"
    """A second contactor for L2 and L3 behind the first: second before first on closing, first before second on opening."""
    SIMULTANEOUS = "simultaneous"
    """Two contactors, driven together for three phases."""
    MUTUAL = "mutual"
    """One contactor for one phase, another for three: exactly one of them."""


@dataclass(frozen=True, slots=True)
class DcRatings:
    """What a DC stage can."""

    max_voltage_V: float = 1000.0
    min_voltage_V: float = 150.0
    max_current_A: float = 200.0
    max_power_W: float = 60_000.0
    max_discharge_A: float = 0.0
    """From the vehicle; 0: one way only."""
    max_discharge_W: float = 0.0
    ramp_A_per_s: float = 200.0
    """How fast the current follows a new order; off is at least as fast (IEC 61851-23 [K])."""


@dataclass(frozen=True, slots=True)
class EvseInfo:
    """One EVSE of a board: ratings and what is fitted."""

    evse_id: int = 1
    max_current_A: float = 32.0
    min_current_A: float = 6.0
    phases: Phases = 3
    connector: ConnectorKind = "cType2"
    closes_by_itself: bool = False
    """Delegated: PWM on hands the closing over. Hold X1 until everything else that closing needs is there."""
    contactor_feedback: bool = True
    """`ContactorFeedback` comes from a mirror contact or the like."""
    has_meter: bool = True
    signs: bool = False
    has_lock: bool = False
    residual_current: bool = True
    phase_wiring: PhaseWiring = PhaseWiring.NONE
    duty_spacing_s: float = 0.0
    """The board itself keeps this time between two changes of the PWM; 0: it changes at once, the spacing is the station's work."""
    dc: DcRatings | None = None
    """A DC stage with an insulation monitor; the contactor is then the one of its output."""

    @property
    def switches_phases(self) -> bool:
        """It can close one or three phases."""
        return self.phase_wiring is not PhaseWiring.NONE


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What a board is. Known after `Board.start`; before it, as far as the options say."""

    driver: str
    shape: Shape
    on_silence: OnSilence
    evses: tuple[EvseInfo, ...]
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""

    def evse(self, evse_id: int) -> EvseInfo:
        """The traits of one EVSE; KeyError when the board has none of this id."""
        for evse in self.evses:
            if evse.evse_id == evse_id:
                return evse
        raise KeyError(f"{self.driver}: no EVSE {evse_id}; there are {[e.evse_id for e in self.evses]}")

    @property
    def silence_name(self) -> Literal["opens", "falls_back", "goes_on"]:
        """`on_silence` as the configuration names it."""
        return SILENCE_NAMES[type(self.on_silence)]

    @property
    def closes_by_itself(self) -> bool:
        """Whether its controller closes by itself (all EVSEs of a board are of one shape)."""
        return self.shape is Shape.DELEGATED


@dataclass(frozen=True, slots=True)
class Indication:
    """What the person at the box is shown: `key` of the texts for drivers ("charging", "fault", ...), with its values."""

    key: str
    values: tuple[tuple[str, str], ...] = ()
