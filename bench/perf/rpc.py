"""The OCPP message row: ours beside PyPI `ocpp` with validation, in one run; `python -m bench.perf.rpc [--json]`.

Both build (or read) the same TransactionEvent of about 1 KB. Ratios of one run count; the figures themselves are the machine's.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from chargepoint.ocpp import framing, schemas, wire
from chargepoint.ocpp.dialects import IMPLEMENTED
from chargepoint.ocpp.schema_walk import Violation

ROUNDS, REPEAT = 15, 200
DIALECT = IMPLEMENTED["ocpp2.1"]
SAMPLES = (
    ("Energy.Active.Import.Register", 18231.5, "Wh", None),
    ("Power.Active.Import", 11040.0, "W", None),
    ("Current.Import", 16.0, "A", "L1"),
    ("Current.Import", 15.9, "A", "L2"),
    ("Current.Import", 16.1, "A", "L3"),
    ("Voltage", 230.4, "V", "L1-N"),
)


def transaction_event() -> dict[str, Any]:
    """TransactionEvent Updated with six sampled values, built anew as a block would."""
    values = [
        {
            "value": value,
            "context": "Sample.Periodic",
            "measurand": measurand,
            "location": "Outlet",
            **({"phase": phase} if phase else {}),
            "unitOfMeasure": {"unit": unit},
        }
        for measurand, value, unit, phase in SAMPLES
    ]
    return {
        "eventType": "Updated",
        "timestamp": wire.format_timestamp(1795521600.25),
        "triggerReason": "MeterValuePeriodic",
        "seqNo": 17,
        "transactionInfo": {"transactionId": "0c4d2b4f-8a4e-4ad4-9d0a-0f2a36a3b7de", "chargingState": "Charging"},
        "meterValue": [{"timestamp": wire.format_timestamp(1795521600.25), "sampledValue": values}],
    }


def ours_out() -> object:
    """Build, validate, encode."""
    text = framing.call_text(DIALECT, "8a4e4ad49d0a0f2a-17", "TransactionEvent", transaction_event())
    if isinstance(text, Violation):
        raise SystemExit(text.description)
    return text


def ours_in(text: str) -> object:
    """Decode with all limits, validate with timestamps."""
    frame = wire.parse(text)
    if not isinstance(frame, wire.CallFrame) or schemas.check(DIALECT.schema_set, "TransactionEventRequest", frame.payload, received=True):
        raise SystemExit("not read")
    return frame.payload


def theirs() -> tuple[Callable[[], object], Callable[[str], object]]:
    """The same two ways by PyPI `ocpp`: its dataclasses, case conversion and jsonschema validation, in the calling thread."""
    from ocpp.charge_point import camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
    from ocpp.messages import Call, _validate_payload, unpack
    from ocpp.v21 import call, datatypes

    def out() -> object:
        values = [
            datatypes.SampledValueType(
                value=value,
                context="Sample.Periodic",
                measurand=measurand,
                location="Outlet",
                phase=phase,
                unit_of_measure=datatypes.UnitOfMeasureType(unit=unit),
            )
            for measurand, value, unit, phase in SAMPLES
        ]
        request = call.TransactionEvent(
            event_type="Updated",
            timestamp="2026-11-24T12:00:00.250Z",
            trigger_reason="MeterValuePeriodic",
            seq_no=17,
            transaction_info=datatypes.TransactionType(transaction_id="0c4d2b4f-8a4e-4ad4-9d0a-0f2a36a3b7de", charging_state="Charging"),
            meter_value=[datatypes.MeterValueType(timestamp="2026-11-24T12:00:00.250Z", sampled_value=values)],
        )
        payload = remove_nones(snake_to_camel_case(serialize_as_dict(request)))
        message = Call(unique_id="8a4e4ad4-17", action="TransactionEvent", payload=payload)
        _validate_payload(message, "2.1")
        return message.to_json()

    def into(text: str) -> object:
        message = unpack(text)
        _validate_payload(message, "2.1")
        return camel_to_snake_case(message.payload)

    return out, into


def best_us(work: Callable[[], object], repeat: int = REPEAT) -> float:
    """Microseconds for one, the best of some rounds."""
    work()
    gc.disable()
    try:
        best = float("inf")
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in range(repeat):
                work()
            best = min(best, time.perf_counter() - start)
    finally:
        gc.enable()
    return best / repeat * 1e6


def measure() -> list[dict[str, Any]]:
    """One row for each way and validator."""
    out, into = theirs()
    text = str(ours_out())
    peer_out, peer_in = best_us(out, REPEAT // 10), best_us(lambda: into(text), REPEAT // 10)
    rows = []
    for package, compile_schema in schemas.COMPILERS.items():
        fits = compile_schema(schemas.load(DIALECT.schema_set, "TransactionEventRequest"))
        with _Validator(fits):
            ours = best_us(ours_out), best_us(lambda: ours_in(text))
        for what, peer, own in (("build + validate + encode", peer_out, ours[0]), ("decode + validate", peer_in, ours[1])):
            rows.append(
                {
                    "what": f"TransactionEvent {len(text)} B, {what}",
                    "validator": package,
                    "ocpp_us": round(peer, 1),
                    "ours_us": round(own, 1),
                    "times": round(peer / own, 1),
                    "reach": 10,
                }
            )
    return rows


class _Validator:
    """For one measurement, this compiled schema instead of the installed validator's."""

    def __init__(self, fits: schemas.Fits) -> None:
        self.fits = fits

    def __enter__(self) -> None:
        self.before: Any = schemas._fits  # noqa: SLF001 no seam for a validator but this one
        schemas._fits = lambda schema_set, name: self.fits  # type: ignore[assignment] # noqa: SLF001 the same

    def __exit__(self, *_: object) -> None:
        schemas._fits = self.before  # noqa: SLF001 the same


def main(arguments: list[str]) -> int:
    """Print the rows."""
    rows = measure()
    if "--json" in arguments:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print(
            f"{row['what']:<52} {row['validator']:<15} ocpp {row['ocpp_us']:>7} us  ours {row['ours_us']:>6} us  {row['times']:>5} x (reach {row['reach']} x)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
