"""Matching as the EVSE does it: which vehicle on the power line is the one on our cable (ISO 15118-3 A.9 [K]).

    evse = Evse(Options(mac), draw)
    evse.start(now); evse.handle(now, Begin()) -> what is to be sent, and what has become so

It answers only while the pilot says that somebody is there (S-13), believes attenuation profiles of its own modem only, and hands a key out only when the
modem has confirmed it; a key is for one vehicle. Frames of others end nobody's matching.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from iso15118.connection import Now
from iso15118.machine import step
from iso15118.slac import evse_table as table
from iso15118.slac import mme, times
from iso15118.slac.evse_state import MISSED, Matching, Options
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

MOST_MATCHINGS = 8
"""At once; C_EVSE_match_parallel wants 5. Who has come least far gives way to a new one."""
THERE = ("B", "C", "D")
"""The pilot says that a vehicle is on the cable."""
READY, SUCCESS, FAILURE, NOT_REQUIRED = 1, 2, 3, 4
"""Results of CM_VALIDATE.CNF."""
TOGGLES_LATE_S = times.TT_EVSE_VALD_TOGGLE_S + 0.5
"""The host has counted by then."""
JOINING_S, JOINED_S = 0.25, 1.0
"""So often the modem is asked for its link, until it is up and after."""
_FARNESS = tuple(State)


class Evse:
    """`handle(now, event) -> commands`; `deadline()`. `draw(n)` gives n random octets."""

    def __init__(self, options: Options, draw: Callable[[int], bytes]) -> None:
        self.options, self._draw = options, draw
        self.modem = Modem(options.mac, options.modem)
        self.matchings: list[Matching] = []
        self.pilot = "A"
        self.begun = self.linked = False
        self.key_given = False
        """A vehicle has the key of now: the next one gets another."""
        self._init_due: float | None = None
        self._map_due: float | None = None
        """The vehicle has confirmed our amplitude map by then, or gets it again."""
        self._maps = 0
        self._said: bool | None = None
        """Whether the key is ready, as it was told last."""
        self._actions: dict[str, Callable[[Now, Matching], list[SlacCommand]]] = {
            table.ANSWER: self._answer,
            table.MEASURE: self._measure,
            table.TELL: self._tell,
            table.WAIT: self._wait,
            table.SAY_READY: self._say_ready,
            table.COUNT: self._count,
            table.SAY_COUNT: self._say_count,
            table.GIVE: self._give,
            table.MISSED: self._missed,
        }

    def start(self, now: Now) -> list[SlacCommand]:
        """Once the interface is up: the modem is looked for, and given its first key."""
        self._said = None
        return self._shown(now, [*self.modem.start(now), *self._new_key(now)])

    def stop(self, now: Now, why: str) -> list[SlacCommand]:
        """The interface is down, or away."""
        self.matchings.clear()
        self._init_due = self._map_due = None
        return self._shown(now, [*self._unlinked(why), *self.modem.stop(now)], why)

    def handle(self, now: Now, event: SlacEvent) -> list[SlacCommand]:
        """One event; what is due by now comes first."""
        out = self._due(now)
        match event:
            case FrameHeard(octets):
                out += self._heard(now, octets)
            case PilotSeen(level):
                self.pilot = level
            case Begin():
                self.begun, self._init_due = True, now.mono + self.options.init_s
            case Leave(why):
                out += self._leave(now, why)
            case Toggled(count):
                for each in self._in(State.COUNTING):
                    each.toggles = count
                    out += self._advance(now, each, Happening.COUNTED)
        return self._shown(now, out)

    def deadline(self) -> float | None:
        """The earliest of all."""
        dues = (self.modem.deadline(), self._init_due, self._map_due, *(each.due for each in self.matchings))
        return min((at for at in dues if at is not None), default=None)

    # ---- the key

    def _new_key(self, now: Now) -> list[SlacCommand]:
        """For whoever matches next."""
        self.key_given = False
        self.modem.unwatch()
        return self.modem.set_key(now, self._draw(16))

    @property
    def _fresh(self) -> bool:
        return self.modem.ready and not self.key_given

    def _shown(self, now: Now, out: list[SlacCommand], why: str = "") -> list[SlacCommand]:
        """What the modem says of keys and links means this here. A key that is set anew while 5 % is shown is nobody's matter but the vehicle's."""
        shown: list[SlacCommand] = []
        for each in out:
            match each:
                case KeyReady(ready, words):
                    why = why if ready else words
                case LinkChanged(up, words):
                    shown += self._joined(now, words) if up else self._unlinked(words)
                case _:
                    shown.append(each)
        ready = self._fresh or (self.begun and not why and self._said is True)
        if ready is not self._said:
            self._said = ready
            shown.append(KeyReady(ready, "" if ready else why or "the modem is being given a key"))
        return shown

    # ---- the link

    def _joined(self, now: Now, why: str) -> list[SlacCommand]:
        matched = self._in(State.MATCHED)
        if self.linked or not matched:
            return []
        self.linked, matched[0].due = True, None
        self.modem.watch_slower(JOINED_S)
        self._maps = 0
        return [LinkChanged(up=True, why=why), *(self._send_map(now, matched[0]) if self.options.amplitudes else [])]

    def _send_map(self, now: Now, of: Matching) -> list[SlacCommand]:
        self._maps += 1
        self._map_due = now.mono + times.TT_AMP_MAP_EXCHANGE_S
        return [self._send(of.ev_mac, mme.AmpMapReq(amplitudes=self.options.amplitudes))]

    def _unlinked(self, why: str) -> list[SlacCommand]:
        if not self.linked:
            return []
        self.linked, self._map_due = False, None
        return [LinkChanged(up=False, why=why)]

    def _leave(self, now: Now, why: str) -> list[SlacCommand]:
        """The logical network is no more; who comes next finds another key."""
        self.matchings.clear()
        self.begun, self._init_due = False, None
        out = self._unlinked(why)
        return [*out, *self._new_key(now)] if self.key_given else out

    # ---- frames

    def _heard(self, now: Now, octets: bytes) -> list[SlacCommand]:
        try:
            frame = mme.read(octets)
        except NotOurs:
            return []
        except MmeError as error:
            return [Note("debug", "slac.malformed", str(error))]
        if frame.source == self.modem.mac or frame.destination == self.options.mac:
            out = self.modem.hear(now, frame)
            if isinstance(frame.mme, mme.AttenProfileInd):
                return [*out, *self._profile(now, frame, frame.mme)]
            if out or frame.source == self.modem.mac:
                return out
        if not self.begun or self.pilot not in THERE or frame.source == self.options.mac:
            return []
        return self._said_by_vehicle(now, frame)

    def _said_by_vehicle(self, now: Now, frame: Frame) -> list[SlacCommand]:
        ours = frame.destination == self.options.mac
        ev = frame.source
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
            case mme.AmpMapReq() as wanted if ours and self.linked and self._matched_with(ev):
                return [self._send(mme.LOCAL, wanted), self._send(ev, mme.AmpMapCnf(result=0))]
            case mme.AmpMapCnf() if ours and self._matched_with(ev):
                self._map_due = None
        return []

    def _asked(self, now: Now, ev: bytes, run_id: bytes) -> list[SlacCommand]:
        """CM_SLAC_PARM.REQ. After a match only its own vehicle begins anew, for the network is taken; and it waits for another key."""
        out: list[SlacCommand] = []
        if self._in(State.MATCHED):
            if not self._matched_with(ev) or (self.linked and not self.options.anew_when_linked):
                return []
            self.matchings.clear()
            self._init_due = now.mono + self.options.init_s
            out = [*self._unlinked("the vehicle matches anew"), *self._new_key(now)]
        if not self._fresh:
            return [*out, Note("info", "slac.no_key_yet", "a vehicle asks while the modem is being given a key; it will ask again")]
        known = next((each for each in self.matchings if each.ev_mac == ev and each.run_id == run_id), None)
        if known is None:
            known = Matching(ev, run_id)
            if len(self.matchings) >= MOST_MATCHINGS:
                self.matchings.remove(min(self.matchings, key=lambda each: _FARNESS.index(each.state)))
            self.matchings.append(known)
        self._init_due = None
        return [*out, *self._advance(now, known, Happening.PARM)]

    def _profile(self, now: Now, frame: Frame, said: mme.AttenProfileInd) -> list[SlacCommand]:
        """It names the vehicle, not its run: of two runs of one vehicle the last that sounds is meant."""
        if frame.source != self.modem.mac:
            return [Note("warning", "slac.forged_profile", f"an attenuation profile from {frame.source.hex(':')}, which is not our modem")]
        sounding = [each for each in self._in(State.SOUNDING) if each.ev_mac == said.pev_mac]
        if not sounding:
            return []
        of = sounding[-1]
        of.sums = [each + dB for each, dB in zip(of.sums, said.aag, strict=True)]
        of.heard += 1
        return self._advance(now, of, Happening.LAST_PROFILE) if of.heard >= times.C_EV_MATCH_MNBC else []

    def _validate(self, now: Now, ev: bytes, timer_100ms: int) -> list[SlacCommand]:
        """CM_VALIDATE.REQ has no RunID: the vehicle's matching that is so far. The first one asks with a timer of 0."""
        out: list[SlacCommand] = []
        for each in [each for each in self._in(State.KNOWN) if each.ev_mac == ev][-1:]:
            if timer_100ms and self.options.validation:
                each.due = now.mono + TOGGLES_LATE_S
                out += [*self._advance(now, each, Happening.VALIDATE)]
                out.append(CountToggles(min(0.1 * (timer_100ms + 1), times.TT_EVSE_VALD_TOGGLE_S)))
            else:
                out += self._advance(now, each, Happening.MAY_VALIDATE)
        return out

    def _match(self, now: Now, ev: bytes, run_id: bytes) -> list[SlacCommand]:
        """Only one vehicle has the key: when it is given, the others' matchings are over."""
        other = [each for each in self._in(State.MATCHED) if (each.ev_mac, each.run_id) != (ev, run_id)]
        if other or not (self._fresh or self._in(State.MATCHED)):
            return []
        return self._of(now, ev, run_id, Happening.MATCH)

    def _of(self, now: Now, ev: bytes, run_id: bytes, happening: Happening) -> list[SlacCommand]:
        """V2G3-A09-98: what names another vehicle or run is ignored."""
        found = [each for each in self.matchings if each.ev_mac == ev and each.run_id == run_id]
        return [command for each in found for command in self._advance(now, each, happening)]

    def _in(self, state: State) -> list[Matching]:
        return [each for each in self.matchings if each.state is state]

    def _matched_with(self, ev: bytes) -> bool:
        return any(each.ev_mac == ev for each in self._in(State.MATCHED))

    def _send(self, to: bytes, message: Mme) -> SendFrame:
        return SendFrame(mme.octets(Frame(to, self.options.mac, message)))

    # ---- the table

    def _advance(self, now: Now, of: Matching, happening: Happening) -> list[SlacCommand]:
        entry = step(TABLE, of.state, happening)
        of.state = entry.to
        out = [command for action in entry.do for command in self._actions[action](now, of)]
        if of.state is State.OVER and of in self.matchings:
            self.matchings.remove(of)
            if not self.matchings:
                self._init_due = now.mono + self.options.init_s
        return out

    def _answer(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.tries = now.mono + times.TT_MATCH_SEQUENCE_S, 0
        return [self._send(of.ev_mac, mme.SlacParmCnf(forwarding_sta=of.ev_mac, run_id=of.run_id))]

    def _measure(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.heard, of.sums = now.mono + times.TT_EVSE_MATCH_MNBC_S, 0, [0] * mme.GROUPS
        return []

    def _tell(self, now: Now, of: Matching) -> list[SlacCommand]:
        """The same again when nobody says that it has come."""
        of.due = now.mono + times.TT_MATCH_RESPONSE_S
        means = [max(0.0, each / of.heard - self.options.correction_dB) for each in of.sums]
        of.attenuation_dB = sum(means) / len(means)
        told = mme.AttenCharInd(source_address=of.ev_mac, run_id=of.run_id, num_sounds=of.heard, aag=bytes(round(each) for each in means))
        return [self._send(of.ev_mac, told)]

    def _wait(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due, of.tries = now.mono + times.TT_EVSE_MATCH_SESSION_S, 0
        return []

    def _say_ready(self, now: Now, of: Matching) -> list[SlacCommand]:
        return [self._send(of.ev_mac, mme.ValidateCnf(result=READY if self.options.validation else NOT_REQUIRED))]

    def _count(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.toggles = 0
        return []

    def _say_count(self, now: Now, of: Matching) -> list[SlacCommand]:
        of.due = now.mono + times.TT_EVSE_MATCH_SESSION_S
        return [self._send(of.ev_mac, mme.ValidateCnf(toggle_num=min(of.toggles, 255), result=SUCCESS if of.toggles else FAILURE))]

    def _give(self, now: Now, of: Matching) -> list[SlacCommand]:
        nmk = self.modem.key or b""
        answer = self._send(
            of.ev_mac, mme.SlacMatchCnf(pev_mac=of.ev_mac, evse_mac=self.options.mac, run_id=of.run_id, nid=nid_of(nmk), nmk=nmk)
        )
        if self.key_given:
            return [answer]
        self.key_given, of.due = True, now.mono + times.TT_MATCH_JOIN_S
        self.matchings = [of]
        return [answer, Matched(of.ev_mac, of.run_id, of.attenuation_dB), *self.modem.watch(now, JOINING_S)]

    def _missed(self, now: Now, of: Matching) -> list[SlacCommand]:
        return [Note("info", "slac.missed", f"vehicle {of.ev_mac.hex(':')}: {of.why or 'it refuses the attenuation that it was told'}")]

    # ---- time

    def _due(self, now: Now) -> list[SlacCommand]:
        out = self.modem.handle(now, TimerExpired()) if (at := self.modem.deadline()) is not None and at <= now.mono else []
        for each in [each for each in self.matchings if each.due is not None and each.due <= now.mono]:
            each.due = None
            out += self._late(now, each)
        if self._map_due is not None and self._map_due <= now.mono:
            self._map_due = None
            out += self._send_map(now, self.matchings[0]) if self.matchings and self._maps <= times.C_EV_MATCH_RETRY else []
        if self._init_due is not None and self._init_due <= now.mono:
            self._init_due = None
            out.append(MatchFailed(f"no vehicle has matched within {self.options.init_s:g} s"))
        return out

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
        matchings = [
            {**asdict(each), "state": each.state.name, "ev_mac": each.ev_mac.hex(), "run_id": each.run_id.hex()} for each in self.matchings
        ]
        return {"modem": self.modem.saved(), "matchings": matchings, **{name: getattr(self, name) for name in _PLAIN}}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        self.modem.restore(saved["modem"])
        for name in _PLAIN:
            setattr(self, name, saved[name])
        self.matchings = [
            Matching(
                **{**each, "state": State[each["state"]], "ev_mac": bytes.fromhex(each["ev_mac"]), "run_id": bytes.fromhex(each["run_id"])}
            )
            for each in saved["matchings"]
        ]


_PLAIN = ("pilot", "begun", "linked", "key_given", "_init_due", "_map_due", "_maps", "_said")
