"""`python -m bench.campaign.kills [--kills N] [--seed S]`: kill -9 at random instants, and count what the CSMS got (F-1).

The station is a real process on a real file system; power comes back after each kill until all is done. Then every transaction must be there
whole: one Started, one Ended, seqNo without a gap, what came twice the same to the letter, and every closing of the contactor inside of one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.csms import EmbeddedCsms

SHARE_AT_START = 0.15
"""So many lives end while they begin."""
MOST_S = 1.1
"""How long the others last at most once their board is up, in real time."""
LOOK_S = 0.05
"""So often it is looked how far a life has come."""
MOST_START_S = 0.6
"""Of those that end before their board is up, mostly."""
LAST_LIFE_S, MOST_LAST_LIVES = 120.0, 5
"""The last life has told all that was left, and has ended in order, long before this. What it cannot tell in the time that the end of a process has, the
next one tells."""
Event = dict[str, Any]


@dataclass(slots=True)
class Result:
    """What came of a campaign."""

    kills: int = 0
    transactions: int = 0
    events: int = 0
    repeated: int = 0
    """Messages that came twice, the same to the letter (the answer was lost with the process)."""
    power_losses: int = 0
    closings: int = 0
    boots: int = 0
    wrong: list[str] = field(default_factory=list)


async def campaign(kills: int, seed: int, folder: Path, *, transactions: int = 0, power_losses: int = 0) -> Result:
    """Run it. `wrong` is empty when all is well.

    There are more lives than asked for until so many transactions have been made, and cut by kills: how long that takes is the machine's matter. The last
    life lasts until all is told.
    """
    dice = random.Random(seed)
    result = Result()
    closed: set[str] = set()
    async with EmbeddedCsms() as csms:
        number, last_lives = 0, 0
        while True:
            told = _by_id(csms.calls_of("TransactionEvent"))
            last = number >= kills and len(told) >= transactions and _power_losses(told) >= power_losses
            command = [sys.executable, "-m", "bench.campaign.life", str(folder), csms.url, str(seed * 1000 + number)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            said: list[str] = []
            reading = asyncio.ensure_future(_read(process, said))
            await (_last(csms, told, process) if last else _live(dice, said, process))
            if process.returncode is None:
                process.kill()
                result.kills += 1
            await reading
            await process.wait()
            _look_at(said, closed, result)
            number, last_lives = number + 1, last_lives + last
            if last and (last_lives == MOST_LAST_LIVES or _all_told(csms, {*closed, *_by_id(csms.calls_of("TransactionEvent"))})):
                break
        _judge(csms.calls_of("TransactionEvent"), closed, result)
        result.boots = len(csms.calls_of("BootNotification"))
    return result


async def _live(dice: random.Random, said: list[str], process: asyncio.subprocess.Process) -> None:
    """So long as this life lasts."""
    if dice.random() < SHARE_AT_START:
        await asyncio.sleep(dice.uniform(0.0, MOST_START_S))
        return
    await _until(lambda: bool(said) or process.returncode is not None, LAST_LIFE_S)
    await asyncio.sleep(dice.uniform(0.0, MOST_S))


async def _last(csms: EmbeddedCsms, known: Iterable[str], process: asyncio.subprocess.Process) -> None:
    """Until all is told of what was there before it; then it ends in order."""
    await _until(lambda: _all_told(csms, known), LAST_LIFE_S)
    process.terminate()
    await _until(lambda: process.returncode is not None, LAST_LIFE_S)


async def _read(process: asyncio.subprocess.Process, said: list[str]) -> None:
    if process.stdout is not None:
        while line := await process.stdout.readline():
            said.append(line.decode().rstrip("\n"))


async def _until(holds: Callable[[], bool], most_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(most_s):
            while not holds():  # noqa: ASYNC110 other processes are looked at again and again
                await asyncio.sleep(LOOK_S)


def _all_told(csms: EmbeddedCsms, known: Iterable[str]) -> bool:
    """Of these transactions the CSMS has the end."""
    told = _by_id(csms.calls_of("TransactionEvent"))
    return all("Ended" in _kinds(told.get(each, {})) for each in known if each)


def _look_at(lines: Sequence[str], closed: set[str], result: Result) -> None:
    if lines and lines[0] != "open":
        result.wrong.append(f"at boot: {lines[0]}")
    for line in lines[1:]:
        word, _, transaction_id = line.partition(" ")
        if word == "closed":
            result.closings += 1
            closed.add(transaction_id)
            if not transaction_id:
                result.wrong.append("the contactor closed outside of a transaction")


def _by_id(events: Iterable[Event], result: Result | None = None) -> dict[str, dict[int, Event]]:
    """Transaction -> seqNo -> its event; what comes twice is told."""
    by_id: dict[str, dict[int, Event]] = {}
    for event in events:
        before = by_id.setdefault(event["transactionInfo"]["transactionId"], {}).setdefault(event["seqNo"], event)
        if result is None or before is event:
            continue
        if before | {"offline": None} == event | {"offline": None} and event["offline"] >= before["offline"]:
            result.repeated += 1  # it has waited offline since (E11.FR.07)
        else:
            result.wrong.append(f"two different messages with seqNo {event['seqNo']}: {json.dumps(before)} and {json.dumps(event)}")
    return by_id


def _kinds(numbered: dict[int, Event]) -> list[str]:
    return [numbered[n]["eventType"] for n in sorted(numbered)]


def _power_losses(by_id: dict[str, dict[int, Event]]) -> int:
    return sum(any(e["transactionInfo"].get("stoppedReason") == "PowerLoss" for e in numbered.values()) for numbered in by_id.values())


def _judge(events: list[Event], closed: set[str], result: Result) -> None:
    by_id = _by_id(events, result)
    result.events, result.transactions, result.power_losses = len(events), len(by_id), _power_losses(by_id)
    for transaction_id, numbered in by_id.items():
        result.wrong += [f"{transaction_id}: {problem}" for problem in _problems(numbered)]
    result.wrong += [
        f"{transaction_id}: power flowed, and the CSMS never heard of it" for transaction_id in closed - by_id.keys() if transaction_id
    ]


def _problems(numbered: dict[int, Event]) -> list[str]:
    order, kinds = sorted(numbered), _kinds(numbered)
    problems = []
    if order != list(range(len(order))):
        problems.append(f"seqNo {order}")
    if kinds[:1] != ["Started"] or kinds.count("Started") != 1:
        problems.append(f"begins with {kinds[:1]}, {kinds.count('Started')} Started")
    if kinds[-1:] != ["Ended"] or kinds.count("Ended") != 1:
        problems.append(f"ends with {kinds[-1:]}, {kinds.count('Ended')} Ended")
    energies = [e for n in order if (e := _energy_Wh(numbered[n])) is not None]
    if energies != sorted(energies):
        problems.append(f"energy goes back: {energies}")
    return problems


def _energy_Wh(event: Event) -> float | None:
    found = None
    for value in event.get("meterValue", ()):
        for sampled in value["sampledValue"]:
            if sampled.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register":
                found = float(sampled["value"])
    return found


def main(arguments: list[str]) -> int:
    """Print the result; exit 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="chargepoint-kills-") as folder:
        result = asyncio.run(campaign(given.kills, given.seed, Path(folder)))
    print(
        f"{result.kills} kills, {result.boots} boots, {result.transactions} transactions ({result.power_losses} cut by one), "
        f"{result.closings} closings, {result.events} TransactionEvents ({result.repeated} repeated), {len(result.wrong)} wrong"
    )
    for each in result.wrong:
        print(f"  {each}")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
