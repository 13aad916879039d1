"""`chargepoint doctor`: what hangs on the interface of a power-line modem, what is wrong with it, and what to do.

It asks and changes nothing, except with `set_key`: a modem that is given a key leaves its network.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import field
from itertools import islice
from typing import NamedTuple, TextIO

from chargepoint.config import EvseConfig, StationConfig
from chargepoint.runtime import plc_link
from chargepoint.runtime.plc_link import Facts, NoLink
from chargepoint.runtime.port import StartError
from chargepoint.runtime.ports.plc import check_allowed
from chargepoint.runtime.ports.plc_line import open_socket
from iso15118.frozen import dataclass
from iso15118.slac import mme, vendor
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import MOST, Mme
from iso15118.slac.mme import LOCAL, Frame, MmeError
from iso15118.slac.modem import KEY_IS_SET

ANSWER_S = 1.0
"""A modem answers a question within this; it is asked twice."""
KEY_S = 3.0
NAMED = 8
"""Addresses are named; of more than these, how many there are."""
MOST_HEARD = 1024
"""Addresses are kept, of each kind."""
MODEM_DRIVERS = ("qcaspi", "qcauart", "qca_7k_common")
"""Of the kernel, for modems on a bus of their own."""
QUESTIONS: tuple[Mme, ...] = (
    vendor.VsSwVerReq(),
    vendor.NscmGetVersionReq(),
    vendor.VsGetNvmReq(),
    vendor.VsOpAttributesReq(),
    vendor.VsNwInfoReq(),
    vendor.VsPlLnkStatusReq(),
    vendor.NscmGetDLinkStatusReq(),
    mme.NwStatsReq(),
)
"""Each modem answers those that it knows."""


class Wanted(NamedTuple):
    """What is to be looked at."""

    interface: str
    modem: str = "auto"
    """As it is configured."""
    evse: int = 0
    """Whose it is; 0: nobody has said."""
    modem_mac: bytes | None = None
    """As it is configured; None: whoever answers is the modem."""


class Wrong(NamedTuple):
    """A problem, and what to do about it."""

    what: str
    do: str


@dataclass(slots=True)
class Report:
    """Of one interface."""

    lines: list[str] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    def fault(self, what: str, do: str) -> None:
        self.wrong.append(Wrong(what, do))


@dataclass(slots=True)
class Heard:
    """What came in."""

    answers: dict[bytes, dict[str, Mme]] = field(default_factory=dict)
    """To us: by source, and by the name of the message."""
    others: set[bytes] = field(default_factory=set)
    """Who has said something to all."""

    def take(self, octets: bytes, own: bytes) -> None:
        source = octets[6:12]
        if octets[:6] != own:
            if len(self.others) < MOST_HEARD:
                self.others.add(source)
            return
        try:
            said = mme.read(octets).mme
        except MmeError:
            return
        if source in self.answers or len(self.answers) < MOST_HEARD:
            self.answers.setdefault(source, {})[type(said).__name__] = said

    def add(self, later: Heard) -> None:
        """What came in after that."""
        self.others |= later.others
        for mac, said in later.answers.items():
            self.answers.setdefault(mac, {}).update(said)


def main(config: StationConfig | None, interface: str, out: TextIO, *, set_key: bool = False) -> int:
    """0 when nothing is wrong."""
    wanted = [Wanted(interface)] if interface else _configured(config)
    if not wanted:
        print(
            "no EVSE has a network interface (v2g.interface): none of them talks with vehicles, and there is nothing to look at", file=out
        )
        return 0
    wrong = 0
    for each in wanted:
        report = examine(each, set_key=set_key)
        print(each.interface, *(f"  {line}" for line in report.lines), sep="\n", file=out)
        for what, do in report.wrong:
            print(f"  wrong: {what}\n    do: {do}", file=out)
        wrong += len(report.wrong)
    print("nothing is wrong" if not wrong else f"{wrong} to mend", file=out)
    return 1 if wrong else 0


def _configured(config: StationConfig | None) -> list[Wanted]:
    evses = config.evses if config is not None else ()
    return [_wanted(each) for each in evses if each.v2g.interface]


def _wanted(evse: EvseConfig) -> Wanted:
    slac = evse.v2g.slac
    return Wanted(evse.v2g.interface, slac.modem, evse.id, slac.address)


def examine(wanted: Wanted, *, set_key: bool = False) -> Report:
    """Look at one interface, and at what hangs on it."""
    report = Report()
    try:
        facts = plc_link.facts(wanted.interface)
    except NoLink as error:
        report.fault(str(error), _another(plc_link.names()))
        return report
    judge_interface(report, wanted, facts)
    if wanted.modem == "none":
        report.lines.append('no modem is matched with (v2g.slac.modem = "none"): whoever is on the interface is the vehicle')
        return report
    if not facts.up or not facts.carrier or len(facts.mac) != 6:
        return report
    try:
        check_allowed(facts.name)
    except StartError as error:
        report.fault(str(error).partition(":")[0], "run as root, or: setcap cap_net_raw,cap_net_admin+ep on a copy of python for it")
        return report
    try:
        heard = _heard(facts, set_key=set_key)
    except OSError as error:
        report.fault(
            f"{facts.name} was lost while the modem was asked: {error.strerror or error}",
            "ask again; where it comes and goes, look after the modem's power and cable, and at dmesg",
        )
        return report
    judge_modem(report, wanted, heard)
    if set_key:
        judge_key(report, heard)
    return report


def _heard(facts: Facts, *, set_key: bool) -> Heard:
    """What there is to hear. Raises OSError."""
    with closing(open_socket(facts.name)) as line:
        heard = asked(line, facts.mac, wait_s=ANSWER_S)
        if set_key:
            nmk = os.urandom(16)
            question = mme.SetKeyReq(nid=nid_of(nmk), new_key=nmk)
            heard.add(asked(line, facts.mac, (question,), times=1, wait_s=KEY_S))
    return heard


# ---- the interface


def judge_interface(report: Report, wanted: Wanted, facts: Facts) -> None:
    """What is so, and what is wrong with it."""
    name = facts.name
    state = ("up" if facts.up else "down") + (", carrier" if facts.carrier else ", no carrier")
    report.lines.append(f"driver {facts.driver or 'unknown'}, MAC {facts.mac.hex(':') or 'none'}, MTU {facts.mtu}, {state}")
    if name != wanted.interface:
        report.lines.append(f"the interface is called {name!r} now; {wanted.interface!r} is another of its names")
    if len(facts.mac) != 6:
        report.fault(f"{name} is no Ethernet", _another(plc_link.names()))
        return
    if not facts.up:
        report.fault(f"{name} is down", f"ip link set {name} up; NetworkManager is to leave it alone: nmcli device set {name} managed no")
    elif not facts.carrier:
        report.fault(
            f"{name} has no carrier", "look after the modem's power, its cable, and dmesg: a QCA7000 on SPI says there when it is in sync"
        )
    if not facts.ipv6:
        report.fault(f"IPv6 is switched off for {name}", f"sysctl -w net.ipv6.conf.{name}.disable_ipv6=0, and in /etc/sysctl.d")
    elif facts.link_local:
        report.lines.append("link-local " + ", ".join(map(str, facts.link_local)))
    elif facts.up and facts.carrier:
        _judge_link_local(report, facts)


def _judge_link_local(report: Report, facts: Facts) -> None:
    name = facts.name
    if facts.tentative:
        report.fault(
            f"the link-local address {facts.tentative[0]} of {name} is not ready",
            "ask again in a second; where that stays so, another host on the line has the same address, that is the same MAC",
        )
        return
    report.fault(
        f"{name} has no IPv6 link-local address",
        f"ip link set {name} addrgenmode eui64; where NetworkManager has it: ipv6.method link-local",
    )


def _another(names: dict[str, str]) -> str:
    """Which one may be meant."""
    there = ", ".join(f"{name} ({driver})" if driver else name for name, driver in names.items() if name != "lo")
    modems = [name for name, driver in names.items() if driver in MODEM_DRIVERS]
    if modems:
        return f"by its driver {modems[0]} is a power-line modem: name it in v2g.interface, or give it a fixed name (systemd.link); there are: {there}"
    return f"name the modem's in v2g.interface; there are: {there or 'none'}"


# ---- the modem


def asked(line: socket.socket, own: bytes, questions: Sequence[Mme] = QUESTIONS, *, times: int = 2, wait_s: float) -> Heard:
    """What the modem says, and who else is heard meanwhile."""
    heard = Heard()
    for _ in range(times):
        for each in questions:
            line.send(mme.octets(Frame(LOCAL, own, each)))
        for octets in _coming(line, wait_s):
            heard.take(octets, own)
    return heard


def _coming(line: socket.socket, wait_s: float) -> Iterator[bytes]:
    deadline = time.monotonic() + wait_s
    while (left_s := deadline - time.monotonic()) > 0:
        if select.select([line], [], [], left_s)[0]:
            yield line.recv(MOST)


def judge_modem(report: Report, wanted: Wanted, heard: Heard) -> None:
    """What it is, and what is wrong with it."""
    kinds = {mac: kind for mac, said in heard.answers.items() if (kind := kind_of(said))}
    for mac in sorted(kinds, key=lambda mac: mac != wanted.modem_mac)[:NAMED]:
        kind = kinds[mac]
        report.lines.append(f"modem {mac.hex(':')}: {kind}, firmware {firmware(heard.answers[mac])}")
        report.lines += details(heard.answers[mac])
        if wanted.modem not in ("auto", kind, "key_only"):
            report.fault(f'v2g.slac.modem = "{wanted.modem}", and it is one of {kind}', f'modem = "{kind}", or "auto"')
    if not kinds:
        _judge_silence(report, wanted, heard)
    if len(kinds) > 1:
        report.fault(
            f"{len(kinds)} modems answer to what only the own one takes: {named(kinds)}",
            "each EVSE's modem has an interface of its own: no switch or bridge may be between",
        )
    _judge_address(report, wanted, heard)
    others = heard.others - set(kinds)
    if others:
        report.lines.append(f"others on the line: {named(sorted(others))}")


def named(macs: Collection[bytes]) -> str:
    """Who they are; so many that they can be read."""
    first = ", ".join(mac.hex(":") for mac in islice(macs, NAMED))
    at_least = "at least " if len(macs) >= MOST_HEARD else ""
    return first + (f" and {at_least}{len(macs) - NAMED} more" if len(macs) > NAMED else "")


def _judge_address(report: Report, wanted: Wanted, heard: Heard) -> None:
    """Whether it is the one that is configured."""
    modems = [mac for mac, said in heard.answers.items() if kind_of(said) or "SetKeyCnf" in said]
    if wanted.modem_mac and modems and wanted.modem_mac not in modems:
        report.fault(
            f'v2g.slac.modem_mac = "{wanted.modem_mac.hex(":")}", and {named(modems)} answers: the station takes no word of it',
            f'look at the modem\'s label: modem_mac = "{modems[0].hex(":")}" where that is on it, else somebody on the line passes for it',
        )


def _judge_silence(report: Report, wanted: Wanted, heard: Heard) -> None:
    if heard.answers or wanted.modem == "key_only":
        report.lines.append(
            'a modem that says nothing of itself: it may only take keys (--set-key tries that), and then modem = "key_only" or "auto"'
        )
        return
    report.fault(
        "no modem answers, neither to Qualcomm's questions nor to Lumissil's",
        "is it this interface? has the modem power? a PLC adapter may be asleep without a peer. One of another maker says nothing of itself: "
        '--set-key tries whether it takes a key, and then it is modem = "key_only"',
    )


def kind_of(said: dict[str, Mme]) -> str:
    """By whose question it has answered."""
    if "VsSwVerCnf" in said:
        return "qualcomm"
    return "lumissil" if "NscmGetVersionCnf" in said else ""


def firmware(said: dict[str, Mme]) -> str:
    """In its own words."""
    match said.get("VsSwVerCnf"), said.get("NscmGetVersionCnf"):
        case vendor.VsSwVerCnf(status=0, version=version), _:
            return version or "without a name"
        case _, vendor.NscmGetVersionCnf(major=major, minor=minor, patch=patch, build=build):
            return f"{major}.{minor}.{patch}.{build}"
    return "is not told"


def details(said: dict[str, Mme]) -> list[str]:
    """What else it says."""
    lines = []
    for each in said.values():
        match each:
            case vendor.VsOpAttributesCnf(status=0, hardware=hardware, software=software, build_date=date):
                lines.append("  " + " ".join(filter(None, map(_text, (hardware, software, date)))))
            case vendor.VsGetNvmCnf(status=0, nvm_type=kind, size_octets=size):
                lines.append(f"  flash memory of type {kind:#x}, {size // 1024} KiB")
            case vendor.VsPlLnkStatusCnf(status=0, link_status=link) | vendor.NscmGetDLinkStatusCnf(link_status=link):
                lines.append(f"  link to another modem: {'yes' if link == 1 else 'no'}")
            case vendor.VsNwInfoCnf(networks=networks):
                lines += [line for network in networks for line in _network(network)]
    return lines


def _network(network: vendor.Network) -> list[str]:
    others = [
        f"    {each.mac.hex(':')}, behind it {each.bridged_mac.hex(':')}, {each.to_Mbps}/{each.from_Mbps} Mbit/s"
        for each in network.stations
    ]
    return [f"  network {network.nid.hex()} with {len(others) or 'no'} other modem{'' if len(others) == 1 else 's'}", *others]


def _text(octets: bytes) -> str:
    return "".join(chr(each) for each in octets.partition(b"\0")[0] if 32 <= each < 127)


def judge_key(report: Report, heard: Heard) -> None:
    """Whether it has taken the key that it was given."""
    told = [(mac, each) for mac, said in heard.answers.items() if isinstance(each := said.get("SetKeyCnf"), mme.SetKeyCnf)]
    for mac, each in told:
        if each.result in KEY_IS_SET:
            report.lines.append(f"modem {mac.hex(':')} takes a key (result {each.result:02x}); a station sets its own when it starts")
            return
    if told:
        report.fault(
            "the modem refuses the key", "its firmware may be configured without simple connect: look at its PIB (open-plc-utils: setpib)"
        )
    else:
        report.fault(f"the modem does not say within {KEY_S:g} s that it has taken the key", "switch it off and on; look at its PIB")
