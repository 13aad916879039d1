"""A power-line modem that is simulated: it answers its own host, takes half a second or more for a key and is deaf meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from iso15118.slac import mme, vendor
from iso15118.slac.keys import nid_of, nmk_of
from iso15118.slac.layout import Mme
from iso15118.slac.modem_table import Kind

FACTORY_KEY = nmk_of("HomePlugAV")
"""What modems come with."""


class Answer(NamedTuple):
    """What a modem says to its host, and when."""

    at: float
    mme: Mme


@dataclass(slots=True)
class SimModem:
    """One, as it hangs on its host's interface. All may be changed while it runs."""

    mac: bytes
    kind: Kind = Kind.QUALCOMM
    nmk: bytes = FACTORY_KEY
    result: int = 1
    """Of CM_SET_KEY.CNF: Qualcomm's chips say 01 for success, the standard says 00."""
    firmware: str = "MAC-QCA7000-1.1.3"
    key_s: float = 0.7
    """It takes so long to take a key (0.5 to 1 s), and hears nothing meanwhile."""
    answer_s: float = 0.005
    reset_s: float = 2.0
    profiles: bool = True
    """Each sound that it hears becomes CM_ATTEN_PROFILE.IND to its host; a vehicle's modem does not do that."""
    takes_maps: bool = True
    """Amplitude maps, and says success."""
    tells_link: bool = True
    """It answers questions for its link."""
    dead: bool = False
    """It does nothing at all."""
    stuck: bool = False
    """It takes no key until it is reset."""
    host: bytes | None = None
    """The address behind it, once a frame has come from there."""
    deaf_until: float = 0.0
    keyed_at: float = 0.0
    """Since when it has its key."""
    keys: int = 0
    """So many it has taken."""
    _coming: tuple[float, bytes] | None = None

    def settle(self, now: float) -> None:
        """The key that was being set is there."""
        if self._coming is not None and self._coming[0] <= now:
            (self.keyed_at, self.nmk), self._coming = self._coming, None

    def awake(self, now: float) -> bool:
        """It hears and is heard."""
        return not self.dead and now >= self.deaf_until

    def asked(self, now: float, message: Mme, link: Callable[[], bool]) -> list[Answer]:
        """Its own host says something to it."""
        if not self.awake(now):
            return []
        if isinstance(message, mme.SetKeyReq):
            return self._take_key(now, message)
        at = now + self.answer_s
        if isinstance(message, mme.AmpMapReq):
            return [Answer(at, mme.AmpMapCnf(result=int(not self.takes_maps)))]
        found = _ANSWERS[self.kind](self, now, message, link)
        return [] if found is None else [Answer(at, found)]

    def _take_key(self, now: float, message: mme.SetKeyReq) -> list[Answer]:
        if self.stuck:
            return []
        self.deaf_until = now + self.key_s
        self.keys += 1
        refused = message.nid != nid_of(message.new_key)
        if not refused:
            self._coming = (self.deaf_until, message.new_key)
        return [Answer(self.deaf_until, mme.SetKeyCnf(result=2 if refused else self.result, your_nonce=message.my_nonce))]

    def reset(self, now: float) -> None:
        """It begins anew, with the key that it has."""
        self.stuck, self.deaf_until = False, now + self.reset_s


def _qualcomm(modem: SimModem, now: float, message: Mme, link: Callable[[], bool]) -> Mme | None:
    match message:
        case vendor.VsSwVerReq():
            return vendor.VsSwVerCnf(device_class=0x22, version=modem.firmware)
        case vendor.VsPlLnkStatusReq() if modem.tells_link:
            return vendor.VsPlLnkStatusCnf(link_status=int(link()))
        case vendor.VsNwInfoReq():
            return vendor.VsNwInfoCnf(networks=(vendor.Network(nid_of(modem.nmk), 1, 1, 2, modem.mac, 1, ()),))
        case vendor.VsGetNvmReq():
            return vendor.VsGetNvmCnf(nvm_type=0x14, page_octets=256, block_octets=65536, size_octets=1 << 21)
        case vendor.VsRsDevReq():
            modem.reset(now)
            return vendor.VsRsDevCnf()
    return None


def _lumissil(modem: SimModem, now: float, message: Mme, link: Callable[[], bool]) -> Mme | None:
    match message:
        case vendor.NscmGetVersionReq():
            return vendor.NscmGetVersionCnf(major=3, minor=4, patch=5, build=6)
        case vendor.NscmGetDLinkStatusReq() if modem.tells_link:
            return vendor.NscmGetDLinkStatusCnf(link_status=int(link()))
        case vendor.NscmResetDeviceReq():
            modem.reset(now)
    return None


def _key_only(modem: SimModem, now: float, message: Mme, link: Callable[[], bool]) -> Mme | None:
    return None


_ANSWERS: dict[Kind, Callable[[SimModem, float, Mme, Callable[[], bool]], Mme | None]] = {
    Kind.QUALCOMM: _qualcomm,
    Kind.LUMISSIL: _lumissil,
    Kind.KEY_ONLY: _key_only,
}
