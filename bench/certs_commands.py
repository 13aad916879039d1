"""`chargepoint certs`: make a test PKI, look into certificates, judge a chain, make and judge requests. What a station holds: `certs_installed`."""

from __future__ import annotations

import argparse
import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bench import certs_installed
from certs import chain, csr, inspect, testpki
from certs.pki_files import PkiError, octets_of
from certs.profiles import PROFILES, Profile
from certs.testpki_make import key_of, pem_of

SUFFIXES = (".pem", ".crt", ".cer", ".der")
NAMES = ", ".join(PROFILES)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0; 1: something is wrong; 2: the command line is. Raises PkiError, which names the place."""
    given = _parser().parse_args(arguments)
    return int(given.action(given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chargepoint certs", description="Certificates: make a test PKI, look at them, judge them.")
    parser.set_defaults(action=lambda _: _help(parser))
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    def add(name: str, action: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        sub.set_defaults(action=action)
        return sub

    made = add("testpki", _testpki, "write a folder for --pki, with new keys; for benches and tests")
    made.add_argument("folder", type=Path, metavar="DIR")
    made.add_argument("--wrong", default="", metavar="WHAT", help=f"what is wrong with its leafs: {', '.join(testpki.WRONGS)}")
    made.add_argument("--seed", default="", metavar="TEXT", help="the same keys of the same text; anybody who knows it has them")
    made.add_argument("--ocsp", default="", metavar="URL", help="where the certificates say that OCSP is asked")
    made.add_argument(
        "--bad", default="", metavar="NAME", help="a bad chain of this name instead: chain.pem, leaf.key, roots.pem; ? lists them"
    )
    looked = add("inspect", _inspect, "who signed whom, in which role, until when, and what is wrong with it; exit 1 where something is")
    looked.add_argument("given", type=Path, metavar="FILE|DIR")
    _add_now(looked)
    judged = add("verify", _verify, "judge a chain by a profile; exit 1 where it is refused")
    judged.add_argument("chain", type=Path, metavar="CHAIN", help="PEM, leaf first; or one DER")
    judged.add_argument("--profile", required=True, metavar="NAME", help=NAMES)
    judged.add_argument("--root", required=True, type=Path, action="append", metavar="FILE", help="what is trusted; again for more")
    judged.add_argument("--host", default="", help="the name that is dialled (csms)")
    judged.add_argument("--key", type=Path, metavar="FILE", help="the private key that the leaf has to have")
    _add_now(judged)
    certs_installed.add_to(add)
    request = add("csr", _csr, "judge a request for a certificate, or make one (--new)")
    what = request.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the request to judge")
    what.add_argument("--new", type=Path, metavar="KEY", help="write a new key there, which must not be there yet, and print its request")
    request.add_argument("--profile", default="station", metavar="NAME", help=NAMES)
    request.add_argument("--kind", choices=("p256", "p521", "ed448"), default="p256")
    request.add_argument("--name", default="", help="common name: the serial number of the station, the id of the SECC")
    request.add_argument("--organization", default="")
    request.add_argument("--country", default="", metavar="CC")
    request.add_argument("--domain", default="", metavar="DC", help="domain component: CPO for a SECC")
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    print(parser.format_help(), end="")
    return 0


def _add_now(to: argparse.ArgumentParser) -> None:
    to.add_argument("--at", default="", metavar="DATE", help="as if it were then: 2030-01-31, or with a time")


def _testpki(given: argparse.Namespace) -> int:
    now, seed = dt.datetime.now(dt.UTC), given.seed.encode() or secrets.token_bytes(32)
    if given.bad:
        return _bad(given.bad, given.folder, seed, now)
    testpki.write(given.folder, seed=seed, now=now, wrong=testpki.wrong_of(given.wrong), responder=given.ocsp)
    return 0


def _bad(name: str, folder: Path, seed: bytes, now: dt.datetime) -> int:
    from certs import broken

    if name == "?":
        print(*broken.NAMES, sep="\n")
        return 0
    if name not in broken.NAMES:
        raise PkiError(f"--bad {name}: not one of those that `--bad ?` lists")
    made = broken.make(name, seed=seed, now=now)
    try:
        pem = made.chain_pem
    except ValueError:
        raise PkiError(f"--bad {name}: no certificates that a file could hold") from None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chain.pem").write_bytes(pem)
    (folder / "roots.pem").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in made.trust))
    _write_key(folder / "leaf.key", made.key_pem, fresh=False)
    print(f"{made.code}: {'refused' if made.refused else 'told'} by the profile {made.profile.name}")
    return 0


def _inspect(given: argparse.Namespace) -> int:
    paths = [given.given]
    if given.given.is_dir():
        paths = sorted(each for each in given.given.rglob("*") if each.suffix in SUFFIXES and each.is_file())
        if not paths:
            raise PkiError(f"{given.given}: no file there ends with {', '.join(SUFFIXES)}")
    base = given.given if given.given.is_dir() else given.given.parent
    report = inspect.report({str(each.relative_to(base)): octets_of(each) for each in paths}, _now(given.at) or dt.datetime.now(dt.UTC))
    print(*report.lines, sep="\n")
    return 1 if report.wrong else 0


def _verify(given: argparse.Namespace) -> int:
    profile = _profile(given.profile)
    roots = [root for path in given.root for root in _certificates(path)]
    key = _key(given.key).public_key() if given.key else None
    sent = octets_of(given.chain)
    verdict = chain.validate(sent, _now(given.at) or dt.datetime.now(dt.UTC), profile, roots, key=key, host=given.host)
    print(f"{given.chain}: {verdict.why}")
    for each in (*verdict.refusals, *verdict.warnings):
        print(f"  {'✗' if each.weight == 'refuse' else '!'} {each.at}: {each.words} ({each.code})")
    if verdict.sentence:
        print(f"  to the driver: {verdict.sentence}")
    return 0 if verdict.ok else 1


def _csr(given: argparse.Namespace) -> int:
    profile = _profile(given.profile)
    if given.new is None:
        verdict = csr.judge(octets_of(given.file), profile)
        print(f"{given.file}: {verdict.why}")
        return 0 if verdict.ok else 1
    try:
        subject = csr.subject_of(given.name, organization=given.organization, country=given.country, domain=given.domain)
    except ValueError as error:
        raise PkiError(f"the name of the request: {error}") from None
    from certs.store.keys import signer

    key = key_of(given.kind, secrets.token_bytes(64), "request")
    request = csr.make(subject, key.public_key(), signer(key))
    verdict = csr.judge(request, profile)
    if not verdict.ok:
        raise PkiError(verdict.why)
    _write_key(given.new, pem_of(key), fresh=True)
    print(request.decode(), end="")
    return 0


def _write_key(path: Path, pem: bytes, *, fresh: bool) -> None:
    path.touch(mode=0o600, exist_ok=not fresh)
    path.chmod(0o600)
    path.write_bytes(pem)


def _now(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise PkiError(f"--at {text}: not a date like 2030-01-31") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _profile(name: str) -> Profile:
    if name not in PROFILES:
        raise PkiError(f"--profile {name}: not one of {NAMES}")
    return PROFILES[name]


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return chain.load(octets_of(path))
    except chain.CertificateError as error:
        raise PkiError(f"{path}: {error}") from None


def _key(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(octets_of(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PkiError(f"{path}: no unencrypted private key as PEM") from None
