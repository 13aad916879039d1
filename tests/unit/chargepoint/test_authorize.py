"""The authorize machine: what a card at a reader means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chargepoint.authorize_rules import MOST_LOOKUPS
from chargepoint.commands import Indicate
from chargepoint.config import CsmsConfig
from chargepoint.events import AuthorisationEnded, Authorised, IdToken, OperationalChanged, StopRequested
from hal.types import MeterSilence
from tests.unit.ocpp.authorize_rig import CARD, OTHER, AuthRig
from tests.unit.ocpp.block_rig import CONFIG


@pytest.fixture
def rig() -> AuthRig:
    return AuthRig()


# ---- one EVSE


@pytest.mark.req("C01.FR.01", "C01.FR.02")
def test_a_card_at_a_plugged_car_is_asked_about_and_starts(rig: AuthRig) -> None:
    rig.plug()
    assert rig.shown() == ["auth.present"]
    rig.swipe()
    assert rig.authorised() == []
    assert rig.calls[0].payload == {"idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}}
    rig.allow(group="G")
    assert rig.authorised() == [Authorised(1, CARD, "G", "online")]
    assert rig.token_of() == CARD
    assert rig.machine.deadline() is None


@pytest.mark.req("C01.FR.03", "C01.FR.25", "E07.FR.02")
def test_the_same_card_stops_without_asking_whatever_its_case(rig: AuthRig) -> None:
    rig.charging()
    rig.swipe(IdToken("04a2b3c4", "ISO14443"))
    assert rig.calls == []
    assert rig.ends() == [(1, "Local", "StopAuthorized")]
    assert rig.said(AuthorisationEnded)[0].id_token == IdToken("04a2b3c4", "ISO14443")
    assert rig.token_of() is None


def test_the_same_number_of_another_type_is_another_card(rig: AuthRig) -> None:
    rig.charging()
    rig.swipe(IdToken(CARD.id_token, "KeyCode"))
    rig.allow()
    assert rig.ends() == []
    assert rig.shown()[-1] == "auth.other_card"


def test_a_second_swipe_while_the_first_is_looked_up_changes_nothing(rig: AuthRig) -> None:
    rig.plug()
    rig.swipe()
    rig.swipe()
    assert rig.actions() == ["Authorize"]
    rig.allow()
    assert rig.token_of() == CARD
    assert rig.ends() == []


def test_of_two_cards_that_are_looked_up_the_first_answer_wins(rig: AuthRig) -> None:
    rig.plug()
    rig.swipe(CARD)
    rig.swipe(OTHER)
    rig.allow()
    rig.allow()
    assert [each.id_token for each in rig.authorised()] == [CARD]
    assert rig.shown()[-1] == "auth.other_card"


def test_swipes_are_bounded(rig: AuthRig) -> None:
    for number in range(MOST_LOOKUPS + 5):
        rig.swipe(IdToken(f"{number:08X}", "ISO14443"))
    assert len(rig.calls) == MOST_LOOKUPS
    assert len(rig.refusals()) == 5


@pytest.mark.parametrize(
    ("status", "key"), [("Invalid", "auth.unknown"), ("Unknown", "auth.unknown"), ("Blocked", "auth.blocked"), ("NoCredit", "auth.blocked")]
)
def test_a_refused_card_tells_the_driver_why(rig: AuthRig, status: str, key: str) -> None:
    rig.plug()
    rig.swipe()
    rig.allow(status)
    assert rig.refusals() == [status]
    assert rig.shown()[-1] == key
    assert rig.authorised() == []


# ---- card first


@pytest.mark.req("C01.FR.26", "E03.FR.05")
def test_an_accepted_card_waits_for_the_plug_and_gives_up(rig: AuthRig) -> None:
    rig.set("TxCtrlr.EVConnectionTimeOut", "90")
    rig.swipe()
    rig.allow()
    assert rig.said(Indicate)[-1] == Indicate(1, "auth.plug_first", {"minutes": 1.5})
    rig.advance(89)
    assert rig.ends() == []
    rig.advance(1)
    assert rig.ends() == [(1, "Timeout", "EVConnectTimeout")]
    assert rig.token_of() is None


def test_plugged_in_time_it_stays(rig: AuthRig) -> None:
    rig.swipe()
    rig.allow()
    rig.advance(100)
    rig.plug()
    rig.advance(1000)
    assert rig.ends() == []
    assert len(rig.authorised()) == 1


def test_the_same_card_takes_back_what_waits_for_a_plug(rig: AuthRig) -> None:
    rig.swipe()
    rig.allow()
    rig.swipe()
    assert rig.ends() == [(1, "Local", "StopAuthorized")]
    rig.advance(1000)
    assert len(rig.ends()) == 1


# ---- one reader, several EVSEs


def test_it_starts_where_an_ev_was_plugged_in_last(rig: AuthRig) -> None:
    rig.plug(2)
    rig.advance(5)
    rig.plug(1)
    rig.swipe(CARD, 1, 2)
    rig.allow()
    rig.swipe(OTHER, 1, 2)
    rig.allow()
    assert [(each.evse_id, each.id_token) for each in rig.authorised()] == [(1, CARD), (2, OTHER)]


def test_it_starts_where_an_ev_waits_rather_than_at_a_free_evse(rig: AuthRig) -> None:
    rig.plug(2)
    rig.swipe(CARD, 1, 2)
    rig.allow()
    assert rig.token_of(2) == CARD


def test_a_card_that_waited_at_the_wrong_evse_goes_where_the_plug_is(rig: AuthRig) -> None:
    rig.swipe(CARD, 1, 2)
    rig.allow()
    assert rig.token_of(1) == CARD
    rig.plug(2)
    assert (rig.token_of(1), rig.token_of(2)) == (None, CARD)
    assert rig.ends() == [(1, "Other", "StopAuthorized")]
    rig.advance(1000)
    assert len(rig.ends()) == 1


def test_a_transaction_that_has_begun_does_not_wander(rig: AuthRig) -> None:
    rig.swipe(CARD, 1, 2)
    rig.allow()
    rig.begin(1)
    rig.plug(2)
    assert (rig.token_of(1), rig.token_of(2)) == (CARD, None)
    assert rig.shown()[-1] == "auth.present"


def test_a_reader_that_names_no_evse_serves_all_and_a_foreign_evse_is_ignored(rig: AuthRig) -> None:
    rig.plug(2)
    rig.swipe(CARD, 2, 77)
    rig.allow()
    assert rig.token_of(2) == CARD
    rig.swipe(OTHER, 99)
    assert rig.calls == []


def test_where_nothing_can_be_used_nobody_is_asked(rig: AuthRig) -> None:
    rig.context.evses[1].operative = False
    rig.context.evses[2].faults["OverCurrent"] = "too much"
    rig.swipe(CARD, 1, 2)
    assert rig.calls == []
    assert rig.refusals() == ["Invalid"]


# ---- ends


@pytest.mark.req("E09.FR.01")
def test_unplugging_ends_it(rig: AuthRig) -> None:
    rig.charging()
    rig.unplug()
    assert rig.ends() == [(1, "EVDisconnected", "EVCommunicationLost")]
    assert rig.token_of() is None


@pytest.mark.req("E10.FR.01")
def test_it_outlives_the_unplugging_for_a_while_when_it_shall(rig: AuthRig) -> None:
    rig.set("TxCtrlr.StopTxOnEVSideDisconnect", "false")
    rig.charging()
    rig.unplug()
    assert rig.token_of() == CARD
    rig.advance(100)
    rig.plug()
    rig.advance(500)
    assert rig.ends() == []
    rig.unplug()
    rig.advance(121)
    assert rig.ends() == [(1, "Timeout", "EVConnectTimeout")]


def test_without_a_transaction_it_ends_with_the_plug_all_the_same(rig: AuthRig) -> None:
    rig.set("TxCtrlr.StopTxOnEVSideDisconnect", "false")
    rig.plug()
    rig.swipe()
    rig.allow()
    rig.unplug()
    assert rig.token_of() is None


def test_it_ends_with_its_transaction_and_anybody_may_come_next(rig: AuthRig) -> None:
    rig.charging()
    rig.finish()
    assert rig.token_of() is None
    assert rig.context.evses[1].owner is None
    rig.swipe(OTHER)
    rig.allow()
    assert rig.token_of() == OTHER


def test_a_stopped_transaction_still_belongs_to_its_driver(rig: AuthRig) -> None:
    """TxStopPoint EVConnected: the card has stopped the energy, the cable is still in."""
    rig.charging()
    rig.swipe()
    rig.swipe(OTHER)
    rig.allow()
    assert rig.token_of() is None
    rig.swipe(CARD)
    assert rig.token_of() == CARD  # known from the cache


def test_an_evse_taken_out_of_service_lets_nobody_wait(rig: AuthRig) -> None:
    rig.swipe()
    rig.allow()
    rig.context.evses[1].operative = False
    rig.hear(OperationalChanged(1, operative=False))
    assert rig.token_of() is None
    rig.plug()
    rig.context.evses[1].operative = True
    rig.hear(OperationalChanged(1, operative=True))
    assert rig.shown()[-1] == "auth.present"


@pytest.mark.parametrize(
    ("reason", "trigger", "at_once"),
    [("Local", "StopAuthorized", False), ("EmergencyStop", "AbnormalCondition", True), ("EnergyLimitReached", "EnergyLimitReached", False)],
)
def test_a_stop_at_the_station_says_why(rig: AuthRig, reason: str, trigger: str, at_once: bool) -> None:
    rig.charging()
    rig.hear(StopRequested(1, reason))
    assert rig.said(AuthorisationEnded) == [AuthorisationEnded(1, reason, trigger, None, at_once)]


@pytest.mark.req("B12.FR.03")
def test_what_a_reset_has_ended_is_over(rig: AuthRig) -> None:
    rig.charging()
    rig.hear(AuthorisationEnded(1, "ImmediateReset", "ResetCommand"))
    assert rig.token_of() is None
    assert rig.ends() == []  # it is not said twice


def test_a_restart_forgets_every_permission(rig: AuthRig) -> None:
    rig.charging()
    assert rig.another_life().token_of() is None


# ---- free charging and the owner's tokens


@pytest.mark.req("C02.FR.01", "C02.FR.03")
def test_without_authorisation_a_plug_is_enough() -> None:
    rig = AuthRig(config=replace(CONFIG, variables={"AuthCtrlr.Enabled": "false"}))
    rig.set("AuthCtrlr.Enabled", "false")
    rig.plug()
    assert rig.authorised() == [Authorised(1, IdToken("", "NoAuthorization"), "", "none_needed")]
    rig.swipe()
    assert rig.calls == []


def test_who_waits_when_it_becomes_free_charges(rig: AuthRig) -> None:
    rig.plug()
    rig.set("AuthCtrlr.Enabled", "false")
    assert [each.how for each in rig.authorised()] == ["none_needed"]
    rig.set("AuthCtrlr.Enabled", "true")
    assert rig.ends() == []


def test_a_station_of_its_own_charges_freely_unless_it_has_tokens() -> None:
    alone = replace(CONFIG, csms=CsmsConfig())
    rig = AuthRig(config=alone, online=False)
    rig.plug()
    assert [each.how for each in rig.authorised()] == ["none_needed"]
    rig = AuthRig(config=replace(alone, local_tokens=("ISO14443:04a2b3c4",)), online=False)
    rig.plug()
    assert rig.authorised() == []
    rig.swipe(OTHER)
    assert rig.shown()[-1] == "auth.offline"
    rig.swipe(CARD)
    assert rig.authorised() == [Authorised(1, CARD, "", "list")]


def test_the_owners_token_is_nobody_elses_to_judge() -> None:
    rig = AuthRig(config=replace(CONFIG, local_tokens=("04A2B3C4",)))
    rig.plug()
    rig.swipe()
    assert rig.calls == []
    rig.begin()
    rig.judge("Invalid")
    assert rig.token_of() == CARD
    assert rig.ask("RequestStopTransaction", {"transactionId": "t1"})["status"] == "Accepted"
    assert rig.token_of() is None


def test_a_silent_meter_ends_what_only_a_bound_allowed(rig: AuthRig) -> None:
    rig.set("TxCtrlr.MaxEnergyOnInvalidId", "500")
    rig.meter(1000)
    rig.charging()
    rig.judge("Invalid")
    assert rig.ends() == []
    rig.hear(MeterSilence(1))
    assert rig.ends() == [(1, "DeAuthorized", "Deauthorized")]


@pytest.mark.req("S-5")
@pytest.mark.parametrize("token", [IdToken("", "ISO14443"), IdToken("A" * 256, "ISO14443"), IdToken("04", ""), IdToken("04", "T" * 21)])
def test_a_reader_that_says_too_much_or_nothing_is_not_believed(rig: AuthRig, token: IdToken) -> None:
    rig.plug()
    rig.swipe(token)
    assert rig.calls == []
    assert rig.token_of() is None
    rig.swipe(IdToken("A" * 255, "ISO14443"))
    assert rig.actions() == ["Authorize"]
