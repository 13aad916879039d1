"""Certification cases of A00: who the station says it is, and whom it lets be its CSMS. In the CSMS's place are real TLS servers on loopback.

Every certificate, version and cipher suite that is refused is in tests/unit/runtime/test_csms_tls.py.
"""

from __future__ import annotations

import base64
import datetime as dt
import ssl
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certs.testpki_make import Identity, Spec, issue, key_of
from chargepoint.ocpp.blocks.security import SECURITY_EVENTS
from chargepoint.runtime.virtual import run_virtual
from tests.behaviour.link_site import IDENTITY, PASSWORD
from tests.behaviour.tls_site import NOW, Site, a_site, other, pki, settings, write


def authorization(site: Site) -> str:
    """Of the upgrade request of the connection that stands."""
    request = site.csms.connections[IDENTITY].request
    assert request is not None
    assert request.path.rpartition("/")[2] == IDENTITY
    return request.headers.get("Authorization", "")


def spoken(site: Site) -> tuple[str, str, set[str]]:
    """Version, suite in use, and those of TLS 1.2 that the station offered."""
    tls: ssl.SSLObject = site.csms.connections[IDENTITY].transport.get_extra_info("ssl_object")
    version, cipher, shared = tls.version(), tls.cipher(), tls.shared_ciphers()
    assert version
    assert cipher
    assert tls.compression() is None
    return version, cipher[0], {name for name, of, _ in shared or () if of == "TLSv1.2"}


async def accepted(site: Site) -> None:
    """Booted, and its connector told."""
    await site.csms.wait_for("StatusNotification", timeout_s=60)
    assert len(site.csms.calls_of("BootNotification")) == 1
    assert [each["connectorStatus"] for each in site.csms.calls_of("StatusNotification")] == ["Available"]


@pytest.mark.req("TC_A_01", "A00.FR.203", "A00.FR.205", "B01.FR.01", "B01.FR.05", "B01.FR.09")
@pytest.mark.parametrize(
    "profile", [1, pytest.param(2, marks=pytest.mark.req("TC_A_01", "A00.FR.301", "A00.FR.302", "A00.FR.303", "A00.FR.304"))]
)
def test_tc_a_01_name_and_password(profile: int, tmp_path: Path) -> None:
    async def story() -> None:
        given = settings(tmp_path, 2) if profile == 2 else {}
        async with a_site(tmp_path, plain=profile == 1) as site, site.life(csms=given):
            scheme, _, encoded = authorization(site).partition(" ")
            assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", f"{IDENTITY}:{PASSWORD}")
            await accepted(site)

    run_virtual(story())


@pytest.mark.req("TC_A_04", "A00.FR.309", "A00.FR.312", "A00.FR.313", "A00.FR.319", "A00.FR.321", "A00.FR.412", "A00.FR.422")
@pytest.mark.parametrize("profile", [2, 3])
def test_tc_a_04_a_valid_server(profile: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path) as site:
            assert site.tls is not None
            site.tls.maximum_version = ssl.TLSVersion.TLSv1_2
            async with site.life(csms=settings(tmp_path, profile)):
                version, cipher, offered = spoken(site)
                assert version == "TLSv1.2"
                assert cipher.startswith("ECDHE-ECDSA-AES")
                assert offered >= {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}
                assert bool(authorization(site)) is (profile == 2)
                await accepted(site)

    run_virtual(story())


def invalid(kind: str) -> Identity:
    """A certificate for the CSMS that is wrong in this way."""
    good = pki()["csmsLeaf"]
    if kind == "unknown":
        return other()["csmsLeaf"]
    issuer = pki()["csmsRoot"]
    host = "other.example" if kind == "host" else "localhost"
    end = NOW - dt.timedelta(days=1) if kind == "expired" else NOW + dt.timedelta(days=9)
    key = key_of("p256", b"site", f"invalid {kind}")
    spec = Spec(
        host,
        issuer.certificate.subject,
        77,
        NOW - dt.timedelta(days=9),
        end,
        f"invalid {kind}",
        usages=("digital_signature",),
        hosts=(host,),
    )
    certificate = issue(spec, key, issuer.key)
    return replace(good, certificate=certificate, key=key, chain=(certificate,))


@pytest.mark.req("TC_A_05", "A00.FR.309", "A00.FR.310", "A00.FR.311", "A00.FR.412", "A00.FR.413", "A00.FR.414", "A04.FR.01", "A04.FR.02")
@pytest.mark.parametrize("profile", [2, 3])
@pytest.mark.parametrize("kind", ["unknown", "expired", "host"])
def test_tc_a_05_an_invalid_server(kind: str, profile: int, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_site(tmp_path, server=invalid(kind)) as site, site.life(csms=settings(tmp_path, profile), booted=False) as box:
            await box.next_down()
            assert box.causes == ["certificate"]
            assert site.csms.connected_times == 0
            assert site.tls is not None
            site.tls.load_cert_chain(*write(pki()["csmsLeaf"], tmp_path, "valid"))
            await site.told("InvalidCsmsCertificate")
            await site.told("StartupOfTheDevice")
            await accepted(site)
            assert bool(authorization(site)) is (profile == 2)

    run_virtual(story())


@pytest.mark.req("TC_A_06", "A00.FR.314", "A00.FR.316", "A00.FR.416", "A00.FR.417")
@pytest.mark.parametrize("profile", [2, 3])
def test_tc_a_06_a_server_that_speaks_too_old_a_version(profile: int, tmp_path: Path) -> None:
    """This one hangs up without a word; what of one that answers in its old version, InvalidTLSVersion, is in test_csms_tls."""

    async def story() -> None:
        async with a_site(tmp_path) as site:
            tls = site.tls
            assert tls is not None
            tls.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            async with site.life(csms=settings(tmp_path, profile), booted=False) as box:
                await box.next_down()
                assert box.causes == ["tls"]
                assert site.csms.connected_times == 0
                tls.maximum_version = ssl.TLSVersion.TLSv1_3
                tls.minimum_version = ssl.TLSVersion.TLSv1_2
                await site.told("StartupOfTheDevice")
                await accepted(site)

    run_virtual(story())


@pytest.mark.req("TC_A_07", "A00.FR.402", "A00.FR.415", "A00.FR.416", "A00.FR.422", "A00.FR.503", "A00.FR.507", "A00.FR.508", "A00.FR.511")
def test_tc_a_07_a_certificate_of_its_own(tmp_path: Path) -> None:
    """The one that it is given, and then the one that it asks for itself."""

    async def story() -> None:
        async with a_site(tmp_path, client_roots=[pki()["csmsRoot"]]) as site, site.life(csms=settings(tmp_path, 3)):
            await accepted(site)
            assert authorization(site) == ""
            assert await site.trigger() == "Accepted"
            await site.csms.wait_until(lambda: bool(site.csms.signed), timeout_s=60)
            (asked,) = site.csms.calls_of("SignCertificate")
            request = x509.load_pem_x509_csr(asked["csr"].encode())
            await site.csms.wait_until(lambda: site.csms.connected_times > 1, timeout_s=600)
            shown = site.shown()
            assert shown is not None
            (name,) = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            assert name.value == "SN1"
            assert shown.serial_number > 0
            key = shown.public_key()
            assert isinstance(key, ec.EllipticCurvePublicKey)
            assert key.key_size >= 224
            assert key == request.public_key()
            assert spoken(site)[0] in ("TLSv1.2", "TLSv1.3")

    run_virtual(story())


@pytest.mark.req("A04.FR.01")
def test_what_the_cases_wait_for_is_critical() -> None:
    """The CSMS is told of these, and not only the log."""
    assert all(SECURITY_EVENTS[kind] for kind in ("InvalidCsmsCertificate", "InvalidTLSVersion", "StartupOfTheDevice", "ResetOrReboot"))
