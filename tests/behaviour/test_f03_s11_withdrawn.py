"""S-11, S-10: what is withdrawn, at whatever step, gives no energy; and no order of card, plug, answer and stop upsets anything."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from chargepoint.events import StopRequested
from chargepoint.ocpp.messages import Call
from tests.unit.ocpp.authorize_rig import CARD, OTHER
from tests.unit.ocpp.whole_rig import WholeRig

EARLY = {"TxCtrlr.TxStartPoint": "EVConnected", "TxCtrlr.TxStopPoint": "Authorized"}

STEPS: list[tuple[str, Callable[[WholeRig], None]]] = [
    ("swiped", lambda rig: rig.swipe()),
    ("accepted", lambda rig: rig.say()),
    ("a moment later", lambda rig: rig.run(0.05)),
    ("offered", lambda rig: rig.run(4.0)),
    ("wanted", lambda rig: rig.s2(closed=True)),
    ("closing", lambda rig: rig.run(0.03)),
    ("closed", lambda rig: rig.run(1.0)),
    ("charging", lambda rig: rig.run(10.0)),
]
WAYS: dict[str, tuple[Callable[[WholeRig], object], str]] = {
    "by the CSMS": (lambda rig: rig.stop_remotely(), "Remote"),
    "at the station": (lambda rig: rig.tell(StopRequested(1, "Local")), "Local"),
    "in an emergency": (lambda rig: rig.tell(StopRequested(1, "EmergencyStop")), "EmergencyStop"),
}


def what_still_comes(rig: WholeRig) -> None:
    """The EV goes on wanting, and the CSMS answers what it was asked."""
    rig.s2(closed=True)
    while any(call.action == "Authorize" for call in rig.calls):
        rig.say()


@pytest.mark.req("S-11", "F03.FR.02", "F03.FR.03")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", range(len(STEPS)), ids=[name for name, _ in STEPS])
def test_what_is_withdrawn_gives_no_energy(after: int, way: str) -> None:
    rig = WholeRig(variables=EARLY)
    rig.plug()
    rig.run(4.0)
    for _, step in STEPS[: after + 1]:
        step(rig)
    stop, reason = WAYS[way]
    stop(rig)
    what_still_comes(rig)
    rig.run(5.0)
    assert not rig.closed()
    assert rig.facts.id_token is None
    rig.forget()
    rig.run(60.0)
    assert not rig.closed()
    ended = [payload for payload in rig.sent if payload["eventType"] == "Ended"]
    assert [payload["transactionInfo"]["stoppedReason"] for payload in ended] == [reason]


@pytest.mark.req("S-11", "E05.FR.10")
@pytest.mark.parametrize("after", range(2, len(STEPS)), ids=[name for name, _ in STEPS[2:]])
def test_a_token_that_the_csms_refuses_late_gives_no_energy(after: int) -> None:
    late: list[Call] = []

    def csms(call: Call) -> dict[str, object] | None:
        if call.action == "TransactionEvent" and "idToken" in call.payload:
            late.append(call)
            return None
        return None if call.action == "Authorize" else {}

    rig = WholeRig(variables=EARLY, answer=csms)
    rig.plug()
    rig.run(4.0)
    for _, step in STEPS[: after + 1]:
        step(rig)
    rig.answer_late(late[0], {"idTokenInfo": {"status": "Blocked"}})
    what_still_comes(rig)
    rig.run(5.0)
    assert not rig.closed()
    rig.run(60.0)
    assert not rig.closed()
    assert "Ended Deauthorized EVConnected DeAuthorized" in rig.story() or rig.story()[-1].startswith("Ended Deauthorized")


@pytest.mark.req("S-11", "S-10")
def test_an_answer_that_comes_after_the_unplugging_waits_for_no_plug() -> None:
    rig = WholeRig()
    rig.plug()
    rig.run(1.0)
    rig.swipe()
    rig.unplug()
    rig.run(1.0)
    rig.say()
    assert rig.facts.id_token is None
    rig.plug(s2=True)
    rig.run(30.0)
    assert not rig.closed()


@pytest.mark.req("F03.FR.02")
def test_a_remote_stop_before_the_started_is_answered() -> None:
    """EVtivity stops a session that nobody pays for before it has answered the Started."""
    rig = WholeRig(answer=lambda call: None)
    rig.charges()
    assert [call.action for call in rig.calls] == ["TransactionEvent"]
    assert rig.stop_remotely() == {"status": "Accepted"}
    rig.run(5.0)
    assert not rig.closed()


def act(rig: WholeRig, dice: random.Random) -> None:
    """Something happens."""
    match dice.choice(
        ("plug", "unplug", "s2", "card", "other", "start", "stop", "local", "answer", "refuse", "fail", "lost", "back", "wait", "meter")
    ):
        case "plug" if not rig.world.connected:
            rig.plug(s2=dice.random() < 0.5)
        case "unplug":
            rig.unplug()
        case "s2" if rig.world.connected:
            rig.s2(closed=dice.random() < 0.7)
        case "card":
            rig.swipe(CARD)
        case "other":
            rig.swipe(OTHER)
        case "start":
            rig.ask(
                "RequestStartTransaction",
                {"remoteStartId": 1, "evseId": 1, "idToken": {"idToken": "app", "type": dice.choice(("Central", "Local"))}},
            )
        case "stop":
            rig.ask("RequestStopTransaction", {"transactionId": rig.facts.transaction_id or "none"})
        case "local":
            rig.tell(StopRequested(1, "Local"))
        case "answer" if any(call.action == "Authorize" for call in rig.calls):
            rig.say(group=dice.choice(("", "G")))
        case "refuse" if any(call.action == "Authorize" for call in rig.calls):
            rig.say("Invalid")
        case "fail" if any(call.action == "Authorize" for call in rig.calls):
            rig.fail()
        case "lost":
            rig.disconnect()
        case "back":
            rig.connect()
        case "meter":
            rig.meter()
        case _:
            rig.run(dice.choice((0.01, 0.1, 1.0, 4.0, 30.0, 130.0)))


def sound(rig: WholeRig, open_since: list[float]) -> None:
    """Power only for somebody who may, in a transaction; and no longer than 5 s after he may no more."""
    facts = rig.facts
    permitted = facts.id_token is not None and facts.transaction_id and rig.world.connected
    if permitted or not rig.closed():
        open_since[0] = rig.now
    assert rig.now - open_since[0] <= 5.0, (rig.now, facts)
    assert facts.id_token is None or facts.owner is not None
    if facts.id_token is None and not facts.transaction_id:
        assert facts.owner is None


@pytest.mark.req("S-10", "S-11")
@pytest.mark.parametrize("seed", range(60))
def test_any_order_is_sound(seed: int) -> None:
    dice = random.Random(seed)
    points = {
        "TxCtrlr.TxStartPoint": dice.choice(("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")),
        "TxCtrlr.TxStopPoint": dice.choice(("EVConnected", "Authorized", "EVConnected,Authorized", "PowerPathClosed")),
    }
    rig = WholeRig(variables={**points, "TxCtrlr.StopTxOnEVSideDisconnect": dice.choice(("true", "false"))})
    open_since = [rig.now]
    for _ in range(40):
        act(rig, dice)
        for _ in range(3):
            rig.run(dice.choice((0.0, 0.02, 0.5)))
            sound(rig, open_since)
    rig.connect()
    rig.unplug()
    rig.run(400.0)
    assert not rig.closed()
    kinds = [(payload["eventType"], payload["transactionInfo"]["transactionId"]) for payload in rig.sent]
    for kind in ("Started", "Ended"):
        ids = [each for what, each in kinds if what == kind]
        assert len(ids) == len(set(ids))
