"""Tags: declarative rules, for one customer and for many, evaluated again at intervals.

A tag rule is data: limits on measures and attributes (C-30 to C-32). A rule may ask for
another tag through the measure ``has_<tag>``; rules that ask for themselves are refused.
Since when a customer has a tag is kept in ``tag_sheets``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from attrs import field, frozen

from retention import measures
from retention.activity import History
from retention.classifications import Classification
from retention.mechanisms.acts import Command, repeated
from retention.mechanisms.answers import Accepted, Code, Problem, Refused
from retention.mechanisms.decisions import Case, Decision, FirstMatch
from retention.mechanisms.errors import DuplicateError, InvalidValueError, UnknownNameError
from retention.mechanisms.obligations import After, Every
from retention.mechanisms.periods import AsOf, When, local_date, zone_of
from retention.mechanisms.policies import Policy, is_blank, policy
from retention.mechanisms.rules import Limit, Measure, Rule, parse
from retention.mechanisms.tables import (
    Column,
    Head,
    Shown,
    Table,
    count_text,
    figures,
    headline,
    share_text,
)
from retention.mechanisms.words import Language, Word
from retention.regrading import next_window
from retention.tag_sheets import (
    TAGGING,
    Evaluated,
    Finding,
    TagCommand,
    TagEvent,
    TagSheet,
    TagState,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from retention.logs import InteractionLog, PurchaseLog
    from retention.mechanisms.outcomes import Outcomes
    from retention.summaries import Attributes

_ASKS = "has_"


class Tag(Word):
    """Tags that 004 names (C-30); a library may hold others."""

    HIGH_VALUE = "high_value", "高价值客户"
    ACTIVE = "active", "活跃客户"
    POTENTIAL_CHURN = "potential_churn", "潜在流失客户"


class RecencyBasis(Word):
    """What recency is counted from: 002 the last purchase, 004 the last interaction (C-31)."""

    PURCHASE = "purchase", "最近一次购买"
    INTERACTION = "interaction", "最近一次互动"

    @property
    def measure(self) -> Measure[float]:
        """The measure to write rules with.

        >>> str(RecencyBasis.INTERACTION.measure <= 30)
        'days_since_interaction <= 30'
        """
        return measures.measure(f"days_since_{self.value}")


def tagged(tag: str) -> Measure[bool]:
    """Return the measure that says whether a customer has a tag, to write other rules with.

    >>> str(tagged(Tag.ACTIVE).is_(False))
    'has_active == False'
    """
    return Measure(_ASKS + tag)


def _rule(given: Rule | str) -> Rule:
    """Read a rule that came as text, as one does that fills a blank."""
    return parse(given) if isinstance(given, str) else given


@policy
class TagRule(Policy):
    """One tag and the rule that gives it; the source stands beside the rule.

    >>> rule = TagRule(Tag.HIGH_VALUE, measures.spend_minor >= 10_000_00)
    >>> print(rule.table.decide({"spend_minor": 12_000_00}))
    high_value: spend_minor 1200000 is >= 1000000
    """

    tag: str
    when: Rule = field(converter=_rule)

    def __attrs_post_init__(self) -> None:
        if not (_ASKS + self.tag).isidentifier():
            raise InvalidValueError("tag", self.tag, "a name such as high_value")

    @property
    def key(self) -> str:
        """Name of the row: the tag."""
        return str(self.tag)

    @property
    def asks(self) -> tuple[str, ...]:
        """Other tags that the rule asks for."""
        names = () if is_blank(self.when) else self.when.measures()
        return tuple(name.removeprefix(_ASKS) for name in names if name.startswith(_ASKS))

    @cached_property
    def table(self) -> FirstMatch[str]:
        """The rule as a table of two outcomes: the tag, and ``no_<tag>``."""
        return FirstMatch((Case(self.key, self.when),), otherwise=f"no_{self.tag}")


@frozen(kw_only=True)
class Evaluate(Command):
    """Evaluate the tags of one customer from the history as it is known."""

    name: ClassVar[TagCommand] = TagCommand.EVALUATE
    history: History = field(repr=False)

    def body(self) -> dict[str, Any]:
        """Return what makes two evaluations the same: the customer, and who asks."""
        return {"customer": self.history.customer, "by": self.by}


@policy
class TagLibrary(Policy):
    """Every tag rule, and how often tags are evaluated again (C-30, C-33).

    An assigned tag keeps the interval under which it was evaluated; the next evaluation uses
    the rules in force by then.

    >>> library = TagLibrary(
    ...     (
    ...         TagRule(Tag.ACTIVE, measures.days_since_interaction <= 30),
    ...         TagRule(Tag.POTENTIAL_CHURN, tagged(Tag.ACTIVE).is_(False)),
    ...     ),
    ...     every=After(months=1),
    ... )
    >>> found = library.tags(History("C-17"), as_of=date(2024, 3, 1))
    >>> found.held, str(found.decisions["active"].passed_over["active"][0])
    (('potential_churn',), 'days_since_interaction is missing (wanted <= 30)')
    >>> TagLibrary((TagRule("vip", tagged("vip").is_(True)),), every=After(months=1))
    Traceback (most recent call last):
    ...
    retention.mechanisms.errors.InvalidValueError: tag rules: vip -> vip is not allowed; allowed: \
rules that do not ask for themselves
    """

    rows_in: ClassVar[str] = "rules"

    rules: tuple[TagRule, ...] = field(converter=tuple)
    every: Every | After = field(kw_only=True)
    population: Rule | None = None  # whom a share is a share of
    zone: str = "Asia/Shanghai"

    def __attrs_post_init__(self) -> None:
        names = [rule.key for rule in self.rules]
        if len(set(names)) < len(names):
            raise DuplicateError("tags", names)
        if not names:
            raise InvalidValueError("tags", (), "one rule or more")
        for rule in self.rules:
            for tag in rule.asks:
                if tag not in names:
                    known = tuple(_ASKS + name for name in names)
                    raise UnknownNameError(f"tag rule {rule.tag}", _ASKS + tag, known)
        _in_order(self.rules)

    def rule(self, tag: str) -> TagRule:
        """Return the rule of a tag; raise when there is none."""
        found = {rule.key: rule for rule in self.rules}
        if tag not in found:
            raise UnknownNameError("tag", tag, tuple(found))
        return found[tag]

    # --- one customer ---------------------------------------------------------------------------

    def tags(self, history: History, *, as_of: When) -> Tagged:
        """Return the tags of one customer with the evidence for each (C-30)."""
        return Tagged(history.customer, self._decisions(history, as_of, frozenset()))

    def decide(
        self, state: TagSheet, command: Evaluate, *, earlier: Iterable[Evaluated] = ()
    ) -> Accepted[TagSheet, Evaluated] | Refused:
        """Evaluate what is absent, due or expired; a tag that is not due yet stays (SM-32).

        >>> library = TagLibrary(
        ...     (TagRule("new", measures.purchases.is_(1)),), every=After(months=1)
        ... )
        >>> command = Evaluate(history=History("C-17"), at=date(2024, 3, 1), by="monthly job")
        >>> library.decide(TagSheet("C-17"), command).state.assignment("new").evaluated_on
        datetime.date(2024, 3, 1)
        """
        if command.history.customer != state.customer:
            raise InvalidValueError("history", command.history.customer, "the sheet's customer")
        again = repeated(state, command, earlier, given="evaluated", allowed=(command.name,))
        if again is not None:
            return again
        day = local_date(command.at, zone_of(self.zone))
        if state.last is not None and day < state.last:
            given = ("evaluated", command.name)
            return Refused(Code.NAMES_MISSING, given, ("later_time",), (command.name,))
        findings = tuple(self._findings(state, command, day))
        if not findings:
            return Accepted(state)
        who, key = command.history.customer, command.key
        fact = Evaluated(who, findings, at=command.at, by=command.by, on=day, key=key)
        return Accepted(state.apply(fact), (fact,))

    def _findings(self, sheet: TagSheet, command: Evaluate, day: date) -> Iterator[Finding]:
        states = {rule.key: sheet.state(rule.key, on=day) for rule in self.rules}
        fixed = frozenset(tag for tag, state in states.items() if state is TagState.ASSIGNED)
        window = next_window(self.every, day, zone_of(self.zone))
        last = window.last_day
        # An interval is due on its last day; a calendar period as soon as it begins.
        first = last if isinstance(self.every, After) else local_date(window.opens, window.zone)
        for tag, found in self._decisions(command.history, command.at, fixed).items():
            holds = found.outcome == tag
            event = TagEvent.RULE_TRUE if holds else TagEvent.RULE_FALSE
            nothing_to_remove = states[tag] is TagState.ABSENT and not holds
            if nothing_to_remove or not isinstance(TAGGING.step(states[tag], event), Refused):
                yield Finding(tag, holds, found.explain(), first, last)

    def _decisions(
        self, history: History, as_of: When, fixed: frozenset[str]
    ) -> dict[str, Decision[str]]:
        """Every tag's decision; those that are fixed count as held when others ask for them."""
        row = measures.measured(history, self._measures, self._at(as_of))
        found: dict[str, Decision[str]] = {}
        for rule in _in_order(self.rules):
            found[rule.key] = rule.table.decide(row)
            holds = rule.key in fixed or found[rule.key].outcome == rule.key
            row = {**row, _ASKS + rule.key: holds}
        return {rule.key: found[rule.key] for rule in self.rules}

    # --- many customers -------------------------------------------------------------------------

    def tags_of_all(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> TagColumns:
        """Return the tags of many customers, a column of booleans for each."""
        from retention.summaries import Summary

        at = self._at(as_of)
        summary = Summary.of(
            self._measures,
            purchases,
            interactions,
            as_of=at,
            customers=customers,
            attributes=attributes,
        )
        columns = summary.columns()
        for rule in _in_order(self.rules):
            columns[_ASKS + rule.key] = rule.when.mask(columns)
        return TagColumns(self, summary.customers, columns, at, summary.left_out, summary.problems)

    def pin(
        self,
        purchases: PurchaseLog,
        interactions: InteractionLog | None = None,
        *,
        as_of: When,
        customers: ArrayLike | None = None,
        attributes: Attributes | None = None,
    ) -> TagLibrary:
        """Turn every limit on a share of the population into a limit on an amount."""

        def amount(limit: Limit) -> Rule:
            if not measures.share_of(limit.measure):
                return limit
            share = FirstMatch((Case(True, limit),), otherwise=False)
            axis = Classification("share", share, self.population, zone=self.zone)
            pinned = axis.pin(
                purchases, interactions, as_of=as_of, customers=customers, attributes=attributes
            )
            return pinned.table.cases[0].when

        rules = (
            rule if is_blank(rule.when) else attrs.evolve(rule, when=rule.when.replaced(amount))
            for rule in self.rules
        )
        return attrs.evolve(self, rules=tuple(rules))

    @property
    def _measures(self) -> tuple[str, ...]:
        names = (name for rule in self.rules for name in rule.when.measures())
        return tuple(dict.fromkeys(name for name in names if not name.startswith(_ASKS)))

    def _at(self, as_of: When) -> AsOf:
        return AsOf.at(as_of, zone_of(self.zone))


def _in_order(rules: tuple[TagRule, ...]) -> tuple[TagRule, ...]:
    """Rules after those that they ask for; refuse rules that ask in a circle."""
    waiting, found = {rule.key: rule for rule in rules}, list[TagRule]()
    while waiting:
        free = [rule for rule in waiting.values() if not set(rule.asks) & waiting.keys()]
        if not free:
            circle = _circle(waiting)
            raise InvalidValueError("tag rules", circle, "rules that do not ask for themselves")
        for rule in free:
            found.append(waiting.pop(rule.key))
    return tuple(found)


def _circle(waiting: Mapping[str, TagRule]) -> str:
    path = [min(waiting)]
    while len(set(path)) == len(path):
        path.append(next(tag for tag in waiting[path[-1]].asks if tag in waiting))
    return " -> ".join(path[path.index(path[-1]) :])


@frozen
class Tagged:
    """The tags of one customer, and the decision about every tag of the library."""

    customer: str | int
    decisions: Mapping[str, Decision[str]] = field(repr=False)

    @property
    def held(self) -> tuple[str, ...]:
        """Tags that the customer has, in the order of the library."""
        return tuple(tag for tag, found in self.decisions.items() if found.outcome == tag)

    def explain(self, tag: str) -> str:
        """Return one line: why the customer has a tag, or why not."""
        if tag not in self.decisions:
            raise UnknownNameError("tag", tag, tuple(self.decisions))
        return self.decisions[tag].explain()


@frozen(eq=False)
class TagMoves(Shown):
    """Customers to whom a tag was added, from whom it was removed, and who kept it."""

    added: NDArray[Any] = field(repr=False)
    removed: NDArray[Any] = field(repr=False)
    kept: NDArray[Any] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of customers who had the tag, have it, or both."""
        return sum(map(len, self._parts.values()))

    def __repr__(self) -> str:
        """Return sizes alone."""
        counts = {str(head): len(part) for head, part in self._parts.items()}
        return headline("TagMoves", len(self), "customers", counts)

    @property
    def _parts(self) -> dict[Head, NDArray[Any]]:
        return {Head.ADDED: self.added, Head.REMOVED: self.removed, Head.KEPT: self.kept}

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, and whether the tag was added, removed or kept."""
        import numpy as np

        names = [np.full(len(part), str(head)) for head, part in self._parts.items()]
        customers = np.concatenate(tuple(self._parts.values()))
        return {"customer": customers, "change": np.concatenate(names)}

    def to_table(self, language: Language = "en") -> Table:
        """Return how many got the tag, lost it and kept it."""
        rows = ((head.label(language), count_text(len(x))) for head, x in self._parts.items())
        heads = Head.CHANGE.label(language), Head.CUSTOMERS.label(language)
        return Table((Column(heads[0]), *figures(heads[1:])), rows)


@frozen(eq=False)
class TagColumns(Shown):
    """The tags of many customers, as columns of booleans."""

    library: TagLibrary = field(repr=False)
    customers: NDArray[Any] = field(repr=False)
    columns: Mapping[str, NDArray[Any]] = field(repr=False)  # measures, and has_<tag>
    as_of: AsOf
    left_out: int = 0
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.customers)

    def has(self, tag: str) -> NDArray[np.bool_]:
        """Return whether each customer has a tag."""
        found: NDArray[np.bool_] = self.columns[_ASKS + self.library.rule(tag).key]
        return found

    def members(self, tag: str) -> NDArray[Any]:
        """Return the customers who have a tag."""
        found: NDArray[Any] = self.customers[self.has(tag)]
        return found

    def counts(self) -> dict[str, int]:
        """Return how many customers have each tag."""
        return {rule.key: int(self.has(rule.key).sum()) for rule in self.library.rules}

    def outcomes(self, tag: str) -> Outcomes[str]:
        """Return one tag as outcomes, to explain it and to see who moved."""
        from retention.mechanisms.outcomes import Outcomes

        table = self.library.rule(tag).table
        return Outcomes.of(table, self.customers, self.columns, self.as_of)

    def compare(self, before: TagColumns) -> dict[str, TagMoves]:
        """Return for every tag who got it, lost it and kept it since an earlier evaluation."""
        import numpy as np

        moves = {}
        for rule in self.library.rules:
            was, now = before.members(rule.key), self.members(rule.key)
            added, removed = np.setdiff1d(now, was), np.setdiff1d(was, now)
            moves[rule.key] = TagMoves(added, removed, np.intersect1d(was, now))
        return moves

    def to_columns(self) -> dict[str, NDArray[Any]]:
        """Return plain columns: customer, and one of booleans for each tag."""
        tags = {rule.key: self.has(rule.key) for rule in self.library.rules}
        return {"customer": self.customers, **tags}

    def __repr__(self) -> str:
        """Return sizes alone."""
        unit = f"customers as of {self.as_of.day}"
        return headline("TagColumns", len(self), unit, self.counts())

    def to_table(self, language: Language = "en") -> Table:
        """Return customers per tag, with their share."""
        names = {str(tag): tag.label(language) for tag in Tag}
        rows = (
            (names.get(tag, tag), count_text(number), share_text(number, len(self)))
            for tag, number in self.counts().items()
        )
        heads = (Head.CUSTOMERS.label(language), Head.SHARE_OF_CUSTOMERS.label(language))
        return Table((Column(Head.TAG.label(language)), *figures(heads)), rows)
