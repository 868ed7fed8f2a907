"""An account of points, point by point and day by day: slow, and nothing like the library.

Every single point is a row with its own history; nobody sums, sorts lots or keeps allocations
apart from that. Dates only, in order.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)
FAR = date(9999, 1, 1)


@dataclass
class Rules:
    """What the oracle is told of a policy."""

    days: int | None = None
    months: int | None = None
    month_end: bool = False
    inactivity: bool = False
    pending: int = 0
    shortfall: str = "debt"
    expired_counts: bool = True
    reinstate: int = 0

    def expiry(self, day: date) -> date:
        """First unusable day."""
        if self.days is not None:
            return day + timedelta(days=self.days + 1)
        if self.months is None:
            return FAR
        month = day.month - 1 + self.months
        year, month = day.year + month // 12, month % 12 + 1
        last = monthrange(year, month)[1]
        return date(year, month, last if self.month_end else min(day.day, last)) + DAY


@dataclass
class Point:
    """One point."""

    lot: int
    place: int  # within its lot
    source: str
    earned: date
    opens: date
    expires: date
    slides: bool = False
    where: str = "lot"  # lot, hold:ID, spent:ID, reversed, paid, dead
    since: int = 0  # when it got there, as a count of moves


@dataclass
class Ledger:
    """All points of one member."""

    rules: Rules
    points: list[Point] = field(default_factory=list)
    holds: dict[str, date] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    owed: dict[str, int] = field(default_factory=dict)  # earned and not reversed, by source
    debt: int = 0
    slides: date = date.min  # until when activity keeps what slides
    today: date = date.min
    lots: int = 0
    moves: int = 0

    def live(self, day: date) -> list[Point]:
        """Points in lots that have not expired."""
        return [x for x in self.points if x.where == "lot" and x.expires > day]

    def order(self, points: list[Point], expiry: date | None = None) -> list[Point]:
        """Soonest to expire first; ``expiry`` is what sliding points would have."""
        return sorted(
            points,
            key=lambda x: (
                max(x.expires, expiry) if x.slides and expiry else x.expires,
                x.earned,
                x.lot,
                x.place,
            ),
        )

    def usable(self, day: date) -> list[Point]:
        return [x for x in self.live(day) if x.opens <= day]

    def until(self, day: date) -> None:
        """Let the days pass: holds lapse on the day after their last."""
        while self.holds:
            soon = min(self.holds.values())
            if soon >= day:
                break
            for name in [name for name, last in self.holds.items() if last == soon]:
                mine = [x for x in self.points if x.where == f"hold:{name}"]
                self.give_back(sorted(mine, key=lambda x: x.since), soon + DAY)
                del self.holds[name]
        self.today = day

    def give_back(self, points: list[Point], day: date) -> None:
        for point in points:
            if point.expires > day and self.debt:
                self.debt -= 1
                point.where = "paid"
            else:
                point.where = "lot"

    def renew(self, day: date) -> None:
        if self.rules.inactivity:
            self.slides = max(self.slides, self.rules.expiry(day))
            for point in self.points:
                if point.slides and point.expires > day:
                    point.expires = max(point.expires, self.rules.expiry(day))

    # --- commands: each says whether it was accepted ---

    def earn(self, day: date, points: int, source: str, expires: date | None) -> bool:
        opens = day + timedelta(days=self.rules.pending)
        slides = self.rules.inactivity and expires is None
        end = expires or self.rules.expiry(day)
        if not slides and end <= opens:
            return False
        self.renew(day)
        self.lots += 1
        for place in range(points):
            point = Point(self.lots, place, source, day, opens, end, slides)
            if self.debt:
                self.debt -= 1
                point.where = "paid"
            self.points.append(point)
        self.owed[f"{source}/{self.lots}"] = points
        return True

    def redeem(self, day: date, points: int, name: str) -> bool:
        if name in self.names or len(self.usable(day)) < points:
            return False
        after = self.rules.expiry(day) if self.rules.inactivity else None
        for point in self.order(self.usable(day), after)[:points]:
            self.spend(point, name)
        self.names.add(name)
        self.renew(day)
        return True

    def spend(self, point: Point, name: str) -> None:
        self.moves += 1
        point.where, point.since = f"spent:{name}", self.moves

    def hold(self, day: date, points: int, name: str, until: date | None) -> bool:
        if name in self.names or len(self.usable(day)) < points or (until and until < day):
            return False
        for point in self.order(self.usable(day))[:points]:
            self.moves += 1
            point.where, point.since = f"hold:{name}", self.moves
        self.names.add(name)
        self.holds[name] = until or FAR
        return True

    def capture(self, day: date, name: str, points: int | None) -> bool:
        mine = sorted((x for x in self.points if x.where == f"hold:{name}"), key=lambda x: x.since)
        if name not in self.holds or (points or 0) > len(mine):
            return False
        cut = points or len(mine)
        for point in mine[:cut]:
            self.spend(point, name)
        self.give_back(mine[cut:], day)
        del self.holds[name]
        self.renew(day)
        return True

    def release(self, day: date, name: str) -> bool:
        if name not in self.holds:
            return False
        mine = sorted((x for x in self.points if x.where == f"hold:{name}"), key=lambda x: x.since)
        self.give_back(mine, day)
        del self.holds[name]
        return True

    def reverse_earning(self, day: date, source: str, points: int | None) -> bool:
        lots = {key: n for key, n in self.owed.items() if key.startswith(f"{source}/")}
        total = sum(lots.values())
        ask = total if points is None else points
        if not total or ask > total:
            return False
        short, gone = 0, list[Point]()
        for key, left in lots.items():
            number, part = int(key.split("/")[1]), min(left, ask)
            ask -= part
            self.owed[key] -= part
            own = [x for x in self.points if x.lot == number and x.where == "lot"]
            if not self.rules.expired_counts:
                own = [x for x in own if x.expires > day]
            others = [x for x in self.order(self.live(day)) if x.lot != number]
            now = [x for x in others if x.opens <= day]
            later = [x for x in others if x.opens > day]
            taken = [*own, *now, *later][:part]
            for point in taken:
                point.where = "reversed"
            gone += taken
            short += part - len(taken)
            if part - len(taken) and self.rules.shortfall == "refuse":
                for point in gone:
                    point.where = "lot"
                self.owed.update(lots)
                return False
        if self.rules.shortfall == "debt":
            self.debt += short
        return True

    def reverse_redemption(self, day: date, name: str, points: int | None) -> bool:
        spent = [x for x in self.points if x.where == f"spent:{name}"]
        ask = len(spent) if points is None else points
        if not spent or ask > len(spent):
            return False
        spent.sort(key=lambda x: -x.since)
        fresh = list[Point]()
        # The last taken comes back first; of one lot it does not matter which point.
        back = spent[:ask]
        lots = list(dict.fromkeys(x.lot for x in back))
        for point in sorted(back, key=lambda x: lots.index(x.lot)):
            window = (
                point.expires + timedelta(days=self.rules.reinstate)
                if self.rules.reinstate
                else day
            )
            again = point.expires <= day < window
            if (again or point.expires > day) and self.debt:
                self.debt -= 1
                point.where = "paid"
            elif again:
                point.where = "dead"
                fresh.append(point)
            else:
                point.where = "lot"
        if fresh:
            self.lots += 1
            end = day + timedelta(days=self.rules.reinstate + 1)
            self.points += [
                Point(self.lots, place, "", day, day, end) for place, _ in enumerate(fresh)
            ]
        return True

    def adjust(self, day: date, points: int) -> bool:
        if points < 0:
            if len(self.usable(day)) < -points:
                return False
            for point in self.order(self.usable(day))[:-points]:
                point.where = "reversed"
            return True
        slides = self.slides > day
        end = self.slides if slides else self.rules.expiry(day)
        self.lots += 1
        for place in range(points):
            point = Point(self.lots, place, "", day, day, end, slides)
            if self.debt:
                self.debt -= 1
                point.where = "paid"
            self.points.append(point)
        return True

    def balance(self, day: date) -> tuple[int, int, int, int, int]:
        """Available, pending, held, debt and expired at the end of a day without new facts."""
        held = sum(x.where.startswith("hold:") for x in self.points)
        expired = sum(x.where == "lot" and x.expires <= day for x in self.points)
        now = len(self.usable(day))
        return now, len(self.live(day)) - now, held, self.debt, expired
