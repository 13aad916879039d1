"""Matching as the EVSE does it: which vehicle on the power line is the one on our cable (ISO 15118-3 A.9 [K]).

    evse = Evse(Options(mac), draw)
    evse.start(now); evse.handle(now, Begin()) -> what is to be sent, and what has become so

It answers only while the pilot says that somebody is there (S-13), believes attenuation profiles of its own modem only, and hands a key out only when the
modem has confirmed it; a key is for one vehicle. Frames of others end nobody's matching.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iso15118.connection import Now
from iso15118.machine import step
from iso15118.slac import evse_table as table
from iso15118.slac import mme, times
from iso15118.slac.amplitudes import Amplitudes
from iso15118.slac.evse_state import JOINED_S, JOINING_S, MISSED, MOST_MATCHINGS, TOGGLES_LATE_S, Matching, Matchings, Options, Result
from iso15118.slac.evse_table import TABLE, Happening, State
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import Frame, MmeError, NotOurs
from iso15118.slac.modem import Modem
from iso15118.slac.signals import (
    Begin,
    CountToggles,
    FrameHeard,
    KeyReady,
    Leave,
    LinkChanged,
    Matched,
    MatchFailed,
    Note,
    PilotSeen,
    SendFrame,
    SlacCommand,
    SlacEvent,
    TimerExpired,
    Toggled,
)

THERE = ("B", "C", "D")
"""The pilot says that a vehicle is on the cable."""


class Evse:
    """`handle(now, event) -> commands`; `deadline()`. `draw(n)` gives n random octets."""

    def __init__(self, options: Options, draw: Callable[[int], bytes]) -> None:
        self.options, self._draw = options, draw
        self.modem = Modem(options.mac, options.modem)
        self.matchings = Matchings()
        self.pilot = "A"
        self.begun = self.linked = False
        self.key_given = False
        """A vehicle has the key of now: the next one gets another."""
        self._init_due: float | None = None
        self._extended = False
        """`_init_due` has come while a matching was under way; once it may end."""
        self._amplitudes = Amplitudes(options.amplitudes)
        self._said: str | None = None
        """Why the key is not ready, as it was told last; "" when it was."""
        self._why = ""
        """Why the modem has none."""
        self._actions: dict[str, Callable[[Now, Matching], list[SlacCommand]]] = {
            table.ANSWER: self._answer,
            table.MEASURE: self._measure,
            table.TELL: self._tell,
            table.WAIT: self._wait,
            table.SAY_READY: self._say_ready,
            table.SAY_NOT_READY: lambda now, of: [self._send(of.ev_mac, mme.ValidateCnf(result=Result.NOT_READY))],
            table.COUNT: self._count,
            table.SAY_COUNT: self._say_count,
            table.GIVE: self._give,
            table.NOTE_UNPROVEN: self._note_unproven,
            table.MISSED: self._missed,
        }

    def start(self, now: Now) -> list[SlacCommand]:
        """Once the interface is up: the modem is looked for, and given its first key."""
        self._said, self._why = None, ""
        if self.begun:
            self._wait_for_vehicle(now)
        return self._shown([*self._from_modem(now, self.modem.start(now)), *self._new_key(now)])

    def stop(self, now: Now, why: str) -> list[SlacCommand]:
        """The interface is down, or away."""
        self.matchings.clear()
        self._init_due = None
        out = [*self._unlinked(why), *self._from_modem(now, self.modem.stop(now))]
        self._why = why
        return self._shown(out)

    def handle(self, now: Now, event: SlacEvent) -> list[SlacCommand]:
        """One event; what is due by now comes first."""
        out = self._due(now)
        match event:
            case FrameHeard(octets):
                out += self._heard(now, octets)
            case PilotSeen(level):
                self._seen(level)
            case Begin():
                self.begun = True
                self._wait_for_vehicle(now)
            case Leave(why):
                out += self._leave(now, why)
            case Toggled(count):
                for each in self.matchings.at(State.COUNTING):
                    each.toggles = count
                    out += self._advance(now, each, Happening.COUNTED)
        return self._shown(out)

    def _seen(self, level: str) -> None:
        """Whoever has the key keeps it until the host says `Leave`; all others may not be answered any more (S-13)."""
        self.pilot = level
        if level not in THERE:
            self.matchings[:] = self.matchings.at(State.MATCHED)

    def _wait_for_vehicle(self, now: Now) -> None:
        """TT_EVSE_SLAC_init; for somebody who has the key, and whose modem has left the network while it slept, the time to join it again."""
        matched = self.matchings.at(State.MATCHED)
        self._extended, self._init_due = False, None if matched else now.mono + self.options.init_s
        for each in matched:
            each.due = None if self.linked else now.mono + times.TT_MATCH_JOIN_S

    def deadline(self) -> float | None:
        """The earliest of all."""
        dues = (self.modem.deadline(), self._init_due, self._amplitudes.due, *(each.due for each in self.matchings))
        return min((at for at in dues if at is not None), default=None)

    # ---- the key

    def _new_key(self, now: Now) -> list[SlacCommand]:
        """For whoever matches next."""
        self.key_given = False
        self.modem.unwatch()
        return self._from_modem(now, self.modem.set_key(now, self._draw(16)))

    @property
    def _fresh(self) -> bool:
        return self.modem.ready and not self.key_given

    def _from_modem(self, now: Now, said: list[SlacCommand]) -> list[SlacCommand]:
        """What the modem says of keys and links means this here."""
        out: list[SlacCommand] = []
        for each in said:
            match each:
                case KeyReady(ready, words):
                    self._why = "" if ready else words
                case LinkChanged(up, words):
                    out += self._joined(now, words) if up else self._unlinked(words)
                case _:
                    out.append(each)
        return out

    def _shown(self, out: list[SlacCommand]) -> list[SlacCommand]:
        """And whether the key is ready, when that has changed. One that is set anew while 5 % is shown is nobody's matter but the vehicle's."""
        ready = self._fresh or (self.begun and not self._why and self._said == "")
        words = "" if ready else self._why or "the modem is being given a key"
        if words == self._said:
            return out
        self._said = words
        return [*out, KeyReady(ready, words)]

    # ---- the link

    def _joined(self, now: Now, why: str) -> list[SlacCommand]:
        out: list[SlacCommand] = []
        for each in self.matchings.at(State.MATCHED):
            self.linked, each.due = True, None
            self.modem.watch_slower(JOINED_S)
            out.append(LinkChanged(up=True, why=why))
            out += [self._send(each.ev_mac, told) for told in self._amplitudes.begin(now) if self.pilot in THERE]
        return out

    def _unlinked(self, why: str) -> list[SlacCommand]:
        if not self.linked:
            return []
        self.linked = False
        return [LinkChanged(up=False, why=why), *(self._send(mme.LOCAL, each) for each in self._amplitudes.end())]

    def _leave(self, now: Now, why: str) -> list[SlacCommand]:
        """The logical network is no more; who comes next finds another key."""
        self.matchings.clear()
        self.begun, self._init_due = False, None
        return [*self._unlinked(why), *(self._new_key(now) if self.key_given else [])]

    # ---- frames

    def _heard(self, now: Now, octets: bytes) -> list[SlacCommand]:
        try:
            frame = mme.read(octets)
        except MmeError as error:
            return [] if isinstance(error, NotOurs) else [Note("debug", "slac.malformed", str(error))]
        if frame.source == self.modem.mac or frame.destination == self.options.mac:
            out = self._from_modem(now, self.modem.hear(now, frame))
            if frame.source == self.modem.mac:
                out += [self._send(of.ev_mac, said) for of in self.matchings.at(State.MATCHED) for said in self._amplitudes.done(frame.mme)]
            if isinstance(frame.mme, mme.AttenProfileInd):
                return [*out, *self._profile(now, frame, frame.mme)]
            if out or frame.source == self.modem.mac:
                return out
        if not self.begun or self.pilot not in THERE or frame.source == self.options.mac:
            return []
        return self._said_by_vehicle(now, frame)

    def _said_by_vehicle(self, now: Now, frame: Frame) -> list[SlacCommand]:
        ev, ours = frame.source, frame.destination == self.options.mac
        if not ours and frame.destination != mme.BROADCAST:
            return []
        match frame.mme:
            case mme.SlacParmReq(run_id=run_id):
                return self._asked(now, ev, run_id)
            case mme.StartAttenCharInd(run_id=run_id, forwarding_sta=station) if station == ev:
                return self._of(now, ev, run_id, Happening.START)
            case mme.AttenCharRsp(run_id=run_id, source_address=address, result=result) if ours and address == ev:
                return self._of(now, ev, run_id, Happening.REFUSES if result else Happening.HAS_IT)
            case mme.ValidateReq(timer=timer, result=1) if ours:
                return self._validate(now, ev, timer)
            case mme.SlacMatchReq(run_id=run_id, pev_mac=pev, evse_mac=evse) if ours and pev == ev and evse == self.options.mac:
                return self._match(now, ev, run_id)
            case mme.AmpMapReq() as wanted if ours and self.linked and self.matchings.matched_with(ev):
                return [self._send(mme.LOCAL, each) for each in self._amplitudes.wanted(now, wanted)]
            case mme.AmpMapCnf() if ours and self.matchings.matched_with(ev):
                self._amplitudes.stop()
        return []

    def _asked(self, now: Now, ev: bytes, run_id: bytes) -> list[SlacCommand]:
        """CM_SLAC_PARM.REQ. After a match only its own vehicle begins anew, for the network is taken; and it waits for another key."""
        out: list[SlacCommand] = []
        for of in self.matchings.at(State.MATCHED):
            if not of.may_begin_anew(ev, run_id, now.mono) or (self.linked and not self.options.anew_when_linked):
                return []
            self.matchings.clear()
            self._wait_for_vehicle(now)
            out = [*self._unlinked("the vehicle matches anew"), *self._new_key(now)]
        if not self._fresh:
            return [*out, Note("info", "slac.no_key_yet", "a vehicle asks while the modem is being given a key; it will ask again")]
        known = self.matchings.of(ev, run_id) or self.matchings.begun(ev, run_id)
        if known is None:
            return [*out, Note("info", "slac.crowded", f"{MOST_MATCHINGS} matchings are under way: {ev.hex(':')} is not answered")]
        return [*out, *self._advance(now, known, Happening.PARM)]

    def _profile(self, now: Now, frame: Frame, said: mme.AttenProfileInd) -> list[SlacCommand]:
        """It names the vehicle and not its run: it counts for every run of this vehicle that sounds, lest somebody takes its sounds away in its name."""
        if frame.source != self.modem.mac:
            return [Note("warning", "slac.forged_profile", f"an attenuation profile from {frame.source.hex(':')}, which is not our modem")]
        out: list[SlacCommand] = []
        for of in [each for each in self.matchings.at(State.SOUNDING) if each.ev_mac == said.pev_mac]:
            of.sums = [each + dB for each, dB in zip(of.sums, said.aag, strict=True)]
            of.heard += 1
            if of.heard >= times.C_EV_MATCH_MNBC:
                out += self._advance(now, of, Happening.LAST_PROFILE)
        return out

    def _validate(self, now: Now, ev: bytes, timer_100ms: int) -> list[SlacCommand]:
        """CM_VALIDATE.REQ has no RunID: the vehicle's matching that is so far. The first one asks with a timer of 0. Toggles are counted
        for one vehicle at a time, for the pilot does not say whose they are.
        """
        out: list[SlacCommand] = []
        for each in [each for each in self.matchings.at(State.KNOWN) if each.ev_mac == ev][-1:]:
            if self.matchings.at(State.COUNTING):
                out += self._advance(now, each, Happening.BUSY)
            elif timer_100ms and self.options.validation:
                each.due = now.mono + TOGGLES_LATE_S
                for_s = min(0.1 * (timer_100ms + 1), times.TT_EVSE_VALD_TOGGLE_S)
                out += [*self._advance(now, each, Happening.VALIDATE), CountToggles(for_s)]
            else:
                out += self._advance(now, each, Happening.MAY_VALIDATE)
        return out

    def _match(self, now: Now, ev: bytes, run_id: bytes) -> list[SlacCommand]:
        """Only one vehicle has the key, for the others' matchings are over when it is given; and only one that the modem has."""
        if self.modem.key is None or not (self._fresh or self.matchings.at(State.MATCHED)):
            return []
        found = self.matchings.of(ev, run_id)
        proven = found is None or found.may_match(validation=self.options.validation)
        return self._of(now, ev, run_id, Happening.MATCH if proven else Happening.UNPROVEN)

    def _of(self, now: Now, ev: bytes, run_id: bytes, happening: Happening) -> list[SlacCommand]:
        """V2G3-A09-98: what names another vehicle or run is ignored."""
        found = self.matchings.of(ev, run_id)
        return [] if found is None else self._advance(now, found, happening)

    def _send(self, to: bytes, message: Mme) -> SendFrame:
        return SendFrame(mme.octets(Frame(to, self.options.mac, message)))

    # ---- the table

    def _advance(self, now: Now, of: Matching, happening: Happening) -> list[SlacCommand]:
        entry = step(TABLE, of.state, happening)
        of.state = entry.to
        out = [command for action in entry.do for command in self._actions[action](now, of)]
        if of.state is State.OVER and of in self.matchings:
            self.matchings.remove(of)
        return out

    def _answer(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.tries, of.heard, of.validated = now.mono + times.TT_MATCH_SEQUENCE_S, 0, 0, None
        return [self._send(of.ev_mac, mme.SlacParmCnf(forwarding_sta=of.ev_mac, run_id=of.run_id))]

    def _measure(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.heard, of.sums = now.mono + times.TT_EVSE_MATCH_MNBC_S, 0, [0] * mme.GROUPS
        return []

    def _tell(self, now: Now, of: Matching) -> list[SlacCommand]:
        """The same again when nobody says that it has come."""
        of.due = now.mono + times.TT_MATCH_RESPONSE_S
        return [self._send(of.ev_mac, of.told(self.options.correction_dB))]

    def _wait(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.tries = now.mono + times.TT_EVSE_MATCH_SESSION_S, 0
        return []

    def _say_ready(self, now: Now, of: Matching) -> list[SlacCommand]:
        return [self._send(of.ev_mac, mme.ValidateCnf(result=Result.READY if self.options.validation else Result.NOT_REQUIRED))]

    def _count(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.toggles = 0
        return []

    def _say_count(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due = now.mono + times.TT_EVSE_MATCH_SESSION_S
        return [self._send(of.ev_mac, of.counted())]

    def _give(self, now: Now, of: Matching) -> list[SlacCommand]:
        nmk = self.modem.key or b""
        answer = self._send(
            of.ev_mac, mme.SlacMatchCnf(pev_mac=of.ev_mac, evse_mac=self.options.mac, run_id=of.run_id, nid=nid_of(nmk), nmk=nmk)
        )
        if self.key_given:
            return [answer]
        self.key_given, of.due = True, now.mono + times.TT_MATCH_JOIN_S
        self.matchings[:], self._init_due = [of], None
        return [answer, Matched(of.ev_mac, of.run_id, of.attenuation_dB), *self._from_modem(now, self.modem.watch(now, JOINING_S))]

    def _note_unproven(self, now: Now, of: Matching) -> list[SlacCommand]:
        shown = {None: "not validated", False: "its toggles were not seen", True: "validated"}[of.validated]
        return [Note("warning", "slac.unproven", f"vehicle {of.ev_mac.hex(':')} gets no key: {of.attenuation_dB:.1f} dB away, {shown}")]

    def _missed(self, now: Now, of: Matching) -> list[SlacCommand]:
        return [Note("info", "slac.missed", f"vehicle {of.ev_mac.hex(':')}: {of.why or 'it refuses the attenuation that it was told'}")]

    # ---- time

    def _due(self, now: Now) -> list[SlacCommand]:
        out = self._from_modem(now, self.modem.handle(now, TimerExpired()))
        for each in [each for each in self.matchings if each.due is not None and each.due <= now.mono]:
            each.due = None
            out += self._late(now, each)
        maps = self._amplitudes.late(now)
        if self.pilot in THERE:
            out += [self._send(each.ev_mac, told) for each in self.matchings.at(State.MATCHED) for told in maps]
        if self._init_due is not None and self._init_due <= now.mono:
            out += self._not_come(now)
        return out

    def _not_come(self, now: Now) -> list[SlacCommand]:
        """Whoever is about to match may, but others' vehicles on the line that go on asking do not keep ours from what comes without SLAC."""
        if self.matchings and not self._extended:
            self._extended, self._init_due = True, now.mono + times.TT_EVSE_MATCH_SESSION_S
            return []
        self._init_due = None
        failed = MatchFailed(f"no vehicle has matched within {self.options.init_s:g} s")
        return [failed, *self._new_key(now)]  # which also shows whether the modem still does anything

    def _late(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.why = MISSED[of.state]
        match of.state:
            case State.SOUNDING:
                return self._advance(now, of, Happening.SOUNDS_OVER if of.heard else Happening.NOTHING_HEARD)
            case State.TOLD if of.tries < times.C_EV_MATCH_RETRY:
                of.tries += 1
                return self._advance(now, of, Happening.AGAIN)
            case State.COUNTING:
                return self._advance(now, of, Happening.COUNTED)
            case State.MATCHED:
                failed = MatchFailed(f"{of.ev_mac.hex(':')} has the key, and no link has come of it within {times.TT_MATCH_JOIN_S:g} s")
                return [*self._advance(now, of, Happening.LATE), failed, *self._new_key(now)]
        return self._advance(now, of, Happening.LATE)

    # ---- snapshots

    def saved(self) -> dict[str, Any]:
        """All of its state, in JSON's types. It has keys in it."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {"modem": self.modem.saved(), "matchings": self.matchings.saved(), "amplitudes": self._amplitudes.saved(), **plain}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        self.modem.restore(saved["modem"])
        self._amplitudes.restore(saved["amplitudes"])
        for name in _PLAIN:
            setattr(self, name, saved[name])
        self.matchings = Matchings.restored(saved["matchings"])


_PLAIN = ("pilot", "begun", "linked", "key_given", "_init_due", "_extended", "_said", "_why")
