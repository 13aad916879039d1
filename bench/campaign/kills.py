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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.csms import EmbeddedCsms

LEAST_S, MOST_S = 0.25, 1.6
"""How long a life lasts, in real time; start-up included, so that kills hit it as well."""
LAST_LIFE_S = 4.0
"""The last life gets so long to deliver what is left."""


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


async def campaign(kills: int, seed: int, folder: Path) -> Result:
    """Run it. `wrong` is empty when all is well."""
    dice = random.Random(seed)
    result = Result()
    closed: set[str] = set()
    async with EmbeddedCsms() as csms:
        for number in range(kills + 1):
            last = number == kills
            command = [sys.executable, "-m", "bench.campaign.life", str(folder), csms.url, str(seed * 1000 + number)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            await asyncio.sleep(LAST_LIFE_S if last else dice.uniform(LEAST_S, MOST_S))
            if last:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(20.0):
                        await process.wait()
            if process.returncode is None:
                process.kill()
                result.kills += 1
            said, _ = await process.communicate()
            _look_at(said.decode(), closed, result)
        _judge(csms.calls_of("TransactionEvent"), closed, result)
        result.boots = len(csms.calls_of("BootNotification"))
    return result


def _look_at(said: str, closed: set[str], result: Result) -> None:
    lines = said.splitlines()
    if lines and lines[0] != "open":
        result.wrong.append(f"at boot: {lines[0]}")
    for line in lines[1:]:
        word, _, transaction_id = line.partition(" ")
        if word == "closed":
            result.closings += 1
            closed.add(transaction_id)
            if not transaction_id:
                result.wrong.append("the contactor closed outside of a transaction")


def _judge(events: list[dict[str, Any]], closed: set[str], result: Result) -> None:
    by_id: dict[str, dict[int, dict[str, Any]]] = {}
    result.events = len(events)
    for event in events:
        of_this = by_id.setdefault(event["transactionInfo"]["transactionId"], {})
        before = of_this.get(event["seqNo"])
        if before is None:
            of_this[event["seqNo"]] = event
        elif before == event:
            result.repeated += 1
        else:
            result.wrong.append(f"two different messages with seqNo {event['seqNo']}: {json.dumps(before)} and {json.dumps(event)}")
    result.transactions = len(by_id)
    for transaction_id, numbered in by_id.items():
        result.wrong += [f"{transaction_id}: {problem}" for problem in _problems(numbered)]
        result.power_losses += any(e["transactionInfo"].get("stoppedReason") == "PowerLoss" for e in numbered.values())
    result.wrong += [
        f"{transaction_id}: power flowed, and the CSMS never heard of it" for transaction_id in closed - by_id.keys() if transaction_id
    ]


def _problems(numbered: dict[int, dict[str, Any]]) -> list[str]:
    order = sorted(numbered)
    kinds = [numbered[n]["eventType"] for n in order]
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


def _energy_Wh(event: dict[str, Any]) -> float | None:
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
