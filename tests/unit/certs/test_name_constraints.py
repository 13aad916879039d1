"""The names that a CA may give."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certs import chain, testpki
from certs.name_constraints import outside, understood
from certs.profiles import PROFILES
from certs.testpki_make import issue, key_of

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
GERMAN = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")])
SOMEBODY = x509.Name([*GERMAN, x509.NameAttribute(NameOID.COMMON_NAME, "a")])
DNS, IP, DIRECTORY = x509.DNSName, x509.IPAddress, x509.DirectoryName


def net(text: str) -> x509.GeneralName:
    return IP(ipaddress.ip_network(text))


@pytest.mark.parametrize(
    ("permitted", "excluded", "hosts", "bad"),
    [
        ([DNS("example.com")], None, ["example.com", "A.Example.com."], ""),
        ([DNS("example.com")], None, ["a.example.com", "badexample.com"], "badexample.com"),
        ([DNS("example.com"), DNS("example.org")], None, ["a.example.org"], ""),
        ([DNS("")], None, ["anything"], ""),
        ([DNS("example.com")], None, ["192.0.2.1"], ""),
        ([net("192.0.2.0/24")], None, ["192.0.2.1", "a.example.com"], ""),
        ([net("192.0.2.0/24")], None, ["192.0.3.1"], "192.0.3.1"),
        ([net("192.0.2.0/24")], None, ["2001:db8::1"], "2001:db8::1"),
        (None, [DNS("evil.example")], ["good.example"], ""),
        (None, [DNS("evil.example")], ["very.evil.example"], "very.evil.example"),
        ([DNS("example.com")], [DNS("a.example.com")], ["a.example.com"], "a.example.com"),
        ([DIRECTORY(GERMAN)], None, [], ""),
        ([DIRECTORY(SOMEBODY)], None, [], ""),
        ([DIRECTORY(x509.Name([*SOMEBODY, *GERMAN]))], None, [], "CN=a,C=DE"),
        (None, [DIRECTORY(GERMAN)], [], "CN=a,C=DE"),
    ],
)
def test_names(permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None, hosts: list[str], bad: str) -> None:
    limits = x509.NameConstraints(permitted, excluded)
    assert understood(limits)
    assert outside(limits, SOMEBODY, hosts) == bad
    assert outside(limits, x509.Name([]), []) == ""


def test_not_understood() -> None:
    assert not understood(x509.NameConstraints([x509.RFC822Name("example.com")], None))
    assert not understood(x509.NameConstraints(None, [DNS("a"), x509.UniformResourceIdentifier("example.com")]))


def test_those_not_understood_refuse_though_not_critical() -> None:
    key = key_of("p256", b"s", "odd")
    limits = x509.NameConstraints([x509.RFC822Name("example.com")], None)
    builder = x509.CertificateBuilder(SOMEBODY, SOMEBODY, key.public_key(), 1, NOW, NOW + dt.timedelta(days=1)).add_extension(
        limits, critical=False
    )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    odd = builder.sign(key, hashes.SHA256())
    assert "critical_extension" in [each.code for each in chain.validate_root(odd, NOW, PROFILES["csms"]).refusals]


@pytest.mark.parametrize(
    ("permitted", "code"),
    [(("localhost", "127.0.0.0/8", "::/0"), ""), (("localhost", "127.0.0.0/8"), ""), (("csms.example",), "name_constraints")],
)
def test_in_a_chain(permitted: tuple[str, ...], code: str) -> None:
    key, spec = key_of("p256", b"s", "sub"), testpki.spec_of("csmsSub", "p256", seed=b"s", now=NOW)
    root = testpki.build("p256", seed=b"s", now=NOW)["csmsRoot"]
    sub = issue(replace(spec, permitted=permitted), key, root.key)
    leaf = issue(replace(testpki.spec_of("csmsLeaf", "p256", seed=b"s", now=NOW), hosts=("localhost", "127.0.0.1")), key, key)
    named = issue(replace(testpki.spec_of("csmsLeaf", "p256", seed=b"s", now=NOW), hosts=()), key, key)
    for sent in ([leaf, sub], [named, sub]):
        verdict = chain.validate(sent, NOW, PROFILES["csms"], [root.certificate], host="localhost")
        assert [each.code for each in verdict.findings] == ([code] if code else []), verdict.why
