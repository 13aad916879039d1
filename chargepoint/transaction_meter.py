"""Which readings a transaction takes, when, and for which of its events (OCPP 2.1 J02; J01 while a transaction runs)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from chargepoint.clock import WallClock
from chargepoint.facts import EvseFacts
from chargepoint.metering import ClockAlignedMoment, MeterValue, Reading, Signature, Taken, meter_value, next_in_series, read
from chargepoint.tick import Tick
from chargepoint.transaction_state import KEPT_MOST, Running, SamplingSettings

SAVE_S = 60.0
"""The last reading goes to disk this often while a transaction runs: what a power cut may lose at most. Ours."""


class TransactionMeter:
    """Functions over `Running`, by what the CSMS has set. `dc`: the EVSEs that give direct current."""

    def __init__(self, sampling: SamplingSettings, evses: Mapping[int, EvseFacts], clock: WallClock, dc: Collection[int] = ()) -> None:
        self.sampling, self.evses, self.clock, self.dc = sampling, evses, clock, dc

    def reading(self, now: Tick, evse_id: int) -> Reading | None:
        """What this EVSE's meter says; None before its first word."""
        return read(now, self.clock.utc(now), self.evses[evse_id], dc=evse_id in self.dc)

    # ---- the beginning and the end

    def begins(self, running: Running, reading: Reading | None) -> tuple[MeterValue, ...]:
        """TxStartedMeasurands, told with the first event that names the EVSE (E01.FR.09, E01.FR.17)."""
        if reading is None:
            return ()
        running.begin = Taken(reading, "Transaction.Begin")
        running.updated_from = reading
        return _some(running.begin, self.sampling.started_measurands())

    def at_end(self, running: Running) -> tuple[MeterValue, ...]:
        """TxEndedMeasurands from the beginning to the end, and the clock-aligned values among them."""
        sampled, aligned = self.sampling.ended_measurands(), self.sampling.aligned_ended_measurands()
        taken = [*([running.begin] if running.begin else []), *running.kept]
        if running.last:
            taken.append(Taken(running.last, "Transaction.End", signature=running.end_signature))
        return tuple(value for each in taken for value in _some(each, aligned if each.context == "Sample.Clock" else sampled))

    def signed(self, now: Tick, running: Running, context: str, signature: Signature) -> tuple[MeterValue, ...]:
        """A signed value that has come while the transaction runs."""
        reading = self.reading(now, running.evse_id)
        if reading is None:
            return ()
        taken = Taken(reading, context, signature=signature)
        if context == "Transaction.Begin" and running.begin:
            taken = running.begin = replace(running.begin, signature=signature)
        measurands = self.sampling.started_measurands() if context == "Transaction.Begin" else self.sampling.updated_measurands()
        return _some(taken, measurands)

    # ---- in between

    def asked(self, now: Tick, running: Running) -> tuple[MeterValue, ...]:
        """TriggerMessage wants the present values (F06)."""
        return self._updated(now, running, "Trigger")

    def _updated(self, now: Tick, running: Running, context: str) -> tuple[MeterValue, ...]:
        reading = self.reading(now, running.evse_id)
        if reading is None:
            return ()
        return _some(next_in_series(reading, context, running.updated_from), self.sampling.updated_measurands())

    def aligned(self, now: Tick, running: Running, moment: ClockAlignedMoment) -> tuple[MeterValue, ...]:
        """A boundary of the clock: its value, where it is to be told, on the dot."""
        reading = self.reading(now, running.evse_id)
        if reading is None or not running.evse_told:
            return ()
        if reading.fresh:
            reading = replace(reading, utc=moment.utc)
        taken = next_in_series(reading, "Sample.Clock", running.aligned_from)
        if moment.keep:
            _keep(running, taken)
        if not moment.tell:
            return ()
        running.aligned_from = reading
        return _some(taken, self.sampling.aligned_measurands())

    def periodic(self, now: Tick, running: Running) -> tuple[MeterValue, ...]:
        """What TxUpdatedInterval wants told now; what TxEndedInterval wants is kept. A meter that has never spoken tells nothing."""
        updated_s, kept_s = self.sampling.updated_interval_s(), self.sampling.ended_interval_s()
        reading = self.reading(now, running.evse_id) if running.evse_told else None
        if kept_s and now.mono >= running.kept_at + kept_s:
            running.kept_at = _on_the_beat(running.kept_at, kept_s, now.mono)
            if reading:
                _keep(running, next_in_series(reading, "Sample.Periodic", _last_kept(running)))
        if not updated_s or now.mono < running.updated_at + updated_s:
            return ()
        running.updated_at = _on_the_beat(running.updated_at, updated_s, now.mono)
        values = self._updated(now, running, "Sample.Periodic") if reading else ()
        running.updated_from = reading or running.updated_from
        return values

    def dues(self, running: Running) -> list[float]:
        """When the next reading is to be told, kept or written down (Tick.mono)."""
        intervals = ((running.updated_at, self.sampling.updated_interval_s()), (running.kept_at, self.sampling.ended_interval_s()))
        return [running.saved_at + SAVE_S, *(at + interval for at, interval in intervals if interval)]


def charged_s(now: Tick, running: Running) -> float:
    """How long energy has flowed."""
    return running.charging_s + (now.mono - running.charging_at if running.charging_at is not None else 0.0)


def moved(running: Running, changed_s: float) -> Running:
    """The same transaction by a clock that has been set after it began (F-3)."""

    def later(reading: Reading | None) -> Reading | None:
        return reading and replace(reading, utc=reading.utc + changed_s)

    def retaken(taken: Taken) -> Taken:
        return replace(taken, reading=replace(taken.reading, utc=taken.reading.utc + changed_s))

    return replace(
        running,
        clock_set=True,
        started_utc=running.started_utc + changed_s,
        alive_utc=running.alive_utc + changed_s,
        begin=retaken(running.begin) if running.begin else None,
        kept=[retaken(each) for each in running.kept],
        last=later(running.last),
        updated_from=later(running.updated_from),
        aligned_from=later(running.aligned_from),
    )


def _some(taken: Taken, measurands: Sequence[str]) -> tuple[MeterValue, ...]:
    value = meter_value(taken, measurands)
    return (value,) if value else ()


def _keep(running: Running, taken: Taken) -> None:
    """The first one and this one stay; where values lie thickest one goes (E06.FR.13)."""
    running.kept.append(taken)
    if len(running.kept) > KEPT_MOST:
        times = [each.reading.utc for each in running.kept]
        _, thickest = min((times[n + 1] - times[n - 1], n) for n in range(1, len(times) - 1))
        del running.kept[thickest]


def _last_kept(running: Running) -> Reading | None:
    before = running.kept[-1] if running.kept else running.begin
    return before.reading if before else None


def _on_the_beat(anchor: float, interval_s: float, mono: float) -> float:
    """The last point of the grid `anchor + n * interval` up to now: readings keep their rhythm, missed ones are not made up.

    Called when one is due, so at least one step on: `(mono - anchor) // interval` may round to 0 at the very moment.
    """
    return anchor + interval_s * max(1, int((mono - anchor) // interval_s))
