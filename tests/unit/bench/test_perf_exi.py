"""What `bench.perf.exi` measures is what its table says."""

from __future__ import annotations

import pytest

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


def test_without_a_library_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("LIBCBV2G", raising=False)
    assert exi.cbv2g() is None
    assert "LIBCBV2G" in capsys.readouterr().err
