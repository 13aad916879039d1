"""Plug & Charge among vehicles that do wrong in any way, and chargers that begin anew in the middle of it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.v2g.misbehave import CATALOGUE, CONTRACTS, misbehaving
from bench.v2g.pair import Pair
from bench.v2g.pki import World
from chargepoint import codec
from iso15118.connection import Close
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session as Evcc
from iso15118.secc.iso20.dialect import Iso20, SavedIso20
from iso15118.secc.iso20.talk import Installing, Shown
from iso15118.secc.session import Session
from iso15118.terms import ContractShown, InstallationAsked, SessionOver
from tests.behaviour.iso20_pnc_rig import EMAID, EMAIDS, pnc
from tests.behaviour.iso20_rig import ended_well, told

AT = ["AuthorizationReq", "CertificateInstallationReq", ""]


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("name", CATALOGUE | CONTRACTS)
def test_whatever_a_vehicle_does_that_pays_by_contract_its_session_ends(name: str, at: str) -> None:
    """`Guard` looks on all the time."""
    for seed in range(3):
        pair = pnc(contracts=() if at.startswith("Certificate") else None, most_contracts=3, facts={})
        pair.watches = pair.watches[:1]
        pair.connect(misbehaving(name, Evcc(spoken(pair.vehicle.wants)), seed, at))
        pair.run(600.0)
        assert len(told(pair, SessionOver)) == 1
        assert ("evse", Close()) in pair.story
        assert pair.charger.facts.current_A == 0.0


def restarted(pair: Pair) -> None:
    """The charger's session goes on from what was saved of it, as JSON."""
    session, dialect = pair.secc, pair.secc.dialect
    assert isinstance(dialect, Iso20)
    plain = codec.load(SavedIso20, codec.dump(SavedIso20, dialect.saved()))
    pair.dialect = Iso20.restored(plain, pair.charger.facts)
    pair.secc = Session.restored(session.protocols, session.saved(), pair.dialect)


@pytest.mark.parametrize("kind", [ContractShown, InstallationAsked])
def test_a_charger_that_begins_anew_goes_on_where_it_was(kind: type[Any]) -> None:
    """Nothing is told twice, and what was asked for is given."""
    pair = pnc(contracts=() if kind is InstallationAsked else None, most_contracts=2)
    pair.when(lambda: bool(told(pair, kind)), lambda: restarted(pair))
    pair.session()
    ended_well(pair)
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID]
    assert len(told(pair, InstallationAsked)) == (2 if kind is InstallationAsked else 0)


def test_who_pays_is_known_when_it_has_begun_anew() -> None:
    """A reading is judged by the contract that was accepted before."""
    pair = pnc(loops=10)
    pair.when(lambda: pair.loops() >= 3, lambda: restarted(pair))
    pair.session()
    ended_well(pair)
    assert pair.dialect is not None
    shown = pair.dialect.talk.shown
    assert shown is not None
    assert (shown.accepted, shown.leaf) == (True, World.of().contract().chain[0])


def test_what_is_saved_of_it() -> None:
    for value in (Shown(b"leaf", b"hash", "OK_CertificateExpiresSoon", accepted=True), Installing(2, b"hash", ended=True)):
        assert codec.load(type(value), codec.dump(type(value), value)) == value


def test_no_key_is_in_what_is_told_or_saved() -> None:
    """Of a contract that came with its key, over the whole session."""
    pair = pnc(contracts=(), most_contracts=3).session()
    ended_well(pair)
    told_all = repr([thing for end, thing in pair.story if end == "evse"]) + repr(pair.vehicle.log)
    for emaid in EMAIDS:
        key: Any = World.of().issued(emaid).key
        value = key.private_numbers().private_value
        octets = value.to_bytes(66, "big")
        assert str(value) not in told_all
        assert octets.hex() not in told_all
        assert repr(octets)[2:-1] not in told_all
