"""The own modem as a machine: finds out what it is, sets its key and hears that it is set, watches its link, resets it when it is stuck.

One thing after the other; a key that is wanted meanwhile waits. Setting one takes 0.5 to 1 s, so that whoever wants one does it before a vehicle may
begin: `KeyReady` says when it is done. Answers count only from the own modem (`ModemOptions.mac`, or whoever answered first to a message that only the
own one takes), to this host, and while they are waited for.

A modem that answers no question for its link is asked for its version: when it answers that, the link is taken as up, because setting its key again would
break it; when it does not, it is gone, and so are key and link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iso15118.connection import Now
from iso15118.machine import step
from iso15118.slac import mme, vendor
from iso15118.slac import modem_table as table
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import LOCAL, Frame, MmeError
from iso15118.slac.modem_table import TABLE, Event, Kind, ModemOptions, State
from iso15118.slac.signals import FrameHeard, KeyReady, LinkChanged, ModemSeen, Note, SendFrame, SlacCommand, SlacEvent, TimerExpired

KEY_IS_SET = (0x00, 0x01)
"""Results of CM_SET_KEY.CNF that mean it: the standard's, and what Qualcomm's chips say."""
_NONCE = bytes.fromhex("5EC4")
"""What our nonces begin with: no chip has been seen to say it by itself."""
_VERSIONS: dict[Kind | None, tuple[Mme, ...]] = {
    Kind.QUALCOMM: (vendor.VsSwVerReq(),),
    Kind.LUMISSIL: (vendor.NscmGetVersionReq(),),
    Kind.KEY_ONLY: (),
    None: (vendor.VsSwVerReq(), vendor.NscmGetVersionReq()),
}
_LINKS: dict[Kind | None, Mme] = {
    Kind.QUALCOMM: vendor.VsPlLnkStatusReq(),
    Kind.LUMISSIL: vendor.NscmGetDLinkStatusReq(),
    Kind.KEY_ONLY: mme.NwStatsReq(),
}
_RESETS: dict[Kind | None, Mme] = {Kind.QUALCOMM: vendor.VsRsDevReq(), Kind.LUMISSIL: vendor.NscmResetDeviceReq()}


class Modem:
    """What hangs on the interface whose address is `host_mac`."""

    def __init__(self, host_mac: bytes, options: ModemOptions | None = None) -> None:
        self.host_mac, self.options = host_mac, options or ModemOptions()
        self.state = State.OFF
        self.kind: Kind | None = self.options.kind
        self.mac: bytes | None = self.options.mac
        self.firmware = ""
        self.key: bytes | None = None
        """The one that it has confirmed."""
        self.wanted: bytes | None = None
        self.link: bool | None = None
        """None: not known, or nobody watches."""
        self._sent: bytes | None = None
        self._number = 0
        """Of the key that was sent last: its nonce."""
        self._tries = self._resets = self._downs = 0
        self._at: float | None = None
        self._every_s: float | None = None
        self._poll_at: float | None = None
        self._unanswered_since: float | None = None
        self._mute = False
        """It did not answer the last questions for its link."""
        self._actions: dict[str, Callable[[Now], list[SlacCommand]]] = {
            table.ASK: self._ask,
            table.SEND_KEY: self._send_key,
            table.RESET: self._reset,
            table.TELL: self._tell,
            table.TAKE_AS_KEY_ONLY: self._take_as_key_only,
            table.CONFIRM: self._confirm,
            table.NOTE_REFUSAL: self._note_refusal,
            table.GIVE_UP: self._give_up,
            table.FORGET: self._forget,
            table.UNCONFIRM: self._unconfirm,
            table.GO_ON: self._go_on,
        }

    @property
    def ready(self) -> bool:
        """It has the key that is wanted."""
        return self.key is not None and self.key == self.wanted

    # ---- what is wanted of it

    def start(self, now: Now) -> list[SlacCommand]:
        """The interface is up."""
        self._tries = self._resets = 0
        return self._advance(now, Event.STARTED)

    def stop(self, now: Now) -> list[SlacCommand]:
        """The interface is down, or away."""
        out = self._advance(now, Event.STOPPED)
        self.unwatch()
        return out

    def set_key(self, now: Now, nmk: bytes) -> list[SlacCommand]:
        """Its network shall be that of this key; `KeyReady` says when it is, or that it will not be."""
        if len(nmk) != 16:
            raise ValueError(f"an NMK of {len(nmk)} octets, has to be 16")
        self.wanted = nmk
        if self.state is State.DEAD:
            return [KeyReady(ready=False, why=f"{self._name()} does not answer")]
        if self.state is State.IDLE and self.ready:
            return [KeyReady(ready=True)]
        if self.state is State.IDLE:
            self._tries = 0
        return self._advance(now, Event.KEY_WANTED)

    def watch(self, now: Now, every_s: float) -> list[SlacCommand]:
        """From now on ask for the link; `LinkChanged` says what changes, from none at the beginning."""
        self._every_s, self._poll_at = every_s, now.mono
        self.link, self._downs, self._unanswered_since, self._mute = None, 0, None, False
        return self._due(now)

    def watch_slower(self, every_s: float) -> None:
        """Ask this often instead."""
        self._every_s = every_s

    def unwatch(self) -> None:
        """Nobody wants to know any more."""
        self._every_s = self._poll_at = self._unanswered_since = self.link = None

    # ---- what happens

    def handle(self, now: Now, event: SlacEvent) -> list[SlacCommand]:
        """A frame or the deadline; nothing else concerns it."""
        match event:
            case FrameHeard(octets):
                try:
                    return self.hear(now, mme.read(octets))
                except MmeError:
                    return []
            case TimerExpired():
                return self._due(now)
            case _:
                return []

    def deadline(self) -> float | None:
        """When it wants `TimerExpired` (mono)."""
        return min((each for each in (self._at, self._poll_at) if each is not None), default=None)

    def hear(self, now: Now, frame: Frame) -> list[SlacCommand]:
        """A frame that was read already. What is not the modem's answer is left alone."""
        if frame.destination != self.host_mac or frame.source == self.host_mac or self.mac not in (None, frame.source):
            return []
        match frame.mme:
            case vendor.VsSwVerCnf(status=0, version=version):
                return self._seen(now, frame, Kind.QUALCOMM, version)
            case vendor.NscmGetVersionCnf(major=major, minor=minor, patch=patch, build=build):
                return self._seen(now, frame, Kind.LUMISSIL, f"{major}.{minor}.{patch}.{build}")
            case mme.SetKeyCnf(result=result) as said if self.state is State.KEYING and not self._stale(said):
                return self._answered(now, frame, result)
            case vendor.VsPlLnkStatusCnf(status=status, link_status=link) if self.kind is Kind.QUALCOMM:
                return self._linked(now, up=link == 1) if status == 0 else self._presume()
            case vendor.NscmGetDLinkStatusCnf(link_status=status) if self.kind is Kind.LUMISSIL:
                return self._linked(now, up=status == 1)
            case mme.NwStatsCnf(stations=stations) if self.kind is Kind.KEY_ONLY:
                return self._linked(now, up=bool(stations))
            case _:
                return []

    def _advance(self, now: Now, event: Event) -> list[SlacCommand]:
        entry = step(TABLE, self.state, event)
        self.state = entry.to
        return [command for action in entry.do for command in self._actions[action](now)]

    def _due(self, now: Now) -> list[SlacCommand]:
        out: list[SlacCommand] = []
        if self._at is not None and now.mono >= self._at:
            self._at = None
            out += self._advance(now, self._silence())
        if self._poll_at is not None and now.mono >= self._poll_at:
            out += self._poll(now)
        return out

    def _silence(self) -> Event:
        """What it means that nothing has come, by how often."""
        o = self.options
        most = {State.ASKING: o.asks, State.KEYING: o.keys, State.RESETTING: o.reset_asks + 1}.get(self.state)
        if most is None or self._tries < most:
            return Event.SILENT
        if self.state is State.ASKING and self.kind is None:
            return Event.NAMELESS
        if self.state is State.RESETTING or self.kind not in _RESETS or self._resets >= o.resets:
            return Event.HOPELESS
        return Event.EXHAUSTED

    def _send(self, message: Mme) -> SendFrame:
        return SendFrame(mme.octets(Frame(LOCAL, self.host_mac, message)))

    # ---- actions

    def _ask(self, now: Now) -> list[SlacCommand]:
        self._tries += 1
        if self.kind is Kind.KEY_ONLY:
            return self._advance(now, Event.SEEN)
        self._at = now.mono + (self.options.reset_ask_s if self.state is State.RESETTING else self.options.ask_s)
        return [self._send(each) for each in _VERSIONS[self.kind]]

    def _send_key(self, now: Now) -> list[SlacCommand]:
        if self.wanted is None:
            return []
        if self._sent != self.wanted:
            self._tries, self._number = 0, (self._number + 1) % 0x1_0000
        self._tries += 1
        self._sent, self.key = self.wanted, None
        self._at = now.mono + self.options.key_s
        return [self._send(mme.SetKeyReq(my_nonce=self._nonce(), nid=nid_of(self.wanted), new_key=self.wanted))]

    def _nonce(self) -> bytes:
        """One for each key: an answer to any copy of the request is an answer for that key."""
        return _NONCE + self._number.to_bytes(2, "big")

    def _reset(self, now: Now) -> list[SlacCommand]:
        self._resets += 1
        self._tries = 1
        self._at = now.mono + self.options.reset_s
        return [Note("warning", "modem_reset", f"{self._name()} is reset"), self._send(_RESETS[self.kind])]

    def _tell(self, now: Now) -> list[SlacCommand]:
        self._at = None
        return [] if self.mac is None else [ModemSeen(self.firmware, self.mac)]

    def _take_as_key_only(self, now: Now) -> list[SlacCommand]:
        self.kind = Kind.KEY_ONLY
        return [
            Note(
                "warning",
                "modem_unknown",
                "the modem says no version, neither Qualcomm's way nor Lumissil's: it is given keys, and cannot be reset",
            )
        ]

    def _go_on(self, now: Now) -> list[SlacCommand]:
        self._tries, self._at = 0, None
        return self._advance(now, Event.KEY_WANTED) if self.wanted is not None and not self.ready else []

    def _confirm(self, now: Now) -> list[SlacCommand]:
        self.key, self._at, self._tries, self._resets = self._sent, None, 0, 0
        return [KeyReady(ready=True)]

    def _note_refusal(self, now: Now) -> list[SlacCommand]:
        return [Note("warning", "modem_refuses_key", f"{self._name()} refuses the key, {self._tries} of {self.options.keys}")]

    def _give_up(self, now: Now) -> list[SlacCommand]:
        self.key, self._sent, self._tries, self._resets = None, None, 0, 0
        self._at = now.mono + self.options.dead_s
        why = f"{self._name()} does not answer"
        return [Note("error", "modem_dead", why), *self._lose(why), KeyReady(ready=False, why=why)]

    def _forget(self, now: Now) -> list[SlacCommand]:
        """It may be another one next time."""
        self.kind, self.mac, self.firmware = self.options.kind, self.options.mac, ""
        self._tries = self._resets = 0
        self._at = None
        return []

    def _unconfirm(self, now: Now) -> list[SlacCommand]:
        had, self.key, self._sent, self._tries = self.key, None, None, 0
        why = "the interface is down" if self.state is State.OFF else f"{self._name()} does not answer"
        return [*self._lose(why), *([KeyReady(ready=False, why=why)] if had is not None else [])]

    # ---- answers

    def _seen(self, now: Now, frame: Frame, kind: Kind, firmware: str) -> list[SlacCommand]:
        if self.state not in (State.ASKING, State.RESETTING) or self.kind not in (kind, None):
            return []
        self.kind, self.firmware, self.mac = kind, firmware, frame.source
        return self._advance(now, Event.SEEN)

    def _stale(self, said: mme.SetKeyCnf) -> bool:
        """It answers the request for an earlier key, which had to be repeated. Chips that echo no nonce cannot say so."""
        ours = [each for each in (said.my_nonce, said.your_nonce) if each.startswith(_NONCE)]
        return bool(ours) and self._nonce() not in ours

    def _answered(self, now: Now, frame: Frame, result: int) -> list[SlacCommand]:
        seen = [ModemSeen(self.firmware, frame.source)] if self.mac is None else []
        self.mac = frame.source
        if result not in KEY_IS_SET:
            return [*seen, *self._advance(now, Event.KEY_REFUSED)]
        return [*seen, *self._advance(now, Event.KEY_SET if self._sent == self.wanted else Event.KEY_OVERTAKEN)]

    # ---- the link

    def _poll(self, now: Now) -> list[SlacCommand]:
        if self._every_s is None:
            return []
        self._poll_at = now.mono + self._every_s
        if self.state is not State.IDLE:
            self._unanswered_since = None
            return []
        if self._unanswered_since is not None and now.mono - self._unanswered_since >= self.options.silent_s:
            self._unanswered_since = None
            if self._mute or self.kind is Kind.KEY_ONLY:
                return self._presume()
            self._mute, self._tries = True, 0
            return self._advance(now, Event.MISSING)
        if self._unanswered_since is None:
            self._unanswered_since = now.mono
        return [self._send(_LINKS[self.kind])]

    def _presume(self) -> list[SlacCommand]:
        self._unanswered_since = None
        if self.link:
            return []
        self.link = True
        why = "the modem does not say whether there is a link: it is taken as up, and only what comes over it can show that"
        return [Note("info", "link_presumed", why), LinkChanged(up=True, why=why)]

    def _linked(self, now: Now, *, up: bool) -> list[SlacCommand]:
        if self._unanswered_since is None:
            return []
        self._unanswered_since, self._mute = None, False
        self._downs = 0 if up else self._downs + 1
        if up and not self.link:
            self.link = True
            return [LinkChanged(up=True, why=f"{self._name()} says so")]
        return self._lose(f"{self._name()} says so") if self._downs >= self.options.downs else []

    def _lose(self, why: str) -> list[SlacCommand]:
        if not self.link:
            return []
        self.link = False
        return [LinkChanged(up=False, why=why)]

    def _name(self) -> str:
        return f"the modem {self.mac.hex(':')}" if self.mac is not None else "the modem"

    # ---- snapshots

    def saved(self) -> dict[str, Any]:
        """All of its state, in JSON's types. It has keys in it."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        octets = {word: None if (found := getattr(self, name)) is None else found.hex() for name, word in _OCTETS.items()}
        return {"state": self.state.value, "kind": None if self.kind is None else self.kind.value, **plain, **octets}

    def restore(self, saved: dict[str, Any]) -> None:
        """As `saved` left it."""
        self.state = State(saved["state"])
        self.kind = None if saved["kind"] is None else Kind(saved["kind"])
        for name in _PLAIN:
            setattr(self, name, saved[name])
        for name, word in _OCTETS.items():
            setattr(self, name, None if saved[word] is None else bytes.fromhex(saved[word]))


_PLAIN = ("firmware", "link", "_number", "_tries", "_resets", "_downs", "_at", "_every_s", "_poll_at", "_unanswered_since", "_mute")
_OCTETS = {"mac": "mac", "key": "nmk", "wanted": "nmk_wanted", "_sent": "nmk_sent"}
"""Secrets have names of their own, by which they are found."""
