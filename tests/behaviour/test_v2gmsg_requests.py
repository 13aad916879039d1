"""DIN 70121 and ISO 15118-2: single requests that are odd, wrong, or come for too long, and what our charger makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Unexpected
from iso15118.messages.din import msg_body as din_mb
from iso15118.messages.iso2 import data_schedules as sc
from iso15118.messages.iso2 import data_services as sv
from iso15118.messages.iso2 import msg_body as iso2_mb
from iso15118.messages.iso2 import msg_data_types as dt
from iso15118.secc.din import table as din
from iso15118.secc.din.dialect import Din
from iso15118.secc.iso2 import table as iso2
from iso15118.secc.iso2.dialect import Iso2
from iso15118.secc.paused import Paused
from iso15118.terms import Energy, EnergyChosen, Offered, PowerOff, Progress, SessionBegun
from iso15118.v2gmsg.values import physical
from iso15118.v2gtp import ISO20_MAIN, SAP_DIN_ISO2
from tests.behaviour.test_v2gmsg_table import ID, NOW, asked_of, placed, request

KINDS: list[Any] = [(Din, din_mb), (Iso2, iso2_mb)]
both = pytest.mark.parametrize(("kind", "mb"), KINDS, ids=["DIN", "-2"])


def said(dialect: Any, body: Any, session_id: bytes = ID, *, seconds: float = 0.0) -> Any:
    """Its answer to this message, as it comes off the wire."""
    spelling, now = dialect.SPELLING, Tick(NOW.mono + seconds, NOW.utc + seconds)
    octets = exi.encode(spelling.document(session_id, body), spelling.namespace)
    return dialect.answer(now, dialect.request(now, SAP_DIN_ISO2, octets), late=False)


def code(answer: Any) -> str:
    return str(answer.response.ResponseCode)


# ---- identifiers


@pytest.mark.parametrize("given", [b"", b"\x00", bytes(8), b"\x01\x02"], ids=["none", "one zero", "eight zeros", "two octets"])
@pytest.mark.parametrize("evcc_id", [b"", b"\x02\x1c\xe0\x00\x00\x01"], ids=["no EVCCID", "EVCCID"])
@both
def test_odd_identifiers_are_taken(kind: Any, mb: Any, given: bytes, evcc_id: bytes) -> None:
    answer = said(placed(kind, kind.TABLE.initial), mb.SessionSetupReq(EVCCID=evcc_id), given)
    assert (code(answer), answer.document.Header.SessionID) == ("OK_NewSessionEstablished", ID)
    assert answer.told == (SessionBegun(ID, evcc_id.hex(":").upper()),)


def test_a_vehicle_without_an_evccid_never_resumes() -> None:
    dialect = placed(Iso2, iso2.S.SETUP)
    dialect.talk.paused = Paused(b"\x07" * 8, "")
    answer = said(dialect, iso2_mb.SessionSetupReq(EVCCID=b""), b"\x07" * 8)
    assert code(answer) == "OK_NewSessionEstablished"


@pytest.mark.parametrize(("kind", "mb", "joined"), [(Din, din_mb, False), (Iso2, iso2_mb, True)])
def test_a_pause_is_of_protocols_that_have_one(kind: Any, mb: Any, joined: bool) -> None:
    """In DIN 70121 nothing is joined that was paused in ISO 15118-2."""
    dialect, evcc_id = placed(kind, kind.TABLE.initial), b"\x02\x1c\xe0\x00\x00\x01"
    dialect.talk.paused = Paused(b"\x07" * 8, evcc_id.hex(":").upper())
    answer = said(dialect, mb.SessionSetupReq(EVCCID=evcc_id), b"\x07" * 8)
    assert (code(answer) == "OK_OldSessionJoined", answer.document.Header.SessionID) == (joined, b"\x07" * 8 if joined else ID)


def test_din_has_its_evse_id_in_octets() -> None:
    dialect = placed(Din, din.S.SETUP)
    assert said(dialect, din_mb.SessionSetupReq(EVCCID=b"")).response.EVSEID == b"DE*ICE*E00001*1"


# ---- services


def test_internet_is_chosen() -> None:
    dialect = placed(Iso2, iso2.S.DISCOVERY)
    said(dialect, iso2_mb.ServiceDiscoveryReq(ServiceCategory="Internet"))
    detail = said(dialect, iso2_mb.ServiceDetailReq(ServiceID=3)).response
    (only,) = detail.ServiceParameterList.ParameterSet
    assert (only.ParameterSetID, [(each.Name, each.stringValue, each.intValue) for each in only.Parameter]) == (
        3,
        [("Protocol", "http", None), ("Port", None, 80)],
    )
    chosen = (sv.SelectedServiceType(ServiceID=1), sv.SelectedServiceType(ServiceID=3, ParameterSetID=3))
    selection = iso2_mb.PaymentServiceSelectionReq(
        SelectedPaymentOption="ExternalPayment", SelectedServiceList=sv.SelectedServiceListType(SelectedService=chosen)
    )
    assert code(said(dialect, selection)) == "OK"
    said(dialect, iso2_mb.AuthorizationReq())
    told = said(dialect, request(Iso2, iso2.E.AC_PARAMETERS)).told
    assert next(each for each in told if isinstance(each, EnergyChosen)).added_services == ((65, 3),)


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        (((1, None),), "OK"),
        (((1, None), (3, None)), "OK"),
        (((3, 3),), "FAILED_NoChargeServiceSelected"),
        (((1, None), (3, 4)), "FAILED_ServiceSelectionInvalid"),
        (((1, None), (9, 1)), "FAILED_ServiceSelectionInvalid"),
    ],
)
def test_what_may_be_selected(services: tuple[tuple[int, int | None], ...], expected: str) -> None:
    dialect = placed(Iso2, iso2.S.DISCOVERY)
    said(dialect, iso2_mb.ServiceDiscoveryReq())
    chosen = tuple(sv.SelectedServiceType(ServiceID=number, ParameterSetID=which) for number, which in services)
    selection = iso2_mb.PaymentServiceSelectionReq(
        SelectedPaymentOption="ExternalPayment", SelectedServiceList=sv.SelectedServiceListType(SelectedService=chosen)
    )
    assert code(said(dialect, selection)) == expected


@pytest.mark.parametrize("category", [None, "EVCharging", "Internet", "OtherCustom"])
@both
def test_services_of_a_category(kind: Any, mb: Any, category: Any) -> None:
    """Charging is always told; Internet where it is asked for, or nothing is. DIN 70121 has charging alone."""
    discovery = next(each for each in kind.TABLE.states if each.value == "service discovery")
    found = said(placed(kind, discovery), mb.ServiceDiscoveryReq(ServiceCategory=category)).response
    assert found.ResponseCode == "OK"
    assert (found.ServiceList is not None) is (kind is Iso2 and category in (None, "Internet"))


def test_services_that_are_not_there() -> None:
    for kind, mb, state in ((Din, din_mb, din.S.SELECTION), (Iso2, iso2_mb, iso2.S.SELECTION)):
        maker: Any = mb
        assert code(said(placed(kind, state), maker.ServiceDetailReq(ServiceID=7))) == "FAILED_ServiceIDInvalid"


# ---- energy


@pytest.mark.parametrize("mode", ["DC_core", "DC_extended", "DC_combo_core", "DC_unique"])
def test_every_dc_is_the_dc_that_is_there(mode: Any) -> None:
    """DIN 70121 tells chargers with more from vehicles with less; the contacts of a connector are what they are."""
    for kind, event, field in (
        (Din, din.E.PARAMETERS, "EVRequestedEnergyTransferType"), (Iso2, iso2.E.DC_PARAMETERS, "RequestedEnergyTransferMode"),
    ):  # fmt: skip
        state = next(each for each in kind.TABLE.states if each.value == "parameters")
        asked = request(kind, event)
        setattr(asked, field, mode)
        assert code(said(placed(kind, state), asked)) == "OK"


@pytest.mark.parametrize(("phases", "mode", "right"), [(3, 3, True), (3, 1, True), (1, 1, True), (1, 3, False)])
def test_as_many_phases_as_the_charger_has(phases: int, mode: int, right: bool) -> None:
    dialect = placed(Iso2, iso2.S.PARAMETERS)
    dialect.talk.discovered = (Offered(Energy.AC, phases=phases),)
    asked = request(Iso2, iso2.E.AC_PARAMETERS)
    asked.RequestedEnergyTransferMode = "AC_three_phase_core" if mode == 3 else "AC_single_phase_core"
    assert code(said(dialect, asked)) == ("OK" if right else "FAILED_WrongEnergyTransferMode")


def test_an_energy_that_is_not_there() -> None:
    for kind, event, expected in (
        (Din, din.E.PARAMETERS, "FAILED_WrongEnergyTransferType"), (Iso2, iso2.E.DC_PARAMETERS, "FAILED_WrongEnergyTransferMode"),
    ):  # fmt: skip
        dialect = placed(kind, next(each for each in kind.TABLE.states if each.value == "parameters"))
        dialect.talk.discovered = (Offered(Energy.AC),)
        answer = said(dialect, request(kind, event))
        assert (code(answer), bool(answer.failed)) == (expected, True)


@both
def test_voltages_that_do_not_meet(kind: Any, mb: Any) -> None:
    event = din.E.PARAMETERS if kind is Din else iso2.E.DC_PARAMETERS
    asked = request(kind, event)
    asked.EVChargeParameter.EVMaximumVoltageLimit.Value = 100
    state = next(each for each in kind.TABLE.states if each.value == "parameters")
    assert code(said(placed(kind, state), asked)) == "FAILED_WrongChargeParameter"


def test_a_schedule_that_was_not_offered_and_a_profile_that_wants_too_much() -> None:
    def start(number: int, power_W: float) -> Any:
        entry = sc.ProfileEntryType(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=physical(dt.PhysicalValueType, "W", power_W))
        profile = sc.ChargingProfileType(ProfileEntry=(entry,))
        return iso2_mb.PowerDeliveryReq(ChargeProgress="Start", SAScheduleTupleID=number, ChargingProfile=profile)

    for number, power_W, expected in (
        (1, 11_000, "OK"),
        (2, 11_000, "FAILED_TariffSelectionInvalid"),
        (1, 12_000, "FAILED_ChargingProfileInvalid"),
    ):
        dialect = placed(Iso2, iso2.S.AC_READY)
        (schedule,) = dialect.talk.schedules
        dialect.talk.schedules = (replace(schedule, charging=(replace(schedule.charging[0], power_W=11_040.0),)),)
        assert code(said(dialect, start(number, power_W))) == expected


# ---- what goes on for too long


@pytest.mark.parametrize(
    ("state", "fact", "event", "most_s"),
    [
        ("auth", "authorization", "AUTH", 180.0),
        ("cable check", "cable_check", "CABLE_CHECK", 38.0),
        ("precharging", "precharge", "PRECHARGE", 10.0),
        ("parameters", "schedules", "PARAMETERS", 55.0),
    ],
)
@both
def test_what_goes_on_for_too_long(kind: Any, mb: Any, state: str, fact: str, event: str, most_s: float) -> None:
    where = next(each for each in kind.TABLE.states if each.value.endswith(state) or (state == "auth" and "auth" in each.value))
    asked = next(each for each in kind.TABLE.events if event in each.name and "AC_P" not in each.name)
    dialect = placed(kind, where)
    setattr(dialect.talk.facts, fact, None if fact == "schedules" else Progress.UNDER_WAY)
    for seconds, expected in ((0.0, "OK"), (most_s - 0.1, "OK"), (most_s + 0.1, "FAILED")):
        assert code(said(dialect, request(kind, asked), seconds=seconds)) == expected, seconds
        assert dialect.state in (where, kind.TABLE.entries[where, asked].to)


@pytest.mark.parametrize(
    ("kind", "state", "waits_s"), [(Iso2, iso2.S.AC_READY, 4.0), (Iso2, iso2.S.DC_PRECHARGING, 4.0), (Din, din.S.PRECHARGING, 3.0)]
)
def test_a_start_waits_for_state_c_and_then_for_the_contactor(kind: Any, state: Any, waits_s: float) -> None:
    """The vehicle of ISO 15118-2 has a quarter of a second for the one, and the charger 3 s for the other; the answer is due after 4.5 s."""
    dialect = placed(kind, state)
    dialect.talk.facts.power = Progress.UNDER_WAY
    asked = next(each for each in kind.TABLE.events if each.name == "START")
    assert said(dialect, request(kind, asked)).response is None
    assert dialect.answer_within_s == waits_s


@both
def test_a_stop_waits_for_the_current_to_go(kind: Any, mb: Any) -> None:
    """Energy off is told at once; the answer comes when contactors may open, or not at all in time (S-11)."""
    loop = next(each for each in kind.TABLE.states if each.value in ("loop", "DC loop"))
    for event in (each for each in kind.TABLE.events if each.name in ("STOP", "TERMINATE")):
        for goes in (False, True):
            dialect = placed(kind, loop)
            dialect.talk.facts.current_A = 100.0
            asked = asked_of(dialect, event)
            first = dialect.answer(NOW, asked, late=False)
            assert (first.response, [type(each) for each in first.told]) == (None, [PowerOff])
            dialect.talk.facts.current_A = 1.0 if goes else 100.0
            last = dialect.answer(NOW, asked, late=not goes)
            assert (code(last), last.told) == ("OK" if goes else "FAILED", ())


# ---- what is no request


@both
def test_what_is_no_request(kind: Any, mb: Any) -> None:
    dialect, spelling = placed(kind, kind.TABLE.initial), kind.SPELLING
    response = exi.encode(spelling.document(ID, spelling.stop(ResponseCode="OK")), spelling.namespace)
    asked = exi.encode(spelling.document(ID, mb.SessionSetupReq(EVCCID=b"")), spelling.namespace)
    with pytest.raises(Unexpected, match="SessionStopRes is no request"):
        dialect.request(NOW, SAP_DIN_ISO2, response)
    with pytest.raises(Unexpected, match="payload type 8002"):
        dialect.request(NOW, ISO20_MAIN, asked)
