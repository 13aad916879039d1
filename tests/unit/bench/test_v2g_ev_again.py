"""`chargepoint ev` whose contract nobody pays, on loopback: it comes again by another way to pay, where it has one."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import ipaddress
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.exi.given import InputError
from bench.v2g import ev, secc
from bench.v2g.charger import Pace
from certs import testpki
from chargepoint.runtime.clock import SystemClock
from chargepoint.runtime.ports.v2g import V2gServer, Where
from chargepoint.runtime.v2g_tls.secured import station
from iso15118 import sdp
from iso15118.evcc.terms import Authorized, ContractInstalled
from iso15118.sdp import Security, TlsPolicy
from iso15118.terms import Payment

LOOPBACK = Where("lo", socket.if_nametoindex("lo"), ipaddress.IPv6Address("::1"))
QUICK = Pace(0.05, 0.05, contactor_s=0.02, voltage_V_per_s=50_000.0, current_A_per_s=50_000.0, off_A_per_s=50_000.0)


class Quick(secc.Bench):
    """A charger that loses no time."""

    def session(self, secure: Any = None) -> Any:
        made = super().session(secure)
        self.chargers[id(made)].pace = QUICK
        return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pki")
    testpki.write(made, seed=b"again", now=dt.datetime.now(dt.UTC))
    return made


@pytest.fixture(scope="module")
def stranger(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vehicle knows the charger, whose folder knows nothing of the operator of its contract; nobody could give it another."""
    other, made = tmp_path_factory.mktemp("other"), tmp_path_factory.mktemp("pki") / "pki"
    testpki.write(other, seed=b"somebody else", now=dt.datetime.now(dt.UTC))
    shutil.copytree(folder, made)
    for name in ("contractCertChain.pem", "contractLeaf.key"):
        shutil.copy(other / name, made / name)
    for path in made.rglob("oemCertChain.pem"):
        path.unlink()
    return made


def driven(monkeypatch: pytest.MonkeyPatch, charger: Path, car: Path, auth: str, **more: Any) -> tuple[ev.Drive, list[str]]:
    """The command against a charger; with what it has printed."""
    out = io.StringIO()

    async def story() -> ev.Drive:
        bench = Quick(secc.Options("lo", pki=charger, tls="any", auth="eim,pnc", show=False), SystemClock(), io.StringIO())
        secure, _ = station(charger, "any", lax=True)
        server: V2gServer[Any] = V2gServer(LOOPBACK, bench, policy=TlsPolicy.OPTIONAL, secure=secure)
        await server.start()
        bench.changed = server.changed

        async def found(options: ev.Options) -> tuple[Where, sdp.Response]:
            answer = server.answer(sdp.Request(Security.TLS).octets())
            assert answer is not None
            return LOOPBACK, sdp.read_response(answer)._replace(address=ipaddress.IPv6Address("::1"))

        monkeypatch.setattr(ev, "charger_of", found)
        monkeypatch.setattr(ev, "AGAIN_S", 0.01)
        options = ev.Options("lo", pki=car, protocol="iso2-ac", service="AC", tls="any", auth=auth, loops=3, loop_s=0.01, **more)
        try:
            async with asyncio.timeout(120.0):
                return await ev.drive(options, out)
        finally:
            await server.stop()

    return asyncio.run(story()), out.getvalue().splitlines()


def told(drive: ev.Drive, kind: type[Any]) -> list[Any]:
    return [each for _, each in drive.vehicle.log if isinstance(each, kind)]


def test_where_a_card_is_allowed_it_pays(monkeypatch: pytest.MonkeyPatch, folder: Path, stranger: Path) -> None:
    done, said = driven(monkeypatch, folder, stranger, "pnc,eim")
    assert ev.charged(done.vehicle)
    assert told(done, Authorized) == [Authorized(Payment.EIM)]
    assert said.count("the vehicle comes again, by another way to pay") == 1
    assert sum(each.startswith("session over: ") for each in said) == 2


def test_where_it_is_not_nothing_is_tried_again(monkeypatch: pytest.MonkeyPatch, folder: Path, stranger: Path) -> None:
    done, said = driven(monkeypatch, folder, stranger, "pnc")
    assert not ev.charged(done.vehicle)
    assert sum(each.startswith("session over: ") for each in said) == 1


@pytest.mark.parametrize("word", ["install", "update"])
def test_a_contract_is_asked_for_though_there_is_one(monkeypatch: pytest.MonkeyPatch, folder: Path, word: str) -> None:
    done, said = driven(monkeypatch, folder, folder, "pnc", **{word: True})
    assert ev.charged(done.vehicle)
    assert [each.update for each in told(done, ContractInstalled)] == [word == "update"]
    assert f"> Certificate{'Update' if word == 'update' else 'Installation'}Req" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--install"], "--install needs --auth pnc: a contract is what is asked for"),
        (["--update", "--auth", "eim"], "--update needs --auth pnc: a contract is what is asked for"),
        (["--update", "--auth", "pnc", "--protocol", "iso20-dc"], "--update needs --protocol iso2-dc or iso2-ac: no other protocol"),
    ],
)
def test_what_cannot_be_asked_for(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], why: str) -> None:
    assert main(["ev", "--iface", "lo", "--pki", str(folder), "--tls", "any", *words]) == 1
    assert why in capsys.readouterr().err


def test_what_there_are_no_certificates_for(folder: Path, stranger: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--install: .* has no oemCertChain.pem"):
        ev.vehicle_for(ev.Options("lo", pki=stranger, tls="any", auth="pnc", install=True))
    newer = tmp_path / "pki"
    shutil.copytree(folder, newer)
    (newer / "contractCertChain.pem").unlink()
    with pytest.raises(InputError, match=r"--update: .* has no contractCertChain.pem on P-256"):
        ev.vehicle_for(ev.Options("lo", pki=newer, tls="any", auth="pnc", update=True))
