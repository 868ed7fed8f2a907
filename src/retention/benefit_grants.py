"""Benefits that come with an occasion: birthdays, anniversaries, the first days of a newcomer.

Each is given once for its occasion: a birthday once a year (E-25, VAR-05), an anniversary once
(E-26), a newcomer benefit once per user (E-27). What becomes due, and why, is a function of
the dates; a second grant is refused. Messages are not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from attrs import field, frozen

from retention.benefits import AcquiredRight, Benefit, BenefitKind
from retention.earning import BirthdayWindow, LeapBirthday, birthday_in
from retention.mechanisms.answers import Accepted, Code, Reason, Refused, Scalar
from retention.mechanisms.choices import member as chosen
from retention.mechanisms.decisions import FirstMatch
from retention.mechanisms.periods import plus_days
from retention.mechanisms.policies import Policy, policy, read
from retention.mechanisms.words import Word


class Occasion(Word, zh="场合"):
    """When a benefit is given."""

    BIRTHDAY = "birthday", "生日"
    MEMBERSHIP_ANNIVERSARY = "membership_anniversary", "入会纪念日"
    FIRST_PURCHASE_ANNIVERSARY = "first_purchase_anniversary", "首购纪念日"
    NEWCOMER = "newcomer", "新人"


class BirthdayBenefit(Word, zh="生日福利"):
    """Forms of the birthday benefit (E-25, VAR-05)."""

    DISCOUNT = "discount", "生日折扣"
    GIFT = "gift", "生日礼品"
    FREE_SERVICE = "free_service", "免费服务"
    COUPON = "coupon", "生日优惠券"
    DOUBLE_POINTS = "double_points", "积分加倍"
    NONE = "none", "仅祝福"


@frozen
class BenefitGranted:
    """A benefit was given on an occasion; the fact that the store keeps."""

    member: str | int
    occasion: Occasion
    kind: str  # the form or kind of benefit
    on: date
    by: str
    key: str  # once: member, occasion, and year or kind
    through: date | None = None  # the last day on which it can be used
    reasons: tuple[Reason, ...] = field(default=(), eq=False)

    def right(self, benefit: Benefit, version: str) -> AcquiredRight:
        """Return the right to use a benefit that this grant brought (E-35)."""
        return AcquiredRight(self.member, benefit, version, since=self.on, through=self.through)


@policy
class AnniversaryBenefit(Policy):
    """What is given on one kind of anniversary, from which year on (E-26)."""

    occasion: Occasion = field(converter=lambda x: chosen(Occasion, x, "occasion"))
    gives: str
    from_year: int = read(1, "no first year is named")

    @property
    def key(self) -> str:
        """Name of the row."""
        return self.occasion.value


@policy
class OccasionBenefits(Policy):
    """What a handbook gives on birthdays, anniversaries and to newcomers (E-25 to E-27).

    ``birthday`` decides by tier and spend of the past year; a grant stays as it was given when
    these rows change.

    >>> from retention.mechanisms.decisions import Case
    >>> from retention.mechanisms.rules import parse
    >>> rows = OccasionBenefits(
    ...     birthday=FirstMatch(
    ...         (Case(BirthdayBenefit.GIFT, parse("tier == 'gold'")),),
    ...         otherwise=BirthdayBenefit.DISCOUNT,
    ...     ),
    ...     birthday_window=BirthdayWindow.DAY,
    ... )
    >>> born, known = date(1992, 2, 29), {"tier": "gold"}
    >>> given = rows.grant_birthday("M-1", born, known, on=date(2025, 2, 28), by="crm").or_raise()
    >>> given.facts[0].kind, given.facts[0].key
    ('gift', 'M-1:birthday:2025')
    >>> str(
    ...     rows.grant_birthday(
    ...         "M-1", born, known, on=date(2025, 2, 28), by="crm", given=given.facts
    ...     )
    ... )
    'grant while birthday: already granted (M-1:birthday:2025); allowed now: nothing'
    """

    birthday: FirstMatch[BirthdayBenefit] | None = read(None, "no birthday benefit")
    birthday_window: BirthdayWindow = read(BirthdayWindow.DAY, "no window is named")
    leap: LeapBirthday = read(LeapBirthday.FEB_28, "no word on 29 February")
    anniversaries: tuple[AnniversaryBenefit, ...] = field(
        default=read((), "no anniversary benefit"), converter=tuple
    )
    newcomer: tuple[BenefitKind, ...] = field(
        default=read((), "no newcomer benefit"), converter=tuple
    )
    # How many days after its own a grant can be used; None: without an end.
    valid_days: int | None = read(None, "no validity is named")

    def grant_birthday(
        self,
        member: str | int,
        born: date,
        known: Mapping[str, Scalar],
        *,
        on: date,
        by: str,
        given: Iterable[BenefitGranted] = (),
    ) -> Accepted[tuple[BenefitGranted, ...], BenefitGranted] | Refused:
        """Give the birthday benefit of a year, by what is known of the member (E-25).

        ``known`` holds what the table asks for, such as tier and spend of the past year; a
        window of a month takes every day of it (VAR-05).
        """
        occasion = Occasion.BIRTHDAY
        if self.birthday is None:
            return _refused(occasion, Code.NOT_ENTITLED, "birthday_benefit")
        kept = birthday_in(on.year, born, self.leap)
        if not self._in_window(kept, on):
            return _refused(occasion, Code.NOT_THE_DAY, str(kept))
        found = self.birthday.decide(known)
        if found.outcome is BirthdayBenefit.NONE:
            return _refused(occasion, Code.NOT_ENTITLED, "birthday_benefit")
        key = f"{member}:{occasion}:{on.year}"
        return self._grant(
            BenefitGranted(
                member, occasion, found.outcome.value, on, by, key, self._through(on), found.reasons
            ),
            given,
        )

    def grant_anniversary(
        self,
        member: str | int,
        occasion: Occasion,
        since: date,
        *,
        on: date,
        by: str,
        given: Iterable[BenefitGranted] = (),
    ) -> Accepted[tuple[BenefitGranted, ...], BenefitGranted] | Refused:
        """Give what an anniversary of ``since`` brings, on its day, once a year (E-26)."""
        row = next((x for x in self.anniversaries if x.occasion is occasion), None)
        years = on.year - since.year
        if row is None or years < row.from_year:
            return _refused(occasion, Code.NOT_ENTITLED, f"year_{max(years, 0)}")
        kept = birthday_in(on.year, since, self.leap)
        if kept != on:
            return _refused(occasion, Code.NOT_THE_DAY, str(kept))
        key = f"{member}:{occasion}:{on.year}"
        why = Reason("years", years, f">= {row.from_year}", held=True)
        return self._grant(
            BenefitGranted(member, occasion, row.gives, on, by, key, self._through(on), (why,)),
            given,
        )

    def grant_newcomer(
        self,
        member: str | int,
        kind: BenefitKind | str,
        *,
        on: date,
        by: str,
        given: Iterable[BenefitGranted] = (),
    ) -> Accepted[tuple[BenefitGranted, ...], BenefitGranted] | Refused:
        """Give a newcomer benefit, each kind once per user (E-27).

        >>> rows = OccasionBenefits(newcomer=[BenefitKind.NEWCOMER_PACK])
        >>> day = date(2024, 3, 1)
        >>> pack = rows.grant_newcomer("u", "newcomer_pack", on=day, by="crm").or_raise().facts
        >>> again = rows.grant_newcomer("u", "newcomer_pack", on=day, by="crm", given=pack)
        >>> again.code.value
        'already_granted'
        """
        kind, occasion = chosen(BenefitKind, kind, "kind"), Occasion.NEWCOMER
        if kind not in self.newcomer:
            return _refused(occasion, Code.NOT_ENTITLED, kind.value)
        key = f"{member}:{occasion}:{kind}"
        granted = BenefitGranted(member, occasion, kind.value, on, by, key, self._through(on))
        return self._grant(granted, given)

    def calendar(
        self,
        *,
        born: date | None = None,
        joined: date | None = None,
        first_purchase: date | None = None,
        since: date,
        until: date,
    ) -> tuple[tuple[date, Occasion, int], ...]:
        """Return the days on which something becomes due, with the year that it is.

        >>> rows = OccasionBenefits(
        ...     anniversaries=[AnniversaryBenefit("membership_anniversary", "gift")]
        ... )
        >>> found = rows.calendar(
        ...     joined=date(2024, 2, 29), since=date(2025, 1, 1), until=date(2025, 12, 31)
        ... )
        >>> [(str(day), occasion.value, year) for day, occasion, year in found]
        [('2025-02-28', 'membership_anniversary', 1)]
        """
        days = {
            Occasion.MEMBERSHIP_ANNIVERSARY: joined,
            Occasion.FIRST_PURCHASE_ANNIVERSARY: first_purchase,
        }
        rows = [(x.occasion, days.get(x.occasion), x.from_year) for x in self.anniversaries]
        if self.birthday is not None:
            rows.append((Occasion.BIRTHDAY, born, 0))
        found = (
            (day, occasion, year)
            for occasion, first, least in rows
            if first is not None
            for day, year in self._days(first, least, since, until)
        )
        return tuple(sorted(found))

    def _days(
        self, first: date, least: int, since: date, until: date
    ) -> Iterator[tuple[date, int]]:
        for year in range(max(since.year, first.year + least), until.year + 1):
            day = birthday_in(year, first, self.leap)
            if since <= day <= until and day >= first:
                yield day, year - first.year

    def _in_window(self, kept: date, on: date) -> bool:
        """Whether a grant on a day is in the window of a birthday; the whole unit counts."""
        if self.birthday_window is BirthdayWindow.DAY:
            return kept == on
        months = 3 if self.birthday_window is BirthdayWindow.QUARTER else 1
        return (kept.month - 1) // months == (on.month - 1) // months

    def _through(self, on: date) -> date | None:
        return None if self.valid_days is None else plus_days(on, self.valid_days)

    def _grant(
        self, granted: BenefitGranted, given: Iterable[BenefitGranted]
    ) -> Accepted[tuple[BenefitGranted, ...], BenefitGranted] | Refused:
        before = tuple(given)
        if any(each.key == granted.key for each in before):
            return _refused(granted.occasion, Code.ALREADY_GRANTED, granted.key)
        return Accepted((*before, granted), (granted,))


def _refused(occasion: Occasion, code: Code, missing: str) -> Refused:
    return Refused(code, (occasion.value, "grant"), (missing,))
