"""A vehicle of ISO 15118-2 whose contract was refused, or that was given none, comes again by another way to pay, as long as there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.csms.pki import EMAID as PAID
from bench.ev.talking import AGAIN_S, Dial, TalkingEv
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.pki import NOW
from bench.v2g.scenario import read, run
from hal.sim.signals import NOTHING, Offered, PilotOutput
from iso15118.evcc.terms import AuthorizationRefused, Authorized, ContractInstalled, Wants
from iso15118.messages.iso2 import msg_body as mb
from iso15118.protocols import ISO2
from iso15118.terms import ContractShown, DialectChosen, Ending, Payment, SessionOver
from iso15118.trust import Refusal
from tests.behaviour.iso2_pnc_rig import EMAID, SPEECHES, WORLD, coded, pnc
from tests.behaviour.iso20_rig import ended_well, told
from tests.behaviour.test_m02_update import MODES, payer, site_of

OTHER = "DETSTC00000002"
STRANGER = WORLD.contract("FRXYZC00000009")


def plugged_in(pair: Pair) -> list[Ending]:
    """Connections until the vehicle comes no more."""
    ends: list[Ending] = []
    while not ends or pair.vehicle.comes_again:
        pair.session()
        assert pair.evse_over is not None
        ends.append(pair.evse_over.ending)
        assert len(ends) < 9
    return ends


def refusing(pair: Pair, *emaids: str) -> Pair:
    pair.charger.pays = lambda emaid: Refusal.NOT_ACCEPTED if emaid in emaids else None
    return pair


@pytest.mark.parametrize("speech", SPEECHES)
def test_the_second_contract_pays(speech: str) -> None:
    pair = refusing(pnc(speech, contracts=(WORLD.contract(), WORLD.contract(OTHER))), EMAID)
    assert plugged_in(pair) == [Ending.ABORTED, Ending.TERMINATED]
    assert [each.emaid for each in told(pair, ContractShown)] == [EMAID, OTHER]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, OTHER)]
    assert len(pair.vehicle.wants.contracts) == 2, "it has lost none"


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_card_pays_where_no_contract_does(speech: str) -> None:
    pair = refusing(pnc(speech, provisioning=None), EMAID)
    assert plugged_in(pair) == [Ending.ABORTED, Ending.TERMINATED]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]
    pair = refusing(pnc(speech, provisioning=None, fall_back=False), EMAID)
    assert plugged_in(pair) == [Ending.ABORTED]
    assert pair.vehicle.comes_again is False


def test_before_the_card_a_contract_is_asked_for() -> None:
    pair = refusing(pnc(contracts=(STRANGER,)), STRANGER.emaid)
    assert plugged_in(pair) == [Ending.ABORTED, Ending.TERMINATED]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]
    pair = refusing(pnc(contracts=(STRANGER,)), STRANGER.emaid)
    pair.charger.provides = lambda _: Refusal.NO_CONTRACT
    assert plugged_in(pair) == [Ending.ABORTED, Ending.ABORTED, Ending.TERMINATED]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


@pytest.mark.parametrize("speech", SPEECHES)
def test_a_refused_update_costs_no_charge(speech: str) -> None:
    pair = pnc(speech, update=True)
    pair.charger.provides = lambda _: Refusal.NO_CERTIFICATE
    assert plugged_in(pair) == [Ending.ABORTED, Ending.TERMINATED]
    assert coded(pair, "CertificateUpdateRes") == ["FAILED_NoCertificateAvailable"]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, EMAID)]


@pytest.mark.parametrize("update", [False, True])
def test_for_a_contract_that_is_over_a_new_one_is_asked_for(update: bool) -> None:
    old = WORLD.contract(change=lambda spec: replace(spec, ends=NOW - timedelta(days=1)))
    pair = pnc(contracts=(old,), update=update)
    assert plugged_in(pair) == [Ending.TERMINATED]
    ended_well(pair)
    assert coded(pair, "PaymentDetailsRes") == ["OK"]
    assert len(told(pair, ContractInstalled, "ev")) == 1
    pair = pnc(contracts=(old,), provisioning=None, update=update)
    assert plugged_in(pair) == [Ending.TERMINATED]
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


def test_a_scenario_goes_on_as_the_vehicle_does() -> None:
    text = 'words = "w"\nprotocols = ["iso2-dc"]\ncontracts = ["DETSTC00000001"]\npays = ["DETSTC00000002"]\nloops = 3\n'
    played = run(read(text + 'ends = ["aborted", "terminated"]'))
    assert played.right
    assert told(played.pair, Authorized, "ev") == [Authorized(Payment.EIM)]


# ---- at a station


@pytest.mark.parametrize("mode", MODES)
def test_the_second_contract_pays_at_a_station(mode: str) -> None:
    site = site_of(mode)
    ev = site.pays(payer(site, site.world.contract("DETSTC00000009"), site.world.contract(PAID)))
    shown: list[Any] = [each.eMAID for _, by, each in ev.messages if by == "ev" and isinstance(each, mb.PaymentDetailsReq)]
    assert shown == ["DETSTC00000009", PAID]
    assert ev.sessions == 2


def test_a_card_pays_at_a_station_where_no_contract_does() -> None:
    site = site_of()
    ev = site.plug(payer(site, site.world.contract("DETSTC00000009")))
    site.until(lambda: ev.sessions == 2)
    site.card()
    site.until(site.charges)
    assert ev.vehicle.wants.refused == {"DETSTC00000009"}
    site.unplug()
    site.run(1.0)
    assert not ev.vehicle.wants.refused


def test_who_pays_by_contract_only_does_not_come_again_to_a_station() -> None:
    site = site_of()
    ev = site.plug(payer(site, site.world.contract("DETSTC00000009"), fall_back=False))
    site.until(lambda: ev.over is not None)
    site.run(5 * AGAIN_S)
    assert ev.sessions == 1
    assert len(site.told("Authorize")) == 1


def test_what_a_vehicle_does_not_take_in_leaves_it_the_card() -> None:
    """Its session has come to an end in order, and it comes again all the same."""
    site = site_of()
    site.install("moRoot", "v2gRoot", "oemRoot")
    ev = site.plug(payer(site, installs=True, v2g_roots=()))
    site.until(lambda: ev.over is not None)
    assert ev.over == SessionOver(Ending.TERMINATED, "SessionStop")
    site.card()
    site.until(site.charges)
    assert [each for _, each in ev.vehicle.log if isinstance(each, Authorized)] == [Authorized(Payment.EIM)]


def test_it_wakes_a_charger_of_dc_by_itself() -> None:
    site = site_of()
    site.install("moRoot", "v2gRoot", "oemRoot")
    ev = site.plug(payer(site, installs=True, v2g_roots=()))
    site.until(lambda: ev.sessions == 2, most_s=30.0)
    site.card()
    site.until(site.charges)


@pytest.mark.parametrize(("fall_back", "dials"), [(True, 2), (False, 1)])
def test_at_a_charger_that_leaves_5_percent_on_the_pilot_it_dials_or_does_not(fall_back: bool, dials: int) -> None:
    ev = TalkingEv(Vehicle(wants=Wants(payment=Payment.PNC, fall_back=fall_back)), 0.0)
    found = []
    for at in range(100):
        ev.advance(at / 10, Offered(PilotOutput.PWM, 5.0, NOTHING))
        found += [each for each in ev.out if isinstance(each, Dial)]
        ev.out.clear()
        if at == 30:
            ev.connected()
            refused = AuthorizationRefused(Payment.PNC, "FAILED_CertChainError", EMAID)
            ev.vehicle.log += [(3.0, DialectChosen(ISO2)), (3.0, refused)]
            ev.lost("closed by the charger")
    assert len(found) == dials
