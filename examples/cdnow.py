"""The main job on a real log: who is in which layer and stage, why, and what is due next.

    python examples/cdnow.py                          23,570 customers of a web shop, 1997-1998
    python examples/cdnow.py --file purchases.csv     your own purchases

Writes report.html and report.json and prints a summary. A file of your own is text with a
header line; commas, semicolons, tabs, bars or blanks stand between its columns:

    customer    also customer_id, client, member, user, 客户, 客户编号, 会员, 会员号
    date        also at, day, time, purchased_at, order_date, 日期, 购买日期, 下单时间
    amount      also spend, total, price, value, dollar_value, 金额, 消费金额, 订单金额

A date is 2024-06-30 or 20240630, or an instant with its offset: 2024-06-30T18:00:00+08:00. An
amount is 12.50, with at most two decimals. Rows that cannot be read are set aside and listed
with the numbers of their lines; nothing is guessed.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Literal, NamedTuple

import attrs
import numpy as np

from retention import PurchaseLog, RetentionError, assess, reports
from retention.handbook import stage_counts
from retention.logs import Returns
from retention.mechanisms.answers import Code, Problem
from retention.mechanisms.periods import day_number, day_of, local_date, month_ends, zone_of
from retention.presets import ecommerce

CDNOW_DAY = date(1998, 6, 30)
QUARTER = timedelta(days=91)  # movement is counted from here, unless --since says otherwise
MONTHS = 36  # the most month ends that the page shows

NAMES = {
    "customer": "customer, customer_id, client, member, user, 客户, 客户编号, 会员, 会员号",
    "date": "date, at, day, time, purchased_at, order_date, 日期, 购买日期, 下单时间",
    "amount": "amount, spend, total, price, value, dollar_value, 金额, 消费金额, 订单金额",
}
DATE = "2024-06-30, 20240630 or 2024-06-30T18:00:00+08:00"
YEARS = range(1900, 2200)  # a date outside is a slip of the pen
LONGEST = 200
AMOUNT = "an amount such as 12.50, with at most two decimals"


class UnreadableFileError(Exception):
    """The file as a whole cannot be a list of purchases."""


class UnreadableRowError(Exception):
    """One row cannot be a purchase: the code, what stood there, and what is allowed."""

    def __init__(self, code: Code, given: str, allowed: str) -> None:
        """Keep the facts."""
        super().__init__(code, given, allowed)
        self.cause = code, allowed
        self.given = given[:40]


class Row(NamedTuple):
    """One purchase: the customer, the number of the day, whole minor units."""

    customer: str
    day: int
    amount_minor: int


# --- the file -----------------------------------------------------------------------------------


def cdnow() -> Path:
    """Find the data file in the package that carries it, which is never imported."""
    try:
        carrier = distribution("lifetimes")
    except PackageNotFoundError:
        advice = "the CDNOW file comes with lifetimes: pip install --no-deps lifetimes==0.11.3"
        raise UnreadableFileError(advice) from None
    return Path(str(carrier.locate_file("lifetimes/datasets/CDNOW_master.txt")))


def read(path: Path, *, returns: Returns = Returns.REFUSE, currency: str = "") -> PurchaseLog:
    """Read a file of purchases; its problems name the lines of the file."""
    lines = split(text_of(path), path)
    header = next(lines, (range(0), []))[1]
    places = columns(header, path)
    rows, problems = gathered(lines, places, len(header), returns)
    if not rows:
        listed = "".join(f"\n  {problem}" for problem in problems) or " there is none"
        raise UnreadableFileError(f"{path}: no row that can be read:{listed}")
    log = PurchaseLog.from_columns(
        customer=np.array([row.customer for row in rows]),
        at=np.array([row.day for row in rows], np.int64).view("datetime64[D]"),
        amount_minor=np.array([row.amount_minor for row in rows], np.int64),
        returns=returns,
        currency=currency,
    )
    return attrs.evolve(log, problems=tuple(problems))


def text_of(path: Path) -> str:
    """Return the text of a file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as cause:
        raise UnreadableFileError(f"{path}: {cause.strerror}") from None
    except UnicodeDecodeError as cause:
        line = cause.object[: cause.start].count(b"\n") + 1
        message = f"{path}: line {line} is not UTF-8; save the file as UTF-8"
        raise UnreadableFileError(message) from None


def split(text: str, path: Path) -> Iterator[tuple[range, list[str]]]:
    """Return the fields of every row that is not empty, with the numbers of its lines."""
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    if delimiter not in first:
        for number, line in enumerate(text.split("\n"), 1):
            if fields := line.split():
                yield range(number, number + 1), fields
        return
    reader, before = csv.reader(StringIO(text, newline=""), delimiter=delimiter), 0
    try:
        for row in reader:
            lines, before = range(before + 1, reader.line_num + 1), reader.line_num
            if any(fields := [field.strip() for field in row]):
                yield lines, fields
    except csv.Error as cause:
        raise UnreadableFileError(f"{path}: line {before + 1}: {cause}") from None


def columns(header: Sequence[str], path: Path) -> list[int]:
    """Find the three columns by their names."""
    if not header:
        raise UnreadableFileError(f"{path}: the file is empty; the first line names the columns")
    found = [name.lower() for name in header]
    places = []
    for wanted, allowed in NAMES.items():
        names = allowed.split(", ")
        place = next((at for at, name in enumerate(found) if name in names), None)
        if place is None:
            given = ", ".join(name[:40] for name in header[:20])
            message = f"{path}: no column for the {wanted}; found: {given}; allowed: {allowed}"
            raise UnreadableFileError(message)
        places.append(place)
    return places


# --- the rows -----------------------------------------------------------------------------------


def gathered(
    lines: Iterator[tuple[range, list[str]]], places: list[int], width: int, returns: Returns
) -> tuple[list[Row], list[Problem]]:
    """Return the rows that can be read, and the lines of the others by cause."""
    rows: list[Row] = []
    numbers: dict[tuple[Code, str], list[int]] = {}
    first: dict[tuple[Code, str], str] = {}
    for where, fields in lines:
        try:
            rows.append(row_of(fields, places, width, returns))
        except UnreadableRowError as bad:
            numbers.setdefault(bad.cause, []).extend(where)
            first.setdefault(bad.cause, bad.given)
    problems = [
        Problem(code, tuple(found), first[code, allowed], allowed)
        for (code, allowed), found in numbers.items()
    ]
    return rows, problems


def row_of(fields: list[str], places: list[int], width: int, returns: Returns) -> Row:
    """Read one row."""
    if len(fields) != width:
        allowed = f"{width} fields, as in the header"
        raise UnreadableRowError(Code.NO_AMOUNT, f"{len(fields)} fields", allowed)
    customer, at, amount = (fields[place] for place in places)
    if not customer or len(customer) > LONGEST or "\0" in customer:
        allowed = f"an identifier of at most {LONGEST} letters"
        raise UnreadableRowError(Code.NO_CUSTOMER, customer or "nothing", allowed)
    minor = minor_of(amount)
    if minor < 0 and returns is Returns.REFUSE:
        allowed = "0 or more; say --returns net if negative amounts are returns"
        raise UnreadableRowError(Code.NEGATIVE_AMOUNT, amount, allowed)
    return Row(customer, day_from(at), minor)


def minor_of(amount: str) -> int:
    """Return whole minor units, exactly."""
    found = re.fullmatch(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,2})0*)?", amount)
    if found is None:
        raise UnreadableRowError(Code.NO_AMOUNT, amount or "nothing", AMOUNT)
    sign, whole, cents = found.groups("")
    return int(f"{sign}{whole}{cents:0<2}")


@lru_cache(maxsize=100_000)
def day_from(text: str) -> int:
    """Return the number of the local day; an instant counts in the zone of the handbook."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}", text):
            return day_number(plausible(date.fromisoformat(text)))
        at = datetime.fromisoformat(text)
        plausible(at.date())
    except ValueError:
        raise UnreadableRowError(Code.NO_TIME, text or "nothing", DATE) from None
    if at.tzinfo is None:
        raise UnreadableRowError(Code.NAIVE_INSTANT, text, DATE)
    return day_number(local_date(at, zone_of(ecommerce.lifecycle.zone)))


def plausible(day: date) -> date:
    """Return a date of our times."""
    if day.year not in YEARS:
        raise ValueError(day)
    return day


def day_given(text: str) -> date:
    """Read a date of the command line."""
    return plausible(date.fromisoformat(text))


# --- the job ------------------------------------------------------------------------------------


class Arguments(argparse.Namespace):
    """What the command line says."""

    file: Path | None
    as_of: date | None
    since: date | None
    returns: Returns
    currency: str
    language: Literal["en", "zh"]
    out: Path


def arguments() -> Arguments:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--file", type=Path, help="purchases of your own; without it, the CDNOW log")
    add("--as-of", type=day_given, help="the day of the question; else the last one")
    add("--since", type=day_given, help="movement from this day; else 91 days before")
    add("--returns", type=Returns, default=Returns.REFUSE, help="net: negative amounts are returns")
    add("--currency", default="", help="shown beside the amounts")
    add("--language", choices=("en", "zh"), default="en", help="of the page and the summary")
    add("--out", type=Path, default=Path("build/demo"), help="folder for the two files")
    return parser.parse_args(namespace=Arguments())


def main() -> None:
    """Read, assess, write, and say where the files are."""
    given = arguments()
    own = given.file is not None
    currency = given.currency or ("" if own else "USD")
    log = read(given.file or cdnow(), returns=given.returns, currency=currency)
    days = log.times.days(zone_of(ecommerce.lifecycle.zone))
    first, last = day_of(int(days.min())), day_of(int(days.max()))
    as_of = given.as_of or (last if own else CDNOW_DAY)
    since = given.since or (as_of - QUARTER if as_of - QUARTER >= first else None)
    found = assess(ecommerce, log, as_of=as_of, since=since)
    ends = list(month_ends(min(first, as_of), as_of))[-MONTHS:]
    timeline = stage_counts(ecommerce, log, days=ends)
    page = reports.html(found, language=given.language, timeline=timeline)
    plain = reports.data(found, timeline=timeline)
    given.out.mkdir(parents=True, exist_ok=True)
    written = given.out / "report.html", given.out / "report.json"
    written[0].write_text(page, encoding="utf-8")
    written[1].write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
    print(reports.text(found, language=given.language))
    print(*written, sep="\n")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no Chinese letters
    try:
        main()
    except (UnreadableFileError, RetentionError) as message:
        sys.exit(str(message))
