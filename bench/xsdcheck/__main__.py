"""The command line of the checker."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.xsdcheck import ours, xsd
from bench.xsdcheck.compare import INTENDED, NO_XSD, compare, unused


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: no difference but those that are meant; 1: differences, or rows of `INTENDED` that stand for nothing; 2: the command line or an XSD is wrong."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1:
        print("python -m bench.xsdcheck FOLDER", file=sys.stderr)
        return 2
    try:
        theirs = xsd.read(Path(given[0]))
    except (xsd.XsdError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    result = compare(theirs, ours.read(), INTENDED)
    for difference in result.differences:
        print(difference)
    for difference, meant in result.intended:
        print(f"meant: {difference} ({meant.reason})")
    # A folder may have the XSDs that packages lack.
    stale = [each for each in unused(result, INTENDED) if each.what != NO_XSD]
    for meant in stale:
        print(f"meant, and not there any more: {meant.namespace} {meant.where or 'anywhere'}: {meant.what} ({meant.reason})")
    compared = ", ".join(f"{count} {what}" for what, count in result.compared.items())
    print(f"{len(result.differences)} differences and {len(result.intended)} that are meant; compared: {compared}")
    return 1 if result.differences or stale else 0


if __name__ == "__main__":
    sys.exit(main())
