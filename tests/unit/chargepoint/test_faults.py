"""The table of faults and what other vocabularies call them."""

import pytest

from chargepoint.faults import ALIASES, FAULTS, OTHER, Reaction, Until, known

OCPP16 = {
    "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature", "InternalError", "LocalListConflict", "NoError",
    "OtherError", "OverCurrentFailure", "OverVoltage", "PowerMeterFailure", "PowerSwitchFailure", "ReaderFailure", "ResetFailure",
    "UnderVoltage", "WeakSignal",
}  # fmt: skip


def test_error_codes_are_those_of_ocpp_16() -> None:
    assert {f.error_code for f in FAULTS.values()} <= OCPP16


@pytest.mark.parametrize("name", sorted(OCPP16 - {"NoError", "LocalListConflict"}))
def test_each_ocpp_16_name_is_known_and_comes_back(name: str) -> None:
    assert known(name).error_code == name


@pytest.mark.parametrize("number", range(1, 27))
def test_each_minimum_required_error_code_is_known(number: int) -> None:
    names = [
        m
        for m in (*ALIASES, *(f.mrec for f in FAULTS.values()))
        if m.startswith(f"MREC{number}") and not m[5 + (number > 9) :][:1].isdigit()
    ]
    assert names
    assert all(known(n).code != OTHER for n in names)


def test_an_unknown_error_opens() -> None:
    assert known("Zorp").reaction is Reaction.OPEN


def test_aliases_lead_to_rows() -> None:
    assert set(ALIASES.values()) <= FAULTS.keys()


@pytest.mark.req("F-14", "F-15")
def test_what_only_a_person_may_clear() -> None:
    assert {f.code for f in FAULTS.values() if f.until is Until.ACKNOWLEDGED} == {
        "ContactorWelded", "CurrentWhileOpen", "ResidualCurrentTrip", "CutCable", "OutletLive",
    }  # fmt: skip


def test_state_f_only_where_no_ev_may_hope() -> None:
    assert all(f.until is Until.ACKNOWLEDGED and f.reaction is Reaction.OPEN for f in FAULTS.values() if f.state_f)
