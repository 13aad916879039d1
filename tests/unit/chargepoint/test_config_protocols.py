"""Which protocols an EVSE speaks with vehicles, and what each wants of TLS and certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.v2g.cable import fresh_pki
from chargepoint.config_file import parse
from tests.unit.chargepoint.test_config_file import problems

OLDER = """[[evses]]
mode = "dc"
connector = "cCCS2"
[evses.v2g]
interface = "seth0"
protocols = {names}
tls = "{tls}"
pki_dir = "{folder}"
"""


@pytest.mark.parametrize(
    ("names", "tls", "said"),
    [
        ('["iso20-dc", "iso2-dc", "din"]', "optional", []),
        ('["iso2-dc"]', "required", []),
        ('["din"]', "none", []),
        ('["iso2-dc", "din"]', "none", []),
        ('["iso2-ac"]', "none", ["6: evses[0].v2g.protocols: none of them charges mode = 'dc'; 'iso20-dc', 'iso2-dc', 'din' do"]),
        ('["din", "iso2-dc"]', "required", ["6: evses[0].v2g.protocols: 'din' serves nobody with tls = 'required'"]),
        ('["din"]', "optional", []),
        ('["iso20-dc"]', "none", ["7: evses[0].v2g.tls: 'none' serves nobody: ISO 15118-20"]),
    ],
)
def test_protocols_and_their_tls(tmp_path: Path, names: str, tls: str, said: list[str]) -> None:
    fresh_pki(tmp_path / "pki")
    text = OLDER.format(names=names, tls=tls, folder=tmp_path / "pki")
    if not said:
        assert parse(text, "cp.toml").evses[0].v2g.tls == tls
        return
    found = problems(text)
    assert len(found) == len(said), found
    assert all(one.startswith(begin) for one, begin in zip(found, said, strict=True)), found


def test_certificates_are_not_asked_for_where_no_protocol_has_tls() -> None:
    found = problems(OLDER.format(names='["din"]', tls="required", folder=""))
    assert [each.partition(": ")[2].partition(":")[0] for each in found] == ["evses[0].v2g.protocols"], found


@pytest.mark.parametrize(
    ("mode", "tls", "spoken"),
    [
        ("dc", "required", ("iso20-dc", "iso2-dc")),
        ("dc", "optional", ("iso20-dc", "iso2-dc", "din")),
        ("dc", "none", ("iso20-dc", "iso2-dc", "din")),
        ("ac", "required", ("iso20-ac", "iso2-ac")),
        ("ac", "none", ("iso20-ac", "iso2-ac")),
    ],
)
@pytest.mark.parametrize("lost", ["", "cpoCertChain.pem seccLeaf.key"], ids=["all", "none of ISO 15118-2"])
def test_where_no_protocol_is_named_all_that_charge_are_spoken(
    tmp_path: Path, mode: str, tls: str, spoken: tuple[str, ...], lost: str
) -> None:
    """Certificates of ISO 15118-2 that are not there keep nobody from ISO 15118-20, as long as nobody has asked for them by name."""
    folder = tmp_path / "pki"
    fresh_pki(folder)
    for name in lost.split():
        (folder / name).unlink()
    text = OLDER.replace("protocols = {names}\n", "").format(tls=tls, folder=folder)
    text = text if mode == "dc" else text.replace('mode = "dc"\nconnector = "cCCS2"\n', "")
    assert parse(text, "cp.toml").evses[0].protocols == spoken


def test_which_certificates_the_older_protocols_want(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    fresh_pki(folder)
    (folder / "iso20").rename(tmp_path / "lost")
    assert parse(OLDER.format(names='["iso2-dc"]', tls="required", folder=folder), "cp.toml").evses[0].v2g.protocols == ("iso2-dc",)
    for name in ("cpoCertChain.pem", "seccLeaf.key"):
        (folder / name).unlink()
    (found,) = problems(OLDER.format(names='["iso2-dc"]', tls="required", folder=folder))
    assert "which the station shows to vehicles of ISO 15118-2" in found
