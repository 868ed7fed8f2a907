"""The command: ``python -m benchmarks [NAME ...] [--json] [--growth]``."""

from __future__ import annotations

import argparse
import json

from benchmarks import show
from benchmarks.runner import compare
from benchmarks.works import Work, chosen


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    works = chosen(given.names)
    if given.growth:
        _grow(works, given)
    else:
        _compare(works, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all when none is given")
    parser.add_argument("--json", action="store_true", help="one JSON list of rows")
    parser.add_argument("--growth", action="store_true", help="from 10k to 10M rows, ours alone")
    parser.add_argument("--rows", type=int, help="at most so many, for a quick look")
    parser.add_argument("--runs", type=int, help="timed runs, in one process a side")
    return parser


def _compare(works: list[Work], given: argparse.Namespace) -> None:
    rows = []
    for work in works:
        found = compare(work, given.rows, given.runs)
        rows += show.rows_of(found)
        if given.json:
            for line in show.skipped(found):
                show.note(line)
        else:
            show.table(found)
    if given.json:
        print(json.dumps(rows, indent=1))


def _grow(works: list[Work], given: argparse.Namespace) -> None:
    families = {work.family: work for work in works if work.family}
    sizes = [rows for rows in show.SIZES if rows <= (given.rows or rows)]
    found = []
    for work in families.values():
        found.append(show.growth(work, sizes, given.runs))
        if not given.json:
            show.grown(found[-1])
    if given.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
