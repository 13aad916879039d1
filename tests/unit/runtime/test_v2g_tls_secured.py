"""TLS as a connection's port uses it, from folders of certificates."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from certs import testpki
from certs.pki_files import PkiError
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls import Secured, Server, Version, engine, station, vehicle
from tests.unit.runtime.v2g_tls_rig import NOW, folder


def meet(charger: Secure, car: Secure) -> tuple[bytes, bytes]:
    """What each end reads until nothing moves."""
    at_charger = at_car = b""
    moving = car.pending()
    while moving:
        at_charger += charger.received(moving)
        back = charger.pending()
        at_car += car.received(back) if back else b""
        moving = car.pending()
    return at_charger, at_car


def without_iso20(target: Path, wrong: testpki.Wrong = "") -> Path:
    shutil.copytree(folder(wrong), target)
    shutil.rmtree(target / "iso20")
    (target / "vehicleCertChain.pem").unlink()
    return target


@pytest.mark.parametrize(
    ("of_charger", "of_car", "agreed", "verified"),
    [
        ("any", "any", "1.3", True),
        ("any", "1.2", "1.2", False),
        ("any", "1.3", "1.3", True),
        ("1.2", "any", "1.2", False),
        ("1.3", "any", "1.3", True),
    ],
)
def test_a_session(of_charger: Version, of_car: Version, agreed: str, verified: bool) -> None:
    heard: list[tuple[str, bool]] = []

    def note(secured: Secured) -> None:
        heard.append((secured.engine.version, secured.verified))

    make, warnings = station(folder(), of_charger, agreed=note)
    charger, (car, more) = make(), vehicle(folder(), of_car, agreed=note)
    assert warnings == more == ()
    assert (charger.ready, car.ready) == (False, False)
    assert meet(charger, car) == (b"", b"")
    assert (charger.ready, car.ready) == (True, True)
    assert isinstance(charger.engine, Server)
    assert charger.engine.version == agreed
    assert charger.verified == verified
    assert car.verified
    assert sorted(heard) == [(agreed, verified), (agreed, True)], "each side once"
    assert charger.received(car.wrapped(b"SupportedAppProtocolReq")) == b"SupportedAppProtocolReq"
    assert car.received(charger.wrapped(b"SupportedAppProtocolRes")) == b"SupportedAppProtocolRes"
    with pytest.raises(ConnectionError, match="closed by the other side"):
        charger.received(car.closing())
    with pytest.raises(ConnectionError, match="closed by the other side"):
        car.received(charger.closing())
    assert charger.wrapped(b"nobody hears it") == b""


def test_last_words_come_with_the_end() -> None:
    charger, car = station(folder(), "any")[0](), vehicle(folder(), "any")[0]
    meet(charger, car)
    assert charger.received(car.wrapped(b"SessionStopReq") + car.closing()) == b"SessionStopReq"
    with pytest.raises(ConnectionError, match="closed"):
        charger.received(b"")


@pytest.mark.req("S-29")
def test_refused_in_words() -> None:
    charger, car = station(folder(), "1.3")[0](), vehicle(folder("expired"), "1.3")[0]
    with pytest.raises(ConnectionError, match=r"TLS: the vehicle's certificate has expired \(alert 45 sent\)"):
        meet(charger, car)
    with pytest.raises(ConnectionError, match="ended it with alert 45"):
        car.received(charger.pending())
    assert car.pending() == b""
    charger = station(folder(), "1.3")[0]()
    with pytest.raises(ConnectionError, match=r"V2GTP without TLS.*\(alert 50 sent\)"):
        charger.received(b"\x01\xfe\x80\x01\0\0\0\0")
    assert charger.pending() == b"\x15\x03\x03\0\2\2\x32"


def test_without_iso20(tmp_path: Path) -> None:
    old = without_iso20(tmp_path / "old")
    make, warnings = station(old, "1.3")
    assert len(warnings) == 2
    car, more = vehicle(old, "1.3")
    assert len(more) == 2
    charger = make()
    meet(charger, car)
    assert charger.verified
    assert charger.engine.version == "1.3"
    strict, _ = vehicle(folder(), "1.3")
    with pytest.raises(ConnectionError):
        meet(make(), strict)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    testpki.write(tmp_path, seed=b"s", now=NOW)
    for name in ("cpoCertChain.pem", "v2gRootCACert.pem"):
        (tmp_path / name).unlink()
        (tmp_path / "iso20" / name).unlink()
    with pytest.raises(PkiError, match=r"TLS 1\.2 needs cpoCertChain"):
        station(tmp_path, "any")
    with pytest.raises(PkiError, match=r"TLS 1\.3 needs cpoCertChain"):
        station(tmp_path, "1.3")
    with pytest.raises(PkiError, match="no v2gRootCACert"):
        vehicle(tmp_path, "1.2")
    with pytest.raises(PkiError, match="no v2gRootCACert"):
        vehicle(tmp_path, "any")


def test_a_vehicle_that_is_over_says_no_more() -> None:
    car = vehicle(folder(), "1.3")[0]
    car.engine.free()
    assert car.pending() == b""
    assert car.closing() == b""
    assert isinstance(Secured(car.engine).engine, engine.Engine)
