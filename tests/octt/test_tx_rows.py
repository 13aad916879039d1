"""The standardised variables of TxCtrlr and FiscalMetering: there, with their limits, and honoured as the cases of block E show."""

from __future__ import annotations

import pytest

from tests.octt.states import charges, station

POINTS = "ParkingBayOccupancy,EVConnected,Authorized,PowerPathClosed,EnergyTransfer"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("EVConnectionTimeOut", ("1", "86400"), ("0", "-1", "86401", "soon")),
        ("MaxEnergyOnInvalidId", ("0", "1000000"), ("-1", "1000001", "1.5")),
        ("StopTxOnEVSideDisconnect", ("true", "false"), ("yes", "")),
        ("StopTxOnInvalidId", ("true", "false"), ("yes", "")),
        ("TxBeforeAcceptedEnabled", ("true", "false"), ("yes", "")),
        ("TxStartPoint", (POINTS, "Authorized"), ("", "DataSigned", "Plugged", f"{POINTS},Plugged")),
        ("TxStopPoint", (POINTS, "EVConnected"), ("", "DataSigned", "Plugged", f"{POINTS},Plugged")),
        ("ResumptionTimeout", ("0", "300"), ("-1", "x")),
        ("AllowEnergyTransferResumption", ("true", "false"), ("yes", "")),
        ("SupportedLimits", (), ("maxCost", "")),
    ],
)
def test_rows(name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    it = station()
    before = it.get(f"TxCtrlr.{name}")
    for value in bad:
        assert it.set(f"TxCtrlr.{name}", value) == "Rejected", value
        assert it.get(f"TxCtrlr.{name}") == before
    for value in good:
        assert it.set(f"TxCtrlr.{name}", value) == "Accepted", value
        assert it.get(f"TxCtrlr.{name}") == value


def test_there_is_no_charging_time_to_set() -> None:
    assert station().set("TxCtrlr.ChargingTime", "1") == "UnknownVariable"


def test_what_the_fiscal_meter_shows() -> None:
    it = station()
    assert float(it.get("FiscalMetering.EnergyImportRegister", evse=1)) == 0.0
    charges(it)
    it.wait(60.0)
    assert float(it.get("FiscalMetering.EnergyImportRegister", evse=1)) == pytest.approx(it.evse().sample().energy_import_Wh, abs=5.0)
