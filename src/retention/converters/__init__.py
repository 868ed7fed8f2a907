"""Values of the library as plain data and back: dicts, lists, texts and numbers, as JSON has.

Every record carries a kind and a version from the first day, so what is stored today can be
read by every later release:
``{"kind": "purchase", "version": 1, "customer": "C-17", "at": "2024-06-30", ...}``. The plain
form of a part stands unchanged in the plain form of the whole. Keys have a fixed order.

- A date is ``2024-06-30``. An instant keeps its offset, and its zone where it names one:
  ``2024-06-30T18:00:00+08:00[Asia/Shanghai]``. Offset and zone are both kept; should a later
  zone database disagree with the offset, the offset decides, so the instant is the same.
- Money is whole minor units beside a currency, a rule is its text, a tuple is a list.
- An enumeration is its value; where a field takes any kind of value, the enumeration is
  named: ``{"layer": "new"}``. There ``{"time": "2024-06-30"}`` is a time. Numbers that JSON has
  not are ``{"number": "inf"}`` and ``{"fraction": "1/3"}``, and a value of a policy that is
  still open is ``{"blank": clause}``.
- A column is its type and its values: ``{"dtype": "int64", "values": [3, 70]}``; a table has a
  ``shape`` beside them, its values row by row.
- An account of points is its facts; lots, holds and balances are summed again.
- A policy keeps the ``sources`` of its values: origin and clause, and the cited value where
  the policy has another one by now. It is validated as if it were made by hand.

Every public value has a kind, but for those that are made again from others in one call: the
:class:`~retention.handbook.Assessment` of a whole company, a result for reports whose parts
can be stored one by one; facts and commands prepared for a calculation (``Seen``, ``View``,
``Codes`` and what a machine returns for them); columns of cases and of points, which are made
of stored facts, and what they answer; and forms of measures, for which their name stands.

Files and databases are not touched here. This room needs the extra ``converters``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from retention.mechanisms.errors import MissingExtraError
from retention.mechanisms.words import Word

try:
    from cattrs import BaseConverter
    from cattrs.preconf.json import JsonConverter
    from cattrs.preconf.json import make_converter as _json_converter
except ImportError as _cause:
    raise MissingExtraError("retention.converters", "cattrs", "converters") from _cause

from retention.converters._kinds import KINDS, VERSION
from retention.converters._records import is_ours, plain_for
from retention.converters._words import WORDS

__all__ = [
    "KINDS",
    "VERSION",
    "WORDS",
    "configure_converter",
    "from_plain",
    "make_converter",
    "to_plain",
]


def to_plain(value: object, *, words: Iterable[type[Word]] = ()) -> Any:  # noqa: ANN401
    """Return a value of the library as plain data that ``json.dumps`` takes.

    ``words`` are enumerations of your own that occur in it, as outcomes or states.

    >>> from datetime import date
    >>> from retention import Return
    >>> to_plain(Return("C-17", date(2024, 6, 30), 12_50, currency="CNY"))
    {'kind': 'return', 'version': 1, 'customer': 'C-17', 'at': '2024-06-30', 'amount_minor': 1250, \
'order': '', 'currency': 'CNY'}
    """
    return plain_for(tuple(words)).write(value)


def from_plain(data: object, *, words: Iterable[type[Word]] = ()) -> Any:  # noqa: ANN401
    """Return the value that plain data write, validated as if it were made by hand.

    >>> from_plain({"kind": "trailing", "version": 1, "count": 30, "unit": "d"})
    Trailing(count=30, unit=<Unit.DAY: 'd'>)
    >>> from_plain({"kind": "trailing", "version": 1, "cuont": 30, "unit": "d"})
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.UnknownNameError: trailing: there is no cuont; known: kind, \
version, count, unit; perhaps 'count'
    """
    return plain_for(tuple(words)).read(data, "")


def configure_converter(converter: BaseConverter, *, words: Iterable[type[Word]] = ()) -> None:
    """Teach a converter of cattrs the values of this library; it learns nothing else.

    >>> from cattrs import Converter
    >>> from retention import parse
    >>> converter = Converter()
    >>> configure_converter(converter)
    >>> converter.unstructure([parse("days <= 30")])
    ['days <= 30']
    """
    shape = plain_for(tuple(words)).shape
    converter.register_unstructure_hook_factory(is_ours, lambda hint: shape(hint).write)
    converter.register_structure_hook_factory(
        is_ours, lambda hint: lambda data, _: shape(hint).read(data, "")
    )


def make_converter(*, words: Iterable[type[Word]] = ()) -> JsonConverter:
    """Return a new converter for JSON that knows the values of this library.

    >>> from datetime import date
    >>> from retention import Return
    >>> converter = make_converter()
    >>> text = converter.dumps(Return("C-17", date(2024, 7, 1), 3_00))
    >>> converter.loads(text, Return)
    Return(customer='C-17', at=datetime.date(2024, 7, 1), amount_minor=300, order='', currency='')
    """
    converter = _json_converter()
    configure_converter(converter, words=words)
    return converter
