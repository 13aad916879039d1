"""The simulated power line: what travels, who hears it, and how modems answer their own hosts."""

from __future__ import annotations

import random
from pathlib import Path as File

import pytest

from bench.exi import capture
from bench.plc.line import Line, Noise, Path
from bench.plc.modem import FACTORY_KEY, SimModem
from bench.plc.site import Site
from iso15118.slac import mme, vendor
from iso15118.slac.ev import Ev
from iso15118.slac.ev_state import EvOptions
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, LOCAL, Frame, octets, read
from iso15118.slac.modem_table import Kind
from iso15118.slac.signals import SendFrame

A, B, C = (bytes.fromhex(each) for each in ("020000000001", "020000000002", "020000000003"))
MODEMS = {"a": bytes.fromhex("00B052000011"), "b": bytes.fromhex("00B052000012"), "c": bytes.fromhex("00B052000013")}
KEY = bytes(range(16))
PARM = mme.SlacParmReq(run_id=bytes(8))
SOUND = mme.MnbcSoundInd(count=9, run_id=bytes(8), random=bytes(16))


def line(kind: Kind = Kind.QUALCOMM, seed: int = 1, **options: object) -> Line:
    made = Line({port: SimModem(mac, kind) for port, mac in MODEMS.items()}, random.Random(seed).random, **options)  # type: ignore[arg-type]
    for port, host in (("a", A), ("b", B), ("c", C)):
        made.modems[port].host = host
    return made


def sent(at: Line, message: Mme, *, now: float = 0.0, to: bytes = BROADCAST, source: bytes = A) -> list[tuple[str, bytes, str]]:
    """Port, source and message of all that comes at once."""
    heard = at.heard(now, "a", octets(Frame(to, source, message)))
    return [(each.port, (frame := read(each.octets)).source, type(frame.mme).__name__) for each in heard]


def asked(at: Line, message: Mme, *, now: float = 0.0) -> list[tuple[float, Mme]]:
    """What the modem at "a" answers, and after how long."""
    out = at.heard(now, "a", octets(Frame(LOCAL, A, message)))
    while (due := at.deadline()) is not None:
        out += at.due(due)
    assert {each.port for each in out} <= {"a"}
    return [(round(each.at - now, 6), read(each.octets).mme) for each in out]


def test_a_broadcast_reaches_all_others_and_what_is_for_one_that_one() -> None:
    assert sent(line(), PARM) == [("b", A, "SlacParmReq"), ("c", A, "SlacParmReq")]
    assert sent(line(), PARM, to=B) == [("b", A, "SlacParmReq")]
    assert sent(line(), PARM, to=A) == []
    at = line()
    at.modems["c"].host = None
    assert [port for port, _, _ in sent(at, PARM, to=B)] == ["b", "c"], "who is behind a modem it has to learn"


def test_a_sound_becomes_a_profile_of_the_own_modem_and_comes_itself() -> None:
    at = line(paths={("a", "b"): Path(20.0, 10.0)}, elsewhere=Path(300.0))
    at.modems["c"].profiles = False
    assert sent(at, SOUND) == [("b", MODEMS["b"], "AttenProfileInd"), ("b", A, "MnbcSoundInd"), ("c", A, "MnbcSoundInd")]
    told = read(at.heard(0.0, "a", octets(Frame(BROADCAST, A, SOUND)))[0].octets).mme
    assert isinstance(told, mme.AttenProfileInd)
    assert (told.pev_mac, told.aag[0], told.aag[-1]) == (A, 15, 25)
    assert sum(told.aag) / 58 == pytest.approx(20.0, abs=0.5)
    assert Path(300.0).groups() == bytes([255] * 58)
    assert Path(-3.0).groups() == bytes(58)
    broken = octets(Frame(BROADCAST, A, SOUND))[:40]
    assert [each.octets for each in at.heard(0.0, "a", broken)] == [broken] * 2, "no profile of what is none"


def test_where_there_is_no_path_nothing_is_heard() -> None:
    assert [port for port, _, _ in sent(line(paths={("b", "a"): None}), PARM)] == ["c"]
    assert sent(line(elsewhere=None), PARM) == []


def test_other_protocols_travel_between_modems_of_one_key_only() -> None:
    at = line(join_s=0.5)
    ipv6 = b"\x33\x33" + bytes(4) + A + b"\x86\xdd" + bytes(46)
    assert at.heard(0.0, "a", ipv6) == [], "they have found each other after half a second only"
    assert [each.port for each in at.heard(1.0, "a", ipv6)] == ["b", "c"]
    at.modems["b"].nmk = KEY
    assert [each.port for each in at.heard(1.0, "a", ipv6)] == ["c"]


def test_vendor_s_messages_stay_at_the_own_modem_and_so_does_what_is_for_it() -> None:
    at = line()
    assert sent(at, vendor.VsSwVerReq()) == []
    assert sent(at, vendor.VsRsDevReq(), to=MODEMS["b"]) == []
    assert at.deadline() is None
    assert sent(at, PARM, to=LOCAL) == []
    assert at.heard(0.0, "a", (LOCAL + A + b"\x88\xe1").ljust(60, b"\xff")) == []
    assert at.heard(0.0, "a", b"") == []


@pytest.mark.parametrize("result", [0, 1])
def test_a_key_takes_its_time_and_the_modem_is_deaf_meanwhile(result: int) -> None:
    at = line()
    at.modems["a"].result = result
    wanted = mme.SetKeyReq(nid=nid_of(KEY), new_key=KEY)
    assert asked(at, wanted)[0] == (0.7, mme.SetKeyCnf(result=result))
    at = line()
    at.heard(0.0, "a", octets(Frame(LOCAL, A, wanted)))
    assert sent(at, PARM, now=0.3) == []
    assert asked(at, vendor.VsSwVerReq(), now=0.3)[0][1] == mme.SetKeyCnf(result=1), "the answer to the first alone"
    assert at.modems["a"].nmk == KEY
    at.modems["b"].deaf_until = 5.0
    assert [port for port, _, _ in sent(at, PARM, now=1.0)] == ["c"]


def test_a_key_with_another_name_is_refused() -> None:
    at = line()
    assert asked(at, mme.SetKeyReq(nid=bytes(7), new_key=KEY)) == [(0.7, mme.SetKeyCnf(result=2))]
    assert at.modems["a"].nmk == FACTORY_KEY


def test_a_link_is_another_modem_with_the_key_that_is_heard() -> None:
    at = line()
    question = vendor.VsPlLnkStatusReq()
    assert asked(at, question) == [(0.005, vendor.VsPlLnkStatusCnf(link_status=0))]
    assert asked(at, question, now=1.0) == [(0.005, vendor.VsPlLnkStatusCnf(link_status=1))]
    at.modems["b"].dead = True
    at.modems["c"].nmk = KEY
    assert asked(at, question, now=1.0) == [(0.005, vendor.VsPlLnkStatusCnf(link_status=0))]
    at.modems["a"].tells_link = False
    assert asked(at, question, now=1.0) == []


def test_what_each_kind_answers() -> None:
    def kinds(kind: Kind) -> list[str]:
        requests = (
            vendor.VsSwVerReq(), vendor.VsPlLnkStatusReq(), vendor.VsNwInfoReq(), vendor.VsGetNvmReq(), vendor.NscmGetVersionReq(),
            vendor.NscmGetDLinkStatusReq(), mme.AmpMapReq(amplitudes=b"\x01"), mme.NwStatsReq(), vendor.VsRsDevReq(),
        )  # fmt: skip
        at = line(kind)
        return [type(answer).__name__ for request in requests for _, answer in asked(at, request)]

    assert kinds(Kind.QUALCOMM) == ["VsSwVerCnf", "VsPlLnkStatusCnf", "VsNwInfoCnf", "VsGetNvmCnf", "AmpMapCnf", "VsRsDevCnf"]
    assert kinds(Kind.LUMISSIL) == ["NscmGetVersionCnf", "NscmGetDLinkStatusCnf", "AmpMapCnf"]
    assert kinds(Kind.KEY_ONLY) == ["AmpMapCnf"]


@pytest.mark.parametrize(("kind", "reset"), [(Kind.QUALCOMM, vendor.VsRsDevReq()), (Kind.LUMISSIL, vendor.NscmResetDeviceReq())])
def test_a_reset_takes_a_while_and_helps_one_that_is_stuck(kind: Kind, reset: Mme) -> None:
    at = line(kind)
    at.modems["a"].stuck = True
    wanted = mme.SetKeyReq(nid=nid_of(KEY), new_key=KEY)
    assert asked(at, wanted) == []
    asked(at, reset, now=1.0)
    assert asked(at, wanted, now=2.0) == []
    assert asked(at, wanted, now=3.1)[0][1] == mme.SetKeyCnf(result=1)


def test_a_dead_modem_is_no_modem() -> None:
    at = line()
    at.modems["a"].dead = True
    assert sent(at, PARM) == []
    assert asked(at, vendor.VsSwVerReq()) == []


def test_noise_loses_doubles_delays_and_turns_around() -> None:
    assert sent(line(noise=Noise(loss=1.0)), PARM) == []
    assert len(sent(line(noise=Noise(duplicates=1.0)), PARM)) == 4
    at = line(noise=Noise(delay_s=0.5, jitter_s=0.5))
    for run in range(20):
        assert at.heard(0.0, "a", octets(Frame(B, A, mme.SlacParmReq(run_id=bytes([run] * 8))))) == []
    came = []
    while (due := at.deadline()) is not None:
        came += at.due(due)
    assert all(0.5 <= each.at <= 1.0 for each in came)
    order = [read(each.octets).mme.run_id[0] for each in came]  # type: ignore[attr-defined]
    assert sorted(order) == list(range(20)) != order


def test_the_same_chance_the_same_line() -> None:
    def play(seed: int) -> list[object]:
        at = line(seed=seed, noise=Noise(0.3, 0.3, 0.0, 0.1))
        return [at.heard(float(n), "a", octets(Frame(BROADCAST, A, PARM))) for n in range(50)]

    assert play(1) == play(1)
    assert play(1) != play(2)


# ---- the site


def test_a_capture_has_each_frame_once_and_what_came_from_nowhere(tmp_path: File) -> None:
    site = Site(Line({"ev": SimModem(MODEMS["a"])}, lambda: 1.0))
    site.add("ev", Ev(EvOptions(mac=A), random.Random(1).randbytes))
    site.run(1.5)
    site.hear("ev", Frame(A, B, PARM))
    packets = list(capture.packets(site.capture(tmp_path / "site.pcap")))
    assert len(packets) == len(site.seen)
    assert [round(each.time, 3) for each in packets] == [round(each.at, 3) for each in site.seen]
    assert packets[-1].octets == octets(Frame(A, B, PARM))


def test_a_deadline_that_does_not_move_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(Line({}, lambda: 1.0))
    host = site.add("ev", Ev(EvOptions(mac=A), random.Random(1).randbytes), start=False)
    monkeypatch.setattr(host.machine, "deadline", lambda: 0.0)
    monkeypatch.setattr("bench.plc.site.STEPS", 10)
    with pytest.raises(RuntimeError, match="does not move"):
        site.run(1.0)


def test_a_frame_for_a_port_without_a_host_is_nobody_s() -> None:
    site = Site(line())
    site.add("a", Ev(EvOptions(mac=A), random.Random(1).randbytes), start=False)
    site._take(site.hosts["a"], [SendFrame(octets(Frame(BROADCAST, A, PARM)))])
    site.run(1.0)
    assert [(each.port, each.sent) for each in site.seen] == [("a", True)]
