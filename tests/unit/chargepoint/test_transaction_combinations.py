"""Every TxStartPoint with every TxStopPoint, through every story of a charge: what must hold whatever the CSMS has configured."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations

import pytest

from chargepoint.events import BayOccupied, ChargingState, FaultCleared, FaultRaised, TransactionDurable
from chargepoint.transaction_points import START_POINTS, STOP_POINTS
from tests.unit.ocpp.transaction_rig import ChargeRig

Story = Callable[[ChargeRig], None]
SUSPENDED_EV, SUSPENDED_EVSE, CHARGING, CONNECTED = (
    ChargingState.SUSPENDED_EV,
    ChargingState.SUSPENDED_EVSE,
    ChargingState.CHARGING,
    ChargingState.EV_CONNECTED,
)


def subsets(names: tuple[str, ...]) -> list[str]:
    return [",".join(c) for c in chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1))]


STARTS = subsets(tuple(name for name in START_POINTS if name != "DataSigned"))
STOPS = subsets(tuple(STOP_POINTS))


def charges(rig: ChargeRig) -> None:
    """As the EVSE does it: no wish for power without an authorisation, no power without a transaction that is on disk."""
    if rig.evses[1].id_token is None:
        return
    rig.wants_power()
    said = rig.said(TransactionDurable)
    assert said, "no power: no transaction was started"
    assert said[-1].transaction_id == rig.evses[1].transaction_id
    rig.charging(CHARGING)
    rig.meter(1500.0, amps=16)


def ends_locally(rig: ChargeRig) -> None:
    rig.stop_by("Local")
    rig.charging(CONNECTED)
    rig.unplug()
    rig.hear(BayOccupied(1, occupied=False))


def plug_first(rig: ChargeRig) -> None:
    rig.hear(BayOccupied(1, occupied=True))
    rig.plug()
    rig.swipe()
    charges(rig)
    ends_locally(rig)


def card_first(rig: ChargeRig) -> None:
    rig.swipe()
    rig.plug()
    charges(rig)
    ends_locally(rig)


def remote(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe(remote_start_id=7)
    charges(rig)
    rig.stop_by("Remote", "RemoteStop")
    rig.charging(CONNECTED)
    rig.unplug()


def pulled_at_the_ev(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.unplug()


def pulled_and_back(rig: ChargeRig) -> None:
    rig.keep_on_unplug()
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.unplug(keeps=True)
    rig.plug()
    charges(rig)
    rig.stop_by("Local")
    rig.charging(CONNECTED)
    rig.unplug()


def deauthorised(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.stop_by("DeAuthorized", "Deauthorized")
    rig.charging(CONNECTED)
    rig.unplug()


def never_plugged(rig: ChargeRig) -> None:
    rig.swipe()
    rig.stop_by("Timeout", "EVConnectTimeout")


def never_authorised(rig: ChargeRig) -> None:
    rig.hear(BayOccupied(1, occupied=True))
    rig.plug()
    rig.unplug()
    rig.hear(BayOccupied(1, occupied=False))


def stopped_before_authorised(rig: ChargeRig) -> None:
    rig.plug()
    rig.stop_by("Remote", "RemoteStop")
    rig.unplug()


def pauses(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.charging(SUSPENDED_EVSE)
    charges(rig)
    rig.charging(SUSPENDED_EV)
    charges(rig)
    ends_locally(rig)


def fault(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.hear(FaultRaised(1, "ResidualCurrentTrip"))
    rig.charging(SUSPENDED_EVSE)
    rig.hear(FaultCleared(1, "ResidualCurrentTrip"))
    rig.unplug()


def second_card_while_plugged(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.stop_by("Local")
    rig.charging(CONNECTED)
    rig.swipe()
    charges(rig)
    ends_locally(rig)


def power_cut(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    again = rig.restart()
    rig.sent += again.sent
    rig.machines, rig.evses, rig.store = again.machines, again.evses, again.store


def shut_down(rig: ChargeRig) -> None:
    rig.plug()
    rig.swipe()
    charges(rig)
    rig.stop_by("Reboot", "ResetCommand")


STORIES: tuple[Story, ...] = (
    plug_first,
    card_first,
    remote,
    pulled_at_the_ev,
    pulled_and_back,
    deauthorised,
    never_plugged,
    never_authorised,
    stopped_before_authorised,
    pauses,
    fault,
    second_card_while_plugged,
    power_cut,
    shut_down,
)
POWERED = {story for story in STORIES if story not in (never_plugged, never_authorised, stopped_before_authorised)}


def broken(rig: ChargeRig, story: Story) -> list[str]:
    """What does not hold of the messages that the CSMS has got."""
    wrong = []
    by_id: dict[str, list[dict[str, object]]] = {}
    for payload in rig.sent:
        by_id.setdefault(payload["transactionInfo"]["transactionId"], []).append(payload)
    for events in by_id.values():
        kinds = [event["eventType"] for event in events]
        if kinds != ["Started", *["Updated"] * (len(kinds) - 2), "Ended"]:
            wrong.append(f"order {kinds}")
        if [event["seqNo"] for event in events] != list(range(len(events))):
            wrong.append(f"seqNo {[event['seqNo'] for event in events]}")
        if sum("evse" in event for event in events) > 1:
            wrong.append("evse more than once")
        if not events[-1]["transactionInfo"].get("stoppedReason"):  # type: ignore[attr-defined]
            wrong.append("no stoppedReason")
        if sum("remoteStartId" in event["transactionInfo"] for event in events) > 1:  # type: ignore[operator]
            wrong.append("remoteStartId more than once")
    if story in POWERED and not by_id:
        wrong.append("energy without a transaction")
    if any(facts.transaction_id for facts in rig.evses.values()):
        wrong.append("a transaction that never ends")
    if rig.store.get("transactions"):
        wrong.append("a row is left on disk")
    return wrong


@pytest.mark.req("E01.FR.01", "E01.FR.02", "E01.FR.03", "E01.FR.05", "E01.FR.06", "E01.FR.07", "E01.FR.16", "F-1")
@pytest.mark.req("E06.FR.01", "E06.FR.02", "E06.FR.03", "E06.FR.06", "E06.FR.07")
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_every_combination(story: Story) -> None:
    wrong = {}
    for start in STARTS:
        for stop in STOPS:
            rig = ChargeRig(start, stop, snapshots=False, checks=False)
            rig.meter(1000.0)
            story(rig)
            if problems := broken(rig, story):
                wrong[f"{start} | {stop}"] = (problems, rig.story())
    assert not wrong, f"{len(wrong)} of {len(STARTS) * len(STOPS)}: {next(iter(wrong.items()))}"
