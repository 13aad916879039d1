"""What `bench.perf.exi` measures is what its table says."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from bench import wheel
from bench.perf import exi
from iso15118.exi import decode, encode


@pytest.mark.parametrize(
    ("what", "size"),
    [
        ("supportedAppProtocolReq", 37),
        ("-20 SessionSetupRes", 35),
        ("-20 DC_ChargeLoopReq", 55),
        ("-20 DC_ChargeLoopRes", 55),
        ("-20 AC_ChargeLoopReq", 47),
        ("-2 CurrentDemandRes", 55),
        ("-20 ScheduleExchangeRes", 416),
        ("-2 CertificateInstallationRes", 3958),
        ("-20 ScheduleExchangeRes, three tuples of 1,024 entries", 48_728),
    ],
)
def test_messages_have_the_sizes_of_sessions(what: str, size: int) -> None:
    (message,) = [each for each in exi.messages() if each.what == what]
    assert len(message.octets) == size
    found = decode(message.octets, message.namespace)
    assert type(found).__name__ in what or type(found).__name__ == "V2G_Message"
    assert encode(found, message.namespace) == message.octets


def test_a_row_has_each_peer_beside_ours() -> None:
    message = exi.Message("Req", exi.DC, bytes(55), 8)
    row = exi._row(message, "decode", 6.0, 12_000.0, 1.0)
    assert (row.what, row.ours, row.reach) == ("EXI decode Req, 55 octets", "6.0 µs", "8 µs")
    assert (row.peer, row.ratio) == ("EXIficient, py4j 12,000 µs; libcbv2g 1.0 µs", "2,000 x; 1/6.0 x")
    assert exi._row(message, "decode", 6.0, float("nan"), 0.0).peer == "EXIficient, py4j fails"
    assert exi._row(message, "decode", 6.0, 0.0, 0.0).ratio == ""


def test_starts_are_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bare Python takes 10 ms here, with .pyc 35 and without 70; each now and then more or less."""
    times = {"bare": cycle((0.010, 0.002, 0.200)), "without": cycle((0.070, 0.020, 0.500)), "cached": cycle((0.035, 0.012, 0.400))}

    def process_s(code: str, folder: Path, environment: dict[str, str]) -> float:
        which = "bare" if code == "pass" else "without" if environment.get("PYTHONDONTWRITEBYTECODE") else "cached"
        return next(times[which])

    warm = cycle((0.560, 0.300, 0.900))
    monkeypatch.setattr(exi, "_process_s", process_s)
    monkeypatch.setattr(exi, "_told", lambda code, folder, environment: [6.5, 11.5] if "rss_MB" in code else [next(warm)])
    assert [row.ours for row in exi.measure_starts()] == ["25 ms", "60 ms", "560 ms", "6.5 MB"]


def test_without_a_wheel_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none(_: Path) -> Path:
        raise wheel.NoWheel("no wheel today")

    monkeypatch.setattr(wheel, "jar", none)
    with exi.exificient() as peer:
        assert peer is None
    assert "EXIficient is not beside it: no wheel today" in capsys.readouterr().err


def test_without_a_library_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("LIBCBV2G", raising=False)
    assert exi.cbv2g() is None
    assert "LIBCBV2G" in capsys.readouterr().err
