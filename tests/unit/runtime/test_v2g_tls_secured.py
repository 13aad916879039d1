"""TLS as a connection's port uses it, from folders of certificates."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs import testpki
from certs.pki_files import PkiError, Root
from chargepoint.runtime.ports.v2g_line import Secure
from chargepoint.runtime.v2g_tls import Secured, Server, Version, engine, station, vehicle, verify
from chargepoint.runtime.v2g_tls.plan import ISO_20
from tests.unit.runtime import tls_pki
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
    with pytest.raises(ConnectionError, match=r"TLS: the vehicle's certificate .*: refused: leaf: it expired .* \(alert 45 sent\)$"):
        meet(charger, car)
    with pytest.raises(ConnectionError, match="ended it with alert 45"):
        car.received(charger.pending())
    assert car.pending() == b""
    charger = station(folder(), "1.3")[0]()
    with pytest.raises(ConnectionError, match=r"V2GTP without TLS.*\(alert 50 sent\)"):
        charger.received(b"\x01\xfe\x80\x01\0\0\0\0")
    assert charger.pending() == b"\x15\x03\x03\0\2\2\x32"


YEAR_S = 365 * 86_400.0
REFUSED = {
    ("expired", 0.0): "leaf: it expired",
    ("not_yet_valid", 0.0): "leaf: it is not valid before",
    ("", 40 * YEAR_S): "leaf: it expired",
    ("", -2 * YEAR_S): "leaf: it is not valid before",
}


@pytest.mark.req("S-29", "F-3")
@pytest.mark.parametrize(("wrong", "later_s"), REFUSED)
def test_dates_are_judged_by_the_stations_clock(wrong: testpki.Wrong, later_s: float) -> None:
    """What the host's clock says is no matter: a board without a battery starts in 1970, and the CSMS tells the station the time."""
    utc = NOW.timestamp() + later_s
    charger, car = station(folder(), "1.3", clock=lambda: utc)[0](), vehicle(folder(wrong), "1.3")[0]
    with pytest.raises(ConnectionError, match=rf"the vehicle's certificate .*: refused: {REFUSED[wrong, later_s]} .* \(alert 45 sent\)$"):
        meet(charger, car)
    assert not charger.verified
    with pytest.raises(ConnectionError, match="ended it with alert 45"):
        car.received(charger.pending())


@pytest.mark.req("S-29", "F-3")
@pytest.mark.parametrize("wrong", ["", "expired", "not_yet_valid", "wrong_root", "leaf_is_ca", "no_digital_signature"])
def test_while_nobody_has_set_the_clock_dates_are_no_reason_and_all_else_is(wrong: testpki.Wrong) -> None:
    told: list[float] = []
    make, _ = station(folder(), "1.3", clock=lambda: told[-1] if told else None)
    charger, car = make(), vehicle(folder(wrong), "1.3")[0]
    if wrong not in {"", "expired", "not_yet_valid"}:
        with pytest.raises(ConnectionError, match="TLS: "):
            meet(charger, car)
        assert not charger.verified
        return
    meet(charger, car)
    assert charger.verified
    told.append(NOW.timestamp())
    if wrong:
        with pytest.raises(ConnectionError, match="alert 45"):
            meet(make(), vehicle(folder(wrong), "1.3")[0])
    else:
        meet(make(), vehicle(folder(wrong), "1.3")[0])
    assert charger.received(car.wrapped(b"SessionStopReq")) == b"SessionStopReq", "what stands goes on"


@pytest.mark.req("F-3")
@pytest.mark.parametrize(
    ("of_sub_ca", "of_roots", "words"),
    [
        (1, [1], ""),
        (-1, [1], "sub-CA 1: it expired"),
        (1, [-1], "root: it expired"),
        (1, [-1, 1], ""),
    ],
    ids=["right", "sub-CA", "root", "a root that was renewed"],
)
def test_all_of_a_chain_has_to_be_in_its_time(of_sub_ca: int, of_roots: list[int], words: str) -> None:
    top = tls_pki.root()
    sub_ca = top.issue("sub-CA", is_ca=True, begins=NOW - 3 * tls_pki.DAY, ends=NOW + of_sub_ca * tls_pki.DAY)
    leaf = sub_ca.issue("leaf")
    again = [top.issue("Test root", top.key, is_ca=True, begins=NOW - 3 * tls_pki.DAY, ends=NOW + days * tls_pki.DAY) for days in of_roots]
    roots = tuple(Root(each.certificate.public_bytes(Encoding.PEM), top.certificate.subject.public_bytes(), b"", b"") for each in again)
    plan = replace(ISO_20, roots=roots, clock=NOW.timestamp)
    verdict = verify.judged([each.certificate.public_bytes(Encoding.DER) for each in (leaf, sub_ca)], plan, "1.3")
    told = [f"{each.at}: {each.words}" for each in verdict.refusals if each.code in {"expired", "not_yet_valid"}]
    assert [each.startswith(words) for each in told] == ([True] if words else []), told


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
