"""TransactionEvent and GetTransactionStatus (OCPP 2.1 block E), and the rows of TxCtrlr and OCPPCommCtrlr that rule them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chargepoint.events import IdToken, Limits, TransactionAnswered, TransactionTokenJudged
from chargepoint.metering import MeterValue
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Refused, Reply, answers, hears
from chargepoint.ocpp.device_model import BadValue, DeviceModel, Mutability, Variable
from chargepoint.ocpp.outbox import Delivered, Enqueue, QueueAsked
from chargepoint.ocpp.outbox_queue import Thin
from chargepoint.ocpp.resumption_rows import RESUMES_ENERGY, RESUMPTION_SPREAD, RESUMPTION_TIMEOUT
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from chargepoint.transaction_points import DATA_SIGNED, START_POINTS, STOP_POINTS
from chargepoint.transaction_state import TransactionReport

UNSIGNED_START_POINTS = tuple(name for name in START_POINTS if name != DATA_SIGNED)

TX_START_POINT = Variable(
    "TxCtrlr",
    "TxStartPoint",
    "MemberList",
    "PowerPathClosed",
    "A transaction starts with the first of these that becomes true.",
    mutability=Mutability.READ_WRITE,
    values=UNSIGNED_START_POINTS,
    source="OCPP 2.1 E01",
)
TX_STOP_POINT = Variable(
    "TxCtrlr",
    "TxStopPoint",
    "MemberList",
    "EVConnected,Authorized",
    "A transaction ends when any of these is no longer true.",
    mutability=Mutability.READ_WRITE,
    values=tuple(STOP_POINTS),
    source="OCPP 2.1 E06",
)
MESSAGE_ATTEMPTS = Variable(
    "OCPPCommCtrlr",
    "MessageAttempts",
    "integer",
    "5",
    "How often a TransactionEvent is sent that the CSMS refuses or does not answer; then it is set aside.",
    instance="TransactionEvent",
    mutability=Mutability.READ_WRITE,
    min=1,
    max=1000,
    key16="TransactionMessageAttempts",
    source="OCPP 2.1 E13",
)
MESSAGE_ATTEMPT_INTERVAL = Variable(
    "OCPPCommCtrlr",
    "MessageAttemptInterval",
    "integer",
    "10",
    "The wait before a TransactionEvent is sent again, times the number of times that it has been sent.",
    instance="TransactionEvent",
    mutability=Mutability.READ_WRITE,
    unit="s",
    min=0,
    max=86_400,
    key16="TransactionMessageRetryInterval",
    source="OCPP 2.1 E13",
)
SUPPORTED_LIMITS = Variable(
    "TxCtrlr",
    "SupportedLimits",
    "MemberList",
    "maxCost,maxEnergy,maxTime,maxSoC",
    "What can bound a transaction; costs are those that the CSMS has told, a state of charge what the vehicle has.",
    values=("maxCost", "maxEnergy", "maxTime", "maxSoC"),
    constant=True,
    source="OCPP 2.1 E16",
)
QUEUE_ALL_MESSAGES = Variable(
    "OCPPCommCtrlr",
    "QueueAllMessages",
    "boolean",
    "false",
    "Whether messages that belong to no transaction are kept, too, while the CSMS cannot be reached.",
    mutability=Mutability.READ_WRITE,
    source="OCPP 2.1 part 2, 2.1.11 [K]",
)


class TransactionRows:
    """The rows as the transaction machine and the outbox ask for them (`TransactionSettings`, `DeliverySettings`)."""

    def __init__(self, model: DeviceModel) -> None:
        self.model = model

    def start_points(self) -> tuple[str, ...]:
        """TxCtrlr.TxStartPoint."""
        return self.model.members(TX_START_POINT)

    def stop_points(self) -> tuple[str, ...]:
        """TxCtrlr.TxStopPoint."""
        return self.model.members(TX_STOP_POINT)

    def resumption_s(self) -> float:
        """TxCtrlr.ResumptionTimeout."""
        return float(self.model.integer(RESUMPTION_TIMEOUT))

    def resumes_energy(self) -> bool:
        """TxCtrlr.AllowEnergyTransferResumption."""
        return self.model.flag(RESUMES_ENERGY)

    def resumption_spread_s(self) -> float:
        """TxCtrlr.EnergyTransferResumptionRandomRange."""
        return float(self.model.integer(RESUMPTION_SPREAD))

    def attempts(self) -> int:
        """MessageAttempts[TransactionEvent]."""
        return max(self.model.integer(MESSAGE_ATTEMPTS), 1)

    def interval_s(self) -> float:
        """MessageAttemptInterval[TransactionEvent]."""
        return float(self.model.integer(MESSAGE_ATTEMPT_INTERVAL))

    def queue_all(self) -> bool:
        """QueueAllMessages."""
        return self.model.flag(QUEUE_ALL_MESSAGES)


class Transactions(Block):
    """Reports become TransactionEvents in the outbox; what the CSMS answers about a token goes round."""

    name = "transactions"
    variables: ClassVar[tuple[Variable, ...]] = (
        TX_START_POINT,
        TX_STOP_POINT,
        MESSAGE_ATTEMPTS,
        MESSAGE_ATTEMPT_INTERVAL,
        QUEUE_ALL_MESSAGES,
        RESUMPTION_TIMEOUT,
        RESUMES_ENERGY,
        RESUMPTION_SPREAD,
        SUPPORTED_LIMITS,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        context.model.guard(TX_START_POINT, _not_empty)
        context.model.guard(TX_STOP_POINT, _not_empty)

    @hears(TransactionReport)
    def report(self, now: Tick, event: TransactionReport) -> Sequence[object]:
        """Into the outbox, where its seqNo comes from."""
        thin: Thin = "never"
        if event.event_type == "Updated":
            thin = "first" if event.trigger in ("MeterValuePeriodic", "MeterValueClock") else "last"
        if event.id_token or event.trigger == "LimitSet" or event.trigger.endswith("LimitReached"):
            thin = "never"  # E12.FR.04
        payload = transaction_event(event)
        return [Enqueue("TransactionEvent", payload, self.name, event.transaction_id, event.event_type, thin)]

    @hears(Delivered)
    def delivered(self, now: Tick, event: Delivered) -> Sequence[object]:
        """The CSMS judges the token that it was told (E01.FR.12, E05), bounds the transaction, and says what it has cost (E16)."""
        if event.source != self.name:
            return []
        transaction_id = event.payload["transactionInfo"]["transactionId"]
        evse_id = next((e for e, facts in self.context.evses.items() if facts.transaction_id == transaction_id), 0)
        info, token = event.answer.get("idTokenInfo"), event.payload.get("idToken")
        limit, cost = event.answer.get("transactionLimit"), event.answer.get("totalCost")
        out: list[object] = []
        if evse_id and (limit is not None or cost is not None):
            out.append(TransactionAnswered(evse_id, transaction_id, limits_of(limit) if limit is not None else None, cost))
        if info and token:
            out.append(TransactionTokenJudged(evse_id, transaction_id, id_token_of(token), info))
        return out

    @answers("CostUpdated")
    def cost_updated(self, now: Tick, call: CallReceived) -> Reply:
        """What it has cost so far, where that bounds it (E16.FR.15). Nobody is shown it (I02.FR.03), so that the CSMS is not to believe so elsewhere."""
        transaction_id = call.payload["transactionId"]
        evse_id = next((e for e, facts in self.context.evses.items() if facts.transaction_id == transaction_id and facts.cost_bounded), 0)
        if not evse_id:
            raise Refused("NotSupported", "costs are taken for transactions that they bound")
        return Reply({}, [TransactionAnswered(evse_id, transaction_id, None, call.payload["totalCost"])])

    @answers("GetTransactionStatus")
    def status(self, now: Tick, call: CallReceived) -> Later:
        """Whether it goes on is known here, what waits in the queue there (E14)."""
        transaction_id = call.payload.get("transactionId", "")
        ongoing = any(facts.transaction_id == transaction_id for facts in self.context.evses.values())
        return Later([QueueAsked(call.message_id, transaction_id, ongoing)])


def _not_empty(value: str) -> None:
    if not value:
        raise BadValue("InvalidValue", "an empty list: there would be no transactions")


def transaction_event(report: TransactionReport) -> dict[str, Any]:
    """TransactionEventRequest, but for its seqNo."""
    info = {
        "transactionId": report.transaction_id,
        "chargingState": report.charging_state,
        "timeSpentCharging": report.charging_s,
        "stoppedReason": report.stopped_reason,
        "remoteStartId": report.remote_start_id,
        "transactionLimit": limit_type(report.limits) if report.limits else None,
    }
    payload = {
        "eventType": report.event_type,
        "timestamp": format_timestamp(report.utc),
        "triggerReason": report.trigger,
        "transactionInfo": {key: value for key, value in info.items() if value not in (None, "")},
        "offline": report.offline,
        "numberOfPhasesUsed": report.phases,
        "cableMaxCurrent": report.cable_A,
        "evse": {"id": report.evse_id, "connectorId": 1} if report.tell_evse else None,
        "idToken": id_token_type(report.id_token) if report.id_token else None,
        "meterValue": [meter_value_type(value) for value in report.meter_values] or None,
    }
    return {key: value for key, value in payload.items() if value is not None}


LIMITS = {"maxCost": "cost", "maxEnergy": "energy_Wh", "maxTime": "time_s", "maxSoC": "soc_percent"}
"""Of TransactionLimitType -> of Limits."""


def limit_type(limits: Limits) -> dict[str, Any]:
    """TransactionLimitType."""
    found = {key: getattr(limits, name) for key, name in LIMITS.items()}
    return {key: value for key, value in found.items() if value is not None}


def limits_of(value: dict[str, Any]) -> Limits:
    """The other way."""
    return Limits(**{name: value[key] for key, name in LIMITS.items() if key in value})


def meter_value_type(value: MeterValue) -> dict[str, Any]:
    """MeterValueType."""
    return {"timestamp": format_timestamp(value.utc), "sampledValue": list(value.sampled)}


def id_token_type(token: IdToken) -> dict[str, Any]:
    """IdTokenType."""
    more = [{"additionalIdToken": value, "type": kind} for value, kind in token.additional]
    return {"idToken": token.id_token, "type": token.type, **({"additionalInfo": more} if more else {})}


def id_token_of(value: dict[str, Any]) -> IdToken:
    """The other way."""
    more = tuple((each["additionalIdToken"], each["type"]) for each in value.get("additionalInfo", ()))
    return IdToken(value["idToken"], value["type"], more)
