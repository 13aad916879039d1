"""`python -m bench.perf [--quick]`: every measurement of this project in one run, as a table; nothing here is asserted in tests."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from bench.perf import core, day, drain, exi, memory, pnc, reaction, rpc, slac, start, tls, v2g, v2g_cars
from bench.perf.table import Row, markdown


def messages() -> list[Row]:
    """The rows of `bench.perf.rpc`."""
    return [
        Row(f"{r['what']} ({r['validator']})", f"{r['ours_us']} µs", f"{r['reach']} x faster", f"ocpp {r['ocpp_us']} µs", f"{r['times']} x")
        for r in rpc.measure()
    ]


def main(arguments: list[str]) -> int:
    """Rows come as they are measured; the table at the end. `--quick` charges for one minute instead of ten."""
    minutes = 1.0 if "--quick" in arguments else memory.MINUTES
    measurements: tuple[Callable[[], Iterable[Row]], ...] = (
        messages,
        lambda: exi.measure(quick="--quick" in arguments),
        lambda: [start.measure()],
        lambda: [reaction.measure(), reaction.under_reports()],
        core.measure,
        lambda: [drain.measure()],
        lambda: [day.measure()],
        lambda: [memory.measure(minutes)],
        lambda: [memory.secc()],
        memory.older,
        lambda: v2g.measure(quick="--quick" in arguments),
        lambda: v2g_cars.measure(quick="--quick" in arguments),
        slac.measure,
        pnc.measure,
        tls.measure,
    )
    rows: list[Row] = []
    for measurement in measurements:
        for row in measurement():
            print(f"{row.what}: {row.ours}", file=sys.stderr, flush=True)
            rows.append(row)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, CPython {platform.python_version()}, {platform.system()}\n")
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
