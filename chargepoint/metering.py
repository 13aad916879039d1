"""What a meter said at one moment, and the sampled values that OCPP makes of it (OCPP 2.1 block J, MeasurandEnumType)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chargepoint.events import Event
from chargepoint.facts import EvseFacts, Vehicle
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

FRESH_S = 10.0
"""A reading older than this is no longer what flows now: only its registers count (F-13: frozen, not zero). Ours."""
SOC_FRESH_S = 60.0
"""A state of charge that the vehicle showed longer ago is not told: it moves by some per cent in this time (ours)."""
FLOWING_A = 0.5
"""From this current on a phase counts as used (ours)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One EVSE's meter at one moment, and what the EVSE offered then."""

    utc: float
    """When it was measured: POSIX seconds by the station's clock."""
    import_Wh: float
    export_Wh: float = 0.0
    power_W: float | None = None
    current_A: tuple[float, ...] = ()
    voltage_V: tuple[float, ...] = ()
    frequency_Hz: float | None = None
    offered_A: float = 0.0
    fresh: bool = True
    """False: the meter has been silent since, so currents and power are not known."""
    dc: bool = False
    """Voltage and current are those of a DC output, and of no phase."""
    offered_W: float = 0.0
    """0: only a current is offered."""
    soc: int | None = None
    """State of charge in per cent, as the vehicle shows it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signing meter gave, byte for byte (`signedMeterData` in base64)."""

    data: str
    encoding: str
    method: str = ""
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading that was taken for a purpose: `context` is a ReadingContextEnumType."""

    reading: Reading
    context: str
    import_before_Wh: float | None = None
    """The register at the reading before in the same series; None at the first."""
    export_before_Wh: float | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class MeterValue:
    """MeterValueType: sampled values (SampledValueType in the wire's spelling) of one moment."""

    utc: float
    sampled: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ClockAlignedMoment(Event):
    """A boundary of the clock-aligned interval while a transaction runs: tell the CSMS, keep a value for the end, or both."""

    evse_id: int
    utc: float
    tell: bool
    keep: bool


def read(now: Tick, utc: float, facts: EvseFacts, *, dc: bool = False) -> Reading | None:
    """The last reading of this EVSE, `dc`: of a DC output; None before the first. `utc` is the present moment."""
    sample = facts.meter
    if sample is None:
        return None
    age_s = max(now.mono - facts.meter_mono, 0.0)
    fresh = age_s <= FRESH_S
    return Reading(
        utc=utc if fresh else utc - age_s,
        import_Wh=sample.energy_import_Wh,
        export_Wh=sample.energy_export_Wh or 0.0,
        power_W=sample.power_W,
        current_A=tuple(sample.current_A or ()),
        voltage_V=tuple(sample.voltage_V or ()),
        frequency_Hz=sample.frequency_Hz,
        offered_A=facts.limit_A,
        fresh=fresh,
        dc=dc,
        offered_W=facts.limit_W * facts.part,
        soc=_soc(now, facts.vehicle),
    )


def _soc(now: Tick, vehicle: Vehicle | None) -> int | None:
    known = vehicle is not None and now.mono - vehicle.battery_mono <= SOC_FRESH_S
    return vehicle.battery.soc if vehicle is not None and known else None


def next_in_series(reading: Reading, context: str, before: Reading | None) -> Taken:
    """This reading with what `Energy.Active.*.Interval` needs of the one before."""
    if before is None:
        return Taken(reading, context)
    return Taken(reading, context, before.import_Wh, before.export_Wh)


def phases_used(reading: Reading | None) -> int | None:
    """On how many phases current flows; None when none does, nobody knows, or it is direct current.

    >>> phases_used(Reading(0.0, 0.0, current_A=(15.9, 0.1, 0.0)))
    1
    """
    if reading is None or not reading.fresh or reading.dc:
        return None
    return sum(1 for a in reading.current_A if abs(a) >= FLOWING_A) or None


# ---- measurands: name -> unit and the values of a reading, each with its phase ("" for all together)

Values = Iterable[tuple[float | None, str]]


@dataclass(frozen=True, slots=True)
class Measurand:
    """How one measurand is read."""

    unit: str
    digits: int
    values: Callable[[Taken], Values]
    register: bool = False
    """Still true when the meter has fallen silent."""
    location: str = ""
    """LocationEnumType; "" is the outlet."""


def _import_interval(taken: Taken) -> Values:
    before = taken.import_before_Wh
    return () if before is None else ((taken.reading.import_Wh - before, ""),)


def _export_interval(taken: Taken) -> Values:
    before = taken.export_before_Wh
    return () if before is None else ((taken.reading.export_Wh - before, ""),)


def _offered_W(taken: Taken) -> Values:
    reading = taken.reading
    if reading.offered_W > 0:
        return ((reading.offered_W, ""),)
    return ((reading.offered_A * sum(reading.voltage_V), ""),) if reading.voltage_V else ()


def _power(taken: Taken, sign: int) -> Values:
    """What flows to the vehicle (1), or back (-1)."""
    power_W = taken.reading.power_W
    return () if power_W is None else ((max(0.0, sign * power_W), ""),)


def _current(taken: Taken, sign: int) -> Values:
    return ((max(0.0, sign * amps), phase) for amps, phase in _by_phase(taken.reading.current_A, "" if taken.reading.dc else "L{}"))


def _voltage(taken: Taken) -> Values:
    return _by_phase(taken.reading.voltage_V, "" if taken.reading.dc else "L{}-N")


def _by_phase(values: Sequence[float], label: str) -> Iterable[tuple[float, str]]:
    """Without a label there is one value, and no phase."""
    return ((value, label.format(number)) for number, value in enumerate(values if label else values[:1], 1))


MEASURANDS: dict[str, Measurand] = {
    "Energy.Active.Import.Register": Measurand("Wh", 1, lambda t: ((t.reading.import_Wh, ""),), register=True),
    "Energy.Active.Import.Interval": Measurand("Wh", 1, _import_interval, register=True),
    "Energy.Active.Export.Register": Measurand("Wh", 1, lambda t: ((t.reading.export_Wh, ""),), register=True),
    "Energy.Active.Export.Interval": Measurand("Wh", 1, _export_interval, register=True),
    "Power.Active.Import": Measurand("W", 1, lambda t: _power(t, 1)),
    "Power.Active.Export": Measurand("W", 1, lambda t: _power(t, -1)),
    "Current.Import": Measurand("A", 2, lambda t: _current(t, 1)),
    "Current.Export": Measurand("A", 2, lambda t: _current(t, -1)),
    "Voltage": Measurand("V", 1, _voltage),
    "Frequency": Measurand("Hz", 2, lambda t: ((t.reading.frequency_Hz, ""),)),
    "Current.Offered": Measurand("A", 1, lambda t: ((t.reading.offered_A, ""),)),
    "Power.Offered": Measurand("W", 0, _offered_W),
    "SoC": Measurand("Percent", 0, lambda t: ((t.reading.soc, ""),), location="EV"),
}
"""What a station with an energy meter can say. SoC comes from a vehicle that talks (ISO 15118), and that shows it."""


def meter_value(taken: Taken, measurands: Sequence[str]) -> MeterValue | None:
    """The sampled values of these measurands at that moment; None when there is not one."""
    sampled = [value for name in measurands if (row := MEASURANDS.get(name)) for value in _sampled(taken, name, row)]
    if taken.signature is not None and sampled:
        sampled[0] = {**sampled[0], "signedMeterValue": _signed(taken.signature)}
    return MeterValue(taken.reading.utc, tuple(sampled)) if sampled else None


def _sampled(taken: Taken, name: str, row: Measurand) -> Iterable[dict[str, Any]]:
    if not taken.reading.fresh and not row.register:
        return
    for value, phase in row.values(taken):
        if value is None:
            continue
        sampled = {
            "value": round(float(value), row.digits),
            "context": taken.context,
            "measurand": name,
            "unitOfMeasure": {"unit": row.unit},
            "phase": phase,
            "location": row.location,
        }
        yield {key: value for key, value in sampled.items() if value != ""}


def _signed(signature: Signature) -> dict[str, Any]:
    optional = {"signingMethod": signature.method, "publicKey": signature.public_key}
    return {"signedMeterData": signature.data, "encodingMethod": signature.encoding, **{k: v for k, v in optional.items() if v}}
