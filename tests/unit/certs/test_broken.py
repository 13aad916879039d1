"""Every rule of every profile broken once: the finding has its code, the log a line, the driver a sentence; OpenSSL agrees where it looks."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs import broken, chain
from certs.profiles import PROFILES

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
SEED = b"broken"


@cache
def case(name: str) -> broken.Case:
    profile, _, what = name.partition("-")
    return broken.right(profile, seed=SEED, now=NOW) if what == "right" else broken.make(name, seed=SEED, now=NOW)


def judged(it: broken.Case) -> chain.Verdict:
    return chain.validate(it.chain, NOW, it.profile, it.trust, it.revocation, policy=it.policy, key=it.own, host=it.host)


@pytest.mark.parametrize("name", broken.NAMES)
def test_told(name: str) -> None:
    it = case(name)
    verdict = judged(it)
    assert it.code in {each.code for each in verdict.findings}, verdict.why
    assert verdict.ok == (not it.refused), verdict.why
    assert verdict.why.startswith(it.profile.what)
    assert verdict.why.isprintable()
    assert len(verdict.why) < 600
    if it.refused:
        assert verdict.refusals[0].code == it.code, verdict.why
        assert verdict.sentence[0].isupper()
        assert verdict.sentence.endswith(it.profile.advice)
    else:
        assert verdict.sentence == ""
        assert [each.code for each in verdict.warnings] == [it.code], verdict.why


@pytest.mark.parametrize("profile", broken.LEAFS)
def test_right(profile: str) -> None:
    verdict = judged(case(f"{profile}-right"))
    assert not verdict.findings, verdict.why


def test_every_rule_is_broken_by_one() -> None:
    """A code that no bad chain gives would be a rule that nobody has seen at work; `clock_unset` is no rule of a chain."""
    given = {each.code for each in broken.BREAKS.values()}
    assert given == set(chain.RANK) - {"clock_unset"}
    assert {name.partition("-")[0] for name in broken.NAMES} == set(PROFILES) - {"ocsp"}
    assert len(broken.NAMES) > 300


@pytest.mark.parametrize("name", ["secc20-nothing", "csms-leaf_domain", "nobody-leaf_expired"])
def test_no_such_one(name: str) -> None:
    with pytest.raises(KeyError):
        broken.make(name, seed=SEED, now=NOW)


def openssl(folder: Path, it: broken.Case) -> bool:
    """Whether OpenSSL takes it; what it is for is said where its certificates say it."""
    leaf, rest, roots = folder / "leaf.pem", folder / "rest.pem", folder / "roots.pem"
    pem = [x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in it.chain]
    leaf.write_bytes(pem[0])
    rest.write_bytes(b"".join(pem[1:]))
    roots.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in it.trust))
    purpose = {"secc": "sslserver", "csms": "sslserver", "vehicle": "sslclient", "station": "sslclient"}.get(
        it.profile.name.rstrip("0123456789")
    )
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-no-CAstore",
        "-no-CApath",
        "-attime",
        str(int(NOW.timestamp())),
        "-CAfile",
        str(roots),
    ]
    command += ["-purpose", purpose] if purpose else []
    command += ["-untrusted", str(rest)] if len(pem) > 1 else []
    done = subprocess.run([*command, str(leaf)], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 2}, done.stderr
    return done.returncode == 0


SEEN = [name for name in broken.NAMES if broken.BREAKS[name.partition("-")[2]].openssl]


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl: make oracles")
@pytest.mark.parametrize("name", [*SEEN, *(f"{each}-right" for each in broken.LEAFS)])
def test_openssl_agrees(tmp_path: Path, name: str) -> None:
    assert openssl(tmp_path, case(name)) == name.endswith("-right")
