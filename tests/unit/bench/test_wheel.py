"""How the foreign wheel is fetched: once, whole, and only the one that we know."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from bench import wheel


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has the wheel already: a small one that stands in for it."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name in ("a.xsd", "__init__.py", "din_spec/b.xsd"):
            archive.writestr(f"{wheel.SCHEMAS}/{name}", name)
        archive.writestr(wheel.JAR, "jar")
    (tmp_path / wheel.NAME).write_bytes(octets.getvalue())
    monkeypatch.setattr(wheel, "SHA256", hashlib.sha256(octets.getvalue()).hexdigest())
    return tmp_path


def test_schemas_and_jar_are_unpacked_once(known: Path) -> None:
    folder = wheel.schemas(known)
    assert sorted(str(each.relative_to(folder)) for each in folder.rglob("*.*")) == ["a.xsd", "din_spec/b.xsd"]
    assert wheel.jar(known).read_text() == "jar"
    (known / wheel.NAME).unlink()
    assert (wheel.schemas(known), wheel.jar(known)) == (folder, known / "EXICodec.jar")
    assert sorted(each.name for each in known.iterdir()) == ["EXICodec.jar", "schemas"]


def test_whoever_comes_second_takes_what_is_there(known: Path) -> None:
    target = known / "schemas"
    target.mkdir()
    (target / "first.xsd").write_text("of the other process")
    assert wheel._unpack(known, wheel.SCHEMAS, target) == target
    assert [each.name for each in target.iterdir()] == ["first.xsd"]


def test_what_cannot_be_put_there_is_an_error(known: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        wheel._unpack(known, wheel.JAR, known / "nowhere" / "jar")


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / wheel.NAME).write_bytes(b"another")
    with pytest.raises(wheel.WheelError, match="not the wheel that PyPI has"):
        wheel.schemas(tmp_path)


@pytest.mark.parametrize("patience_s", [60.0, 0.001])
def test_without_an_index_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience_s: float) -> None:
    monkeypatch.setattr(wheel, "PATIENCE_S", patience_s)
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    words = "No matching distribution" if patience_s > 1 else "not there after 0.001 s"
    with pytest.raises(wheel.NoWheel, match=words):
        wheel.wheel(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
