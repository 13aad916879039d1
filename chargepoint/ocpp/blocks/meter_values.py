"""Sampled and clock-aligned meter values (OCPP 2.1 block J): their rows, and MeterValues while there is no transaction.

While a transaction runs, the transaction machine tells its values in TransactionEvents; here is when a boundary of the clock is reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any, ClassVar, Literal

from chargepoint.events import MessageTriggered, PoweredUp, TimerExpired, TimeSet
from chargepoint.metering import MEASURANDS, ClockAlignedMoment, MeterValue, Reading, meter_value, next_in_series, read
from chargepoint.ocpp.block import Block, Context, hears
from chargepoint.ocpp.device_model import DeviceModel, Mutability, Variable, VariableChanged
from chargepoint.ocpp.messages import Call
from chargepoint.ocpp.outbox import Enqueue
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from hal.types import MeterSample
from iso15118.frozen import dataclass

CLOCK_STEP_S = 1.0
"""The board's clock has been set when it and the monotonic one have come apart by so much; the next boundary is then another one. Ours."""
LONGEST_INTERVAL_S = 86_400
MEASURAND_NAMES = tuple(MEASURANDS)


def _measurands(component: Literal["SampledDataCtrlr", "AlignedDataCtrlr"], name: str, default: str, doc: str, key16: str = "") -> Variable:
    return Variable(
        component,
        name,
        "MemberList",
        default,
        doc,
        mutability=Mutability.READ_WRITE,
        values=MEASURAND_NAMES,
        key16=key16,
        source="OCPP 2.1 J01, J02",
    )


def _interval(component: str, name: str, default: str, doc: str, key16: str = "") -> Variable:
    return Variable(
        component,
        name,
        "integer",
        default,
        doc,
        mutability=Mutability.READ_WRITE,
        unit="s",
        min=0,
        max=LONGEST_INTERVAL_S,
        key16=key16,
        source="OCPP 2.1 J01, J02",
    )


def _flag(component: str, name: str, default: str, doc: str, mutability: Mutability = Mutability.READ_WRITE) -> Variable:
    return Variable(component, name, "boolean", default, doc, mutability=mutability, source="OCPP 2.1 J01, J02")


IMPORT = "Energy.Active.Import.Register"
SAMPLED_AVAILABLE = _flag("SampledDataCtrlr", "Available", "true", "There are sampled meter values.", Mutability.READ_ONLY)
SAMPLED_ENABLED = _flag("SampledDataCtrlr", "Enabled", "true", "Whether sampled meter values are told.")
TX_STARTED_MEASURANDS = _measurands("SampledDataCtrlr", "TxStartedMeasurands", IMPORT, "What Started tells.")
TX_UPDATED_MEASURANDS = _measurands(
    "SampledDataCtrlr",
    "TxUpdatedMeasurands",
    f"{IMPORT},Power.Active.Import,Current.Import,Voltage",
    "What is told at each TxUpdatedInterval.",
    "MeterValuesSampledData",
)
TX_UPDATED_INTERVAL = _interval(
    "SampledDataCtrlr", "TxUpdatedInterval", "120", "How often an Updated tells meter values; 0 = never.", "MeterValueSampleInterval"
)
TX_ENDED_MEASURANDS = _measurands("SampledDataCtrlr", "TxEndedMeasurands", IMPORT, "What Ended tells.", "StopTxnSampledData")
TX_ENDED_INTERVAL = _interval(
    "SampledDataCtrlr", "TxEndedInterval", "0", "How often a value is kept for Ended, beside the first and the last one; 0 = never."
)
REGISTERS_WITHOUT_PHASES = _flag(
    "SampledDataCtrlr", "RegisterValuesWithoutPhases", "true", "Energy registers are told as totals, never per phase.", Mutability.READ_ONLY
)
ALIGNED_AVAILABLE = _flag("AlignedDataCtrlr", "Available", "true", "There are clock-aligned meter values.", Mutability.READ_ONLY)
ALIGNED_ENABLED = _flag("AlignedDataCtrlr", "Enabled", "true", "Whether clock-aligned meter values are told.")
ALIGNED_MEASURANDS = _measurands(
    "AlignedDataCtrlr", "Measurands", IMPORT, "What is told at each boundary of Interval.", "MeterValuesAlignedData"
)
ALIGNED_INTERVAL = _interval(
    "AlignedDataCtrlr", "Interval", "900", "Distance of the boundaries, counted from midnight UTC; 0 = none.", "ClockAlignedDataInterval"
)
ALIGNED_TX_ENDED_MEASURANDS = _measurands(
    "AlignedDataCtrlr", "TxEndedMeasurands", IMPORT, "What Ended tells of clock-aligned values.", "StopTxnAlignedData"
)
ALIGNED_TX_ENDED_INTERVAL = _interval("AlignedDataCtrlr", "TxEndedInterval", "0", "Distance of the boundaries that Ended tells; 0 = none.")
SEND_DURING_IDLE = _flag(
    "AlignedDataCtrlr", "SendDuringIdle", "false", "true: no clock-aligned values while any transaction runs (the name says the opposite)."
)


class SamplingRows:
    """The rows as the transaction machine asks for them (`SamplingSettings`)."""

    def __init__(self, model: DeviceModel) -> None:
        self.model = model

    def started_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxStartedMeasurands."""
        return self._if_sampled(self.model.members(TX_STARTED_MEASURANDS))

    def updated_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxUpdatedMeasurands."""
        return self._if_sampled(self.model.members(TX_UPDATED_MEASURANDS))

    def updated_interval_s(self) -> float:
        """SampledDataCtrlr.TxUpdatedInterval."""
        return float(self.model.integer(TX_UPDATED_INTERVAL)) if self.model.flag(SAMPLED_ENABLED) else 0.0

    def ended_measurands(self) -> tuple[str, ...]:
        """SampledDataCtrlr.TxEndedMeasurands."""
        return self._if_sampled(self.model.members(TX_ENDED_MEASURANDS))

    def ended_interval_s(self) -> float:
        """SampledDataCtrlr.TxEndedInterval."""
        return float(self.model.integer(TX_ENDED_INTERVAL)) if self.model.flag(SAMPLED_ENABLED) else 0.0

    def aligned_measurands(self) -> tuple[str, ...]:
        """AlignedDataCtrlr.Measurands."""
        return self.model.members(ALIGNED_MEASURANDS)

    def aligned_ended_measurands(self) -> tuple[str, ...]:
        """AlignedDataCtrlr.TxEndedMeasurands."""
        return self.model.members(ALIGNED_TX_ENDED_MEASURANDS)

    def signs(self) -> bool:
        """No row for it yet: signed readings come with the boards that sign."""
        return False

    def _if_sampled(self, measurands: tuple[str, ...]) -> tuple[str, ...]:
        return measurands if self.model.flag(SAMPLED_ENABLED) else ()


@dataclass(slots=True)
class MeterState:
    """What the block remembers: the next boundary, by both clocks, and the readings before."""

    boundary_utc: float | None = None
    due_mono: float | None = None
    apart_s: float = 0.0
    """The station's clock less the monotonic one when the boundary was set."""
    before: dict[int, Reading] = field(default_factory=dict)


class MeterValues(Block):
    """Tells clock-aligned values on the dot, and any when the CSMS asks for them."""

    name = "meter_values"
    variables: ClassVar[tuple[Variable, ...]] = (
        SAMPLED_AVAILABLE,
        SAMPLED_ENABLED,
        TX_STARTED_MEASURANDS,
        TX_UPDATED_MEASURANDS,
        TX_UPDATED_INTERVAL,
        TX_ENDED_MEASURANDS,
        TX_ENDED_INTERVAL,
        REGISTERS_WITHOUT_PHASES,
        ALIGNED_AVAILABLE,
        ALIGNED_ENABLED,
        ALIGNED_MEASURANDS,
        ALIGNED_INTERVAL,
        ALIGNED_TX_ENDED_MEASURANDS,
        ALIGNED_TX_ENDED_INTERVAL,
        SEND_DURING_IDLE,
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: MeterState = MeterState()
        self._dc = frozenset(evse.id for evse in context.config.evses if evse.mode == "dc")

    def deadline(self) -> float | None:
        """The next boundary."""
        return self.state.due_mono

    # ---- when

    @hears(PoweredUp, TimeSet)
    def clock(self, now: Tick, event: PoweredUp | TimeSet) -> Sequence[object]:
        """Time begins, or is another one."""
        return self._set(now)

    @hears(VariableChanged)
    def changed(self, now: Tick, event: VariableChanged) -> Sequence[object]:
        """Another grid."""
        grid = (ALIGNED_INTERVAL, ALIGNED_TX_ENDED_INTERVAL, ALIGNED_ENABLED)
        return self._set(now) if any(event.concerns(row) for row in grid) else ()

    @hears(MeterSample)
    def measured(self, now: Tick, event: MeterSample) -> Sequence[object]:
        """The meter beats once a second: a good moment to see whether somebody has set the board's clock (F-3)."""
        if self.state.due_mono is not None and abs(self._apart(now) - self.state.apart_s) > CLOCK_STEP_S:
            return self._set(now)
        return ()

    @hears(TimerExpired)
    def boundary(self, now: Tick, event: TimerExpired) -> Sequence[object]:
        """A boundary is reached."""
        utc, due = self.state.boundary_utc, self.state.due_mono
        if utc is None or due is None or now.mono < due:
            return ()
        late = now.mono - due > CLOCK_STEP_S  # a process that slept tells nothing for moments that it did not see
        out = () if late else self._reached(now, utc)
        self._set(now, after=utc)
        return out

    def _set(self, now: Tick, after: float | None = None) -> Sequence[object]:
        utc = max(self.context.clock.utc(now), after if after is not None else -math.inf)
        following = [_following(utc, interval) for interval in (self._told_s(), self._kept_s()) if interval]
        self.state.boundary_utc = min(following, default=None)
        self.state.apart_s = self._apart(now)
        self.state.due_mono = None if self.state.boundary_utc is None else self.state.boundary_utc - self.state.apart_s
        return ()

    def _apart(self, now: Tick) -> float:
        return self.context.clock.utc(now) - now.mono

    def _told_s(self) -> int:
        return self.context.model.integer(ALIGNED_INTERVAL) if self.context.model.flag(ALIGNED_ENABLED) else 0

    def _kept_s(self) -> int:
        return self.context.model.integer(ALIGNED_TX_ENDED_INTERVAL) if self.context.model.flag(ALIGNED_ENABLED) else 0

    # ---- what

    def _reached(self, now: Tick, utc: float) -> Sequence[object]:
        tell, keep = _on_grid(utc, self._told_s()), _on_grid(utc, self._kept_s())
        busy = any(facts.transaction_id for facts in self.context.evses.values())
        if busy and self.context.model.flag(SEND_DURING_IDLE):
            tell = False
        out: list[object] = []
        for evse_id, facts in self.context.evses.items():
            if facts.transaction_id:
                out.append(ClockAlignedMoment(evse_id, utc, tell, keep))
            elif tell:
                out += [
                    Enqueue("MeterValues", payload, self.name, thin="first", offline="by_setting")
                    for payload in self._payloads(now, evse_id, "Sample.Clock", utc)
                ]
        return out

    def _payloads(self, now: Tick, evse_id: int, context: str, utc: float | None = None) -> Sequence[dict[str, Any]]:
        reading = read(now, self.context.clock.utc(now), self.context.evses[evse_id], dc=evse_id in self._dc)
        if reading is None:
            return ()
        if utc is not None:
            reading = replace(reading, utc=utc) if reading.fresh else reading
        taken = next_in_series(reading, context, self.state.before.get(evse_id))
        if context == "Sample.Clock":
            self.state.before[evse_id] = reading
        value = meter_value(taken, self.context.model.members(ALIGNED_MEASURANDS))
        return () if value is None else ({"evseId": evse_id, "meterValue": [_wire(value)]},)

    @hears(MessageTriggered)
    def triggered(self, now: Tick, event: MessageTriggered) -> Sequence[object]:
        """TriggerMessage(MeterValues): what AlignedDataCtrlr.Measurands lists, now (F06.FR.06)."""
        if event.requested != "MeterValues":
            return ()
        evse_ids = [event.evse_id] if event.evse_id else list(self.context.evses)
        payloads = [payload for evse_id in evse_ids if evse_id in self.context.evses for payload in self._payloads(now, evse_id, "Trigger")]
        return [Call("MeterValues", payload, f"{self.name}:{payload['evseId']}") for payload in payloads]


def _wire(value: MeterValue) -> dict[str, Any]:
    return {"timestamp": format_timestamp(value.utc), "sampledValue": list(value.sampled)}


def _following(utc: float, interval_s: int) -> float:
    """The next boundary after this moment. Boundaries are counted from midnight, so that a day with a remainder begins anew.

    >>> _following(86_399.0, 7000), _following(0.0, 900)
    (86400.0, 900.0)
    """
    midnight = utc // 86_400 * 86_400
    steps = (utc - midnight) // interval_s + 1
    return min(midnight + steps * interval_s, midnight + 86_400.0)


def _on_grid(utc: float, interval_s: int) -> bool:
    return bool(interval_s) and (utc % 86_400) % interval_s == 0
