"""The console script: exit codes, and words instead of tracebacks for what a person can mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cli

GOOD = '[csms]\nurl = "wss://hub.example/x"\nbasic_auth_password = "0123456789abcdef"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text("seral = 1\n[[evses]]\nmax_current_A = 99\n")
    (tmp_path / "silent.toml").write_text('board = "openevse"\n[board_options]\nport = "/dev/none"\n')
    (tmp_path / "bad.json").write_text('{"csms_url": 7}')
    (tmp_path / "no.jsonl").write_bytes(b"\xff\xfe no journal")
    (tmp_path / "wrong.jsonl").write_text('{"what": 1}\n')
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00")
    return tmp_path


def test_a_right_file_is_said_to_be_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", str(folder / "good.toml")]) == 0
    out = capsys.readouterr().out
    assert "right: 1 EVSE, board sim, CSMS wss://hub.example/x" in out
    assert "when the station falls silent, the board opens within 0.4 s" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check-config", "bad.toml"], ["bad.toml:1: seral: no such key; did you mean serial?", "bad.toml:3: evses[0].max_current_A: 99 is not"]),
        (["check-config", "none.toml"], ["none.toml: cannot be read: No such file or directory"]),
        (["check-config", "silent.toml"], ["goes on with 6 A and does not open", "accept_on_silence = 'falls_back'"]),
        (["run", "--config", "bad.toml"], ["bad.toml:1: seral", "bad.toml:3: evses[0]"]),
        (["run", "--config", "none.toml"], ["none.toml: cannot be read"]),
        (["bench-station", "bad.json"], ["bad.json: csms_url: 7 is not a text"]),
        (["bench-station", "none.json"], ["none.json: cannot be read"]),
        (["replay", "none.jsonl"], ["No such file"]),
        (["replay", "no.jsonl"], ["can't decode"]),
        (["replay", "wrong.jsonl"], [""]),
        (["replay", "cut.jsonl.gz"], [""]),
    ],
)  # fmt: skip
def test_what_a_person_can_mend_is_said_in_words(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: list[str]
) -> None:
    arguments[-1] = str(folder / arguments[-1])
    assert cli.main(arguments) == 1
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err
    assert "Traceback" not in out.err
    assert all(words in out.err for words in said), out.err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("chargepoint.config_file.read", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["check-config", str(folder / "good.toml")])


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(seconds: float, hlc: str) -> int:
        raise ModuleNotFoundError("No module named 'rich'", name="rich")

    monkeypatch.setattr("bench.demo.main", missing)
    assert cli.main(["demo"]) == 1
    assert "pip install 'chargepoint[bench]'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["run", "--help"]])
def test_help_and_version(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 0
    assert "chargepoint" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["zorp"], ["check-config"], ["demo", "--seconds", "x"], ["secc"]])
def test_a_wrong_command_line_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2


def test_no_command_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("demo", "run", "check-config", "bench-station", "replay"))


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_run_imports_nothing_of_bench_but_the_script_itself(folder: Path) -> None:
    code = "import json, sys; from bench.cli import main; main(['run', '--config', sys.argv[1]]); print(json.dumps(sorted(sys.modules)))"
    done = python(code, str(folder / "bad.toml"))
    modules = set(json.loads(done.stdout))
    assert "chargepoint.runtime.main" in modules
    assert {name for name in modules if name.partition(".")[0] == "bench"} == {"bench", "bench.cli"}
    assert not modules & {"rich", "starlette", "uvicorn"}


def test_a_station_that_does_not_talk_carries_no_messages_of_iso_15118() -> None:
    code = (
        "import json, sys, chargepoint.runtime.run; from chargepoint.station import Station; from chargepoint.config import StationConfig; "
        "from hal.types import *; Station(StationConfig(), BoardInfo('sim', Shape.RAW, Opens(0.5), (EvseInfo(),))); print(json.dumps(sorted(sys.modules)))"
    )
    modules = json.loads(python(code).stdout)
    assert "chargepoint.wiring" in modules
    assert [name for name in modules if name.startswith(("iso15118.exi", "iso15118.messages", "cryptography", "bench"))] == []


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "bench.cli"]
    with os.fdopen(writer, "w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, env=buffered, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (141, "")
