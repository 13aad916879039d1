"""The outbox after an outage: messages per second to a CSMS that answers at once."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.csms import EmbeddedCsms
from bench.perf.table import Row
from chargepoint import codec
from chargepoint.commands import Persist, Put
from chargepoint.config import CsmsConfig, StationConfig, Timings
from chargepoint.ocpp.outbox_queue import TABLE, as_text, key_of
from chargepoint.ocpp.outbox_queue import Row as OutboxRow
from chargepoint.runtime.main import Options, station
from chargepoint.runtime.ports.store import FILE, Database
from hal.sim.ports import SimBoard

TRANSACTIONS, UPDATES = 500, 4


def backlog() -> Persist:
    """What seven days offline leave behind, as it is on disk."""
    writes, number = [], 0
    for transaction in range(TRANSACTIONS):
        kinds = ["Started", *["Updated"] * UPDATES, "Ended"]
        for kind in kinds:
            number += 1
            payload = {
                "eventType": kind,
                "timestamp": "2026-01-01T00:00:00.000Z",
                "triggerReason": "MeterValuePeriodic",
                "transactionInfo": {"transactionId": f"t{transaction}"},
                "offline": True,
                "meterValue": [{"timestamp": "2026-01-01T00:00:00.000Z", "sampledValue": [{"value": 1000.0 + number}]}],
            }
            row = OutboxRow("TransactionEvent", as_text(payload), "transactions", f"t{transaction}", kind)
            writes.append(Put(TABLE, key_of(number), codec.dump(OutboxRow, row)))
    return Persist(tuple(writes))


async def _measure(folder: Path) -> tuple[int, float]:
    database = Database(folder / FILE)
    database.write([backlog()])
    database.close()
    total = TRANSACTIONS * (UPDATES + 2)
    async with EmbeddedCsms(validate=False) as csms:
        config = StationConfig(serial="CP1", csms=CsmsConfig(url=csms.url, security_profile=0), timings=Timings(boot_jitter_s=0.0))
        async with station(config, SimBoard.of(), folder, Options(start_reason="PowerUp")):
            await csms.wait_for("TransactionEvent", timeout_s=30.0)
            began = time.perf_counter()
            last = f"t{TRANSACTIONS - 1}"
            await csms.wait_for(
                "TransactionEvent", lambda p: p["eventType"] == "Ended" and p["transactionInfo"]["transactionId"] == last, timeout_s=120.0
            )
            seconds = time.perf_counter() - began
            if len(csms.calls_of("TransactionEvent")) != total:
                raise SystemExit(f"{len(csms.calls_of('TransactionEvent'))} of {total} messages")
            return total, seconds


def measure() -> Row:
    """The whole backlog, with its fsyncs and its validation, the CSMS in the same process."""
    with tempfile.TemporaryDirectory(prefix="chargepoint-drain-") as folder:
        total, seconds = asyncio.run(_measure(Path(folder)))
    return Row(f"outbox drain, {total} TransactionEvents after an outage", f"{total / seconds:.0f} messages/s", "at least 200 messages/s")


if __name__ == "__main__":
    print(measure())
