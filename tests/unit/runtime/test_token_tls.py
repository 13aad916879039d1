"""Security profile 3 with the station's key in a token, against real TLS servers on loopback: who is let in, how it talks, and what may be missing."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from websockets.asyncio.server import ServerConnection

from certs.store import KeyKind
from certs.store.pkcs11 import ANY_CURVE, P256_ONLY, Token
from chargepoint.commands import CloseLink, SendText
from chargepoint.events import LinkDown, LinkUp, TextReceived
from chargepoint.runtime import token_tls
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.tls import TlsFiles, TlsSetupError
from chargepoint.runtime.token_tls import TokenTls
from chargepoint.runtime.v2g_tls.engine import Engine
from chargepoint.runtime.v2g_tls.plan import TlsMissing
from tests.unit.runtime.csms_rig import Ears, a_csms, a_port, order, virtually, wait_closed
from tests.unit.runtime.test_csms_tls import ROOT, RSA_ROOT, SUB
from tests.unit.runtime.tls_pki import Identity, ec_key, rsa_key, self_signed
from tests.unit.runtime.token_tls_rig import BOTH, Box, demanding, outcome, refused

pytestmark = pytest.mark.xdist_group("token")


@pytest.fixture
def box(softhsm: Token, tmp_path: Path) -> Box:
    """Keys are called by their slots: in one token there is one such station at a time."""
    made = Box(tmp_path / "box", softhsm)
    made.adopt()
    return made


# ---- let in


@pytest.mark.req("S-29", "TC_A_07", "A00.FR.401")
@BOTH
@pytest.mark.parametrize("kind", ANY_CURVE)
def test_our_certificate_is_taken_and_both_sides_talk(softhsm: Token, kind: KeyKind, version: ssl.TLSVersion, tmp_path: Path) -> None:
    box = Box(tmp_path / "box", softhsm)
    slot = box.adopt(kind)
    shown: list[Any] = []
    closed: asyncio.Future[tuple[int | None, str | None]]

    async def echo(link: ServerConnection) -> None:
        tls = link.transport.get_extra_info("ssl_object")
        shown.append(x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)))
        shown.append(tls.version())
        async for text in link:
            await link.send(text)
        closed.set_result((link.close_code, link.close_reason))

    async def story() -> None:
        nonlocal closed
        closed = asyncio.get_running_loop().create_future()
        async with a_csms(echo, demanding(tmp_path, version)) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url, security_profile=3))
            up = await ears.next(LinkUp)
            assert up.root == next(each.fingerprint for each in box.store.contents().roots if "Test root" in each.subject)
            for text in ("[2]", "x" * 300_000, "y" * 100):
                port.carry_out(SendText(text))
            assert [(await ears.next(TextReceived)).text[:3] for _ in range(3)] == ["[2]", "xxx", "yyy"]
            port.carry_out(CloseLink(1000, "new credentials"))
            assert (await ears.next(LinkDown)).cause == "closed"
            assert await closed == (1000, "new credentials")

    virtually(story())
    chain = box.store.contents().own[0].pem
    assert (shown[0], shown[1]) == (x509.load_pem_x509_certificate(chain.encode()), f"TLSv{version.name[-3:].replace('_', '.')}")
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and slot in each.name and b"PRIVATE" in each.read_bytes()]
    assert not list((tmp_path / "box").rglob("*.key"))
    box.store.delete_own(slot)


@pytest.mark.parametrize(
    ("make", "host"),
    [
        (lambda: ROOT.issue("CSMS", names=("other.example", "localhost")), "localhost"),
        (lambda: ROOT.issue("CSMS", names=("127.0.0.1",)), "127.0.0.1"),
        (lambda: SUB.issue("localhost"), "localhost"),
        (lambda: ROOT.issue("localhost", rsa_key(2048)), "localhost"),
        (lambda: RSA_ROOT.issue("localhost", rsa_key(2048)), "localhost"),
        (lambda: ROOT.issue("localhost", ec_key(ec.SECP384R1())), "localhost"),
    ],
    ids=["alternative name", "address", "sub-CA", "RSA", "RSA by RSA", "P-384"],
)
@BOTH
def test_a_good_server(box: Box, make: Callable[[], Identity], host: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    assert isinstance(outcome(demanding(tmp_path, version, make()), box.files(), host=host), LinkUp)


def test_a_certificate_that_is_trusted_itself(box: Box, tmp_path: Path) -> None:
    """A CSMS at home signs its own."""
    home = self_signed("localhost")
    files = box.files(roots=home.certificate.public_bytes(Encoding.PEM).decode())
    assert isinstance(outcome(demanding(tmp_path, server=home), files), LinkUp)


@pytest.mark.req("M05.FR.12")
def test_a_root_that_the_one_before_has_signed(box: Box, tmp_path: Path) -> None:
    new = ROOT.issue("New root", is_ca=True)
    files = box.files(roots=new.certificate.public_bytes(Encoding.PEM).decode())
    assert isinstance(outcome(demanding(tmp_path, server=new.issue("localhost")), files), LinkUp)


def test_the_systems_roots_count_where_none_is_configured(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "hashed").mkdir()
    (tmp_path / "hashed" / "deadbeef.0").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "hashed" / "deadbeef.1").write_text("no PEM")
    (tmp_path / "all.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    for file, folder in ((tmp_path / "all.pem", tmp_path / "empty"), (tmp_path / "none.pem", tmp_path / "hashed")):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        assert isinstance(outcome(demanding(tmp_path), box.files(roots="", system=True)), LinkUp)
    down = refused(demanding(tmp_path), box.files(roots="", system=False))
    assert (down.cause, "root that is known here" in down.detail) == ("certificate", True), down


def test_what_is_offered(box: Box, tmp_path: Path) -> None:
    seen: list[Any] = []

    async def look(link: ServerConnection) -> None:
        tls = link.transport.get_extra_info("ssl_object")
        seen.append((tls.version(), tls.compression(), {each[0] for each in tls.shared_ciphers()}))
        await wait_closed(link)

    context = demanding(tmp_path, server=ROOT.issue("localhost", rsa_key(2048)))
    context.set_ciphers("ALL:@SECLEVEL=0")
    named: list[str | None] = []
    context.sni_callback = lambda tls, name, of: named.append(name)
    assert isinstance(outcome(context, box.files(), alerts=False, handler=look), LinkUp)
    assert (seen, named) == (
        [
            (
                "TLSv1.3",
                None,
                {
                    "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384",
                },
            )
        ],
        ["localhost"],
    )  # fmt: skip


def test_with_threads_the_token_is_asked_in_one_of_its_own(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    step = Engine.step

    def noted(engine: Engine) -> bool:
        asked.append(threading.current_thread().name)
        return step(engine)

    monkeypatch.setattr(Engine, "step", noted)

    async def story() -> None:
        async with a_csms(wait_closed, demanding(tmp_path)) as url:
            ears = Ears()
            port = CsmsPort(ears, lambda _: box.files(), threaded=True)
            port.carry_out(order(url, security_profile=3))
            await ears.next(LinkUp)
            await port.stop()

    asyncio.run(story())
    assert set(asked) == {"token"}


# ---- what is not there


@pytest.mark.req("F-2")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: replace(files, token_module="/nowhere/p11.so"), "there is no such PKCS#11 library"),
        (lambda files: replace(files, key=files.key.replace(b"token=t", b"token=away")), "not available"),
        (lambda files: replace(files, chain=b"no chain"), "our certificate"),
        (lambda files: replace(files, roots="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "the roots for the CSMS"),
        (lambda files: replace(files, ca_file="/none.pem"), "csms.ca_file /none.pem: No such file"),
    ],
    ids=["module", "token", "chain", "roots", "file"],
)
def test_what_cannot_be_used_is_said(box: Box, change: Callable[[TlsFiles], TlsFiles], words: str, tmp_path: Path) -> None:
    down = refused(demanding(tmp_path), change(box.files()))
    assert (down.cause, words in down.detail) == ("tls", True), down
    assert isinstance(outcome(demanding(tmp_path), box.files()), LinkUp), "and the next attempt goes well"


def test_a_wrong_pin_is_told_without_it(box: Box, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("9876")
    files = box.files()
    down = refused(
        demanding(tmp_path), replace(files, key=files.key.replace(box.token.pin_file.encode(), str(tmp_path / "wrong").encode()))
    )
    assert (down.cause, "9876" in down.detail) == ("tls", False)
    assert "token" in down.detail


def test_without_gnutls_its_package_is_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise TlsMissing("install the package libgnutls30")

    monkeypatch.setattr(token_tls, "Engine", missing)
    with pytest.raises(TlsSetupError, match="libgnutls30"):
        TokenTls(box.files(), "localhost")._engine()


ERRORS = """
import ctypes, ssl
from chargepoint.runtime.certificate_store import use_token
use_token({module!r})
(name, *_) = [line.split()[-1] for line in open("/proc/self/maps") if "libcrypto" in line and ".libs" not in line]
print(ctypes.CDLL(name).ERR_peek_error())
"""


def test_a_token_that_is_loaded_leaves_no_error_where_python_would_find_it(softhsm: Token) -> None:
    """The connection to the CSMS, with a key in a file, would break when the first vehicle comes."""
    done = subprocess.run([sys.executable, "-c", ERRORS.format(module=softhsm.module)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


# ---- a TPM


def test_a_tpm_has_room_for_the_connection_and_for_what_comes_after_it(tpm: Token, tmp_path: Path) -> None:
    """It holds three things at once: nothing is left open in it while a connection stands."""
    box = Box(tmp_path, tpm, P256_ONLY)

    async def story() -> None:
        async with a_csms(wait_closed, demanding(tmp_path)) as url, a_port(box.files()) as (first, ears):
            first.carry_out(order(url, security_profile=3))
            await ears.next(LinkUp)
            box.adopt()
            for _ in range(4):
                async with a_port(box.files()) as (port, others):
                    port.carry_out(order(url, security_profile=3))
                    await others.next(LinkUp)

    box.adopt()
    virtually(story())
    for each in box.store.contents().own:
        box.store.delete_own(each.slot)
