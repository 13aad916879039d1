"""The second library under the same questions, against itself and against the first one."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest

from certs import testpki
from chargepoint.runtime.v2g_tls import (
    Chains,
    Engine,
    Plan,
    Server,
    TlsFailed,
    TlsMissing,
    chains_of,
    client_plan,
    gnutls,
    open_engine,
    openssl,
    shortcomings,
)
from chargepoint.runtime.v2g_tls.contract import MOST_HANDSHAKE_OCTETS, MakeEngine, TlsEngine
from chargepoint.runtime.v2g_tls.openssl import OpensslEngine
from tests.unit.runtime.v2g_tls_rig import NOW, pki

STATION = chains_of(pki())
ISO_2, ISO_20 = client_plan("1.2", pki().iso2, pki().iso20), client_plan("1.3", pki().iso2, pki().iso20)
ED448 = replace(client_plan("1.3", pki().iso2, pki().iso20_ed448), signatures=(0x0808,), groups=(0x1E,))
Makers: TypeAlias = tuple[MakeEngine, MakeEngine]
End: TypeAlias = Server | TlsEngine


@pytest.fixture(params=[(OpensslEngine, OpensslEngine), (OpensslEngine, Engine), (Engine, OpensslEngine)], ids=["both", "server", "client"])
def makers(request: pytest.FixtureRequest) -> Makers:
    needs_pyopenssl()
    found: Makers = request.param
    return found


def needs_pyopenssl() -> None:
    try:
        openssl.modules()
    except TlsMissing as error:
        pytest.skip(str(error))


def ends(makers: Makers, plan: Plan, chains: Chains = STATION) -> tuple[Server, TlsEngine]:
    return Server(chains, make=makers[0]), makers[1](plan)


def move(source: End, target: End) -> bool:
    octets = source.take()
    if octets:
        target.feed(octets)
        target.step()
    return bool(octets)


def shake(server: End, client: End) -> None:
    client.step()
    while move(client, server) | move(server, client):
        pass


def talk(server: End, client: End) -> None:
    for octets in (b"x", b"", b"hello" * 10_000):
        client.write(octets)
        server.feed(client.take())
        assert server.read() == octets
        server.write(octets)
        client.feed(server.take())
        assert client.read() == octets


@pytest.mark.parametrize(
    ("plan", "chains", "version", "words"),
    [
        (ISO_20, STATION, "1.3", ("521", "256")),
        (replace(ISO_20, groups=(0x1E,), ciphers=(0x1303,)), STATION, "1.3", ("448", "CHACHA20")),
        (ED448, STATION, "1.3", ("448", "256")),
        (ISO_2, STATION, "1.2", ("256", "128")),
        (client_plan("any", pki().iso2, pki().iso20), STATION, "1.3", ("521",)),
        (client_plan("any", pki().iso2, pki().iso20), chains_of(pki(), version="1.2"), "1.2", ("256",)),
        (replace(client_plan("1.3", pki().iso2, pki().iso2, lax=True), groups=(0x17,)), chains_of(pki(), lax=True), "1.3", ("256",)),
    ],
)
def test_agreed(makers: Makers, plan: Plan, chains: Chains, version: str, words: tuple[str, ...]) -> None:
    server, client = ends(makers, plan, chains)
    shake(server, client)
    assert server.handshake_done
    assert client.handshake_done
    assert server.version == client.version == version
    assert all(word in server.description and word in client.description for word in words)
    assert client.verified
    assert server.verified == (version == "1.3")
    assert len(client.peer_chain) == 3
    assert len(server.peer_chain) == (3 if version == "1.3" else 0)
    talk(server, client)


def test_the_hello_has_what_the_standard_has_and_no_more(makers: Makers) -> None:
    server, client = ends(makers, client_plan("any", pki().iso2, pki().iso20))
    shake(server, client)
    assert server.hello is not None
    assert server.hello.versions == (0x0304, 0x0303)
    assert set(server.hello.groups) == {0x19, 0x1E, 0x17}
    assert set(server.hello.signatures) == {0x0603, 0x0808, 0x0403}
    if makers[1] is OpensslEngine:
        assert set(server.hello.ciphers) - {0x00FF} == {0x1302, 0x1303, 0xC023, 0xC02B}


def test_without_certificate(makers: Makers) -> None:
    server, client = ends(makers, replace(ISO_20, chain=None))
    shake(server, client)
    assert server.handshake_done
    assert not server.verified
    assert server.peer_chain == ()
    talk(server, client)


ALERTS = {"expired": {45}, "not_yet_valid": {45, 42}, "wrong_root": {48, 42, 51}, "leaf_is_ca": {42, 80}}
# OpenSSL has an alert of its own for a certificate that is not valid yet, and for a signature that does not fit.


@pytest.mark.req("S-29")
@pytest.mark.parametrize("wrong", sorted(ALERTS))
@pytest.mark.parametrize("version", ["vehicle", "station 1.3", "station 1.2"])
def test_refused(makers: Makers, wrong: testpki.Wrong, version: str) -> None:
    bad = pki(wrong)
    plan = ISO_2 if version == "station 1.2" else replace(ISO_20, chain=bad.iso20.vehicle if version == "vehicle" else None)
    server, client = ends(makers, plan, STATION if version == "vehicle" else chains_of(bad))
    with pytest.raises(TlsFailed) as first:
        shake(server, client)
    refuser, other = (server, client) if version == "vehicle" else (client, server)
    assert first.value.alert in ALERTS[wrong], first.value
    assert "certificate" in str(first.value)
    assert not refuser.verified
    other.feed(refuser.take())
    with pytest.raises(TlsFailed) as second:
        other.step()
        other.read()
    assert second.value.received == first.value.alert


@pytest.mark.req("S-29", "F-3")
def test_without_a_clock(makers: Makers) -> None:
    server, client = ends(makers, replace(ISO_20, chain=pki("expired").iso20.vehicle), replace(STATION, check_time=False))
    shake(server, client)
    assert server.verified


@pytest.mark.req("S-29", "F-3")
@pytest.mark.parametrize("wrong", ["", "expired", "not_yet_valid"])
@pytest.mark.parametrize("later_s", [0.0, -1e9])
def test_dates_by_the_stations_clock(makers: Makers, wrong: testpki.Wrong, later_s: float) -> None:
    clock = (NOW + timedelta(seconds=later_s)).timestamp
    server, client = ends(makers, replace(ISO_20, chain=pki(wrong).iso20.vehicle), replace(STATION, clock=clock))
    if not wrong and not later_s:
        shake(server, client)
        assert server.verified
        return
    with pytest.raises(TlsFailed, match=r"certificate.* it (is not valid before|expired) 2"):
        shake(server, client)
    assert not server.verified


@pytest.mark.req("S-29")
@pytest.mark.parametrize("plan", [ISO_2, ISO_20])
def test_tampered_record(makers: Makers, plan: Plan) -> None:
    server, client = ends(makers, plan)
    shake(server, client)
    client.write(b"a request")
    record = bytearray(client.take())
    record[-1] ^= 1
    server.feed(bytes(record))
    with pytest.raises(TlsFailed) as caught:
        server.read()
    assert caught.value.alert == 20
    with pytest.raises(TlsFailed, match="over"):
        server.read()


@pytest.mark.req("S-29")
@pytest.mark.parametrize("plan", [ISO_2, ISO_20])
def test_broken_off(makers: Makers, plan: Plan) -> None:
    server, client = ends(makers, plan)
    shake(server, client)
    server.feed_eof()
    with pytest.raises(TlsFailed, match="broke off"):
        server.read()
    server, client = ends(makers, plan)
    client.step()
    move(client, server)
    server.feed_eof()
    with pytest.raises(TlsFailed, match="broke off"):
        server.step()


@pytest.mark.req("S-29")
def test_handshake_input_is_bounded(makers: Makers) -> None:
    server, client = ends(makers, ISO_20)
    client.step()
    move(client, server)
    with pytest.raises(TlsFailed):
        for _ in range(MOST_HANDSHAKE_OCTETS // 600 + 1):
            server.feed(b"\x14\x03\x03\x00\x01\x01" * 100)
    with pytest.raises(TlsFailed, match="over"):
        server.step()


def test_close_notify(makers: Makers) -> None:
    for plan in (ISO_2, ISO_20):
        server, client = ends(makers, plan)
        shake(server, client)
        server.close()
        server.close()
        client.feed(server.take())
        assert client.read() == b""
        assert client.ended
        with pytest.raises(TlsFailed, match="send no more"):
            server.write(b"x")
        client.write(b"the last words")
        client.close()
        server.feed(client.take())
        assert server.read() == b"the last words"
        assert server.read() == b""
        assert server.ended
        server.free()
        client.free()
        with pytest.raises(TlsFailed, match="over"):
            server.step()


def test_key_logs_are_the_same(makers: Makers) -> None:
    for plan in (ISO_2, ISO_20):
        ours: set[str] = set()
        theirs: set[str] = set()
        server, client = Server(STATION, key_log=ours.add, make=makers[0]), makers[1](plan, key_log=theirs.add)
        shake(server, client)
        both = ours & theirs
        assert {line.split()[0] for line in both} >= (
            {"CLIENT_RANDOM"} if plan is ISO_2 else {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
        )


def test_an_error_in_the_key_log_is_not_lost(makers: Makers) -> None:
    def full(line: str) -> None:
        raise OSError("no space left")

    server, client = Server(STATION, key_log=full, make=makers[0]), makers[1](ISO_20)
    with pytest.raises(OSError, match="no space left"):
        shake(server, client)


def test_nothing_goes_before_the_handshake() -> None:
    needs_pyopenssl()
    engine = OpensslEngine(ISO_20)
    assert (engine.read(), engine.version, engine.description, engine.staples) == (b"", "", "", ())
    with pytest.raises(TlsFailed, match="before the handshake"):
        engine.write(b"x")


def test_names_that_openssl_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pyopenssl()
    monkeypatch.setitem(openssl.NAMES, 0x19, "no such group")
    with pytest.raises(TlsFailed, match="lists of groups"):
        OpensslEngine(ISO_20)


def test_engines_go_when_nobody_holds_them(makers: Makers) -> None:
    def count() -> int:
        gc.collect()
        return sum(isinstance(each, (OpensslEngine, Engine)) for each in gc.get_objects())

    before = count()
    server, client = Server(STATION, key_log=lambda line: None, make=makers[0]), makers[1](ISO_20)
    shake(server, client)
    assert count() == before + 2
    del server, client
    assert count() == before


# --------------------------------------------------------------------------------------------------------- which is there


@pytest.fixture
def without_gnutls(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    gnutls.library.cache_clear()
    monkeypatch.setattr(gnutls, "LIBRARY", "libgnutls.so.0")
    yield monkeypatch
    monkeypatch.undo()
    gnutls.library.cache_clear()


def test_gnutls_comes_first() -> None:
    assert isinstance(open_engine(ISO_20), Engine)
    assert shortcomings() == ""


def test_pyopenssl_stands_in(without_gnutls: pytest.MonkeyPatch) -> None:
    needs_pyopenssl()
    assert isinstance(open_engine(ISO_20), OpensslEngine)
    assert "libgnutls30" in shortcomings()
    assert "sub-CAs" in shortcomings()


def test_neither_is_there(without_gnutls: pytest.MonkeyPatch) -> None:
    def none() -> openssl.Modules:
        raise TlsMissing("pyOpenSSL is not installed")

    without_gnutls.setattr(openssl, "modules", none)
    with pytest.raises(TlsMissing, match="libgnutls30"):
        open_engine(ISO_20)
    with pytest.raises(TlsMissing):
        shortcomings()


def test_who_serves_a_vehicle_that_calls_us_by_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_pyopenssl()
    odd = replace(ISO_20, odd_name=True)
    assert isinstance(open_engine(odd), OpensslEngine)

    def none() -> openssl.Modules:
        raise TlsMissing("pyOpenSSL is not installed")

    monkeypatch.setattr(openssl, "modules", none)
    assert isinstance(open_engine(odd), Engine), "which refuses it, in words"


def test_a_module_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_module(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name}")

    openssl.modules.cache_clear()
    monkeypatch.setattr(importlib, "import_module", no_module)
    with pytest.raises(TlsMissing, match="pyOpenSSL is not installed"):
        openssl.modules()
    monkeypatch.undo()
    openssl.modules.cache_clear()
