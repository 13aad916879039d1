"""What nobody else may know is nowhere else: private keys, passwords, PINs and keys of the power line, looked for in every form after a whole day of Plug & Charge.

The journal on the device is whole (ADR 0002) and so has passwords and keys of the power line; it never has a private key, and its export has none of it.
"""

from __future__ import annotations

import stat
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bench.csms.pki import EMAID
from bench.heap import info_of
from certs.store import StoreError, Subject
from certs.testpki_make import Key, Kind, key_of
from chargepoint.commands import Command, Persist, SendOnPowerLine, SendText
from chargepoint.config import CertificatesConfig, CsmsConfig, SlacConfig, StationConfig
from chargepoint.config_file import ConfigError
from chargepoint.events import PoweredUp, TextReceived
from chargepoint.journal import Entry, Head, entry_line, head_line, words
from chargepoint.journal_export import redacted
from chargepoint.runtime import run
from chargepoint.runtime.certificate_store import open_store
from chargepoint.runtime.log import Logger
from chargepoint.runtime.virtual import run_virtual
from chargepoint.tick import Tick
from iso15118.slac import mme
from tests.behaviour.hlc_rig import CARD
from tests.behaviour.life_site import LifeSite, pki
from tests.behaviour.link_site import PASSWORD
from tests.behaviour.tls_site import a_site, settings
from tests.behaviour.tls_site import pki as site_pki

NEXT_PASSWORD, PIN = "fedcba9876543210", "83917264"
LEAST = 12
"""Octets: shorter pieces of a key are met by chance."""
WHOLE = (TextReceived, SendText, Persist, PoweredUp, SendOnPowerLine)
"""What carries the wire's and the disk's own octets: a password that the CSMS sets is among them."""


def forms_of(octets: bytes) -> Iterator[bytes]:
    """As they are, in hexadecimal, in base64 whatever stands before it."""
    yield octets
    yield octets.hex().encode()
    yield octets.hex().upper().encode()
    for shift in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(bytes(shift) + octets)[(shift * 4 + 2) // 3 :].rstrip(b"=")[:-1]


def forms_of_key(key: object) -> Iterator[bytes]:
    """The number itself in all forms; it stands in every DER, and in PEM a line of it does."""
    assert isinstance(key, (ec.EllipticCurvePrivateKey, ed448.Ed448PrivateKey))
    if isinstance(key, ed448.Ed448PrivateKey):
        number = key.private_bytes_raw()
    else:
        number = key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8, "big").lstrip(b"\0")
    yield from forms_of(number)
    yield str(int.from_bytes(number, "big")).encode()
    for form in (PrivateFormat.PKCS8, *((PrivateFormat.TraditionalOpenSSL,) if isinstance(key, ec.EllipticCurvePrivateKey) else ())):
        lines = key.private_bytes(Encoding.PEM, form, NoEncryption()).splitlines()[1:-1]
        yield lines[1][: LEAST * 2] if len(lines) > 2 else lines[0][-LEAST * 2 :]


def found(text: str | bytes, secrets: Iterable[bytes]) -> list[bytes]:
    octets = text.encode(errors="replace") if isinstance(text, str) else text
    return [each for each in secrets if each in octets]


@dataclass
class Day:
    """A vehicle matches on the power line, gets its contract and charges by it; the station gets another client certificate, and another password."""

    folder: Path
    journal: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """Representations of what came in and went out, and what a person is shown of it."""
    logs: tuple[StringIO, StringIO] = field(default_factory=lambda: (StringIO(), StringIO()))

    def __post_init__(self) -> None:
        site = self.site = LifeSite(
            0,
            self.folder / "station",
            slac=SlacConfig(modem="qualcomm"),
            basic_auth_password=PASSWORD,
        )
        loggers = [Logger(out, as_json=as_json, level="debug") for out, as_json in zip(self.logs, (False, True), strict=True)]
        before = site.heap.watch
        assert before is not None

        def watch(tick: Tick, event: object, commands: tuple[Command, ...]) -> None:
            before(tick, event, commands)
            self._record(tick, event, commands)
            for logger in loggers:
                logger(tick, event, commands)

        site.heap.cut()
        site.heap.watch = watch
        site.heap.start()
        self._lives()

    def _record(self, tick: Tick, event: object, commands: tuple[Command, ...]) -> None:
        heap = self.site.heap
        if not self.journal:
            self.journal.append(head_line(Head("test", heap.config, info_of(heap.world), None)))
        self.journal.append(entry_line(Entry(tick, event, commands)))
        self.shown += [repr(each) for each in (event, *commands) if not isinstance(each, WHOLE)]
        self.shown += [words(each) for each in commands if isinstance(each, Persist)]

    def _lives(self) -> None:
        site = self.site
        site.run(10.0)
        for name, use in {"moRoot": "MORootCertificate", "v2gRoot": "V2GRootCertificate"}.items():
            site.trust(use, site.world.made[name])
        assert site.heap.cables is not None
        vehicle = site.payer(installs=True, soc=5.0)
        site.plug(vehicle, utc_s=site.heap.utc_offset, slac=site.heap.cables.vehicle(1))
        site.until(site.charges)
        assert site.facts.id_token is not None
        assert site.facts.id_token.id_token == EMAID
        shown = site.heap.shown
        assert site.order("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})["status"] == "Accepted"
        site.until(lambda: site.heap.shown != shown)
        item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": NEXT_PASSWORD}
        site.order("SetVariables", {"setVariableData": [item]})
        site.run(10.0)
        assert site.heap.station is not None
        self.shown += [repr(site.heap.config), repr(site.heap._keeper.held), repr(site.heap.station.wiring.context)]
        self.snapshot = head_line(Head("test", site.heap.config, info_of(site.heap.world), site.heap.station.snapshot()))
        site.leaves()
        site.card()
        site.run(5.0)

    def keys(self) -> list[bytes]:
        """Of everybody, and what the store has made."""
        made: list[Key] = [each.key for world in (self.site.world.made, pki()) for each in world.values() if not hasattr(each.key, "p")]
        made.append(self.site.world.issued(EMAID).key)
        own = [load_pem_private_key(each.read_bytes(), None) for each in (self.folder / "station" / "store").rglob("*.key")]
        assert own
        return [form for key in (*made, *own) for form in forms_of_key(key)]

    def line_keys(self) -> list[bytes]:
        frames = [mme.read(each.octets).mme for _, each in self.site.at(SendOnPowerLine)]
        found = {each.new_key for each in frames if isinstance(each, mme.SetKeyReq)}
        assert found
        return [form for each in found for form in forms_of(each)]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


@pytest.mark.parametrize("kind", ["p256", "p521", "ed448"])
def test_what_is_looked_for_would_be_found(kind: Kind) -> None:
    """In PEM, in DER, and in what may be made of that."""
    key, others = key_of(kind, b"planted", "key"), list(forms_of_key(key_of(kind, b"another", "key")))
    forms = list(forms_of_key(key))
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (pem, der, der.hex().encode(), b64encode(der), b64encode(b"x" + der), urlsafe_b64encode(b"xx" + der)):
        assert found(b"something " + text, forms)
        assert not found(b"something " + text, others)


def test_run_begins_by_keeping_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No core dumps, and files for the owner only, before anything is read."""
    done: list[bool] = []
    monkeypatch.setattr(run, "keep_secrets", lambda: done.append(True))
    with pytest.raises(ConfigError):
        run.main(tmp_path / "none.toml")
    assert done == [True]


NAMES = [form for each in (CARD, EMAID) for form in forms_of(each.encode())]
PASSWORDS = [form for each in (PASSWORD, NEXT_PASSWORD) for form in forms_of(each.encode())]


@pytest.mark.req("A01.FR.12")
def test_the_log_has_none_of_it(day: Day) -> None:
    for out in day.logs:
        text = out.getvalue()
        assert "v2g.contract" in text
        assert found(text, [*day.keys(), *day.line_keys(), *PASSWORDS, CARD.encode()]) == []


def test_no_representation_has_any_of_it(day: Day) -> None:
    assert any("OpenLink" in each for each in day.shown)
    assert found("\n".join(day.shown), [*day.keys(), *PASSWORDS, *day.line_keys()]) == []


def test_no_private_key_comes_through_the_door(day: Day) -> None:
    """Nor into the journal, which has every event and every command; nor into what is kept on disk."""
    text = "\n".join([*day.journal, day.snapshot, str(day.site.heap.store)])
    assert "CertificatesRead" in text
    assert "PRIVATE KEY" not in text
    assert found(text, day.keys()) == []


def test_the_export_has_none_of_it(day: Day) -> None:
    whole = "\n".join([*day.journal, day.snapshot])
    assert PASSWORD in whole
    assert NEXT_PASSWORD in whole
    assert found(whole, day.line_keys())
    text = "\n".join(redacted([*day.journal, day.snapshot], b"a salt"))
    assert len(text.splitlines()) == len(whole.splitlines())
    assert found(text, [*day.keys(), *day.line_keys(), *PASSWORDS, *NAMES]) == []


@pytest.mark.req("A01.FR.10", "A02.FR.05", "A03.FR.05")
def test_a_state_directory_has_keys_in_the_store_only(tmp_path: Path) -> None:
    """With real sockets and files: what the owner alone may read has its mode, and passwords are in the store's rows and in the journal."""
    log, shown = StringIO(), list[str]()

    def watch(_: Tick, event: object, commands: Sequence[Command]) -> None:
        shown.extend(repr(each) for each in (event, *commands) if not isinstance(each, WHOLE))

    async def story() -> None:
        async with a_site(tmp_path) as site, site.life(csms=settings(tmp_path, 2)) as box:
            box.handle.watch(Logger(log, level="debug"))
            box.handle.watch(watch)
            await site.trigger()
            await site.csms.wait_until(lambda: bool(site.csms.signed), timeout_s=600)
            await site.anew()

    run_virtual(story())
    state = tmp_path / "state"
    own = [*(state / "certificates" / "own").glob("*.key")]
    keys = [form for each in own for form in forms_of_key(load_pem_private_key(each.read_bytes(), None))]
    keys += [form for each in site_pki().values() for form in forms_of_key(each.key)]
    assert own
    assert any("OpenLink" in each for each in shown)
    assert found("\n".join([log.getvalue(), *shown]), [*keys, *PASSWORDS]) == []
    for each in (path for path in state.rglob("*") if path.is_file() and path not in own):
        octets = each.read_bytes()
        assert found(octets, keys) == [], each
        assert b"PRIVATE KEY" not in octets
        if found(octets, PASSWORDS):
            assert "certificates" not in each.parts
            assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0, each
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in own)


@pytest.mark.parametrize("backend", ["pkcs11", "tpm2"])
def test_a_pin_is_in_no_error(backend: str, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(PIN)
    certificates = CertificatesConfig(
        backend=backend,  # type: ignore[arg-type] # of these two
        module="/nowhere/p11.so",
        token="pkcs11:token=a",
        pin_file=str(tmp_path / "pin"),
    )
    store = open_store(StationConfig(csms=CsmsConfig(basic_auth_password=PASSWORD), certificates=certificates), tmp_path / "state")
    with pytest.raises(StoreError) as raised:
        store.make_request("ChargingStationCertificate", "p256", Subject("CP"))
    cause: BaseException | None = raised.value
    told: list[str] = []
    while cause is not None:
        told += [str(cause), repr(cause)]
        cause = cause.__cause__ or cause.__context__
    assert found("\n".join(told), [PIN.encode(), *PASSWORDS]) == []
