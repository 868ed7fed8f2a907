"""Tags: one customer and many get the same, and a tag follows its rule from day to day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from attrs import field, mutable

from retention.activity import History
from retention.measures import measured
from retention.mechanisms.answers import Scalar
from retention.mechanisms.obligations import After, Every
from retention.mechanisms.periods import AsOf, When, plus_months, zone_of
from retention.tag_sheets import Evaluated, TagSheet, TagState, replay
from retention.tags import Evaluate, TagLibrary
from retention.testing.laws.agreement import agree, agree_by_customer
from retention.testing.laws.answers import Population, attributes_of, logs_of, names_of
from retention.testing.laws.deadlines import period_of

_DAY = timedelta(days=1)
_ON = {TagState.ASSIGNED, TagState.DUE}


def tags_one_equals_columns(library: TagLibrary, population: Population, *, as_of: When) -> None:
    """``tags`` of one customer are what ``tags_of_all`` says of them, for the same reasons.

    >>> from retention.mechanisms.rules import parse
    >>> from retention.tags import TagRule
    >>> new = TagRule("new", parse("purchases == 1"))
    >>> library = TagLibrary((new,), every=After(months=1))
    >>> tags_one_equals_columns(library, [History("C-1")], as_of=date(2024, 6, 30))
    """
    logs, everyone = logs_of(population), names_of(population)
    pinned = library.pin(*logs, as_of=as_of, customers=everyone)
    many = pinned.tags_of_all(
        *logs, as_of=as_of, customers=everyone, attributes=attributes_of(population)
    )
    one = {x.customer: pinned.tags(x, as_of=as_of) for x in population}
    for rule in library.rules:
        tag, outcomes = rule.key, many.outcomes(rule.key)
        held = dict(zip(many.customers.tolist(), many.has(tag).tolist(), strict=True))
        agree_by_customer(
            "tags_one_equals_columns", f"tag {tag} as of {as_of}",
            tags={name: (tag in x.held, x.explain(tag)) for name, x in one.items()},
            tags_of_all={name: (has, outcomes.explain(name)) for name, has in held.items()},
        )  # fmt: skip


def a_tag_follows_its_rule(library: TagLibrary, history: History, days: Iterable[date]) -> None:
    """Evaluated on these days, each tag is on every day where the machine SM-32 leads by hand.

    Assigned until the interval is over, then due, then expired; asked again only when it is
    not assigned. The recorded spans are the days on which the tag was assigned or due, and
    the facts give the sheet again. Limits on shares must be pinned.

    >>> from retention.mechanisms.rules import parse
    >>> from retention.tags import TagRule
    >>> new = TagRule("new", parse("purchases == 0"))
    >>> library = TagLibrary((new,), every=After(months=1))
    >>> a_tag_follows_its_rule(library, History("C-1"), [date(2024, 1, 31), date(2024, 3, 15)])
    """
    found = sorted(set(days))
    sheet, facts = TagSheet(history.customer), list[Evaluated]()
    hands = {rule.key: _ByHand() for rule in library.rules}
    for number, day in enumerate(found):
        command = Evaluate(history=history, at=day, by="the law")
        answer = library.decide(sheet, command).or_raise()
        sheet, facts = answer.state, [*facts, *answer.facts]
        _evaluate(library, hands, history, day)
        agree("a_tag_follows_its_rule", f"the sheet on {day}", sheet=sheet,
              replay=replay(history.customer, facts))  # fmt: skip
        later = found[number + 1 :]
        _live(sheet, hands, _until(day, later[0] if later else None, hands.values()))
    if found:
        _check_spans(sheet, hands, found)


@mutable
class _ByHand:
    """One tag: its state, when it is due and expires, and the days on which it held."""

    state: TagState = TagState.ABSENT
    due: date = date.max
    last: date = date.max
    held: set[date] = field(factory=set)

    def on(self, day: date) -> TagState:
        """Move to a later day."""
        if self.state in _ON and day > self.last:
            self.state = TagState.EXPIRED
        elif self.state is TagState.ASSIGNED and day >= self.due:
            self.state = TagState.DUE
        return self.state


def _evaluate(library: TagLibrary, hands: dict[str, _ByHand], history: History, day: date) -> None:
    states = {tag: hand.on(day) for tag, hand in hands.items()}
    fixed = {tag for tag, state in states.items() if state is TagState.ASSIGNED}
    due, last = _next(library.every, day)
    for tag, holds in _holding(library, history, day, fixed).items():
        if tag not in fixed:
            hands[tag].state = TagState.ASSIGNED if holds else TagState.ABSENT
            hands[tag].due, hands[tag].last = due, last


def _holding(library: TagLibrary, history: History, day: date, fixed: set[str]) -> dict[str, bool]:
    """Whether each rule holds, the rules that it asks for first."""
    names = {x for rule in library.rules for x in rule.when.measures()}
    facts = [name for name in names if name.removeprefix("has_") not in _tags(library)]
    row: dict[str, Scalar] = measured(history, facts, AsOf.at(day, zone_of(library.zone)))
    found: dict[str, bool] = {}

    def holds(tag: str) -> bool:
        if tag not in found:
            rule = library.rule(tag)
            asked = {f"has_{other}": other in fixed or holds(other) for other in rule.asks}
            found[tag] = bool(rule.when.holds({**row, **asked}))
        return found[tag]

    return {tag: holds(tag) for tag in _tags(library)}


def _tags(library: TagLibrary) -> list[str]:
    return [rule.key for rule in library.rules]


def _next(every: After | Every, day: date) -> tuple[date, date]:
    """From when, and until when, the next evaluation is in time."""
    if isinstance(every, After):
        last = plus_months(day, every.months) + every.days * _DAY
        return last, last
    period = period_of(period_of(day, every.months)[-1] + _DAY, every.months)
    first, last = (period[n - 1 if n > 0 else n] for n in (every.first_day, every.last_day))
    return first, last


def _until(day: date, following: date | None, hands: Iterable[_ByHand]) -> list[date]:
    """The days up to the next evaluation, or until everything has expired."""
    ends = [hand.last for hand in hands if hand.state in _ON]
    end = following or max(ends, default=day) + 2 * _DAY
    return [day + n * _DAY for n in range((end - day).days)]


def _live(sheet: TagSheet, hands: dict[str, _ByHand], days: Sequence[date]) -> None:
    for day in days:
        states = {tag: hand.on(day) for tag, hand in hands.items()}
        for tag, state in states.items():
            if state in _ON:
                hands[tag].held.add(day)
            case = f"tag {tag} on {day}"
            agree("a_tag_follows_its_rule", case, sheet=sheet.state(tag, on=day), by_hand=state)
        held = {tag for tag, state in states.items() if state in _ON}
        agree("a_tag_follows_its_rule", f"the tags on {day}", sheet=set(sheet.tags(on=day)),
              by_hand=held)  # fmt: skip


def _check_spans(sheet: TagSheet, hands: dict[str, _ByHand], days: Sequence[date]) -> None:
    """Until the last evaluation; what holds since then is not over yet."""
    asked = [days[0] + n * _DAY for n in range((days[-1] - days[0]).days)]
    for tag in (each.finding.tag for each in sheet.assignments):
        spans = sheet.history(tag)
        agree(
            "a_tag_follows_its_rule", f"the days of tag {tag} until {days[-1]}",
            history=[str(day) for day in asked if spans.held(day)],
            by_hand=[str(day) for day in asked if day in hands[tag].held],
        )  # fmt: skip
