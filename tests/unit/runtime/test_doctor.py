"""`chargepoint doctor`: what it says of interfaces and modems, and what newcomers get wrong (S-9)."""

from __future__ import annotations

import io
import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench import cli
from bench.plc.line import Line
from bench.plc.modem import SimModem
from chargepoint.config import EvseConfig, SlacConfig, StationConfig, V2gConfig
from chargepoint.runtime import doctor, plc_link
from chargepoint.runtime.doctor import MOST_HEARD, Heard, Report, Wanted, judge_interface, judge_key, judge_modem, main
from chargepoint.runtime.plc_link import Facts
from chargepoint.runtime.port import StartError
from iso15118.slac import mme, vendor
from iso15118.slac.layout import Mme
from iso15118.slac.modem_table import Kind
from tests.unit.runtime.plc_rig import MODEM, PARM_REQ, STRANGER, Pair, frame, pair, version

OWN, EV = bytes.fromhex("020000000001"), bytes.fromhex("0200000000EE")
RIGHT = Facts(
    name="plc0",
    index=7,
    mac=OWN,
    up=True,
    carrier=True,
    driver="qcaspi",
    mtu=1500,
    link_local=(ipaddress.IPv6Address("fe80::1"),),
)
NETWORK = vendor.Network(b"\x01" * 7, 1, 1, 2, MODEM, 1, (vendor.Station(STRANGER, 2, OWN, 9, 8),))
NAMES = {"eth0": "virtio_net", "eth1": "qcaspi", "lo": ""}


# ---- the interface


@pytest.mark.req("S-9")
@pytest.mark.parametrize(
    ("facts", "what", "do"),
    [
        ({"up": False, "carrier": False, "link_local": ()}, "plc0 is down", "ip link set plc0 up"),
        ({"carrier": False, "link_local": ()}, "plc0 has no carrier", "dmesg"),
        ({"ipv6": False, "link_local": ()}, "IPv6 is switched off for plc0", "sysctl -w net.ipv6.conf.plc0.disable_ipv6=0"),
        ({"link_local": ()}, "plc0 has no IPv6 link-local address", "addrgenmode eui64"),
        ({"link_local": (), "tentative": (ipaddress.IPv6Address("fe80::2"),)}, "fe80::2 of plc0 is not ready", "the same MAC"),
        ({"mac": b""}, "plc0 is no Ethernet", "by its driver eth1 is a power-line modem"),
    ],
)
def test_what_is_wrong_with_an_interface(monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], what: str, do: str) -> None:
    monkeypatch.setattr(plc_link, "names", lambda: NAMES)
    report = Report()
    judge_interface(report, Wanted("plc0"), replace(RIGHT, **facts))  # type: ignore[arg-type]
    (found,) = report.wrong
    assert what in found.what
    assert do in found.do


def test_one_that_is_right() -> None:
    report = Report()
    judge_interface(report, Wanted("plc0"), RIGHT)
    assert report.wrong == []
    assert report.lines == ["driver qcaspi, MAC 02:00:00:00:00:01, MTU 1500, up, carrier", "link-local fe80::1"]


def test_one_that_is_named_by_another_of_its_names_is_right() -> None:
    report = Report()
    judge_interface(report, Wanted("plc0"), replace(RIGHT, name="enx1"))
    assert report.wrong == []
    assert report.lines[1] == "the interface is called 'enx1' now; 'plc0' is another of its names"


def test_what_is_no_ethernet_is_said_to_be_none_and_nothing_else() -> None:
    out = io.StringIO()
    assert main(None, "lo", out) == 1
    assert "\n  wrong: lo is no Ethernet\n" in out.getvalue()
    assert out.getvalue().endswith("\n1 to mend\n")


@pytest.mark.req("S-9")
@pytest.mark.parametrize(
    ("names", "do"),
    [
        (
            NAMES,
            "by its driver eth1 is a power-line modem: name it in v2g.interface, or give it a fixed name (systemd.link); there are: eth0 ",
        ),
        ({"lo": "", "eth0": ""}, "name the modem's in v2g.interface; there are: eth0"),
        ({"lo": ""}, "name the modem's in v2g.interface; there are: none"),
    ],
)
def test_one_that_is_not_there_may_have_another_name(monkeypatch: pytest.MonkeyPatch, names: dict[str, str], do: str) -> None:
    monkeypatch.setattr(plc_link, "names", lambda: names)
    out = io.StringIO()
    assert main(None, "plc-is-not-here", out) == 1
    assert "wrong: there is no network interface 'plc-is-not-here'" in out.getvalue()
    assert do in out.getvalue()


# ---- the modem


def judged(
    modem: str, answers: dict[bytes, tuple[object, ...]], others: frozenset[bytes] = frozenset(), modem_mac: bytes | None = None
) -> Report:
    report = Report()
    heard = {mac: {type(each).__name__: each for each in said} for mac, said in answers.items()}
    judge_modem(report, Wanted("plc0", modem, modem_mac=modem_mac), Heard(heard, set(others)))  # type: ignore[arg-type]
    return report


def test_what_a_modem_says_of_itself() -> None:
    hardware, software = b"QCA7000".ljust(16, b"\0"), b"MAC\x07-1".ljust(16, b"\0")
    operated = vendor.VsOpAttributesCnf(
        hardware=hardware, software=software, build_date=b"20150101", major=1, minor=2, pib=3, build=4, release_type=bytes(12)
    )
    said = (
        vendor.VsSwVerCnf(device_class=0x22, version="MAC-QCA7000-1.1.3"),
        operated,
        vendor.VsGetNvmCnf(nvm_type=0x14, page_octets=256, block_octets=65536, size_octets=1 << 21),
        vendor.VsPlLnkStatusCnf(link_status=1),
        vendor.VsNwInfoCnf(networks=(NETWORK, NETWORK._replace(stations=()))),
        mme.NwStatsCnf(stations=()),
    )
    report = judged("auto", {MODEM: said}, frozenset((STRANGER, MODEM)))
    assert report.wrong == []
    assert report.lines == [
        f"modem {MODEM.hex(':')}: qualcomm, firmware MAC-QCA7000-1.1.3",
        "  QCA7000 MAC-1 20150101",
        "  flash memory of type 0x14, 2048 KiB",
        "  link to another modem: yes",
        "  network 01010101010101 with 1 other modem",
        "    02:00:00:00:00:aa, behind it 02:00:00:00:00:01, 9/8 Mbit/s",
        "  network 01010101010101 with no other modems",
        "others on the line: 02:00:00:00:00:aa",
    ]


def test_one_of_lumissil_and_one_without_a_name() -> None:
    version = vendor.NscmGetVersionCnf(major=1, minor=2, patch=3, build=4)
    report = judged("lumissil", {MODEM: (version, vendor.NscmGetDLinkStatusCnf(link_status=0))})
    assert (report.wrong, report.lines) == ([], [f"modem {MODEM.hex(':')}: lumissil, firmware 1.2.3.4", "  link to another modem: no"])
    assert "firmware without a name" in judged("auto", {MODEM: (vendor.VsSwVerCnf(device_class=0, version=""),)}).lines[0]
    assert "firmware is not told" in judged("auto", {MODEM: (vendor.VsSwVerCnf(status=1, device_class=0, version="x"),)}).lines[0]


@pytest.mark.parametrize(
    ("modem", "answers", "what", "do"),
    [
        (
            "lumissil",
            {MODEM: (vendor.VsSwVerCnf(device_class=0, version="x"),)},
            'v2g.slac.modem = "lumissil", and it is one of qua',
            'modem = "q',
        ),
        ("auto", {}, "no modem answers", '--set-key tries whether it takes a key, and then it is modem = "key_only"'),
        (
            "auto",
            {mac: (vendor.VsSwVerCnf(device_class=0, version="x"),) for mac in (MODEM, STRANGER)},
            "2 modems answer to what only the own one takes",
            "an interface of its own",
        ),
    ],
)
def test_what_is_wrong_with_a_modem(modem: str, answers: dict[bytes, tuple[object, ...]], what: str, do: str) -> None:
    (found,) = judged(modem, answers).wrong
    assert what in found.what
    assert do in found.do


def test_one_that_says_nothing_of_itself_may_only_take_keys() -> None:
    for modem, answers in (("key_only", {}), ("auto", {MODEM: (mme.SetKeyCnf(result=1, your_nonce=bytes(4)),)})):
        report = judged(modem, answers)  # type: ignore[arg-type]
        assert report.wrong == []
        assert report.lines[0].startswith("a modem that says nothing of itself: it may only take keys")


@pytest.mark.req("S-13")
@pytest.mark.parametrize(
    ("modem", "said"),
    [("auto", vendor.VsSwVerCnf(device_class=0, version="x")), ("key_only", mme.SetKeyCnf(result=1, your_nonce=bytes(4)))],
)
def test_one_that_is_not_the_configured_one_is_one_fault_with_both_addresses(modem: str, said: Mme) -> None:
    (found,) = judged(modem, {STRANGER: (said,), EV: (PARM_REQ,)}, modem_mac=MODEM).wrong
    assert f'v2g.slac.modem_mac = "{MODEM.hex(":")}", and {STRANGER.hex(":")} answers' in found.what
    assert f'modem_mac = "{STRANGER.hex(":")}" where that is on it' in found.do
    for answers, mac in (({MODEM: (said,)}, MODEM), ({STRANGER: (said,)}, None)):
        assert judged(modem, answers, modem_mac=mac).wrong == []  # type: ignore[arg-type]
    (found,) = judged("auto", {}, modem_mac=MODEM).wrong
    assert "no modem answers" in found.what


@pytest.mark.parametrize(("strangers", "more"), [(8, ""), (9, " and 1 more"), (1023, " and 1015 more"), (2000, " and at least 1016 more")])
def test_many_strangers_make_no_long_report(strangers: int, more: str) -> None:
    heard = Heard({MODEM: {"VsSwVerCnf": vendor.VsSwVerCnf(device_class=0, version="x")}})
    addresses = [(0x0200_0000_0000 + number).to_bytes(6, "big") for number in range(strangers)]
    for address in addresses:
        heard.take(frame(PARM_REQ, source=address), OWN)
    report = Report()
    judge_modem(report, Wanted("plc0"), heard)
    assert report.lines[1:] == ["others on the line: " + ", ".join(each.hex(":") for each in addresses[:8]) + more]


def test_many_that_answer_as_modems_do_make_none_either_and_the_configured_one_is_shown_first() -> None:
    heard = Heard()
    for address in [*((0x0200_0000_0000 + number).to_bytes(6, "big") for number in range(1000)), MODEM]:
        heard.take(version(OWN, source=address), OWN)
    report = Report()
    judge_modem(report, Wanted("plc0", modem_mac=MODEM), heard)
    assert report.lines[0] == f"modem {MODEM.hex(':')}: qualcomm, firmware MAC-QCA7000"
    assert len(report.lines) == 8
    assert [len(each.what) < 300 for each in report.wrong] == [True]
    for number in range(3000):
        heard.take(version(OWN, source=number.to_bytes(6, "big")), OWN)
    assert len(heard.answers) == MOST_HEARD


@pytest.mark.parametrize(("result", "says"), [(0, "takes"), (1, "takes"), (2, "refuses the key"), (None, "does not say within 3 s")])
def test_whether_it_takes_a_key(result: int | None, says: str) -> None:
    report = Report()
    said: dict[str, Mme] = {} if result is None else {"SetKeyCnf": mme.SetKeyCnf(result=result, your_nonce=bytes(4))}
    judge_key(report, Heard({MODEM: said}))
    assert says in (report.wrong[0].what if report.wrong else report.lines[0])
    assert bool(report.wrong) is (says != "takes")


# ---- over a real interface


@contextmanager
def modem_at(there: Pair, modem: SimModem) -> Iterator[None]:
    """A simulated one at the other end, with somebody else on the line."""
    line, ends = Line({"here": modem}, lambda: 1.0), threading.Event()

    def answer() -> None:
        now = 0.0
        with there.other_end() as far:
            far.settimeout(0.05)
            while not ends.is_set():
                try:
                    octets = far.recv(2000)
                except TimeoutError:
                    far.send(frame(PARM_REQ))
                    continue
                for each in (*line.heard(now, "here", octets), *line.due(now := now + 1.0)):
                    far.send(each.octets)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.3)
    monkeypatch.setattr(doctor, "KEY_S", 0.3)


@pytest.mark.parametrize("kind", Kind)
def test_a_modem_is_asked_and_takes_a_key(quick: None, kind: Kind) -> None:
    with pair() as there, modem_at(there, SimModem(MODEM, kind=kind)):
        for number in (1, 0):
            Path(f"/proc/sys/net/ipv6/conf/{there.near}/disable_ipv6").write_text(str(number))
        out = io.StringIO()
        slac = SlacConfig(modem="key_only") if kind is Kind.KEY_ONLY else SlacConfig(modem="auto")
        evse = EvseConfig(v2g=V2gConfig(interface=there.near, slac=slac))
        main(StationConfig(evses=(evse, EvseConfig(id=2))), "", out, set_key=True)
    text = out.getvalue()
    assert text.startswith(f"{there.near}\n  driver veth, ")
    assert f"modem {MODEM.hex(':')} takes a key (result 01)" in text
    assert (f"modem {MODEM.hex(':')}: {kind.value}" in text) is (kind is not Kind.KEY_ONLY)
    assert f"others on the line: {STRANGER.hex(':')}" in text
    assert "modem answers" not in text


def test_an_interface_without_a_modem_is_not_asked(quick: None) -> None:
    out = io.StringIO()
    with pair() as there, there.other_end() as far:
        main(StationConfig(evses=(EvseConfig(v2g=V2gConfig(interface=there.near)),)), "", out)
        there.up(on=False)
        assert main(None, there.near, out) == 1
        far.setblocking(False)
        with pytest.raises(OSError, match=r"unavailable|is down"):
            far.recv(2000)
    assert 'no modem is matched with (v2g.slac.modem = "none")' in out.getvalue()
    assert main(StationConfig(evses=(EvseConfig(),)), "", out) == 0
    assert "no EVSE has a network interface" in out.getvalue()


@pytest.mark.req("S-9")
def test_an_interface_that_goes_down_while_the_modem_is_asked_is_a_fault_and_the_report_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    with pair() as there, pair() as other:
        lost = threading.Timer(0.3, lambda: there.up(on=False))
        lost.start()
        monkeypatch.setattr(doctor, "ANSWER_S", 0.8)
        evses = [
            EvseConfig(id=n, v2g=V2gConfig(interface=name, slac=SlacConfig(modem="auto"))) for n, name in ((1, there.near), (2, other.near))
        ]
        assert main(StationConfig(evses=tuple(evses)), "", out) == 1
        lost.join()
    text = out.getvalue()
    assert text.startswith(f"{there.near}\n  driver veth, ")
    assert f"wrong: {there.near} was lost while the modem was asked: Network is down\n" in text
    assert f"\n{other.near}\n  driver veth, " in text


@pytest.mark.req("S-13")
def test_the_modem_that_is_configured_by_its_address_is_looked_for(quick: None) -> None:
    out = io.StringIO()
    with pair() as there, modem_at(there, SimModem(MODEM, kind=Kind.QUALCOMM)):
        slac = SlacConfig(modem="auto", modem_mac="02:00:02:00:00:aB")
        assert main(StationConfig(evses=(EvseConfig(v2g=V2gConfig(interface=there.near, slac=slac)),)), "", out) == 1
    assert f'wrong: v2g.slac.modem_mac = "02:00:02:00:00:ab", and {MODEM.hex(":")} answers' in out.getvalue()


def test_without_the_right_to_raw_frames_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(interface: str) -> None:
        raise StartError(f"the power-line modem at {interface!r} may not: more words")

    monkeypatch.setattr(doctor, "check_allowed", refused)
    out = io.StringIO()
    with pair() as there:
        assert main(None, there.near, out) == 1
    assert f"wrong: the power-line modem at {there.near!r} may not\n" in out.getvalue()
    assert "run as root, or: setcap cap_net_raw" in out.getvalue()


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["doctor", "--iface", "plc-is-not-here"]) == 1
    assert "there is no network interface 'plc-is-not-here'" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    assert cli.main(["doctor", "--iface", "eth0"]) == 1
    assert capsys.readouterr().err == "this needs the package pyroute2: pip install 'chargepoint[plc]'\n"
    with pytest.raises(SystemExit):
        cli.main(["doctor"])
