"""Chains as they should be: each profile, each edition, and what is odd and refuses nothing."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certs import broken, chain, testpki
from certs.csr import _der
from certs.profiles import PROFILES, relaxed
from certs.reading import clean
from certs.testpki_make import issue, key_of

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
GOOD = [
    (kind, f"{role}{number}", leaf, root)
    for kind, number in (("p256", 2), ("p521", 20), ("ed448", 20))
    for role, leaf, root in (
        ("secc", "seccLeaf", "v2gRoot"), ("cps", "cpsLeaf", "v2gRoot"), ("contract", "contractLeaf", "moRoot"), ("oem", "oemLeaf", "oemRoot"), ("vehicle", "vehicleLeaf", "oemRoot"),
    )
    if f"{role}{number}" in PROFILES
]  # fmt: skip


@cache
def made(kind: testpki.Kind) -> dict[str, testpki.Identity]:
    return testpki.build(kind, seed=b"s", now=NOW)


@pytest.mark.parametrize(("kind", "name", "leaf", "root"), GOOD)
def test_right(kind: testpki.Kind, name: str, leaf: str, root: str) -> None:
    identity, profile = made(kind)[leaf], PROFILES[name]
    trust = [made(kind)[each].certificate for each in ("v2gRoot", "moRoot", "oemRoot")]
    verdict = chain.validate(identity.chain_pem, NOW, profile, trust, key=identity.key.public_key())
    assert verdict.ok, verdict.why
    assert not verdict.findings
    assert verdict.sentence == ""
    assert verdict.path == (*identity.chain, made(kind)[root].certificate)
    assert verdict.why == f"{profile.what}, {verdict.title}: right"
    der = [each.public_bytes(Encoding.DER) for each in identity.chain]
    assert chain.validate(der, NOW, profile, trust) == chain.validate(identity.chain, NOW, profile, trust) == verdict


@pytest.mark.req("F-3")
def test_clock_unset_is_no_reason() -> None:
    identity = testpki.build("p521", seed=b"s", now=NOW, wrong="expired")["seccLeaf"]
    trust = [made("p521")["v2gRoot"].certificate]
    profile = PROFILES["secc20"]
    unset = chain.validate(identity.chain, None, profile, trust)
    assert unset.ok
    assert [each.code for each in unset.warnings] == ["clock_unset"]
    assert unset.why.endswith("right, though chain: the clock is not set yet: dates are not judged")
    refused = chain.validate(identity.chain, NOW, profile, trust)
    assert [each.code for each in refused.refusals] == ["expired"]
    assert refused.why == (
        "the station's certificate (SECC, ISO 15118-20), DETSTE000001: refused: "
        "leaf: it expired 2029-12-31 00:00 UTC; it is 2030-01-01 00:00"
    )
    assert refused.sentence == "This station's certificate has expired. Please tell the operator."


def case(name: str) -> broken.Case:
    return broken.right(name, seed=b"chain", now=NOW)


def test_order_does_not_matter_for_the_path() -> None:
    it = case("secc20")
    root = it.trust[0].public_bytes(Encoding.DER)
    for sent in ([*it.chain, root], [it.chain[0], root, *it.chain[:0:-1]], [*it.chain[::-1]], [*it.chain, *it.chain]):
        verdict = chain.validate(sent, NOW, it.profile, it.trust, key=it.key.public_key())
        assert verdict.ok, verdict.why
        assert len(verdict.path) == 4
        assert {each.code for each in verdict.findings} <= {"order"}


def test_a_chain_that_is_upside_down_is_told() -> None:
    it = broken.make("secc20-ca_first", seed=b"chain", now=NOW)
    verdict = chain.validate(it.chain, NOW, it.profile, it.trust)
    assert "the leaf has to be the first one, and DETSTE000001 is not" not in verdict.why  # what is graver comes first
    assert [(each.code, each.words) for each in verdict.warnings if each.at == "chain"] == [
        ("order", "the leaf has to be the first one, and CPO Sub-CA 2 is not")
    ]


def test_somebody_elses_leaf_behind_ones_own_does_not_help() -> None:
    """TLS shows only that the key of the first certificate is there: one that bears the name of a CA, before a real chain, is judged itself."""
    it = case("vehicle20")
    spec = testpki.spec_of("oemSub2", "p521", seed=b"chain", now=NOW)
    key = key_of("p521", b"s", "thief")
    own = issue(replace(spec, issuer=spec.subject, ca=False, usages=("digital_signature",)), key, key).public_bytes(Encoding.DER)
    verdict = chain.validate([own, *it.chain], NOW, it.profile, it.trust)
    assert not verdict.ok
    assert verdict.path[0].public_bytes(Encoding.DER) == own
    assert not chain.validate([own, *it.chain], NOW, it.profile, it.trust, key=key.public_key()).ok


def test_a_root_that_was_renewed() -> None:
    """Same name, same key, both installed: the one that is valid counts, whichever comes first."""
    it = case("csms")
    spec, key = testpki.spec_of("csmsRoot", "p256", seed=b"chain", now=NOW), key_of("p256", b"chain", "csmsRoot")
    old = issue(replace(spec, serial=7, begins=NOW - dt.timedelta(days=900), ends=NOW - dt.timedelta(days=1)), key, key)
    for trust in ((old, *it.trust), (*it.trust, old)):
        assert chain.validate(it.chain, NOW, it.profile, trust, host="localhost").ok
        assert chain.validate(it.chain, None, it.profile, trust, host="localhost").ok
    assert [each.code for each in chain.validate(it.chain, NOW, it.profile, [old], host="localhost").refusals] == ["expired"]


def test_a_sub_ca_that_was_renewed() -> None:
    it = case("csms")
    spec = testpki.spec_of("csmsSub", "p256", seed=b"chain", now=NOW)
    old = issue(
        replace(spec, serial=7, ends=NOW - dt.timedelta(hours=1)), key_of("p256", b"chain", "csmsSub"), key_of("p256", b"chain", "csmsRoot")
    )
    verdict = chain.validate([it.chain[0], old, it.chain[1]], NOW, it.profile, it.trust)
    assert verdict.ok, verdict.why


def test_a_root_may_be_crossed() -> None:
    """The same sub-CA below an old root that nobody knows and a new one: the way to the new one is found."""
    old, new = testpki.build("p256", seed=b"old", now=NOW), made("p256")
    key = key_of("p256", b"s", "v2gRoot")
    spec = replace(testpki.spec_of("v2gRoot", "p256", seed=b"s", now=NOW), issuer=old["v2gRoot"].certificate.subject)
    crossed = issue(spec, key, old["v2gRoot"].key)
    sent = (*new["seccLeaf"].chain, crossed)
    for trust, length in ((old, 5), (new, 4)):
        verdict = chain.validate(sent, NOW, PROFILES["secc2"], [trust["v2gRoot"].certificate])
        assert len(verdict.path) == length
        assert not [each for each in verdict.findings if each.code in {"unknown_root", "bad_signature"}]


def test_a_ca_that_signs_its_next_key_counts_for_no_length() -> None:
    """RFC 5280, 4.2.1.9: what is issued to itself is left out."""
    old, new, leaf = (key_of("p256", b"s", each) for each in ("old", "new", "leaf"))
    spec = replace(testpki.spec_of("csmsRoot", "p256", seed=b"s", now=NOW), path=0)
    root, rolled = issue(spec, old, old), issue(replace(spec, serial=7, path=None), new, old)
    own = issue(replace(testpki.spec_of("csmsLeaf", "p256", seed=b"s", now=NOW), issuer=spec.subject), leaf, new)
    verdict = chain.validate([own, rolled], NOW, PROFILES["csms"], [root], host="localhost")
    assert verdict.path == (own, rolled, root)
    assert verdict.ok, verdict.why


def test_version_1_is_not_taken() -> None:
    """It has no extensions, so that nothing says what it is for."""
    root = made("p256")["csmsRoot"].certificate
    tbs, key = root.tbs_certificate_bytes, root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    plain = tbs[tbs.index(bytes.fromhex("a003020102")) + 5 : tbs.index(key) + len(key)]
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    body = _der(0x30, plain) + algorithm + _der(0x03, b"\0" + root.signature)
    old = x509.load_der_x509_certificate(_der(0x30, body))
    assert old.version is x509.Version.v1
    verdict = chain.validate([old], NOW, PROFILES["csms"], [root])
    assert [(each.code, each.words) for each in verdict.findings] == [("unreadable", "it cannot be read: no X.509 v3")]


def test_below_a_private_root() -> None:
    """[V2G2-868]: the root of a private operator signs its leafs itself; only a V2G root does not."""
    key = key_of("p256", b"s", "private")
    spec = replace(testpki.spec_of("v2gRoot", "p256", seed=b"s", now=NOW), domain="", common_name="Private Operator Root")
    root = issue(replace(spec, issuer=spec.subject), key, key)
    leaf = issue(replace(testpki.spec_of("seccLeaf", "p256", seed=b"s", now=NOW), issuer=spec.subject), made("p256")["seccLeaf"].key, key)
    assert not chain.validate([leaf], NOW, PROFILES["secc2"], [root]).findings


def test_many_of_one_name_end_soon() -> None:
    """CAs that all sign each other have ways without end; each is gone once."""
    spec = testpki.spec_of("moSub1", "p256", seed=b"s", now=NOW)
    key = key_of("p256", b"s", "clique")
    clique = [issue(replace(spec, issuer=spec.subject, serial=number + 1), key, key) for number in range(chain.MOST - 1)]
    leaf = issue(replace(testpki.spec_of("contractLeaf", "p256", seed=b"s", now=NOW), issuer=spec.subject), key, key)
    verdict = chain.validate([leaf, *clique], NOW, PROFILES["contract2"], [made("p256")["moRoot"].certificate])
    assert verdict.refusals[0].code == "unknown_root"


def test_cross_profiles() -> None:
    """Below one root stand many: none of them passes for another."""
    for kind, number in (("p256", 2), ("p521", 20)):
        identities = {"secc": "seccLeaf", "cps": "cpsLeaf", "contract": "contractLeaf", "vehicle": "vehicleLeaf"}
        trust = [made(kind)[each].certificate for each in ("v2gRoot", "moRoot", "oemRoot")]
        for role, leaf in identities.items():
            for other in ("secc", "cps", "contract", "vehicle"):
                profile = PROFILES.get(f"{other}{number}")
                if profile is not None and other != role:
                    assert not chain.validate(made(kind)[leaf].chain, NOW, profile, trust).ok, (role, other)
    assert not chain.validate(made("p521")["oemLeaf"].chain, NOW, PROFILES["vehicle20"], [made("p521")["oemRoot"].certificate]).ok


def test_a_certificate_that_is_trusted_itself() -> None:
    spec = testpki.spec_of("csmsRoot", "p256", seed=b"s", now=NOW)
    key = key_of("p256", b"s", "home")
    own = issue(replace(spec, common_name="home.example", issuer=replace(spec, common_name="home.example").subject, usages=None), key, key)
    right = chain.validate([own], NOW, PROFILES["csms"], [own], host="home.example")
    assert right.ok
    assert [each.code for each in right.warnings] == ["basic_constraints", "key_usage"]
    assert not chain.validate([own], NOW, PROFILES["csms"], [own], host="other.example").ok
    assert not chain.validate([own], NOW + dt.timedelta(days=30 * 365), PROFILES["csms"], [own], host="home.example").ok
    assert not chain.validate([own], NOW, PROFILES["station"], [own]).ok


def test_rsa_for_the_csms() -> None:
    specs = [testpki.spec_of(each, "p256", seed=b"rsa", now=NOW) for each in ("csmsLeaf", "csmsRoot")]
    key = key_of("rsa2048", b"rsa", "csms")
    root = issue(specs[1], key, key)
    leaf = issue(replace(specs[0], issuer=root.subject), key, key)
    verdict = chain.validate([leaf], NOW, PROFILES["csms"], [root], host="LOCALHOST.")
    assert not verdict.findings, verdict.why
    assert chain.validate([leaf], NOW, PROFILES["csms"], [root], host="[::1]").ok
    assert not chain.validate([leaf], NOW, PROFILES["secc2"], [root]).ok


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("csms.example.com", "CSMS.example.com", True),
        ("*.example.com", "csms.example.com", True),
        ("*.example.com", "a.csms.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
        ("c*.example.com", "csms.example.com", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.10", False),
        ("*.0.2.1", "192.0.2.1", False),
    ],
)
def test_hosts(pattern: str, host: str, fits: bool) -> None:
    specs = [testpki.spec_of(each, "p256", seed=b"s", now=NOW) for each in ("csmsLeaf", "csmsSub")]
    key = made("p256")["csmsSub"].key
    for change in ({"hosts": (pattern,)}, {"hosts": (), "common_name": pattern}):
        leaf = issue(replace(specs[0], issuer=specs[1].subject, **change), key, key)
        sent = [leaf, made("p256")["csmsSub"].certificate]
        verdict = chain.validate(sent, NOW, PROFILES["csms"], [made("p256")["csmsRoot"].certificate], host=host)
        assert verdict.ok == fits, verdict.why


def test_roots() -> None:
    for kind, name, root in (("p256", "secc2", "v2gRoot"), ("p521", "contract20", "moRoot"), ("p256", "csms", "csmsRoot")):
        right = chain.validate_root(made(kind)[root].certificate, NOW, PROFILES[name])
        assert not right.findings, right.why
        assert chain.validate_root(made(kind)[root].certificate, None, PROFILES[name]).ok
    codes = {
        each: [one.code for one in chain.validate_root(made("p256")[each].certificate, NOW, PROFILES["secc2"]).refusals]
        for each in ("cpoSub1", "seccLeaf")
    }
    assert codes == {"cpoSub1": ["bad_signature"], "seccLeaf": ["bad_signature", "basic_constraints", "key_usage"]}
    later = NOW + dt.timedelta(days=41 * 365)
    assert [each.code for each in chain.validate_root(made("p256")["v2gRoot"].certificate, later, PROFILES["secc2"]).refusals] == [
        "expired"
    ]


def test_relaxed_says_so() -> None:
    identity, trust = made("p256")["vehicleLeaf"], [made("p256")["oemRoot"].certificate]
    assert not chain.validate(identity.chain, NOW, PROFILES["vehicle20"], trust).ok
    verdict = chain.validate(identity.chain, NOW, relaxed(PROFILES["vehicle20"]), trust)
    assert verdict.profile.name == "vehicle20+relaxed"
    assert {each.code for each in verdict.refusals} == {"extended_key_usage"}  # -2's certificates name no purpose


def test_known_statuses() -> None:
    it = case("contract20")
    marks = [chain.tbs_fingerprint(x509.load_der_x509_certificate(each)) for each in it.chain]
    good: dict[str, chain.Status] = dict.fromkeys(marks, "good")
    assert not chain.validate(it.chain, NOW, it.profile, it.trust, good, policy="unknown").findings
    some = chain.validate(it.chain, NOW, it.profile, it.trust, {**good, marks[0]: "unknown"})
    assert some.ok
    assert [each.code for each in some.warnings] == ["revocation_unknown"]
    root = chain.validate(it.chain, NOW, it.profile, it.trust, {chain.tbs_fingerprint(it.trust[0]): "revoked"})
    assert [(each.at, each.code) for each in root.refusals] == [("root", "revoked")]


def test_a_name_cannot_write_a_log_line() -> None:
    spec = replace(testpki.spec_of("seccLeaf", "p256", seed=b"s", now=NOW), common_name="x\n2030-01-01 all is well\x1b[2J")
    leaf = issue(spec, made("p256")["seccLeaf"].key, made("p256")["cpoSub2"].key)
    verdict = chain.validate([leaf], NOW, PROFILES["secc2"], [])
    assert verdict.title == "x?2030-01-01 all is well?[2J"
    assert verdict.why.isprintable()
    assert clean("a\u2028b\u202ec\u00e9\ud800") == "a?b?cé?"


def test_load() -> None:
    it = case("csms")
    assert chain.load(it.chain_pem) == tuple(x509.load_der_x509_certificate(each) for each in it.chain)
    assert len(chain.load(it.chain[0])) == 1
    for octets in (b"", b"-----BEGIN", it.chain[0] + b"\0", it.chain_pem * 9, b"-" * 70_000, b"\x30\x80", it.key_pem):
        with pytest.raises(chain.CertificateError):
            chain.load(octets)
    for much in (b" " * TOO_MUCH, it.chain_pem * 9):
        with pytest.raises(chain.CertificateError, match="the most"):
            chain.load(much)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["secc2", "secc20", "csms"]),
    st.integers(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
)
@example("secc2", 1, [(0.416015625, 6)])
@pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning")  # the library's word about a country of 20 letters
def test_what_a_stranger_sends_never_raises(profile: str, which: int, changes: list[tuple[float, int]]) -> None:
    it = _case(profile)
    sent = list(it.chain)
    octets = bytearray(sent[which])
    for place, value in changes:
        octets[int(place * (len(octets) - 1))] = value
    sent[which] = bytes(octets)
    verdict = chain.validate(sent, NOW, it.profile, it.trust, host="localhost")
    assert verdict.why.isprintable()
    assert verdict.ok == (not verdict.sentence)
    assert verdict.ok <= (sent == list(it.chain)), verdict.why


@given(st.binary(max_size=200), st.booleans())
def test_bytes_never_raise(octets: bytes, as_pem: bool) -> None:
    given_ = b"-----BEGIN CERTIFICATE-----\n" + octets if as_pem else octets
    for sent in (given_, [given_], [given_, given_]):
        assert not chain.validate(sent, NOW, PROFILES["station"], []).ok


_case = cache(case)
TOO_MUCH = 64 * 1024 + 1


def test_pss_with_a_weak_hash() -> None:
    """`cryptography` gives its hash apart from its name."""
    key = key_of("rsa2048", b"rsa", "csms")
    assert isinstance(key, rsa.RSAPrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    found = {}
    for digest in (hashes.SHA224(), hashes.SHA256()):
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, NOW, NOW + dt.timedelta(days=9))
        signed = builder.sign(key, digest, rsa_padding=padding.PSS(padding.MGF1(digest), digest.digest_size))
        verdict = chain.validate([signed], NOW, PROFILES["csms"], [signed], host="localhost")
        found[digest.name] = [each.words for each in verdict.findings if each.code == "signature_algorithm"]
    assert found["sha256"] == []
    assert found["sha224"][0].startswith("it is signed with RSASSA-PSS with sha224, not one of ")


@pytest.mark.parametrize(("kind", "name"), [("p256", "secc2"), ("p521", "secc20")])
def test_quick(kind: testpki.Kind, name: str) -> None:
    """Beside its signatures, which are OpenSSL's, reading and judging a chain that was not seen before takes 3 ms at most."""
    identity, root = made(kind)["seccLeaf"], made(kind)["v2gRoot"].certificate
    pairs = list(zip(identity.chain, (*identity.chain[1:], root), strict=True))
    pem, whole, floor = identity.chain_pem, [], []
    for _ in range(30):
        begun = time.perf_counter()
        for below, above in pairs:
            below.verify_directly_issued_by(above)
        floor.append(time.perf_counter() - begun)
        chain._read.cache_clear()
        begun = time.perf_counter()
        assert chain.validate(pem, NOW, PROFILES[name], [root]).ok
        whole.append(time.perf_counter() - begun)
    assert min(whole) - min(floor) < 0.003


def test_what_is_der_is_read_as_such_whatever_text_stands_in_it() -> None:
    """A stranger's certificate with a whole PEM in it is that stranger's."""
    tree = made("p521")
    other = tree["contractLeaf"].certificate.public_bytes(Encoding.PEM)
    key = key_of("p521", b"stranger", "k")
    spec = replace(testpki.spec_of("contractLeaf", "p521", seed=b"s", now=NOW), responder=f"http://{other.decode()}")
    stranger = issue(spec, key, key)
    der = stranger.public_bytes(Encoding.DER)
    assert b"-----BEGIN CERTIFICATE-----" in der
    assert chain.load(der) == (stranger,)
    assert chain.load(b"0 s:CN=contract\n" + other) == (tree["contractLeaf"].certificate,)
