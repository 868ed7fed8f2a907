"""Tables to look at: one value with heads and rows, printed as text or as HTML.

Every result of many customers shows itself by one, in a notebook, on a terminal and on the
report page, so the figures are the same everywhere. What a table holds is said by the result
that it shows.
"""

from __future__ import annotations

import html
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from retention.mechanisms.errors import UnequalColumnsError, UnknownNameError
from retention.mechanisms.words import Language, Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 8  # counts that a line for programmers names


class Head(Word):
    """What stands above a column, or beside a total."""

    CUSTOMERS = "customers", "客户数"
    SHARE_OF_CUSTOMERS = "share_of_customers", "客户占比"
    SPEND = "spend", "累计消费"
    SHARE_OF_SPEND = "share_of_spend", "消费占比"
    OUTCOME = "outcome", "结果"
    GOAL = "goal", "核心维护目标"
    KEY_ACTIONS = "key_actions", "关键维护动作"
    TOTAL = "total", "合计"
    NOT_KNOWN = "not_known", "无记录"
    FROM_LINE_TO_COLUMN = "from_line_to_column", "由行到列"
    BEFORE = "before", "变更前"
    AFTER = "after", "变更后"
    DIRECTION = "direction", "方向"
    ADDED = "added", "新增"
    REMOVED = "removed", "移除"
    KEPT = "kept", "保留"
    CHANGE = "change", "变更"
    EARLIEST = "earliest", "最早"
    LATEST = "latest", "最晚"
    NEVER_BY_ITSELF = "never_by_itself", "不会自行变更"
    RECENCY = "recency", "最近一次购买"
    FREQUENCY = "frequency", "购买频次"
    MONETARY_VALUE = "monetary_value", "消费金额"
    GRADE = "grade", "等级"
    BEST_RANK = "best_rank", "最高名次"
    LAST_RANK = "last_rank", "最低名次"
    TAG = "tag", "标签"
    STATE = "state", "状态"
    HOLDS = "holds", "成立"
    SINCE = "since", "起始日"
    ASKED_ON = "asked_on", "评估日"
    NEXT_BY = "next_by", "下次评估期限"
    MEASURE = "measure", "指标"
    KNOWN = "known", "有值"
    MISSING = "missing", "缺失"
    MEAN = "mean", "均值"
    MEDIAN = "median", "中位数"
    FACTOR = "factor", "因素"
    SCORE = "score", "得分"
    COMMAND = "command", "命令"
    CODE = "code", "拒绝原因"
    ROWS = "rows", "行数"
    NUMBER = "number", "数量"
    SHARE = "share", "占比"
    CUMULATIVE_SHARE = "cumulative_share", "累计占比"
    PERIOD_BEFORE = "period_before", "上期"
    DEPTH = "depth", "层数"
    BENEFIT = "benefit", "权益"
    RESPECT = "respect", "方面"
    TIER = "tier", "等级"
    POINTS = "points", "积分"


# --- letters and figures ------------------------------------------------------------------------


def escape(text: object) -> str:
    """Return text that is safe inside an element or an attribute of HTML and SVG.

    >>> escape('<b> "A&B"' + chr(0))
    '&lt;b&gt; &quot;A&amp;B&quot;\ufffd'
    """
    return html.escape("".join(c if _allowed(c) else "\ufffd" for c in str(text)))


def _allowed(letter: str) -> bool:
    """Control characters and halves of pairs have no place in a page."""
    return letter in "\t\n" or unicodedata.category(letter) not in {"Cc", "Cs", "Cf"}


def printable(line: str) -> str:
    """Take the power over a terminal from whatever came in with the data.

    >>> printable("a" + chr(27) + "b")
    'a\ufffdb'
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)


def columns_of(text: str) -> int:
    """Return how many columns a text takes when Chinese letters take two.

    >>> columns_of("lost"), columns_of("流失客户")
    (4, 8)
    """
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in {"W", "F"} else 1


def count_text(number: int) -> str:
    """Return a number of things.

    >>> count_text(23570)
    '23,570'
    """
    return f"{number:,}"


def amount_text(minor: float) -> str:
    """Return an amount with two decimals, exact for whole minor units.

    >>> amount_text(1399093), amount_text(-5)
    ('13,990.93', '-0.05')
    """
    sign, rest = "-" if minor < 0 else "", abs(minor)
    if not isinstance(minor, int):
        return f"{sign}{rest / 100:,.2f}"
    return f"{sign}{rest // 100:,}.{rest % 100:02d}"


def share_text(part: float, whole: float) -> str:
    """Return a percentage; a share of nothing has no value.

    >>> share_text(1, 3), share_text(0, 0)
    ('33.3%', '–')
    """
    return f"{100 * part / whole:.1f}%" if whole else "–"


# --- the table ----------------------------------------------------------------------------------


@frozen
class Column:
    """What stands above a column; figures stand to the right."""

    head: str
    right: bool = False


@frozen
class Line:
    """One line of a cell that has more than text.

    ``mark`` stands before it and ``note`` smaller below it. A note is for pages: text for a
    terminal leaves it out.
    """

    text: str
    note: str = ""
    mark: str = ""
    code: bool = False

    def html(self) -> str:
        """Return the line as markup."""
        text = f"<code>{escape(self.text)}</code>" if self.code else escape(self.text)
        mark = f"<b>{escape(self.mark)}</b> " if self.mark else ""
        note = f'<small style="display:block">{escape(self.note)}</small>' if self.note else ""
        return f"<div>{mark}{text}{note}</div>"

    def __str__(self) -> str:
        """Return the line as text."""
        return f"{self.mark} {self.text}".strip()


Cell = str | Line | tuple[Line, ...]


def _rows(rows: Iterable[Iterable[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(row) for row in rows)


@frozen
class Table:
    """Heads, rows and how they are aligned.

    >>> sizes = Table(
    ...     (Column("layer"), Column("customers", right=True)), (("new", "12"), ("流失客户", "7"))
    ... )
    >>> print(sizes.text())
    layer     customers
    new              12
    流失客户          7
    >>> Table((Column("layer"),), (("<b>",),)).html().partition("<tbody>")[2]
    '<tr><td style="text-align:left;vertical-align:top">&lt;b&gt;</td></tr></tbody></table>'
    """

    columns: tuple[Column, ...] = field(converter=tuple[Column, ...])
    rows: tuple[tuple[Cell, ...], ...] = field(converter=_rows)
    title: str = ""

    def __attrs_post_init__(self) -> None:
        lengths = {len(self.columns), *map(len, self.rows)}
        if len(lengths) > 1:
            shown = {"columns": len(self.columns)} | {
                f"row {number}": len(row) for number, row in enumerate(self.rows)
            }
            raise UnequalColumnsError("table", shown)

    @property
    def heads(self) -> tuple[str, ...]:
        """What stands above the columns."""
        return tuple(column.head for column in self.columns)

    def text(self) -> str:
        """Return aligned lines for a terminal, where Chinese letters take two columns."""
        return "\n".join((*([printable(self.title)] if self.title else ()), *self.lines()))

    def lines(self, *, heads: bool = True) -> Iterator[str]:
        """Return the aligned lines of the table without its title."""
        block = [[_lines(head) for head in self.heads]] if heads else []
        block += [[_lines(cell) for cell in row] for row in self.rows]
        widths = [
            max((columns_of(line) for row in block for line in row[place]), default=0)
            for place in range(len(self.columns))
        ]
        for row in block:
            for line in zip_longest(*row, fillvalue=""):
                padded = map(_padded, line, widths, self.columns)
                yield "  ".join(padded).rstrip()

    def html(self, kind: str = "") -> str:
        """Return one table element that takes letters and colours from the page around it."""
        looks = [f"text-align:{'right' if each.right else 'left'}" for each in self.columns]
        top = "".join(
            f'<th scope="col" style="{look}">{escape(head)}</th>'
            for head, look in zip(self.heads, looks, strict=True)
        )
        body = "".join(f"<tr>{''.join(map(_datum, row, looks))}</tr>" for row in self.rows)
        name = f' class="{escape(kind)}"' if kind else ""
        title = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        head = f"<thead><tr>{top}</tr></thead>" if any(self.heads) else ""
        return f"<table{name}>{title}{head}<tbody>{body}</tbody></table>"


def _lines(cell: Cell) -> list[str]:
    if isinstance(cell, str):
        return [printable(cell)]
    found = (cell,) if isinstance(cell, Line) else cell
    return [printable(str(line)) for line in found] or [""]


def _padded(text: str, width: int, column: Column) -> str:
    gap = " " * (width - columns_of(text))
    return gap + text if column.right else text + gap


def _datum(cell: Cell, look: str) -> str:
    lines = (cell,) if isinstance(cell, Line) else cell
    inside = escape(lines) if isinstance(lines, str) else "".join(x.html() for x in lines)
    return f'<td style="{look};vertical-align:top">{inside}</td>'


# --- results that show themselves -----------------------------------------------------------------


class Shown(ABC):
    """A result of many that shows itself.

    It gives its columns and says what its table holds; rows and the picture that a notebook
    draws follow from them.
    """

    __slots__ = ()

    @abstractmethod
    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns of equal length by name; days and instants as datetime64."""

    @abstractmethod
    def to_table(self, language: Language = "en") -> Table:
        """Return what the result says as a table of counts; it names no customer."""

    def to_tables(self, language: Language = "en") -> tuple[Table, ...]:
        """Return everything that a notebook shows of the result."""
        return (self.to_table(language),)

    def to_rows(self) -> Iterator[dict[str, Any]]:
        """Return the columns row by row, as plain values by name; None where one is missing."""
        columns = self.to_columns()
        for row in zip(*map(_plain, columns.values()), strict=True):
            yield dict(zip(columns, row, strict=True))

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return "".join(table.html() for table in self.to_tables())


def _plain(column: NDArray[Any]) -> list[Any]:
    kind = column.dtype.kind
    if kind == "M" and column.dtype != "datetime64[D]":
        column = column.astype("datetime64[us]")  # Python knows no nanoseconds
    found: list[Any] = column.tolist()
    return [None if x != x else x for x in found] if kind == "f" else found  # noqa: PLR0124


def counted(
    counts: Mapping[str, int],
    what: Head,
    language: Language = "en",
    *,
    heads: tuple[Head, Head] = (Head.CUSTOMERS, Head.SHARE_OF_CUSTOMERS),
) -> Table:
    """Return counts by name with their shares of all.

    >>> print(counted({"gold": 1, "silver": 3}, Head.GRADE).text())
    grade   customers  share of customers
    gold            1               25.0%
    silver          3               75.0%
    """
    whole = sum(counts.values())
    rows = ((name, count_text(n), share_text(n, whole)) for name, n in counts.items())
    named = figures(head.label(language) for head in heads)
    return Table((Column(what.label(language)), *named), rows)


def spread(columns: Mapping[str, NDArray[Any]], what: Head, language: Language = "en") -> Table:
    """Return for every column how many values are known, and their mean and median."""
    rows = ((name, *_middle(column)) for name, column in columns.items())
    heads = (Head.KNOWN, Head.MISSING, Head.MEAN, Head.MEDIAN)
    first = Column(what.label(language))
    return Table((first, *figures(head.label(language) for head in heads)), rows)


def _middle(column: NDArray[Any]) -> tuple[str, ...]:
    import numpy as np

    kind, missing = column.dtype.kind, np.zeros(len(column), bool)
    if kind in "fmM":
        missing = column != column  # noqa: PLR0124  neither NaN nor NaT equals itself
    elif kind == "U":
        missing = column == ""
    known = column[~missing]
    counted = count_text(len(known)), count_text(int(missing.sum()))
    if kind not in "biuf" or not len(known):
        return (*counted, "–", "–")
    return (*counted, f"{known.mean():,.2f}", f"{np.median(known):,.2f}")


def headline(name: str, size: int, unit: str, counts: Mapping[str, int], behind: str = "") -> str:
    """Return one line for programmers: sizes and counts, and nothing of any one customer.

    >>> headline("Outcomes", 3, "customers", {"new": 2, "lost": 1, "active": 0})
    'Outcomes(3 customers: 2 new, 1 lost)'
    """
    said = [f"{number:,} {which}" for which, number in counts.items() if number]
    more = [f"{len(said) - _MOST} more"] if len(said) > _MOST else []
    listed = f": {', '.join(said[:_MOST] + more)}" if said else ""
    what, gap, rest = unit.partition(" ")
    one = what.removesuffix("ies") + "y" if what.endswith("ies") else what.removesuffix("s")
    return f"{name}({size:,} {one if size == 1 else what}{gap}{rest}{listed}{behind})"


def checked(language: Language) -> Language:
    """Return the language if there is one of that name."""
    if language not in {"en", "zh"}:
        raise UnknownNameError("language", language, ("en", "zh"))
    return language


def figures(heads: Iterable[str]) -> tuple[Column, ...]:
    """Return columns of figures, which stand to the right."""
    return tuple(Column(head, right=True) for head in heads)


def titled(table: Table, title: str) -> Table:
    """Return a table under a title."""
    return evolve(table, title=title)
