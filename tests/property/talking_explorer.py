"""The exploration of an EVSE that talks: sessions that ask for anything in any order, honest and mad, and a stage that follows its orders or does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from chargepoint.events import (
    DataLinkChanged,
    HardwareFailed,
    SessionChanged,
    SessionStage,
    Supply,
    SupplyAsked,
    TalkingAllowed,
    VehicleServed,
)
from chargepoint.facts import Vehicle
from hal.types import BoardSilence, DcSample, InsulationSample
from iso15118.terms import Control, Energy, EnergyChosen
from tests.property.evse_explorer import Explorer
from tests.property.talking_world import AC, AC_BOARD, DC, DC_BOARD, TalkingSite, TalkingWorld

Choices = Iterator[tuple[str, Callable[[], None]]]
NAN = float("nan")
ASKS: dict[str, tuple[Supply, float, float]] = {
    "asks off": (Supply.OFF, 0.0, 0.0),
    "asks check": (Supply.CABLE_CHECK, 500.0, 0.0),
    "asks precharge": (Supply.PRECHARGE, 400.0, 0.0),
    "asks power": (Supply.POWER, 400.0, 60.0),
    "asks standby": (Supply.STANDBY, 400.0, 0.0),
}
MAD: dict[str, tuple[Supply, float, float]] = {
    "asks for a mad check": (Supply.CABLE_CHECK, 10.0, NAN),
    "asks for a mad precharge": (Supply.PRECHARGE, 1e9, -1e9),
    "asks for mad power": (Supply.POWER, 5e3, 1e30),
    "asks for power back": (Supply.POWER, 400.0, -1e9),
    "asks for no number": (Supply.POWER, NAN, float("inf")),
}
FAILS = {"SetDcOutput": "StageFault", "StopDcOutput": "StageFault", "MeasureInsulation": "InsulationFault", "Permit": "LeaseLapsed"}


class TalkingExplorer(TalkingSite, Explorer):
    """`dc`: a stage, and a vehicle that may feed back."""

    leading: ClassVar[set[str]] = {
        "plug", "s2 on", "authorise", "durable", "limit lifted", "supply allowed", "acknowledge", "link up", "session begins", "asks check",
        "asks precharge", "asks power", "sample follows", "insulation right", "vehicles are taken", "talking is switched on",
    }  # fmt: skip
    world_times = (*Explorer.world_times, "off_since", "wrong_since", "read_at")

    def __init__(self, *, dc: bool, **tables: Any) -> None:
        config, board = (DC, DC_BOARD) if dc else (AC, AC_BOARD)
        super().__init__(config=config, traits=board, **tables)

    def _boot(self) -> None:
        super()._boot()
        if self.dc:
            self.facts.vehicle = Vehicle("", "", chosen=EnergyChosen(Energy.DC_BPT, Control.DYNAMIC))

    def start(self) -> None:
        super().start()
        self.tell(VehicleServed(1, ready=True))

    # ---- choices

    def _ev_choices(self, w: Any) -> Choices:
        if not w.connected:
            yield "plug", lambda: self._plug(220.0)
            return
        yield from super()._ev_choices(w)
        if w.link:
            yield "link lost", self._link_lost
        else:
            yield "link up", self._link_up
        if not w.session:
            yield "session begins", self._begins
        for stage in SessionStage:
            if stage is SessionStage.ABORTED or (w.session and stage is not SessionStage.BEGUN):
                yield f"session {stage.value}", lambda stage=stage: self._over(stage)  # type: ignore[misc]
        for name, (supply, volts, amps) in (ASKS | MAD).items():
            if self.dc or name not in MAD:
                yield name, lambda supply=supply, volts=volts, amps=amps: self._ask(supply, volts, amps)  # type: ignore[misc]

    def _station_choices(self, w: Any) -> Choices:
        for name, action in super()._station_choices(w):
            if not name.startswith("phases"):
                yield name, action
        allowed = self.machine.state.allowed
        yield "talking is switched " + ("off" if allowed else "on"), lambda: self.tell(TalkingAllowed(1, not allowed))
        if not w.served:
            yield "vehicles are taken", lambda: self._serve(ready=True)
        if self.dc:
            yield from self._stage_choices(w)

    def _stage_choices(self, w: TalkingWorld) -> Choices:
        if w.deaf:
            yield "stage speaks", lambda: self._deaf(deaf=False)
            return
        on = w.ordered if w.closed else None
        volts, amps = on or (0.0, 0.0)
        yield "sample follows", lambda: self.tell(DcSample(1, volts, amps, volts))
        yield "sample lags", lambda: self.tell(DcSample(1, w.volts, w.amps, w.outlet))
        if w.measuring:
            yield "insulation right", lambda: self._insulation(1e6)
            yield "insulation low", lambda: self._insulation(100.0)

    def _fault_choices(self, w: Any) -> Choices:
        yield from super()._fault_choices(w)
        if w.served:
            yield "vehicles are not taken", lambda: self._fault(lambda: self._serve(ready=False))
        if w.pending and w.pending[0] == "closed":
            yield "closing fails", lambda: self._fault(self._close_fails)
        yield "board silent", lambda: self._fault(self._silent)
        if not self.dc:
            return
        if not w.deaf:
            yield "stage falls silent", lambda: self._fault(lambda: self._deaf(deaf=True))
        for command, error in FAILS.items():
            yield f"{command} fails", lambda c=command, e=error: self._fault(lambda: self.tell(HardwareFailed(1, c, e)))  # type: ignore[misc]
        samples = {"surges": (950.0, 300.0, 950.0), "is none": (NAN, NAN, NAN), "is of a live outlet": (0.0, 0.0, 400.0)}
        for name, sample in () if w.deaf else samples.items():
            yield f"sample {name}", lambda sample=sample: self._fault(lambda: self.tell(DcSample(1, *sample)))  # type: ignore[misc]

    # ---- what they do

    def _time(self) -> None:
        """A stage says what it has each second."""
        super()._time()
        if self.dc and not self.world.deaf:
            self._read()

    def _read(self) -> None:
        w = self.world
        self.tell(DcSample(1, w.volts, w.amps, w.outlet))

    def _deaf(self, *, deaf: bool) -> None:
        self.world.deaf = deaf
        if not deaf:
            self._read()

    def _link_up(self) -> None:
        self.world.link = True
        self.tell(DataLinkChanged(1, ready=True))

    def _link_lost(self) -> None:
        """The session is lost with it; who had it may say so later."""
        self.world.link = False
        self.world.forget()
        self.tell(DataLinkChanged(1, ready=False))

    def _begins(self) -> None:
        self.world.forget()
        self.world.session = True
        self.tell(SessionChanged(1, SessionStage.BEGUN))

    def _over(self, stage: SessionStage) -> None:
        self.world.forget()
        self.tell(SessionChanged(1, stage))

    def _ask(self, supply: Supply, volts: float, amps: float) -> None:
        w = self.world
        w.asked = supply
        w.checked = supply is not Supply.OFF and (w.checked or supply is Supply.CABLE_CHECK)
        w.measured = w.measured and supply is not Supply.OFF
        self.tell(SupplyAsked(1, supply, volts, amps))

    def _serve(self, *, ready: bool) -> None:
        self.world.served = ready
        if not ready:
            self.world.forget()
        self.tell(VehicleServed(1, ready, "" if ready else "no link-local address"))

    def _insulation(self, ohm: float) -> None:
        w = self.world
        w.measuring, w.measured = False, ohm > 1e5 and w.checked
        self.tell(InsulationSample(1, ohm))

    def _close_fails(self) -> None:
        w = self.world
        w.closed, w.pending = w.welded, tuple(p for p in w.pending if p != "closed")
        self.tell(HardwareFailed(1, "CloseContactor", "ContactorFault"))

    def _silent(self) -> None:
        """For a moment; then all is said again."""
        self.tell(BoardSilence(silent=True))
        self.check()
        self.tell(BoardSilence(silent=False))
        self._show()

    def _unplug(self) -> None:
        w = self.world
        w.forget()
        w.offered, w.link = "", False
        super()._unplug()
        self.tell(SupplyAsked(1, Supply.OFF))
        self.tell(SessionChanged(1, SessionStage.ABORTED))

    def _off(self) -> None:
        w = self.world
        w.forget()
        w.ordered, w.measuring, w.offered, w.link = None, False, "", False
        w.volts = w.amps = w.outlet = 0.0

    def _restart(self) -> None:
        self._off()
        super()._restart()
        if self.world.served:
            self.tell(VehicleServed(1, ready=True))

    def _board_restarts(self) -> None:
        w = self.world
        w.ordered, w.measuring = None, False
        super()._board_restarts()
