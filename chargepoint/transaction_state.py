"""What the transaction machine remembers, what it asks to be told, and what it tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import field
from typing import Literal, Protocol

from chargepoint.events import AuthorisationEnded, ChargingState, Event, IdToken, Limits
from chargepoint.metering import MeterValue, Reading, Signature, Taken
from chargepoint.transaction_points import Conditions
from iso15118.frozen import dataclass

KEPT_MOST = 48
"""Readings kept for the Ended event of one transaction; when it is full every second one goes (E06.FR.12 lets intermediate data go). Ours."""
FAULT_REASONS = {
    "ResidualCurrentTrip": "GroundFault",
    "GroundFailure": "GroundFault",
    "OverCurrent": "OvercurrentFault",
    "EmergencyStop": "EmergencyStop",
    "OverVoltage": "PowerQuality",
    "UnderVoltage": "PowerQuality",
    "PowerLoss": "PowerLoss",
}
"""Fault code -> ReasonEnumType; every other fault is Other."""
FAULTS = frozenset({*FAULT_REASONS.values(), "Other"})


class TransactionSettings(Protocol):
    """What the CSMS has set about transactions (TxCtrlr)."""

    def start_points(self) -> Collection[str]:
        """TxCtrlr.TxStartPoint."""

    def stop_points(self) -> Collection[str]:
        """TxCtrlr.TxStopPoint."""

    def resumption_s(self) -> float:
        """TxCtrlr.ResumptionTimeout; 0: what a restart interrupts has ended."""

    def resumes_energy(self) -> bool:
        """TxCtrlr.AllowEnergyTransferResumption."""

    def resumption_spread_s(self) -> float:
        """TxCtrlr.EnergyTransferResumptionRandomRange; 0: energy flows again at once."""


class SamplingSettings(Protocol):
    """What the CSMS has set about meter values in transactions. An interval of 0 means none."""

    def started_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxStartedMeasurands."""

    def updated_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxUpdatedMeasurands."""

    def updated_interval_s(self) -> float:
        """SampledDataCtrlr.TxUpdatedInterval."""

    def ended_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxEndedMeasurands."""

    def ended_interval_s(self) -> float:
        """SampledDataCtrlr.TxEndedInterval."""

    def aligned_measurands(self) -> tuple[str, ...]:
        """AlignedDataCtrlr.Measurands."""

    def aligned_ended_measurands(self) -> tuple[str, ...]:
        """AlignedDataCtrlr.TxEndedMeasurands."""

    def signs(self) -> bool:
        """SampledDataCtrlr.SignReadings."""


@dataclass(frozen=True, slots=True)
class TransactionReport(Event):
    """What a TransactionEvent says, but for its seqNo. Empty texts and None are left out on the wire."""

    evse_id: int
    transaction_id: str
    event_type: Literal["Started", "Updated", "Ended"]
    trigger: str
    """TriggerReasonEnumType."""
    utc: float
    offline: bool = False
    """It happened while the CSMS could not be told."""
    tell_evse: bool = False
    """The first event since the EV is connected (E01.FR.16)."""
    charging_state: str = ""
    id_token: IdToken | None = None
    remote_start_id: int | None = None
    stopped_reason: str = ""
    """ReasonEnumType."""
    charging_s: int | None = None
    """How long energy has flowed in this transaction (timeSpentCharging)."""
    phases: int | None = None
    cable_A: int | None = None
    meter_values: tuple[MeterValue, ...] = ()
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class TransactionVoid(Event):
    """Its Started could not be stored, so there never was such a transaction: nothing of it may be sent."""

    transaction_id: str


RESTARTS = frozenset({"ImmediateReset", "Reboot"})
"""Reasons for which a transaction ends whatever its TxStopPoint: nobody will be there to see that (B12.FR.03)."""
OPENING_S = 3.2
"""The end of a transaction waits so long for its contactor: the longest ramp-down of a DC output, and the opening. One that does not open is another
fault, and must not keep the end from being told before the process ends (F-18)."""
LETTING_GO_S = OPENING_S + 6.0
"""The same where the vehicle may let go by itself first (IEC 61851-1)."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something changes: what the TransactionEvent will say about it."""

    trigger: str
    reason: str = ""
    id_token: IdToken | None = None
    fresh: bool = False
    """A new permission or wish: what holds already may start a transaction, too."""
    told: bool = True
    """A running transaction tells it."""
    deauthorises: bool = False
    ends: bool = False
    """The transaction ends whatever TxStopPoint says: the station is about to restart."""
    opens_within_s: float = 0.0
    """The contactor has been ordered open for it: the end is told when it is, or after so long; 0: at once."""
    utc: float | None = None
    """When it happened, where that was not now."""
    limits: Limits | None = None
    """Told with it."""


def ending(event: AuthorisationEnded) -> Cause:
    """What the end of an authorisation says of a transaction."""
    restarts = event.reason in RESTARTS
    within_s = (OPENING_S if event.at_once else LETTING_GO_S) if restarts else 0.0
    token = event.id_token if event.trigger == "StopAuthorized" else None
    return Cause(event.trigger, event.reason, token, deauthorises=True, ends=restarts, opens_within_s=within_s)


@dataclass(slots=True)
class Running:
    """A transaction that goes on. What is on disk is this, in table `transactions`; times `_at` are Tick.mono and of this run only."""

    transaction_id: str
    evse_id: int
    started_utc: float
    durable: bool = False
    evse_told: bool = False
    state_told: str = ""
    begin: Taken | None = None
    kept: list[Taken] = field(default_factory=list)
    """For the Ended event, beside `begin` and the last reading."""
    last: Reading | None = None
    alive_utc: float = 0.0
    """The last moment that is on disk: when the power goes, the transaction ended then."""
    charging_s: float = 0.0
    charging_at: float | None = None
    updated_at: float = 0.0
    updated_from: Reading | None = None
    kept_at: float = 0.0
    aligned_from: Reading | None = None
    saved_at: float = 0.0
    reason: str = ""
    """What began the end that is still to come (ReasonEnumType); the first reason counts."""
    clock_set: bool = True
    """False: its times come from a clock that nobody had set."""
    begin_signed: bool = False
    """The signed value of its beginning has been told."""
    end_signature: Signature | None = None
    closing: Cause | None = None
    """It ends as soon as its contactor is open, or has had its time to (F-18)."""
    closing_by: float = 0.0
    owner: IdToken | None = None
    """Whose it is."""
    group: str = ""
    """Of the owner."""
    authorised: bool = False
    """The owner's authorisation stands."""
    refused: bool = False
    """The CSMS has refused the owner's token in it."""
    leaf: str = ""
    """The certificate of the contract that authorises the owner, by `certificate_key`: a hash, and nothing else of it."""
    age_s: float = 0.0
    """Since its start, interruptions included, when it was written down; by no clock that anybody sets."""
    age_at: float = 0.0
    """Tick.mono when it was that old."""
    no_energy: bool = False
    """A restart has interrupted it, and no energy is to flow in it any more."""
    had_energy: bool = False
    """What interrupts it has found its vehicle at it: whether energy may flow again is TxCtrlr.AllowEnergyTransferResumption."""
    reset: bool = False
    """A reset that leaves it open interrupts it: it goes on however long that takes."""
    alive_board_s: float = 0.0
    """The same by the board's own clock, as it was (POSIX seconds): how long an interruption took is told by that one alone."""
    resume_by: float | None = None
    """A restart has interrupted it: until then its EV has to show itself."""
    alive_synced: bool = False
    """`alive_utc` is time that the CSMS has told."""
    interrupted_utc: float | None = None
    """When this restart interrupted it, as long as the CSMS has not told what time it is since."""
    again_at: float = 0.0
    """Tick.mono of that restart."""
    resumed_by: float | None = None
    """It goes on, and the CSMS hears so with the first state of charging, then at the latest."""
    delayed: bool = False
    """A restart has taken the energy off, which is to flow again a while later (E17.FR.18)."""
    energy_from: float | None = None
    """When it may."""
    bay_occupied: bool = False
    """When it was written down."""
    csms_limits: Limits = field(default_factory=Limits)
    driver_limits: Limits = field(default_factory=Limits)
    cost: float | None = None
    """So far, as the CSMS has said."""
    limit_hit: str = ""
    """The bound that has been reached (TriggerReasonEnumType)."""
    limit_told_by: float | None = None
    """It is told with the next state of charging, then at the latest."""
    time_up_at: float | None = None
    soc_percent: int | None = None
    """The last one that its vehicle has shown."""


def why_without_energy(running: Running | None, state: str) -> str:
    """ReasonEnumType of a transaction that ends with its energy (TxStopPoint EnergyTransfer); "" where this state of charging says nothing of it."""
    if state == ChargingState.SUSPENDED_EV.value:
        return "StoppedByEV"
    return "DeAuthorized" if state == ChargingState.SUSPENDED_EVSE.value and running is not None and running.refused else ""


@dataclass(slots=True)
class Spot:
    """One EVSE as transactions see it."""

    conditions: Conditions = field(default_factory=Conditions)
    charging_state: str = "Idle"
    powered: bool = False
    """A session has power: the contactor is closed for it, and its supply is POWER."""
    id_token: IdToken | None = None
    """Presented, and not yet told."""
    owner: IdToken | None = None
    """Who was authorised here last."""
    group: str = ""
    """Of the owner."""
    leaf: str = ""
    """The certificate of the contract that authorised the owner, as in `Running`."""
    remote_start_id: int | None = None
    """Not yet told."""
    cable_A: int | None = None
    cable_told: bool = False
    next_id: str = ""
    """Id of the transaction that the meter is asked to sign before it starts (DataSigned)."""
    running: Running | None = None


@dataclass(slots=True)
class TransactionState:
    """All that the transaction machine remembers."""

    spots: dict[int, Spot] = field(default_factory=dict)
    end_on_unplug: bool = True
    """TxCtrlr.StopTxOnEVSideDisconnect, as AuthorisationRules says it."""
    forget: tuple[str, ...] = ()
    """Ended transactions whose row could not be removed (F-2): done with the next write that works."""
    unsaved: bool = False
    """A row could not be written (F-2)."""
    interrupted: str = "PowerLoss"
    """Why what does not go on after a restart ended (ReasonEnumType)."""
