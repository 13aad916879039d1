"""Whatever happens in whatever order, what the CSMS may believe holds together (S-10, S-11, E01..E14, G01): a state machine of stimuli against a small model.

The model knows the messages and what the simulated board's own physics show. Read from the station itself are only: its transactions on disk, for those
that nobody has been told of; whether it counts itself online; the token that an EVSE is given to, where nothing else can explain Occupied.

| held at | what |
|---|---|
| each message | fits its schema; the station has one CALL under way |
| each TransactionEvent | of its transaction the first is Started, numbers have no gap, nothing new comes after Ended; an EVSE has one transaction at a time |
| rest, online | a connector is told Occupied or Faulted while a plug is in, and never Occupied without plug and transaction; out of service is told Unavailable |
| each TransactionEvent | by the board's register at its time nothing has flowed beyond what this transaction still gets: of a token that an answer has refused MaxEnergyOnInvalidId more; after TxResumed without AllowEnergyTransferResumption nothing; after EnergyLimitReached nothing until the CSMS has set a higher limit |
| rest | a closed contactor has a transaction that has begun, told or on disk |
| the end | each transaction has ended, and nothing waits |
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chargepoint.commands import SendText
from chargepoint.events import StopRequested, TextReceived
from tests.octt.system import CARD, OTHER_CARD, STRANGER, TestSystem

WHOLE = bool(os.environ.get("SOAK"))
EVSES = (1, 2)
SETTLED_S = 45.0
"""Longer than what a contactor, a debouncing, a lock, a held plug and a reset of an EVSE take."""
VARIABLES = {
    "TxCtrlr.TxStartPoint": ("PowerPathClosed", "EVConnected", "Authorized", "EnergyTransfer"),
    "TxCtrlr.TxStopPoint": ("EVConnected,Authorized", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"),
    "TxCtrlr.StopTxOnEVSideDisconnect": ("true", "false"),
    "TxCtrlr.StopTxOnInvalidId": ("true", "false"),
    "TxCtrlr.MaxEnergyOnInvalidId": ("0", "100"),
    "TxCtrlr.EVConnectionTimeOut": ("20", "60"),
    "TxCtrlr.ResumptionTimeout": ("0", "600"),
    "TxCtrlr.AllowEnergyTransferResumption": ("true", "false"),
    "AuthCtrlr.AuthorizeRemoteStart": ("true", "false"),
    "AuthCtrlr.LocalPreAuthorize": ("true", "false"),
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": ("true", "false"),
    "SampledDataCtrlr.TxUpdatedInterval": ("0", "10"),
    "AlignedDataCtrlr.Interval": ("0", "60"),
    "OCPPCommCtrlr.OfflineThreshold": ("0", "60"),
    "OCPPCommCtrlr.NetworkConfigurationPriority": ("1", "2,1", "1,2"),
}
OPERATIVE = ("Operative", "Inoperative")
OPENS_WH = 60.0
"""What flows in the seconds until a contactor has opened."""
SOONEST = st.sampled_from((0.0, 0.02, 0.2, 1.0, 5.0, 20.0))


class Believed:
    """One transaction as the CSMS has it."""

    def __init__(self) -> None:
        self.events: dict[int, dict[str, Any]] = {}
        self.ended = False
        self.evse = 0
        self.token: dict[str, Any] | None = None
        """Whose it is: the first that was told of it."""
        self.limit_Wh = 0.0
        self.bounds: dict[str, tuple[float, float]] = {}
        """Why it gets no more -> since when, and the register that it may come to."""

    def take(self, event: dict[str, Any]) -> None:
        number = event["seqNo"]
        if number in self.events:
            before = self.events[number]
            assert event in (before, before | {"offline": True}), "the same number with other words"
            return
        assert number == len(self.events), f"a gap before {event}"
        assert (event["eventType"] == "Started") is (number == 0), event
        assert not self.ended, f"after its end: {event}"
        self.events[number] = event
        self.ended = event["eventType"] == "Ended"
        self.evse = event.get("evse", {}).get("id", self.evse)
        self.token = self.token or event.get("idToken")


class Csms(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transactions: dict[str, Believed] = {}
        self.connectors: dict[int, str] = {}
        self.under_way: str | None = None
        self.asked: dict[str, Any] = {}
        """What is under way, where it is a TransactionEvent."""
        self.counted: dict[int, list[tuple[float, float]]] = {evse: [] for evse in EVSES}
        """EVSE -> time and register of the board's meter."""
        self.bound_Wh, self.resumes, self.resumed = 0.0, False, False
        """MaxEnergyOnInvalidId; AllowEnergyTransferResumption now, and when the station began."""
        self.verdict, self.limit_Wh = "", 0.0
        """What the CSMS answers to TransactionEvents: another status than the token's own, and a limit."""
        self.quiet_s = 0.0
        self.remote = 0

    @initialize(socket=st.booleans())
    def begin(self, socket: bool) -> None:
        self.station = TestSystem(
            evses=len(EVSES),
            socket=socket,
            variables={"OCPPCommCtrlr.RetryBackOffWaitMinimum": "1", "OCPPCommCtrlr.RetryBackOffRandomRange": "1"},
        )
        self.station.groups = {CARD: "family"}
        self.station.answers["TransactionEvent"] = self.answer
        self.station.heap.hears.append(self.passes)
        self.station.start()
        self.station.wait(5.0)
        data = {
            "ocppInterface": "Wired0",
            "ocppTransport": "JSON",
            "messageTimeout": 30,
            "ocppCsmsUrl": "ws://other.example/ocpp",
            "securityProfile": 1,
            "basicAuthPassword": "0123456789abcdef-own",
        }
        assert self.station.call("SetNetworkProfile", {"configurationSlot": 2, "connectionData": data})["status"] == "Accepted"
        self.bound_Wh = float(self.station.get("TxCtrlr.MaxEnergyOnInvalidId"))
        self.resumes = self.resumed = self.station.get("TxCtrlr.AllowEnergyTransferResumption") == "true"

    # ---- what passes

    def answer(self, payload: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "idToken" in payload:
            info = self.station.info(payload["idToken"]["idToken"])
            found["idTokenInfo"] = info | ({"status": self.verdict} if self.verdict else {})
        return found | ({"transactionLimit": {"maxEnergy": self.limit_Wh}} if self.limit_Wh else {})

    def passes(self, what: object) -> None:
        for evse, counted in self.counted.items():
            counted.append((self._utc(), self.station.evse(evse).sample().energy_import_Wh))
        match what:
            case SendText(text) if self.station.heap._linked:
                kind, message_id, *rest = json.loads(text)
                if kind == 2:
                    assert self.under_way is None, f"{text} while {self.under_way} is under way"
                    self.under_way, self.asked = message_id, rest[1] if rest[0] == "TransactionEvent" else {}
                    self.told(*rest)
            case TextReceived(text):
                frame = json.loads(text)
                if frame[0] in (3, 4) and frame[1] == self.under_way:
                    self.under_way = None
                    if frame[0] == 3 and self.asked:
                        self.answered(self.transactions[self.asked["transactionInfo"]["transactionId"]], frame[2])
        if type(what).__name__ in ("LinkUp", "LinkDown", "PoweredUp"):
            self.under_way = None
        if type(what).__name__ == "PoweredUp":
            self.resumed = self.resumes

    def _utc(self) -> float:
        return self.station.heap.now + self.station.heap.utc_offset

    def register_Wh(self, evse: int, utc: float) -> float:
        """What had been counted by then, by what was looked at last."""
        counted = self.counted[evse]
        at = bisect_right(counted, (utc, float("inf")))
        return counted[at - 1][1] if at else 0.0

    def answered(self, it: Believed, answer: dict[str, Any]) -> None:
        """The station knows from here on that its token is refused, or that it has another limit."""
        now = self._utc()
        limit_Wh = answer.get("transactionLimit", {}).get("maxEnergy", 0.0)
        if limit_Wh > it.limit_Wh:
            it.bounds.pop("limit", None)
        it.limit_Wh = limit_Wh or it.limit_Wh
        if "idTokenInfo" in answer and self.asked["idToken"] == it.token:
            it.bounds.pop("refused", None)
            if answer["idTokenInfo"]["status"] != "Accepted" and it.evse:
                it.bounds["refused"] = now, self.register_Wh(it.evse, now) + self.bound_Wh + OPENS_WH

    def bounded(self, it: Believed, event: dict[str, Any]) -> None:
        """At the time of this event the transaction has got no more than it may."""
        utc = datetime.fromisoformat(event["timestamp"]).timestamp()
        for why, (since, most_Wh) in it.bounds.items():
            got_Wh = self.register_Wh(it.evse, utc)
            assert utc <= since or got_Wh <= most_Wh, f"{why}: {got_Wh} Wh, of {most_Wh} at most, by {event}"
        if event["triggerReason"] == "TxResumed" and not self.resumed and it.evse:
            it.bounds["resumed"] = utc, self.register_Wh(it.evse, utc) + 1.0
        if event["triggerReason"] == "EnergyLimitReached":
            it.bounds["limit"] = utc, self.register_Wh(it.evse, utc) + OPENS_WH

    def told(self, action: str, payload: dict[str, Any]) -> None:
        if action == "StatusNotification":
            self.connectors[payload["evseId"]] = payload["connectorStatus"]
        if action == "TransactionEvent":
            it = self.transactions.setdefault(payload["transactionInfo"]["transactionId"], Believed())
            it.take(payload)
            self.bounded(it, payload)
            others = [each for each in self.transactions.values() if each is not it and not each.ended and each.evse == it.evse != 0]
            assert not others, f"two transactions at EVSE {it.evse}"

    # ---- what happens

    def _after(self, seconds: float) -> None:
        self.station.forget()
        self.station.wait(seconds)
        self.quiet_s = seconds if seconds >= SETTLED_S else 0.0

    @rule(evse=st.sampled_from(EVSES), ready=st.booleans(), then=SOONEST)
    def plug(self, evse: int, ready: bool, then: float) -> None:
        if self.station.evse(evse).load is None:
            self.station.plug(evse, ready=ready)
        self._after(then)

    @rule(evse=st.sampled_from(EVSES), then=SOONEST)
    def unplug(self, evse: int, then: float) -> None:
        self.station.unplug(evse)
        self._after(then)

    @rule(evse=st.sampled_from(EVSES), token=st.sampled_from((CARD, CARD, OTHER_CARD, STRANGER)), then=SOONEST)
    def swipe(self, evse: int, token: str, then: float) -> None:
        self.station.swipe(token, evse)
        self._after(then)

    @rule(evse=st.sampled_from(EVSES), card_first=st.booleans(), then=SOONEST)
    def come_and_charge(self, evse: int, card_first: bool, then: float) -> None:
        if card_first:
            self.swipe(evse, CARD, 1.0)
        self.plug(evse, True, 3.0)
        if not card_first:
            self.swipe(evse, CARD, 0.0)
        self._after(max(then, 5.0))

    @rule(evse=st.sampled_from(EVSES), limit_Wh=st.sampled_from((0.0, 200.0)))
    def charge_over_a_power_loss(self, evse: int, limit_Wh: float) -> None:
        self.limit_Wh = limit_Wh
        self._set("TxCtrlr.ResumptionTimeout", "600")
        self.come_and_charge(evse, False, SETTLED_S)
        self.power_goes(5.0, 2 * SETTLED_S)

    @rule(evse=st.sampled_from(EVSES))
    def stop_and_leave(self, evse: int) -> None:
        self.swipe(evse, CARD, 5.0)
        self.unplug(evse, 5.0)

    @rule(evse=st.sampled_from(EVSES), then=SOONEST)
    def stop_here(self, evse: int, then: float) -> None:
        self.station.tell(StopRequested(evse, "Local"))
        self._after(then)

    @rule(then=SOONEST)
    def go_offline(self, then: float) -> None:
        self.station.offline()
        self._after(then)

    @rule(then=SOONEST)
    def go_online(self, then: float) -> None:
        self.station.online()
        self._after(then)

    @rule(for_s=st.sampled_from((0.1, 5.0, 700.0)), then=SOONEST)
    def power_goes(self, for_s: float, then: float) -> None:
        self.station.power_loss(for_s)
        self._after(then)

    @rule(seconds=st.sampled_from((1.0, SETTLED_S, 2 * SETTLED_S)))
    def time_passes(self, seconds: float) -> None:
        self._after(seconds)

    def _ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """{} where the station is not there to be asked."""
        if not self.station.heap._linked or self.station.heap.station is None:
            return {}
        return self.station.call(action, payload)

    @rule(evse=st.sampled_from((None, *EVSES)), token=st.sampled_from((CARD, "app-1")), then=SOONEST)
    def start_from_afar(self, evse: int | None, token: str, then: float) -> None:
        self.remote += 1
        kind = "ISO14443" if token == CARD else "Central"
        payload: dict[str, Any] = {"remoteStartId": self.remote, "idToken": {"idToken": token, "type": kind}}
        answer = self._ask("RequestStartTransaction", payload | ({"evseId": evse} if evse else {}))
        if answer.get("transactionId"):
            assert answer["transactionId"] not in {key for key, it in self.transactions.items() if it.ended}
        self._after(then)

    @rule(at=st.integers(0, 5), then=SOONEST)
    def stop_from_afar(self, at: int, then: float) -> None:
        known = sorted(self.transactions)
        if known:
            transaction = known[at % len(known)]
            answer = self._ask("RequestStopTransaction", {"transactionId": transaction})
            assert not (self.transactions[transaction].ended and answer.get("status") == "Accepted")
        self._after(then)

    @rule(kind=st.sampled_from(("Immediate", "OnIdle", "ImmediateAndResume")), evse=st.sampled_from((None, *EVSES)), then=SOONEST)
    def reset(self, kind: str, evse: int | None, then: float) -> None:
        self._ask("Reset", {"type": kind} | ({"evseId": evse} if evse else {}))
        self._after(then)

    @rule(evse=st.sampled_from((None, *EVSES)), status=st.sampled_from(OPERATIVE), then=SOONEST)
    def availability(self, evse: int | None, status: str, then: float) -> None:
        self._ask("ChangeAvailability", {"operationalStatus": status} | ({"evse": {"id": evse}} if evse else {}))
        self._after(then)

    @rule(data=st.data(), name=st.sampled_from(sorted(VARIABLES)))
    def set_variable(self, data: st.DataObject, name: str) -> None:
        self._set(name, data.draw(st.sampled_from(VARIABLES[name])))

    def _set(self, name: str, value: str) -> None:
        component, _, variable = name.partition(".")
        data = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": value}
        answer = self._ask("SetVariables", {"setVariableData": [data]})
        if answer and answer["setVariableResult"][0]["attributeStatus"] == "Accepted":
            lifted = ""
            if name == "TxCtrlr.MaxEnergyOnInvalidId":
                lifted, self.bound_Wh = "refused", float(value)
            if name == "TxCtrlr.AllowEnergyTransferResumption":
                lifted, self.resumes = "resumed" if value == "true" else "", value == "true"
            for it in self.transactions.values():
                it.bounds.pop(lifted, None)
        self._after(0.0)

    @rule(verdict=st.sampled_from(("", "", "Invalid")), limit_Wh=st.sampled_from((0.0, 0.0, 30.0, 2_000.0)))
    def the_csms_answers(self, verdict: str, limit_Wh: float) -> None:
        self.verdict, self.limit_Wh = verdict, limit_Wh

    @rule(what=st.sampled_from(("StatusNotification", "TransactionEvent", "MeterValues", "BootNotification", "Heartbeat")))
    def trigger(self, what: str) -> None:
        payload: dict[str, Any] = {"requestedMessage": what}
        self._ask("TriggerMessage", payload | ({"evse": {"id": 1, "connectorId": 1}} if what == "StatusNotification" else {}))
        self._after(1.0)

    @rule(evse=st.sampled_from(EVSES), then=SOONEST)
    def unlock(self, evse: int, then: float) -> None:
        if self.station.socket:
            self._ask("UnlockConnector", {"evseId": evse, "connectorId": 1})
        self._after(then)

    # ---- what holds

    @precondition(lambda self: self.quiet_s >= SETTLED_S)
    @invariant()
    def no_energy_outside_of_a_transaction(self) -> None:
        stored = {row["evse_id"] for row in self.station.heap.store.get("transactions", {}).values()}
        for evse in EVSES:
            assert not self.station.closed(evse) or evse in stored, f"EVSE {evse} is closed without a transaction"

    @precondition(lambda self: self.quiet_s >= SETTLED_S)
    @invariant()
    def what_is_told_is_so(self) -> None:
        heap = self.station.heap
        if not heap.reachable or not heap._linked or heap.station is None:
            return
        link = heap.station.wiring.context.link
        if not link.online:
            return
        for evse in EVSES:
            plugged, told = self.station.evse(evse).load is not None, self.connectors[evse]
            going = any(it.evse == evse and not it.ended for it in self.transactions.values())
            if plugged:
                assert told in ("Occupied", "Faulted", "Unavailable"), f"EVSE {evse}: {told} with a plug"
            elif not going and told == "Occupied":
                owner = heap.station.wiring.context.evses[evse].id_token
                assert owner is not None, f"EVSE {evse}: {told} without plug, transaction or token"

    def teardown(self) -> None:
        if not hasattr(self, "station"):
            return
        station = self.station
        station.online()
        for name in ("TxCtrlr.StopTxOnEVSideDisconnect",):
            for _ in range(40):
                station.wait(10.0)
                if station.heap._linked and station.heap.station and station.heap.station.wiring.context.link.online:
                    break
            station.set(name, "true")
        for evse in EVSES:
            station.unplug(evse)
            station.tell(StopRequested(evse, "Local"))
        station.wait(300.0)
        open_ = {key: it.events for key, it in self.transactions.items() if not it.ended}
        assert not open_, f"never ended: {open_}"
        assert not [key for key in station.heap.store.get("outbox", {}) if key.isdigit()]
        for evse in EVSES:
            assert not station.closed(evse)


Csms.TestCase.settings = settings(
    max_examples=1_000 if WHOLE else 12,
    stateful_step_count=40 if WHOLE else 25,
    deadline=None,
    derandomize=not WHOLE,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.mark.soak
@pytest.mark.req("S-10", "S-11", "E01.FR.07", "G01.FR.01")
class TestWhatTheCsmsMayBelieve(Csms.TestCase):  # type: ignore[misc,valid-type] # hypothesis makes it
    """As unittest finds it."""
