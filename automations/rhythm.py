"""When a schedule is due: five fields of cron by a wall clock, or every so many seconds. Pure.

Where the clocks go forward, a time that does not exist is due as much later as the clocks jumped, and a moment is due
once, however many times of the day fall on it. Where they go back, a time that exists twice is due at its first, unless
the schedule is for every hour: that goes on hour by hour.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import BadInput, Problem

LEAST_S, MOST_S = 60, 366 * 86_400
_DAY = timedelta(days=1)
_LONG_AGO = datetime.min  # noqa: DTZ901 (by a wall clock)
_MOST_JUMPED = timedelta(hours=3)  # by clocks that go forward or back
_LOOK_AHEAD = 8 * 366 + 1  # days: from one 29 February to the next across a year without one
_LOOK_BACK = timedelta(days=366)  # of a longer standstill the rest is not counted
_MONTHS = {word: at for at, word in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WEEKDAYS = {word: at for at, word in enumerate("sun mon tue wed thu fri sat".split())}
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)


class Rhythm(Protocol):
    """When something is due. Moments are aware, and told in UTC."""

    def after(self, moment: datetime) -> datetime:
        """The first due moment that is later."""
        ...

    def newest(self, first: datetime, until: datetime) -> tuple[datetime, int]:
        """The last due moment up to `until`, and how many lie before it from `first` on, which is due itself."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds, counted from a moment."""

    seconds: int
    since: datetime

    def after(self, moment: datetime) -> datetime:
        """See Rhythm."""
        step = timedelta(seconds=self.seconds)
        return max(self.since, self.since + ((moment - self.since) // step + 1) * step)

    def newest(self, first: datetime, until: datetime) -> tuple[datetime, int]:
        """See Rhythm."""
        step = timedelta(seconds=self.seconds)
        passed = (until - first) // step
        return first + passed * step, passed


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields, by the wall clock of a zone."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both kinds of day are restricted: then one of them is enough
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime:
        """See Rhythm."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None) - _MOST_JUMPED
        days = (wall.date() + n * _DAY for n in range(_LOOK_AHEAD))
        for today, tomorrow in pairwise(days):
            later = [one for one in self._moments(today, wall) if one > moment]
            if later:
                # Of a day whose end was jumped over, the rest falls on the next, which may have an earlier one.
                return min(later + [one for one in self._moments(tomorrow, wall) if one > moment])
        raise _refused("CRON_NEVER", "No day is ever like that.", "cron")

    def newest(self, first: datetime, until: datetime) -> tuple[datetime, int]:
        """See Rhythm."""
        first = max(first, until - _LOOK_BACK)
        day, last = first.astimezone(self.zone).date() - _DAY, until.astimezone(self.zone).date() + _DAY
        due = {first}
        while day <= last:
            due.update(one for one in self._moments(day) if first <= one <= until)
            day += _DAY
        return max(due), len(due) - 1

    def _moments(self, day: date, begin: datetime = _LONG_AGO) -> Iterator[datetime]:
        """Of that day, in no order; those that the wall clock has before `begin` are left out."""
        if day.month not in self.months or not self._is_on(day):
            return
        folds = (0, 1) if len(self.hours) == 24 else (0,)
        for hour in self.hours:
            for minute in self.minutes:
                if datetime(day.year, day.month, day.day, hour, minute) < begin:  # noqa: DTZ001 (a wall has no zone)
                    continue
                for fold in folds:
                    wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone, fold=fold)
                    if fold == 0 or (wall.utcoffset() != wall.replace(fold=0).utcoffset() and _exists(wall)):
                        yield wall.astimezone(UTC)

    def _is_on(self, day: date) -> bool:
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_date or by_weekday if self.either_day else by_date and by_weekday


def _exists(wall: datetime) -> bool:
    """In a gap, fold 1 would be due before the clocks jumped."""
    return wall.astimezone(UTC).astimezone(wall.tzinfo).replace(tzinfo=None, fold=0) == wall.replace(
        tzinfo=None, fold=0
    )


def read(*, cron: str, every_s: int | None, zone: str, since: datetime) -> Rhythm:
    """The rhythm; exactly one of `cron` and `every_s` is given. Raises BadInput, naming what is wrong."""
    if bool(cron) == (every_s is not None):
        raise _refused("RHYTHM_AMBIGUOUS", "Say either cron or everyS.", "cron")
    if every_s is not None:
        if not LEAST_S <= every_s <= MOST_S:
            raise _refused("EVERY_INVALID", f"everyS is from {LEAST_S} seconds to a year.", "everyS")
        return Every(every_s, since)
    return parse_cron(cron, read_zone(zone))


def read_zone(name: str) -> ZoneInfo:
    """Raises BadInput where there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        sentence = f"There is no time zone {name[:60]!r}; there is Europe/Berlin, for instance, and UTC."
        raise _refused("ZONE_UNKNOWN", sentence, "timeZone") from None


@lru_cache(maxsize=512)
def parse_cron(text: str, zone: ZoneInfo) -> Cron:
    """`minute hour day-of-month month day-of-week`. Raises BadInput, saying which field is wrong."""
    words = text.lower().split()
    if len(words) != len(_FIELDS):
        raise _refused("CRON_INVALID", "cron has five fields: minute, hour, day, month, day of the week.", "cron")
    minutes, hours, days, months, weekdays = (_field(word, *field) for word, field in zip(words, _FIELDS, strict=True))
    either = not words[2].startswith("*") and not words[4].startswith("*")
    found = Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either, zone)
    found.after(datetime(2024, 1, 1, tzinfo=UTC))  # refuses a day that never comes
    return found


def _field(word: str, name: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            low = least if span == "*" else _number(first, names)
            high = most if span == "*" or (slash and not dash) else _number(last, names) if dash else low
            by = _number(step, {}) if slash else 1
        except ValueError:
            raise _field_refused(part, name) from None
        if not least <= low <= high <= most or by < 1:
            raise _field_refused(part, name)
        found.update(range(low, high + 1, by))
    return frozenset(found)


def _number(word: str, names: Mapping[str, int]) -> int:
    if word in names:
        return names[word]
    if not (word.isascii() and word.isdigit() and len(word) <= 3):
        raise ValueError(word)
    return int(word)


def _field_refused(part: str, name: str) -> BadInput:
    return _refused("CRON_INVALID", f"cron: {part[:20]!r} is no {name}.", "cron")


def _refused(code: str, sentence: str, path: str) -> BadInput:
    return BadInput(sentence, problems=[Problem(code=code, message=sentence, path=path)])
