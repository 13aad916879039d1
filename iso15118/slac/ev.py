"""Matching as a vehicle does it: which of the EVSEs on the power line is the one whose cable it hangs on (ISO 15118-3 A.9 [K]).

    ev = Ev(EvOptions(mac=...), draw)
    ev.start(now); ev.handle(now, Begin()) -> what is to be sent, toggled on the pilot, and what has become so

It takes a key only from the EVSE that it has asked for one, of this run, and with the name that the key has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from iso15118.connection import Now
from iso15118.machine import step
from iso15118.slac import ev_table as table
from iso15118.slac import mme, times
from iso15118.slac.amplitudes import Amplitudes
from iso15118.slac.ev_state import SOUNDS, EvOptions, Run
from iso15118.slac.ev_table import TABLE, Happening, State
from iso15118.slac.evse_state import JOINED_S, JOINING_S, Result
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, Frame, MmeError, NotOurs
from iso15118.slac.modem import Modem
from iso15118.slac.signals import (
    Begin,
    Chosen,
    EvCommand,
    FrameHeard,
    KeyReady,
    Leave,
    LinkChanged,
    MatchFailed,
    Note,
    SendFrame,
    SlacCommand,
    SlacEvent,
    TimerExpired,
    Toggle,
)

_ANSWERS_COME = (State.SOUNDING, State.LISTENING, State.VALIDATING, State.TOGGLING, State.MATCHING, State.JOINING)
"""An EVSE that repeats CM_ATTEN_CHAR.IND has not heard the answer: it gets another."""


class Ev:
    """`handle(now, event) -> commands`; `deadline()`. `draw(n)` gives n random octets."""

    def __init__(self, options: EvOptions, draw: Callable[[int], bytes]) -> None:
        self.options, self._draw = options, draw
        self.modem = Modem(options.mac, options.modem)
        self.state = State.IDLE
        self.run = Run()
        self.linked = False
        self.key_given = False
        """The modem has the key of an EVSE, or had."""
        self._amplitudes = Amplitudes(options.amplitudes)
        self._due: float | None = None
        self._tries = 0
        self._repeat_until: float | None = None
        """TT_matching_repetition, from the first failure on."""
        self._why = ""
        """It has failed, or ends."""
        self._actions: dict[str, Callable[[Now], list[EvCommand]]] = {
            table.NEW_RUN: self._new_run,
            table.ASK: self._ask,
            table.SOUND: self._sound,
            table.LISTEN: self._listen,
            table.CHOOSE: self._choose,
            table.VALIDATE: self._validate,
            table.TOGGLE: self._toggle,
            table.MATCH: self._match,
            table.JOIN: self._join,
            table.TELL_UP: self._tell_up,
            table.TELL_DOWN: self._tell_down,
            table.REST: self._rest,
            table.FORGET: self._forget,
            table.GIVE_UP: self._give_up,
            table.WAIT: self._wait,
            table.EXCUSE: self._excuse,
        }

    def start(self, now: Now) -> list[EvCommand]:
        """Once the interface is up: the modem is looked for, and given a key of nobody's."""
        return [*self._from_modem(now, self.modem.start(now)), *self._alone(now)]

    def stop(self, now: Now, why: str) -> list[EvCommand]:
        """The interface is down, or away."""
        return [*self.handle(now, Leave(why)), *self._from_modem(now, self.modem.stop(now))]

    def handle(self, now: Now, event: SlacEvent) -> list[EvCommand]:
        """One event; what is due by now comes first."""
        out = self._late(now)
        match event:
            case FrameHeard(octets):
                out += self._heard(now, octets)
            case Begin():
                self._why, self._repeat_until = "it begins anew", None
                out += self._advance(now, Happening.BEGIN)
            case Leave(why):
                self._why = why
                out += self._advance(now, Happening.LEAVE)
        return out

    def deadline(self) -> float | None:
        """The earliest of all."""
        return min((at for at in (self.modem.deadline(), self._due, self._amplitudes.due) if at is not None), default=None)

    # ---- the modem

    def _alone(self, now: Now) -> list[EvCommand]:
        self.key_given = False
        self.modem.unwatch()
        return self._from_modem(now, self.modem.set_key(now, self._draw(16)))

    def _from_modem(self, now: Now, said: list[SlacCommand]) -> list[EvCommand]:
        """What it says of keys and links means this here."""
        out: list[EvCommand] = []
        for each in said:
            match each:
                case KeyReady(ready, why):
                    self._why = self._why if ready else why
                    out += self._advance(now, Happening.READY if ready else Happening.UNREADY)
                case LinkChanged(up, why):
                    self._why = why
                    out += self._advance(now, Happening.UP if up else Happening.DOWN)
                case _:
                    out.append(each)
        return out

    # ---- frames

    def _heard(self, now: Now, octets: bytes) -> list[EvCommand]:
        try:
            frame = mme.read(octets)
        except MmeError as error:
            return [] if isinstance(error, NotOurs) else [Note("debug", "slac.malformed", str(error))]
        if frame.destination != self.options.mac or frame.source == self.options.mac:
            return []
        out = self._from_modem(now, self.modem.hear(now, frame))
        if frame.source == self.modem.mac:
            out += [self._send(self.run.chosen, each) for each in self._amplitudes.done(frame.mme)]
        return out if out or frame.source == self.modem.mac else self._said_by_evse(now, frame.source, frame.mme)

    def _said_by_evse(self, now: Now, evse: bytes, said: Mme) -> list[EvCommand]:
        own, run = self.options.mac, self.run
        match said:
            case mme.SlacParmCnf(run_id=run.run_id, forwarding_sta=station, resp_type=1) if station == own and self.state is State.ASKING:
                run.answer(evse)
            case mme.AttenCharInd(run_id=run.run_id, source_address=address) if address == own and said.num_sounds:
                return self._told(now, evse, said)
            case mme.ValidateCnf() if evse == run.chosen:
                return self._validated(now, said)
            case mme.SlacMatchCnf(run_id=run.run_id) if evse == said.evse_mac == run.chosen and said.pev_mac == own:
                return self._given(now, said)
            case mme.AmpMapReq() if evse == run.chosen and self.linked:
                return [self._send(mme.LOCAL, each) for each in self._amplitudes.wanted(now, said)]
            case mme.AmpMapCnf() if evse == run.chosen:
                self._amplitudes.stop()
        return []

    def _told(self, now: Now, evse: bytes, said: mme.AttenCharInd) -> list[EvCommand]:
        """Each is answered, and those that come in time count."""
        if self.state not in _ANSWERS_COME:
            return []
        answer = self._send(evse, mme.AttenCharRsp(source_address=self.options.mac, run_id=said.run_id))
        if self.state in (State.SOUNDING, State.LISTENING):
            self.run.tell(evse, said.aag)
        return [answer, *self._if_complete(now)]

    def _if_complete(self, now: Now) -> list[EvCommand]:
        return self._advance(now, Happening.HEARD) if self.state is State.LISTENING and self.run.complete() else []

    def _validated(self, now: Now, said: mme.ValidateCnf) -> list[EvCommand]:
        happening = Happening.REFUSED
        if self.state is State.TOGGLING:
            if said.result == Result.READY:
                return []  # The first answer once more.
            happening = Happening.RIGHT if (said.result, said.toggle_num) == (Result.SUCCESS, self.run.toggles) else happening
        elif said.result == Result.READY:
            happening = Happening.WANTED
        elif said.result == Result.NOT_REQUIRED and self.options.unvalidated and not self.run.is_one_of_several(self.run.chosen):
            happening = Happening.UNNEEDED
        self._why = f"{said.toggle_num} toggles counted" if self.state is State.TOGGLING else f"result {said.result} of validation"
        return self._advance(now, happening)

    def _given(self, now: Now, said: mme.SlacMatchCnf) -> list[EvCommand]:
        if self.state is not State.MATCHING:
            return []
        if said.nid != nid_of(said.nmk):
            return [
                Note("warning", "slac.wrong_nid", f"a key from {said.evse_mac.hex(':')} whose network has another name: it is not taken")
            ]
        out = self._advance(now, Happening.KEY)
        return [*out, *self._from_modem(now, [*self.modem.set_key(now, said.nmk), *self.modem.watch(now, JOINING_S)])]

    def _send(self, to: bytes, message: Mme) -> SendFrame:
        return SendFrame(mme.octets(Frame(to, self.options.mac, message)))

    # ---- the table

    def _advance(self, now: Now, happening: Happening) -> list[EvCommand]:
        entry = step(TABLE, self.state, happening)
        if entry.to is not self.state:
            self._due, self._tries = None, 0
        self.state = entry.to
        return [command for action in entry.do for command in self._actions[action](now)]

    def _wait(self, now: Now) -> list[EvCommand]:
        self._due = now.mono + times.TP_EV_SLAC_INIT_S
        return self._advance(now, Happening.READY) if self.modem.ready else []

    def _new_run(self, now: Now) -> list[EvCommand]:
        self.run = Run(self._draw(8))
        return []

    def _asked_again(self, now: Now) -> None:
        self._tries += 1
        self._due = now.mono + times.TT_MATCH_RESPONSE_S

    def _ask(self, now: Now) -> list[EvCommand]:
        self._asked_again(now)
        return [self._send(BROADCAST, mme.SlacParmReq(run_id=self.run.run_id))]

    def _sound(self, now: Now) -> list[EvCommand]:
        if not self.run.sent:
            self.run.began = now.mono
        self._due = now.mono + self.options.interval_s
        return [self._send(BROADCAST, self.run.sound(self.options.mac, self._draw(16)))]

    def _listen(self, now: Now) -> list[EvCommand]:
        self._due = self.run.began + times.TT_EV_ATTEN_RESULTS_S
        return self._if_complete(now)

    def _choose(self, now: Now) -> list[EvCommand]:
        nearest = self.run.nearest()
        if nearest is None:
            self._why = self._why or "no EVSE tells how well it hears us"
            return self._advance(now, Happening.NOBODY)
        evse, told = nearest
        if told.attenuation_dB > times.C_EV_MATCH_SIGNALATTN_INDIRECT_DB:
            self._why = f"the nearest EVSE that is left, {evse.hex(':')}, is {told.attenuation_dB:.1f} dB away"
            return self._advance(now, Happening.NOBODY)
        self.run.chosen = evse
        near = told.attenuation_dB <= times.C_EV_MATCH_SIGNALATTN_DIRECT_DB and not self.run.is_one_of_several(evse)
        return self._advance(now, Happening.NEAR if near else Happening.PERHAPS)

    def _validate(self, now: Now) -> list[EvCommand]:
        self._asked_again(now)
        return [self._send(self.run.chosen, mme.ValidateReq())]

    def _toggle(self, now: Now) -> list[EvCommand]:
        least, most = times.C_EV_VALD_NB_TOGGLES
        self.run.toggles = least + self._draw(1)[0] % (most - least + 1)
        takes_s = 2 * self.run.toggles * self.options.toggle_s + times.T_VALD_DETECT_TIME_S
        timer = math.ceil(takes_s / 0.1) - 1
        self._due = now.mono + 0.1 * (timer + 1) + times.TT_MATCH_RESPONSE_S
        return [self._send(self.run.chosen, mme.ValidateReq(timer=timer)), Toggle(self.run.toggles, self.options.toggle_s)]

    def _match(self, now: Now) -> list[EvCommand]:
        self._asked_again(now)
        asked = mme.SlacMatchReq(pev_mac=self.options.mac, evse_mac=self.run.chosen, run_id=self.run.run_id)
        return [self._send(self.run.chosen, asked)]

    def _join(self, now: Now) -> list[EvCommand]:
        self.key_given, self._due = True, now.mono + times.TT_MATCH_JOIN_S
        return [Chosen(self.run.chosen, self.run.run_id, self.run.told[self.run.chosen].attenuation_dB)]

    def _tell_up(self, now: Now) -> list[EvCommand]:
        self.linked = True
        self.modem.watch_slower(JOINED_S)
        return [LinkChanged(up=True, why=self._why), *(self._send(self.run.chosen, each) for each in self._amplitudes.begin(now))]

    def _tell_down(self, now: Now) -> list[EvCommand]:
        if not self.linked:
            return []
        self.linked = False
        return [LinkChanged(up=False, why=self._why), *(self._send(mme.LOCAL, each) for each in self._amplitudes.end())]

    def _rest(self, now: Now) -> list[EvCommand]:
        self.modem.unwatch()
        self._due = now.mono + times.TT_MATCHING_RATE_S
        if self._repeat_until is None:
            self._repeat_until = now.mono + times.TT_MATCHING_REPETITION_S
        return [Note("info", "slac.again", self._why)]

    def _forget(self, now: Now) -> list[EvCommand]:
        self.run = Run()
        return [*self._tell_down(now), *(self._alone(now) if self.key_given else [])]

    def _give_up(self, now: Now) -> list[EvCommand]:
        return [MatchFailed(self._why)]

    def _excuse(self, now: Now) -> list[EvCommand]:
        self.run.told[self.run.chosen].refused = True
        return [Note("info", "slac.not_it", f"{self.run.chosen.hex(':')} is not the one: {self._why}")]

    # ---- time

    def _late(self, now: Now) -> list[EvCommand]:
        out = self._from_modem(now, self.modem.handle(now, TimerExpired()))
        out += [self._send(self.run.chosen, each) for each in self._amplitudes.late(now)]
        if self._due is not None and self._due <= now.mono:
            self._due = None
            out += self._advance(now, self._silence(now))
        return out

    def _silence(self, now: Now) -> Happening:
        """What it means that the time is over."""
        self._why = MISSED.get(self.state, self._why)
        match self.state:
            case State.ASKING if self.run.answered:
                return Happening.ASKED
            case State.ASKING | State.VALIDATING | State.MATCHING if self._tries <= times.C_EV_MATCH_RETRY:
                return Happening.AGAIN
            case State.SOUNDING:
                return Happening.LAST if self.run.sent == SOUNDS - 1 else Happening.NEXT
            case State.LISTENING:
                return Happening.OVER
            case State.RESTING:
                return Happening.REST_OVER if now.mono < (self._repeat_until or 0.0) else Happening.ENOUGH
        return Happening.LATE

    # ---- snapshots

    def saved(self) -> dict[str, Any]:
        """All of its state, in JSON's types. It has keys in it."""
        parts = {"modem": self.modem.saved(), "run": self.run.saved(), "amplitudes": self._amplitudes.saved()}
        return {"state": self.state.name, **parts, **{name: getattr(self, name) for name in _PLAIN}}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        self.state, self.run = State[saved["state"]], Run.restored(saved["run"])
        self.modem.restore(saved["modem"])
        self._amplitudes.restore(saved["amplitudes"])
        for name in _PLAIN:
            setattr(self, name, saved[name])


_PLAIN = ("linked", "key_given", "_due", "_tries", "_repeat_until", "_why")
MISSED = {
    State.WAITING: f"the modem has no key after {times.TP_EV_SLAC_INIT_S:g} s",
    State.ASKING: "nobody answers CM_SLAC_PARM.REQ",
    State.LISTENING: "",
    State.VALIDATING: "CM_VALIDATE.REQ is not answered",
    State.TOGGLING: "no count of our toggles has come",
    State.MATCHING: "CM_SLAC_MATCH.REQ is not answered",
    State.JOINING: f"there is no link {times.TT_MATCH_JOIN_S:g} s after the key",
}
"""What it means when the time is over in a state."""
