"""What certificates of the charging world have to be, as data: one Profile a role, made of Shapes, made of Rules that say where they are from.

Sources: [V2G2-n] and F.n, ISO 15118-2:2014, annex F, as public texts quote them (RISE-V2G, hupe1980/iso15118); B, ISO 15118-20:2022, annex B;
[A00.FR.n] OCPP, part 2, block A; RFC 5280, RFC 6960. [K] marks what is from memory: all of annex B is. A rule that is not sure, or that
vehicles and stations on the road are known to break, warns only.

Below a V2G root stand stations, provisioning services and contracts: what a certificate says that it is for keeps them apart. clientAuth alone
only warns in a contract, as a public stack's generator gives it to those of -20; what it would otherwise be, a vehicle's, has its own roots.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Weight: TypeAlias = Literal["refuse", "warn"]
Policy: TypeAlias = Literal["revoked", "unknown"]
"""What refuses: `revoked` only a certificate that is known to be, `unknown` each whose status is not known to be good, too."""


class Rule(NamedTuple, Generic[T]):
    """What is wanted, where that stands, and whether breaking it refuses or warns."""

    wants: T
    source: str
    weight: Weight = "refuse"


@dataclass(frozen=True, slots=True)
class Shape:
    """What one certificate has to be; None: no such rule. `usages` are cryptography's names of the bits."""

    keys: Rule[tuple[str, ...]]
    """Kinds, as `reading.kind_of` names them."""
    signatures: Rule[tuple[str, ...]]
    """Algorithms of the signature on it, as `reading.SIGNATURES` names them."""
    ca: Rule[bool]
    usage: Rule[bool]
    """It has a key usage."""
    needed: Rule[tuple[str, ...]]
    """Bits of the key usage that must be set where it has one."""
    never: Rule[tuple[str, ...]]
    """Bits that must not."""
    wished: Rule[tuple[str, ...]] | None = None
    """Bits that belong there, though nothing fails without."""
    path: Rule[int] | None = None
    """Of a CA: it has a path length, and at most this one."""
    critical: Rule[tuple[str, ...]] | None = None
    """Extensions that must be marked critical where they are there."""
    purpose: Rule[str] | None = None
    """An extended key usage (dotted): must be among them where the extension is there."""
    purpose_needed: Rule[bool] | None = None
    """The extension must be there."""
    not_purposes: Rule[tuple[str, ...]] | None = None
    """Extended key usages that it must have none of."""
    odd_purposes: Rule[tuple[str, ...]] | None = None
    """Likewise, that are odd in it."""
    days: Rule[int] | None = None
    """The longest term."""
    octets: Rule[int] | None = None
    """The longest DER."""
    domain: Rule[tuple[str, ...]] | None = None
    """The domain component (DC) is one of these."""
    not_domain: Rule[tuple[str, ...]] | None = None
    """It is none of these, in capitals or not."""
    common_name: Rule[str] | None = None
    """A regular expression that the whole common name (CN) matches."""
    organization: Rule[bool] | None = None
    """The organization name (O) is there."""
    host: Rule[bool] | None = None
    """The name of the host that was dialled stands in it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A role: what its leaf, the CAs between and the root have to be."""

    name: str
    what: str
    """In words, for the log."""
    whose: str
    """In words, for the driver."""
    advice: str
    """What the driver can do when it is refused."""
    leaf: Shape
    sub: Shape
    root: Shape
    subs: Rule[int]
    """CAs between leaf and root, at most."""
    direct: Rule[str] | None
    """A root of this domain component signs no leafs itself."""
    order: Rule[bool]
    """The leaf comes first, then who signed it, and so on."""
    revocation: Rule[Policy]
    pinned: bool
    """The leaf itself may be the one that is trusted: then its shape only warns, and its dates and its host still count."""
    roots: tuple[str, ...]
    """Where its roots are kept, by OCPP's InstallCertificateUseEnumType."""


BIT_LEAF, BIT_CA = ("digital_signature",), ("key_cert_sign",)
OF_CA = ("key_cert_sign", "crl_sign")
SERVER, CLIENT, OCSP = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.9"
BOTH = ("basic_constraints", "key_usage")
YEAR = 365
VEHICLE = ("OEM", "Vehicle")
PAY, TELL = "Please pay by card or app.", "Please tell the operator."

EMAID = r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?[A-Za-z0-9]{9}(-?[A-Za-z0-9])?"
"""Country, provider, instance, and a check digit perhaps (ISO 15118-2, annex H)."""
PCID = r"[A-Za-z0-9]{3}[A-Za-z0-9-]{5,17}"
"""World manufacturer identifier, and what the maker gives [K]."""
SERIAL = r"(?!.*://)(?!\d{1,3}(\.\d{1,3}){3}$)(?!.*:.*:)[ -~]{1,64}"
"""Neither a URL nor an address [A00.FR.511]."""


class _Edition(NamedTuple):
    keys: Rule[tuple[str, ...]]
    signatures: Rule[tuple[str, ...]]
    octets: Rule[int]
    annex: str


ISO2 = _Edition(
    Rule(("p256",), "[V2G2-007]: secp256r1"),
    Rule(("ecdsa-with-SHA256",), "[V2G2-006]: ecdsa-with-SHA256"),
    Rule(800, "[V2G2-010]; the schema: certificateType, maxLength 800"),
    "F",
)
ISO20 = _Edition(
    Rule(("p521", "ed448"), "B: secp521r1, Curve448 [K]"),
    Rule(("ecdsa-with-SHA512", "Ed448"), "B: ecdsa-with-SHA512, Ed448 [K]"),
    Rule(1600, "the schema of -20: certificateType, maxLength 1600"),
    "B",
)
STRONG = _Edition(
    Rule(("p256", "p384", "p521", "ed448", "ed25519", "rsa2048"), "A00.FR.502, .503: 112 bits of security: RSA from 2048 bits"),
    Rule(
        (
            "ecdsa-with-SHA256", "ecdsa-with-SHA384", "ecdsa-with-SHA512", "Ed448", "Ed25519",
            "sha256WithRSAEncryption", "sha384WithRSAEncryption", "sha512WithRSAEncryption", "RSASSA-PSS",
        ),
        "A00.FR.504-506",
    ),
    Rule(10_000, "CertificateSignedRequest.certificateChain, maxLength 10000"),
    "",
)  # fmt: skip


def _root(edition: _Edition) -> Shape:
    """Its own signature says nothing, and it may be older than today's rules: what its key does for others is what counts."""
    return Shape(
        keys=edition.keys,
        signatures=Rule(edition.signatures.wants, edition.signatures.source, "warn"),
        ca=Rule(True, "RFC 5280, 4.2.1.9"),
        usage=Rule(True, "RFC 5280, 4.2.1.3", "refuse" if edition.annex else "warn"),
        needed=Rule(BIT_CA, "RFC 5280, 4.2.1.3"),
        never=Rule((), ""),
        octets=edition.octets if edition.annex else None,
    )


def _sub(edition: _Edition, domain: tuple[str, ...] = ()) -> Shape:
    iso = bool(edition.annex)
    return Shape(
        keys=edition.keys,
        signatures=edition.signatures,
        ca=Rule(True, "RFC 5280, 4.2.1.9"),
        usage=Rule(True, "RFC 5280, 4.2.1.3"),
        needed=Rule(BIT_CA, "RFC 5280, 4.2.1.3"),
        never=Rule((), ""),
        wished=Rule(("crl_sign",), f"{edition.annex}, sub-CAs [K]", "warn") if iso else None,
        path=Rule(1, f"{edition.annex}.2, sub-CAs: pathLenConstraint 1 and 0") if iso else None,
        critical=Rule(BOTH, "F, all profiles: critical") if iso else Rule(("basic_constraints",), "RFC 5280, 4.2.1.9"),
        octets=edition.octets,
        domain=Rule(domain, f"{edition.annex}, sub-CAs [K]", "warn") if domain else None,
    )


def _leaf(edition: _Edition) -> Shape:
    """What leafs of both editions have in common."""
    iso = bool(edition.annex)
    return Shape(
        keys=edition.keys,
        signatures=edition.signatures,
        ca=Rule(False, "F, all leafs: cA FALSE; [V2G2-867]" if iso else "RFC 5280, 4.2.1.9"),
        usage=Rule(True, "F, all profiles") if iso else Rule(True, "A00.FR.512: SHOULD", "warn"),
        needed=Rule(BIT_LEAF, "F.2 to F.5: digitalSignature" if iso else "A00.FR.512"),
        never=Rule(OF_CA, "RFC 5280, 4.2.1.9: keyCertSign needs cA"),
        critical=Rule(BOTH, "F, all profiles: critical") if iso else None,
        octets=edition.octets,
    )


def _profile(
    name: str, what: str, whose: str, edition: _Edition, leaf: Shape, domain: tuple[str, ...], roots: tuple[str, ...], subs: int = 2
) -> Profile:
    iso = bool(edition.annex)
    return Profile(
        name,
        what,
        whose,
        PAY if name.startswith(("contract", "oem", "vehicle", "cps")) else TELL,
        leaf,
        _sub(edition, domain),
        _root(edition),
        subs=Rule(subs, "[V2G2-009]: at most 3 certificates that did not sign themselves" if iso else "ours: more than a hierarchy has"),
        direct=Rule("V2G", "[V2G2-867]: a V2G root issues no leaf; [V2G2-868]: that of a private operator does", "warn") if iso else None,
        order=Rule(True, "RFC 5246, 7.4.2: each certifies the one before; RFC 8446, 4.4.2 lets receivers be patient", "warn"),
        revocation=Rule("revoked", "ours: a responder that cannot be reached stops nobody; the caller may ask for more"),
        pinned=False,
        roots=roots,
    )


def _secc(edition: _Edition, number: int) -> Profile:
    leaf = dataclasses.replace(
        _leaf(edition),
        purpose=Rule(SERVER, "RFC 5280, 4.2.1.12"),
        purpose_needed=None if number == 2 else Rule(True, "B, SECC [K]", "warn"),
        days=Rule(93, f"{edition.annex}, SECC: 2 to 3 months [K]", "warn"),
        domain=Rule(("CPO",), "[V2G2-925]: DC=CPO, which the EVCC checks"),
        common_name=Rule(r".{1,64}", f"{edition.annex}.2, SECC: CN is its id"),
    )
    what = f"the station's certificate (SECC, ISO 15118-{number})"
    profile = _profile(f"secc{number}", what, "this station's certificate", edition, leaf, ("V2G", "CPO"), ("V2GRootCertificate",))
    return dataclasses.replace(profile, order=profile.order._replace(weight="refuse")) if number == 2 else profile


def _contract(edition: _Edition, number: int) -> Profile:
    leaf = dataclasses.replace(
        _leaf(edition),
        days=Rule(2 * YEAR + 1, f"{edition.annex}, contract: 4 weeks to 2 years [K]", "warn"),
        wished=Rule(("content_commitment",), "F.4: nonRepudiation, which receipts are signed with", "warn") if number == 2 else None,
        not_purposes=Rule((SERVER, OCSP), "ours: a station's or a responder's certificate is no contract, whoever its root is"),
        odd_purposes=Rule((CLIENT,), "ours; a public stack's contracts of -20 have it", "warn"),
        not_domain=Rule(
            ("CPO", "CPS", *map(str.upper, VEHICLE), "V2G"), "[V2G2-925]: the DC tells whose it is: a station's, a service's, a vehicle's"
        ),
        common_name=Rule(EMAID, "[V2G2-108]: CN is the eMAID; its form: -2, annex H. F.4 leaves its DC open"),
    )
    roots = ("MORootCertificate", "V2GRootCertificate")
    what = f"the contract's certificate (ISO 15118-{number})"
    profile = _profile(f"contract{number}", what, "your contract", edition, leaf, ("MO", "V2G"), roots)
    others: Rule[tuple[str, ...]] = Rule(("CPO", "CPS", "OEM"), "[V2G2-925]: whose sub-CAs they are; none of them gives contracts")
    return dataclasses.replace(profile, sub=dataclasses.replace(profile.sub, not_domain=others))


def _oem(edition: _Edition, number: int) -> Profile:
    leaf = dataclasses.replace(
        _leaf(edition),
        wished=Rule(("key_agreement",), "F, OEM provisioning: its key opens the contract's envelope [K]", "warn") if number == 2 else None,
        domain=Rule(("OEM",), "[V2G2-925]: DC=OEM, which the provisioning service checks", "warn"),
        common_name=Rule(PCID, "[V2G2-933]: CN is the certificate's id (PCID); its form [K]", "warn"),
    )
    what = f"the vehicle's provisioning certificate (OEM, ISO 15118-{number})"
    return _profile(f"oem{number}", what, "your vehicle's certificate", edition, leaf, ("OEM",), ("OEMRootCertificate",))


def _cps(edition: _Edition, number: int) -> Profile:
    leaf = dataclasses.replace(
        _leaf(edition),
        days=Rule(YEAR + 1, f"{edition.annex}, CPS: 2 to 3 months; a year is seen [K]", "warn"),
        domain=Rule(("CPS",), "[V2G2-925]: DC=CPS, which the EVCC checks"),
    )
    what = f"the certificate of the provisioning service (CPS, ISO 15118-{number})"
    return _profile(
        f"cps{number}", what, "the certificate of your contract's sender", edition, leaf, ("CPS", "V2G"), ("V2GRootCertificate",)
    )


def _vehicle() -> Profile:
    leaf = dataclasses.replace(
        _leaf(ISO20),
        purpose=Rule(CLIENT, "RFC 5280, 4.2.1.12"),
        purpose_needed=Rule(True, "B, vehicle: what tells it from the OEM provisioning certificate, which TLS is not for [K]"),
        domain=Rule(VEHICLE, "B, vehicle: DC=OEM [K]; OpenChargingCloud has Vehicle", "warn"),
    )
    what = "the vehicle's certificate (ISO 15118-20)"
    return _profile("vehicle20", what, "your vehicle's certificate", ISO20, leaf, VEHICLE, ("OEMRootCertificate",))


def _csms() -> Profile:
    leaf = dataclasses.replace(
        _leaf(STRONG),
        purpose=Rule(SERVER, "RFC 5280, 4.2.1.12; A00.FR.514 advises against having the extension"),
        organization=Rule(True, "A00.FR.509", "warn"),
        host=Rule(True, "A00.FR.510"),
    )
    roots = ("CSMSRootCertificate",)
    profile = _profile("csms", "the CSMS's certificate", "the operator's certificate", STRONG, leaf, (), roots, subs=4)
    return dataclasses.replace(profile, pinned=True)  # a CSMS at home has one certificate, which signed itself


def _station() -> Profile:
    leaf = dataclasses.replace(
        _leaf(STRONG),
        purpose=Rule(CLIENT, "RFC 5280, 4.2.1.12; A00.FR.514 advises against having the extension"),
        organization=Rule(True, "A00.FR.509"),
        common_name=Rule(SERIAL, "A00.FR.511: the serial number, neither a URL nor an address"),
    )
    roots = ("CSMSRootCertificate",)
    return _profile("station", "the station's client certificate (OCPP)", "this station's certificate", STRONG, leaf, (), roots, subs=4)


def _ocsp() -> Profile:
    leaf = dataclasses.replace(
        _leaf(STRONG),
        purpose=Rule(OCSP, "RFC 6960, 4.2.2.2"),
        purpose_needed=Rule(True, "RFC 6960, 4.2.2.2: delegated by OCSPSigning"),
    )
    roots = ("V2GRootCertificate", "MORootCertificate", "OEMRootCertificate", "CSMSRootCertificate")
    return _profile("ocsp", "the OCSP responder's certificate", "a certificate", STRONG, leaf, (), roots)


PROFILES: Mapping[str, Profile] = {
    each.name: each
    for each in (
        _secc(ISO2, 2), _secc(ISO20, 20), _contract(ISO2, 2), _contract(ISO20, 20), _oem(ISO2, 2), _oem(ISO20, 20),
        _vehicle(), _cps(ISO2, 2), _cps(ISO20, 20), _csms(), _station(), _ocsp(),
    )
}  # fmt: skip


def relaxed(profile: Profile, *, keys: tuple[str, ...] = ("p256",), signatures: tuple[str, ...] = ("ecdsa-with-SHA256",)) -> Profile:
    """The profile with keys and signatures that its edition does not know: for peers in tests, never by itself. Its name says so."""

    def wider(shape: Shape) -> Shape:
        return dataclasses.replace(
            shape,
            keys=shape.keys._replace(wants=(*shape.keys.wants, *keys)),
            signatures=shape.signatures._replace(wants=(*shape.signatures.wants, *signatures)),
        )

    return dataclasses.replace(
        profile, name=f"{profile.name}+relaxed", leaf=wider(profile.leaf), sub=wider(profile.sub), root=wider(profile.root)
    )
