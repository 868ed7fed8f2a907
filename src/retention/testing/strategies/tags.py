"""Libraries of tags that nobody wrote: rules over measures, and rules over other tags."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from retention.mechanisms.obligations import After, Every
from retention.mechanisms.rules import Rule
from retention.tags import TagLibrary, TagRule, tagged
from retention.testing.strategies.rules import MEASURES, rules
from retention.testing.strategies.times import ZONE

_NAMES = ("first", "second", "third", "fourth")
_RHYTHMS: tuple[After | Every, ...] = (
    After(months=1), After(days=10), After(months=2, days=3), Every(months=1), Every(months=3),
    Every(months=1, first_day=5, last_day=10), Every(months=6, first_day=-17),
)  # fmt: skip


def tag_libraries(
    *, measures: Iterable[str] = MEASURES, max_tags: int = 3, zone: str = ZONE
) -> SearchStrategy[TagLibrary]:
    """Libraries of a few tags; some rules ask for another tag, and every rhythm occurs.

    >>> from hypothesis import find
    >>> library = find(
    ...     tag_libraries(measures=["purchases"]),
    ...     lambda each: any(rule.asks for rule in each.rules),
    ... )
    >>> [(rule.key, rule.asks) for rule in library.rules]
    [('first', ()), ('second', ('first',))]
    """
    return _libraries(rules(measures=list(measures), max_limits=2), max_tags, zone)


@st.composite
def _libraries(draw: DrawFn, one: SearchStrategy[Rule], most: int, zone: str) -> TagLibrary:
    found: list[TagRule] = []
    number = draw(st.integers(1, min(most, len(_NAMES))))
    every: After | Every = draw(st.sampled_from(_RHYTHMS))
    for name in _NAMES[:number]:
        rule, asks, held = draw(one), draw(st.booleans()), draw(st.booleans())
        if found and asks:
            other = tagged(draw(st.sampled_from(found)).tag).is_(held)
            rule = draw(st.sampled_from((other, rule & other, rule | other)))
        found.append(TagRule(name, rule))
    if draw(st.booleans()):  # rules may stand before those that they ask for
        found.reverse()
    return TagLibrary(tuple(found), every=every, zone=zone)
