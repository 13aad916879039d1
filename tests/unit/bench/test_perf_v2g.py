"""What `bench.perf.v2g_share` measures is a whole session, with TLS and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.perf import v2g_cars
from bench.perf.tap import answers_s
from bench.perf.v2g import Times, _last
from bench.perf.v2g_cars import Took
from bench.perf.v2g_share import loop_ms, setup_ms, shares_ms
from bench.v2g.cable import fresh_pki
from bench.v2g.charger import Pace


@pytest.mark.parametrize("tls", [False, True], ids=["no TLS", "TLS 1.3"])
def test_each_request_has_its_time(tmp_path: Path, tls: bool) -> None:
    pki = tmp_path / "pki" if tls else None
    if pki is not None:
        fresh_pki(pki)
    shares = shares_ms(pki, 5, Pace(0.1, 0.1, voltage_V_per_s=8000.0, current_A_per_s=8000.0, off_A_per_s=8000.0))
    asked = [each for each, _ in shares]
    assert ("" in asked) == tls, "the handshake comes before anything is asked"
    assert asked.index("SessionSetupReq") < asked.index("DC_PreChargeReq") < asked.index("PowerDeliveryReq")
    assert all(ms > 0.0 for _, ms in shares)
    assert loop_ms(shares) == [ms for each, ms in shares if each == "DC_ChargeLoopReq"]
    assert len(loop_ms(shares)) == 5


def test_the_setup_ends_where_power_is_waited_for() -> None:
    shares = [("", 4.0), ("SessionSetupReq", 2.0), ("DC_PreChargeReq", 1.0), ("PowerDeliveryReq", 8.0), ("DC_ChargeLoopReq", 16.0)]
    assert setup_ms(shares) == 7.0


def test_what_a_recorded_vehicle_asks_again_counts_once() -> None:
    took = [Took("SessionSetupReq", 2.0), *(Took("CableCheckReq", ms) for ms in (0.25, 1.0, 0.5)), Took("PowerDeliveryReq", 99.0)]
    assert v2g_cars.setup_ms([*took, Took("CurrentDemandReq", 4.0)]) == 3.0


def test_an_answer_is_what_goes_out_first_after_what_came_in_last() -> None:
    segments = [(True, 0.5), (False, 1.0), (False, 1.1), (True, 1.3), (True, 1.4), (False, 2.0), (True, 2.5)]
    assert list(answers_s(segments)) == pytest.approx([0.2, 0.5])


def test_the_wire_is_laid_beside_the_vehicle_where_it_fits() -> None:
    """A handshake before, TLS's end after."""
    times = Times(answers=[("SessionSetupReq", 0.011), ("PowerDeliveryReq", 0.31), ("DC_ChargeLoopReq", 0.002)])
    wire = [0.005, 0.02, 0.01, 0.30, 0.001, 0.2]
    assert _last([times], wire) == [
        (("SessionSetupReq", 0.011), 0.01),
        (("PowerDeliveryReq", 0.31), 0.30),
        (("DC_ChargeLoopReq", 0.002), 0.001),
    ]
