"""Rewards: what somebody is to receive, as a request that the ledger or the host carries out.

One shape for points, money, gifts, coupons and upgrades, with the key that makes it happen
once. Rewards for taking part in activities are a table over the result (E-41). When points
expire and how they are booked is decided in ``points``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import ClassVar

from attrs import field, frozen

from retention.mechanisms.answers import Reason, Scalar
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.errors import DuplicateError, InvalidValueError
from retention.mechanisms.policies import Policy, is_blank, policy, read
from retention.mechanisms.rules import Rule
from retention.mechanisms.words import Word


class RewardKind(Word, zh="奖励"):
    """What is given (E-28, E-34, E-41)."""

    POINTS = "points", "积分奖励"
    CASH_BACK = "cash_back", "现金返还"
    GIFT = "gift", "礼品赠送"
    PRIZE = "prize", "奖品"
    COUPON = "coupon", "优惠券"
    BENEFIT_UPGRADE = "benefit_upgrade", "会员权益升级"


COUNTED = (RewardKind.POINTS, RewardKind.CASH_BACK)
"""Kinds with an amount: points, or money in minor units; the others name an article."""


def _kind(given: RewardKind | str) -> RewardKind:
    return chosen(RewardKind, given, "kind")


@frozen
class Reward:
    """A request: give this member so much of something, once under this key.

    >>> Reward("A", "points", 200, reason="referral", source="r-1", key="r-1:referrer").amount
    200
    """

    member: str | int
    kind: RewardKind = field(converter=_kind)
    amount: int = 1  # points, minor units of money, or pieces
    reason: str = field(kw_only=True)
    source: str = field(kw_only=True)  # the referral, activity or change that it comes from
    key: str = field(kw_only=True)
    article: str = field(default="", kw_only=True)  # which gift, prize, coupon or benefit

    def __attrs_post_init__(self) -> None:
        if self.amount < 1:
            raise InvalidValueError("Reward.amount", self.amount, "1 or more")
        if not self.key:
            raise InvalidValueError("Reward.key", self.key, "a text: it is given once under it")


@frozen
class RewardReversal:
    """A request: take back what was given under a key, as far as it was given."""

    member: str | int
    kind: RewardKind = field(converter=_kind)
    amount: int = 1
    reason: str = field(kw_only=True)
    source: str = field(kw_only=True)
    reverses: str = field(kw_only=True)  # the key of the reward
    key: str = field(kw_only=True)


def reversal(reward: Reward, reason: str) -> RewardReversal:
    """Return the request that takes a reward back.

    >>> given = Reward("A", "points", 200, reason="referral", source="r-1", key="r-1:referrer")
    >>> reversal(given, "returned").key
    'r-1:referrer:reversed'
    """
    return RewardReversal(
        reward.member,
        reward.kind,
        reward.amount,
        reason=reason,
        source=reward.source,
        reverses=reward.key,
        key=f"{reward.key}:reversed",
    )


@policy
class ActivityReward(Policy):
    """One row: who reaches this result is given that (E-41)."""

    name: str
    when: Rule
    kind: RewardKind = field(converter=_kind)
    amount: int = read(1, "no amount is named")
    article: str = read("", "no article is named")

    @property
    def key(self) -> str:
        """Name of the row."""
        return self.name


@frozen
class Rewarded:
    """What one participant is given, and the limits of the row that say why."""

    reward: Reward
    reasons: tuple[Reason, ...]


@policy
class ActivityRewards(Policy):
    """Rewards for those who do outstandingly or meet a condition, by the first row that holds.

    >>> from retention.mechanisms.rules import parse
    >>> contest = ActivityRewards(
    ...     (
    ...         ActivityReward("winner", parse("place == 1"), "points", 500),
    ...         ActivityReward(
    ...             "finisher", parse("answers >= 10"), "coupon", article="no_threshold"
    ...         ),
    ...     )
    ... )
    >>> found = contest.grants(
    ...     "quiz", {"a": {"place": 1, "answers": 12}, "b": {"place": 2, "answers": 9}}
    ... )
    >>> [(x.reward.member, x.reward.amount, str(x.reasons[0])) for x in found]
    [('a', 500, 'place 1 is == 1')]
    """

    rows_in: ClassVar[str] = "rows"

    rows: tuple[ActivityReward, ...] = field(converter=tuple)

    def __attrs_post_init__(self) -> None:
        if is_blank(self.rows):
            return
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            raise DuplicateError("activity rewards", names)

    def grants(
        self,
        activity: str,
        results: Mapping[str | int, Mapping[str, Scalar]],
        *,
        given: Collection[str] = (),
    ) -> tuple[Rewarded, ...]:
        """Return the rewards for the results of an activity; ``given`` are keys given before."""
        found = (self._grant(activity, who, row) for who, row in results.items())
        return tuple(each for each in found if each is not None and each.reward.key not in given)

    def _grant(
        self, activity: str, who: str | int, result: Mapping[str, Scalar]
    ) -> Rewarded | None:
        row = next((x for x in self.rows if x.when.holds(result)), None)
        if row is None:
            return None
        reward = Reward(
            who,
            row.kind,
            row.amount,
            reason=row.name,
            source=activity,
            key=f"{activity}:{who}",
            article=row.article,
        )
        return Rewarded(reward, row.when.reasons(result))


def total(
    rewards: Iterable[Reward | RewardReversal], kind: RewardKind | str
) -> dict[str | int, int]:
    """Return what each member has of one kind after rewards and reversals, each key once.

    >>> given = Reward("A", "points", 200, reason="referral", source="r-1", key="k")
    >>> total([given, given, reversal(given, "returned")], "points")
    {'A': 0}
    """
    kind, found, seen = _kind(kind), dict[str | int, int](), set[str]()
    for each in rewards:
        if each.kind is kind and each.key not in seen:
            seen.add(each.key)
            sign = -1 if isinstance(each, RewardReversal) else 1
            found[each.member] = found.get(each.member, 0) + sign * each.amount
    return found
