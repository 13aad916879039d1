"""The tables of DIN 70121 and ISO 15118-2, row by row: our charger's side in each state, with each request."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.pair import Pair
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.machine import Table
from iso15118.messages.din import data_charging as din_ch
from iso15118.messages.din import msg_body as din_mb
from iso15118.messages.iso2 import data_charging as iso2_ch
from iso15118.messages.iso2 import msg_body as iso2_mb
from iso15118.minimal import minimal
from iso15118.secc import speak
from iso15118.secc.din import table as din
from iso15118.secc.din.dialect import Din
from iso15118.secc.iso2 import table as iso2
from iso15118.secc.iso2.dialect import HANDLERS, Iso2
from iso15118.terms import CableCheckWanted, DcDemand, Energy, Offered, PowerOff, Progress, Schedule, Slot, Wish
from iso15118.v2gmsg.values import number
from iso15118.v2gtp import SAP_DIN_ISO2
from tests.behaviour.iso20_rig import ask, charger
from tests.behaviour.v2gmsg_rig import SPEECHES, make

NOW = Tick(100.0, 1_800_000_100.0)
ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
BOTH: list[tuple[type[Any], Table[Any, Any], Any]] = [(Din, din.TABLE, din), (Iso2, iso2.TABLE, iso2)]
EVERY = [(kind, state) for kind, table, _ in BOTH for state in table.states]


def placed(kind: type[Any], state: Any) -> Any:
    """Its dialect in this state, with facts that grant everything."""
    facts = charger(schedules=(Schedule(1, (Slot(0, 86_400, 1e6),)),)).facts
    facts.authorization = facts.cable_check = facts.power = Progress.DONE
    dialect = kind.begun(ID, bytes(16), facts)
    talk, dc = dialect.talk, not state.value.startswith("AC")
    if state.value != "setup":
        talk.session_id = ID
    talk.discovered = tuple(Offered(each) for each in (Energy.DC, Energy.AC) if not (kind is Din and each is Energy.AC))
    if state.value != "parameters" and "service" not in state.value and "auth" not in state.value:
        talk.offered, talk.phases = talk.discovered[0 if dc else 1], 0 if dc else 3
    talk.schedules, talk.schedule_id = facts.schedules, 1
    talk.energy_on = "loop" in state.value or "again" in state.value or "precharg" in state.value or "ready" in state.value
    dialect.state = state
    return dialect


def request(kind: type[Any], event: Any) -> Any:
    """A request that is right where it is in order."""
    mb: Any = din_mb if kind is Din else iso2_mb
    ch: Any = din_ch if kind is Din else iso2_ch
    name, _, choice = event.value.partition(" ")
    given: dict[str, Any] = {}
    match name:
        case "ChargeParameterDiscoveryReq":
            ac = choice == "AC"
            value = minimal(ch.AC_EVChargeParameter if ac else ch.DC_EVChargeParameter)
            if not ac:
                value.EVMaximumVoltageLimit.Value = 400
                value.EVMaximumCurrentLimit.Value = 100
            given["EVChargeParameter"] = value
            given["EVRequestedEnergyTransferType" if kind is Din else "RequestedEnergyTransferMode"] = (
                "AC_three_phase_core" if ac else "DC_extended"
            )
        case "PowerDeliveryReq" if kind is Din:
            given["ReadyToChargeState"] = choice == "on"
        case "PowerDeliveryReq":
            given |= {"ChargeProgress": choice, "SAScheduleTupleID": 1}
        case "SessionStopReq" if choice:
            given["ChargingSession"] = choice
        case "PaymentServiceSelectionReq" | "ServicePaymentSelectionReq":
            given["SelectedPaymentOption"] = choice or "ExternalPayment"
        case "ServiceDetailReq":
            given["ServiceID"] = 1
    made = minimal(getattr(mb, name), **given)
    if hasattr(made, "SelectedServiceList"):
        made.SelectedServiceList.SelectedService[0].ServiceID = 1
    return made


def asked_of(dialect: Any, event: Any) -> Any:
    """The request as it comes off the wire."""
    spelling = dialect.SPELLING
    return dialect.request(NOW, SAP_DIN_ISO2, exi.encode(spelling.document(ID, request(type(dialect), event)), spelling.namespace))


REFUSED = {
    iso2.E.SELECTION_CONTRACT: "FAILED_PaymentSelectionInvalid",
    iso2.E.PAYMENT_DETAILS: "FAILED_CertChainError",
    iso2.E.INSTALLATION: "FAILED_NoCertificateAvailable",
    iso2.E.UPDATE: "FAILED_NoCertificateAvailable",
    iso2.E.RECEIPT: "FAILED_MeteringSignatureNotValid",
}
"""In order, and not granted: contracts, without any certificate (what is granted: test_iso2_pnc)."""


@pytest.mark.parametrize(("kind", "state"), EVERY, ids=lambda each: getattr(each, "__name__", getattr(each, "value", "")))
def test_every_row_of_the_tables(kind: type[Any], state: Any) -> None:
    """A refused row is answered FAILED_SequenceError, with a message that can travel; what is no refusal is granted. Energy that goes off is told (S-11)."""
    table: Table[Any, Any] = kind.TABLE
    for event in table.events:
        dialect = placed(kind, state)
        spelling, was_on = kind.SPELLING, dialect.talk.energy_on
        asked = asked_of(dialect, event)
        assert dialect.event_of(asked) is event
        answer, entry = dialect.answer(NOW, asked, late=False), table.entries[state, event]
        assert type(answer.response) is spelling.responses[type(asked)]
        code = answer.response.ResponseCode
        assert exi.decode(exi.encode(answer.document, spelling.namespace), spelling.namespace) == answer.document
        assert answer.document.Header.SessionID == (ID if state.value != "setup" or not entry.refused else bytes(8))
        if entry.refused:
            assert (code, dialect.state) == ("FAILED_SequenceError", state)
        elif event in REFUSED:
            assert (code, dialect.state) == (REFUSED[event], state)
        else:
            assert code.startswith("OK"), (state, event, code, answer.failed)
            assert dialect.state is entry.to or getattr(answer.response, "EVSEProcessing", "") == "Ongoing"
        assert bool(answer.failed) == code.startswith("FAILED")
        if was_on and not dialect.talk.energy_on:
            assert any(isinstance(each, PowerOff) for each in answer.told), (state, event)


@pytest.mark.parametrize(("kind", "table", "module"), BOTH, ids=["DIN", "-2"])
def test_the_tables_are_whole(kind: type[Any], table: Table[Any, Any], module: Any) -> None:
    assert table.undecided() == ()
    assert table.reachable() == frozenset(module.S)
    assert {name for each in table.entries.values() for name in each.do} <= set(kind.HANDLERS)
    if kind is Iso2:
        assert {name for each in table.entries.values() for name in each.do} == set(HANDLERS)


@pytest.mark.parametrize("kind", [Din, Iso2])
def test_a_session_id_that_is_not_ours_ends_it(kind: type[Any]) -> None:
    for state in kind.TABLE.states:
        if state.value == "setup":
            continue
        dialect, spelling = placed(kind, state), kind.SPELLING
        octets = exi.encode(spelling.document(ID[::-1], request(kind, kind.TABLE.events[0])), spelling.namespace)
        answer = dialect.answer(NOW, dialect.request(NOW, SAP_DIN_ISO2, octets), late=False)
        assert (answer.response.ResponseCode, bool(answer.failed)) == ("FAILED_UnknownSession", True)


def test_honest_vehicles_come_to_every_state() -> None:
    """But to that of contracts, which are not offered."""
    found: set[Any] = set()

    def keep(pair: Pair) -> None:
        if pair.any_dialect is not None:
            found.add(pair.any_dialect.state)

    for speech in SPEECHES:
        pair = make(speech)
        pair.watches.append(keep)
        ask(pair, "charger", 10, None, Wish.RENEGOTIATE_SCHEDULE)
        pair.session()
    assert found == set(din.S) | (set(iso2.S) - {iso2.S.CONTRACT})


def test_a_cable_check_after_a_renegotiation_takes_the_energy_off_first() -> None:
    """And asks for the test with the next request only."""
    dialect = placed(Iso2, iso2.S.DC_READY)
    dialect.talk.isolated = True
    first = dialect.answer(NOW, asked_of(dialect, iso2.E.CABLE_CHECK), late=False)
    assert [type(each) for each in first.told] == [PowerOff]
    assert (first.response.EVSEProcessing, first.response.DC_EVSEStatus.EVSEIsolationStatus) == ("Ongoing", "Invalid")
    dialect.talk.facts.cable_check = Progress.NOT_ASKED
    second = dialect.answer(NOW, asked_of(dialect, iso2.E.CABLE_CHECK), late=False)
    assert [type(each) for each in second.told] == [CableCheckWanted]
    assert dialect.state is iso2.S.DC_CABLE_CHECK


def test_a_cable_check_after_a_renegotiation_waits_for_current_and_voltage_to_go() -> None:
    """And not for ever. Meanwhile there is no power."""
    dialect = placed(Iso2, iso2.S.DC_READY)
    facts = dialect.talk.facts
    facts.current_A, facts.voltage_V, facts.cable_check = 164.0, 366.0, Progress.NOT_ASKED
    asked = asked_of(dialect, iso2.E.CABLE_CHECK)
    first = dialect.answer(NOW, asked, late=False)
    assert (first.response, [type(each) for each in first.told]) == (None, [PowerOff])
    assert (dialect.state, dialect.answer_within_s) == (iso2.S.DC_READY, 1.5)
    late = placed(Iso2, iso2.S.DC_READY)
    late.talk.facts.current_A = 164.0
    assert late.answer(NOW, asked_of(late, iso2.E.CABLE_CHECK), late=True).response.ResponseCode == "FAILED"
    facts.current_A = 0.0
    assert dialect.answer(NOW, asked, late=False).response.EVSEProcessing == "Ongoing"
    for facts.voltage_V, facts.voltage_known in ((366.0, True), (0.0, False)):
        waits = dialect.answer(NOW, asked_of(dialect, iso2.E.CABLE_CHECK), late=False)
        assert (waits.response.EVSEProcessing, waits.told) == ("Ongoing", ())
    start = dialect.answer(NOW, asked_of(dialect, iso2.E.START), late=False)
    assert start.response.ResponseCode == "FAILED_SequenceError"
    over = dialect.answer(Tick(NOW.mono + 10.0, NOW.utc), asked_of(dialect, iso2.E.CABLE_CHECK), late=False)
    assert (over.response.ResponseCode, over.failed) == ("FAILED", "the outlet keeps its voltage")


@pytest.mark.parametrize(("kind", "state", "event"), [(Din, din.S.LOOP, din.E.LOOP), (Iso2, iso2.S.DC_LOOP, iso2.E.DC_LOOP)])
def test_an_output_that_is_not_on_is_not_called_ready(kind: type[Any], state: Any, event: Any) -> None:
    """Nor is it asked for when the vehicle falls silent."""
    dialect = placed(kind, state)
    assert [type(each) for each in dialect.hushed()] == [DcDemand]
    dialect.talk.facts.power = Progress.UNDER_WAY
    assert dialect.hushed() == ()
    answer = dialect.answer(NOW, asked_of(dialect, event), late=False)
    assert (answer.response.ResponseCode, answer.failed) == ("FAILED", "the output is off")


@pytest.mark.req("F-11")
def test_the_time_of_silence_counts_from_the_loop() -> None:
    """Whatever is said beside it."""
    dialect = placed(Iso2, iso2.S.DC_LOOP)
    for event, after_s, left_s in (
        (iso2.E.DC_LOOP, 0.0, 1.0), (iso2.E.RENEGOTIATE, 0.3, 0.7), (iso2.E.DC_PARAMETERS, 0.8, 0.2), (iso2.E.START, 1.4, 1.0),
    ):  # fmt: skip
        now = Tick(NOW.mono + after_s, NOW.utc + after_s)
        dialect.answer(now, asked_of(dialect, event), late=False)
        assert dialect.hush_s(now) == pytest.approx(left_s)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("kind", "state", "event"),
    [
        (Din, din.S.OFF, din.E.WELDING),
        (Iso2, iso2.S.DC_OFF, iso2.E.WELDING),
        (Iso2, iso2.S.DC_LOOP, iso2.E.WELDING),
        (Iso2, iso2.S.DC_LOOP, iso2.E.PRECHARGE),
    ],
)
def test_a_refusal_claims_no_voltage_that_is_not_there(kind: type[Any], state: Any, event: Any, known: bool) -> None:
    dialect = placed(kind, state)
    facts = dialect.talk.facts
    facts.voltage_V, facts.voltage_known = 343.0, known
    answer = dialect.answer(NOW, asked_of(dialect, event), late=False)
    assert answer.response.ResponseCode.startswith("FAILED") is (not known or "loop" in state.value)
    assert number(answer.response.EVSEPresentVoltage) == pytest.approx(343.0)


@pytest.mark.parametrize("kind", [Din, Iso2])
def test_a_saved_session_goes_on(kind: type[Any]) -> None:
    for state in kind.TABLE.states:
        dialect = placed(kind, state)
        dialect.talk.since["cable check"] = 3.0
        again = speak.restored(dialect.saved(), dialect.talk.facts)
        assert type(again) is kind
        assert (again.state, again.saved(), again.talk.facts) == (state, dialect.saved(), dialect.talk.facts)
