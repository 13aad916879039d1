"""A station with one EVSE that talks, its simulated board, a vehicle and a CSMS, on virtual time; the closing invariant is looked at all the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from bench.campaign.invariant import BoardGuard
from bench.ev.talking import TalkingEv
from bench.heap import UTC_S, Heap
from bench.v2g.model import COMPACT, Spec, Vehicle
from chargepoint.commands import Command, ServeVehicle, SetDuty
from chargepoint.config import CsmsConfig, DcConfig, EvseConfig, StationConfig, TariffConfig, Timings, V2gConfig
from chargepoint.events import ChargingState, LimitSet
from chargepoint.facts import EvseFacts
from chargepoint.hlc import HlcState
from chargepoint.runtime.ports.certificates import OpenStore
from chargepoint.tick import Tick
from hal.sim.evse import SimEvse, SimEvseOptions
from hal.sim.stage import DcStage
from hal.sim.world import SimWorld
from hal.types import DcRatings, EvseInfo, PhaseWiring, TokenPresented
from iso15118.evcc.terms import EvWish
from iso15118.terms import Control, Ending, Energy

C = TypeVar("C", bound=Command)
CARD = "04A1B2C3D4"
STAGE = DcRatings(max_discharge_A=50.0, max_discharge_W=20_000.0)
ENDLESS = 1_000_000


class HlcSite:
    """`mode` ac or dc; `both_ways`: feeding back is offered; `wiring`: how the board switches phases; `right_clock`: the CSMS tells the time as it goes on,
    else always that of the start, which is `utc_s`."""

    def __init__(
        self,
        mode: Any,
        *,
        both_ways: bool = False,
        wiring: PhaseWiring = PhaseWiring.NONE,
        timings: Timings | None = None,
        variables: dict[str, str] | None = None,
        settles: bool = False,
        tariff: TariffConfig | None = None,
        right_clock: bool = False,
        utc_s: float = UTC_S,
        csms: CsmsConfig | None = None,
        heap: type[Heap] = Heap,
        certificates: OpenStore | None = None,
        **v2g: Any,
    ) -> None:
        back_W = 10_000.0 if both_ways else 0.0
        evse = EvseConfig(
            1,
            32.0,
            mode=mode,
            connector="cCCS2" if mode == "dc" else "cType2",
            dc=DcConfig(max_discharge_W=back_W, max_discharge_A=back_W / 250.0),
            v2g=V2gConfig(interface="plc0", ac_discharge_W=back_W, **v2g),
        )
        given = timings or Timings()
        config = StationConfig(
            csms=csms or CsmsConfig(url="ws://csms.example/ocpp", identity="HLC-1", security_profile=0),
            evses=(evse,),
            tariff=tariff or TariffConfig(),
            timings=replace(given, boot_jitter_s=0.0, close_after_boot_s=given.close_after_boot_s if settles else 0.0),
            variables={"SampledDataCtrlr.TxUpdatedInterval": "10", **(variables or {})},
        )
        info = EvseInfo(1, 32.0, phase_wiring=wiring, connector=evse.connector, dc=STAGE if mode == "dc" else None)
        self.heap = heap(config, SimWorld([SimEvseOptions(info)]), self._csms)
        self.heap.certificates = certificates
        self.accepts, self.right_clock = True, right_clock
        self.heap.utc_offset = self.began_utc = utc_s
        self.events: list[tuple[float, object]] = []
        self.commands: list[tuple[float, Command]] = []
        self._by_kind: dict[type[Command], list[tuple[float, Any]]] = {}
        self.heap.watch = self._watch
        self.guard = BoardGuard(self.heap)
        self.heap.looks.append(self.guard)
        self.ev: TalkingEv | None = None
        self.heap.start()
        self.heap.run(4.0)  # the least time of X1 after a start is over

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        utc = datetime.fromtimestamp(self.heap.now + self.heap.utc_offset if self.right_clock else self.began_utc, UTC)
        match action:
            case "BootNotification":
                return {"currentTime": utc.isoformat(), "interval": 300, "status": "Accepted"}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted" if self.accepts else "Invalid"}}
            case "NotifyEVChargingNeeds" | "NotifyEVChargingSchedule":
                return {"status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": utc.isoformat()}
        return {}

    def _watch(self, tick: Tick, event: object, commands: tuple[Command, ...]) -> None:
        self.events.append((tick.mono, event))
        for each in commands:
            self.commands.append((tick.mono, each))
            self._by_kind.setdefault(type(each), []).append((tick.mono, each))

    def forget(self) -> None:
        """What has happened so far."""
        for record in (self.events, self.commands, self._by_kind, self.heap.commands, self.heap.frames):
            record.clear()

    # ---- what people and the vehicle do

    def vehicle(
        self,
        energy: Energy,
        control: Control = Control.DYNAMIC,
        *,
        soc: float = 30.0,
        loops: int = ENDLESS,
        spec: Spec = COMPACT,
        **more: Any,
    ) -> Vehicle:
        """One that wants this."""
        vehicle = Vehicle(spec, soc=soc, **more)
        vehicle.wants.energies, vehicle.wants.controls, vehicle.wants.loops = (energy,), (control,), loops
        return vehicle

    def plug(self, vehicle: Vehicle, kind: Callable[..., TalkingEv] = TalkingEv, **more: Any) -> TalkingEv:
        """It comes onto the cable."""
        ev = self.ev = kind(vehicle, self.heap.now, **more)
        self.sim.plug(ev)
        self.heap.run(0.0)
        return ev

    def unplug(self) -> None:
        self.sim.unplug_vehicle()
        self.heap.run(0.0)

    def card(self) -> None:
        """The driver's card at the reader."""
        self.heap.tell(TokenPresented(CARD))

    def limit(self, *, amps: float | None = None, watts: float | None = None) -> None:
        """A bound from elsewhere."""
        self.heap.tell(LimitSet(1, "csms", amps, watts))

    def run(self, seconds: float) -> None:
        self.heap.run(seconds)

    def until(self, holds: Callable[[], bool], most_s: float = 120.0) -> float:
        """Let time pass until this is so; how long it took."""
        began = self.heap.now
        while not holds():
            assert self.heap.now - began < most_s, f"not within {most_s} s: {self.hlc}, {self.facts.charging_state}, {self.said()[-6:]}"
            self.heap.run(0.05)
        return self.heap.now - began

    def pause_and_back(self, ev: TalkingEv, asleep_s: float = 5.0) -> None:
        """The vehicle pauses its session, sleeps, wakes the station by BCB toggles, and goes on with it."""
        ev.vehicle.wants.wish = EvWish.PAUSE
        self.until(lambda: ev.over is not None, most_s=60.0)
        assert ev.over is not None
        assert ev.over.ending is Ending.PAUSED
        ev.vehicle.wants.wish = None
        self.run(asleep_s)
        assert self.facts.charging_state is not ChargingState.CHARGING
        ev.toggle_bcb()
        self.until(lambda: self.facts.charging_state is ChargingState.CHARGING)
        assert self.facts.vehicle is not None
        assert self.facts.vehicle.resumed

    def charge(self, vehicle: Vehicle, **more: Any) -> TalkingEv:
        """Plug, card, and until energy flows."""
        ev = self.plug(vehicle, **more)
        self.card()
        self.until(lambda: self.facts.charging_state is ChargingState.CHARGING and max(map(abs, self.sim.current_A)) > 1.0)
        return ev

    # ---- what is so

    @property
    def sim(self) -> SimEvse:
        return self.heap.world.evses[1]

    @property
    def stage(self) -> DcStage:
        stage = self.sim.stage
        assert stage is not None
        return stage

    @property
    def facts(self) -> EvseFacts:
        assert self.heap.station is not None
        return self.heap.station.wiring.context.evses[1]

    @property
    def hlc(self) -> HlcState:
        assert self.heap.station is not None
        state = self.heap.station.wiring.machines["evse:1"].state
        found = state.hlc
        assert isinstance(found, HlcState)
        return found

    def said(self, who: str = "") -> list[str]:
        """Names of what was said over the wire, without repetitions."""
        names: list[str] = []
        for _, by, message in self.ev.messages if self.ev else ():
            name = type(message).__name__
            if (not who or by == who) and (not names or names[-1] != name):
                names.append(name)
        return names

    def at(self, kind: type[C]) -> list[tuple[float, C]]:
        """Commands of this kind, and when."""
        return self._by_kind.get(kind, [])[:]

    def duties(self) -> list[float]:
        return [each.duty_percent for _, each in self.at(SetDuty)]

    def serving(self) -> bool:
        found = self.at(ServeVehicle)
        return bool(found) and found[-1][1].on

    def told(self, action: str = "TransactionEvent") -> list[dict[str, Any]]:
        """What the CSMS was told."""
        return [frame[3] for frame in self.heap.frames if frame[0] == 2 and frame[2] == action]

    def story(self) -> list[str]:
        """TransactionEvents in a line each."""
        return [
            " ".join(
                filter(
                    None,
                    (
                        each["eventType"],
                        each["triggerReason"],
                        each["transactionInfo"].get("chargingState"),
                        each["transactionInfo"].get("stoppedReason"),
                    ),
                )
            )
            for each in self.told()
            if each["triggerReason"] != "MeterValuePeriodic"
        ]
