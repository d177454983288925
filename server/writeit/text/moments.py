"""Dates and times of day in English and German texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from writeit.text.amounts import Key

_MONTH_NAMES = (
    "january jan januar jänner,february feb februar,march mar märz mrz,april apr,"
    "may mai,june jun juni,july jul juli,august aug,september sept sep,"
    "october oct oktober okt,november nov,december dec dezember dez"
)
MONTHS = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.split(","), start=1)
    for name in names.split()
}
_WEEKDAY_NAMES = (
    "monday montag,tuesday dienstag,wednesday mittwoch,thursday donnerstag,"
    "friday freitag,saturday samstag sonnabend,sunday sonntag"
)
WEEKDAYS = {
    name: number
    for number, names in enumerate(_WEEKDAY_NAMES.split(","))
    for name in names.split()
}
_LONGEST_FIRST = sorted(map(str.title, MONTHS), key=len, reverse=True)
_MONTH = rf"(?P<month>{'|'.join(_LONGEST_FIRST)})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>1[5-9]\d\d|20\d\d)"
_HOUR, _MINUTE = r"(?P<hour>[01]?\d|2[0-3])", r"(?P<minute>[0-5]\d)"
_END = r"(?![\d%])(?![.,]\d)"
_BEFORE_MONTH = (
    "in since until by early late mid- last im seit bis ab Anfang Mitte Ende"
)
_AFTER = "|".join(f"(?<={word}[ -])" for word in _BEFORE_MONTH.replace("-", "").split())
_FORMS = tuple(
    re.compile(rf"(?<![\w.,/-]){form}")
    for form in (
        rf"{_YEAR}-(?P<month>\d\d)(?:-(?P<day>\d\d))?(?:T[\d:.]+Z?)?(?![\w-])",
        rf"(?P<day>\d{{1,2}})\.[ \u00a0]?(?P<month>\d{{1,2}})\.[ \u00a0]?{_YEAR}{_END}",
        rf"(?P<day>\d{{1,2}})(?P<slash>/)(?P<month>\d{{1,2}})/{_YEAR}{_END}",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH},?(?:\s+{_YEAR}{_END})?",
        rf"{_MONTH}\s+{_DAY}(?!\d)(?:,?\s+{_YEAR}{_END})?(?!\s*%)",
        rf"{_MONTH},?\s+(?:of\s+)?{_YEAR}{_END}",
        rf"(?:{_AFTER}){_MONTH}",
        rf"Q(?P<quarter>[1-4])\b(?:[ /]{_YEAR}\b)?",
        rf"(?i:(?P<weekday>{'|'.join(WEEKDAYS)})s?)\b",
        r"(?P<decade>1[5-9]\d0|20\d0)(?:s|er)\b",
        r"(?P<century>[12]?\d)(?:st|nd|rd|th|\.)[ \u00a0-](?i:century|jahrhunderts?)\b",
        rf"{_HOUR}(?:[:.]{_MINUTE})?[ \u00a0\u202f]?(?P<half>(?i:[ap]\.?m)\b|Uhr\b)",
        rf"{_HOUR}:{_MINUTE}(?![\d:])",
    )
)
_NOON = 12
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of a date, or of a time of day; None is what it does not say."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    other: tuple[str, int] | None = None
    """A quarter, a weekday, a decade, a century, or the minutes of a time of day."""

    def wanted(self) -> Iterator[Key]:
        """Yield the keys of which the notes must have one."""
        if self.other:
            yield (*self.other, self.year)
            hour, minute = divmod(self.other[1], 60)
            if self.other[0] == "time" and not minute:  # from 9 to 5 pm
                yield "alone", str(hour)
                yield "alone", str(hour - _NOON)
        else:
            yield "date", self.year, self.month, self.day

    def given(self) -> Iterator[Key]:
        """Yield the keys that it adds to those of the notes."""
        if self.other:
            yield (*self.other, self.year)
            yield (*self.other, None)
        for year in {self.year, None}:
            for month in {self.month, None}:
                yield "date", year, month, None
                if month:
                    yield "date", year, month, self.day
                    yield "quarter", (month + 2) // 3, year
        if self.day and not self.year:
            yield "yearless", self.month, self.day
        if self.year:
            yield "decade", self.year // 10 * 10, None
            yield "century", (self.year + 99) // 100, None
        if self.year and self.month and self.day:
            weekday = date(self.year, self.month, self.day).weekday()
            yield "weekday", weekday, None

    def since(self, other: Moment) -> Iterator[tuple[str, float]]:
        """Yield the years, months and days between two dates, as amounts have them."""
        if self.other and other.other and self.other[0] == other.other[0] == "time":
            yield "time", abs(self.other[1] - other.other[1]) * 60
        if self.year and other.year:
            years = self.year - other.year
            yield "month", abs(years) * 12
            if self.month and other.month:
                yield "month", abs(years * 12 + self.month - other.month)
            if self.month and self.day and other.month and other.day:
                first = date(other.year, other.month, other.day)
                days = date(self.year, self.month, self.day) - first
                yield "time", abs(days.total_seconds())


def find_moments(text: str) -> tuple[dict[tuple[int, int], tuple[Moment, ...]], str]:
    """Return the dates and times of a text by their places, and the rest of it.

    The rest has spaces for them.
    """
    found = {}

    def take(match: re.Match[str]) -> str:
        readings = tuple(_readings(match.groupdict()))
        if readings:
            found[match.span()] = readings
        return " " * len(match[0]) if readings else match[0]

    for form in _FORMS:
        text = form.sub(take, text)
    return found, text


def _readings(groups: dict[str, str | None]) -> Iterator[Moment]:
    year = int(groups.get("year") or 0) or None
    if name := groups.get("weekday"):
        yield Moment(other=("weekday", WEEKDAYS[name.lower()]))
    elif kind := next(filter(groups.get, ("quarter", "decade", "century")), None):
        yield Moment(year, other=(kind, int(groups[kind] or 0)))
    elif groups.get("hour"):
        yield from _times(groups)
    else:
        month = groups.get("month") or ""
        number = int(month) if month.isdecimal() else MONTHS[month.lower()]
        day = int(groups.get("day") or 0) or None
        orders = (
            {(number, day), (day, number)} if groups.get("slash") else {(number, day)}
        )
        yield from (Moment(year, *order) for order in orders if _is_date(year, *order))


def _times(groups: dict[str, str | None]) -> Iterator[Moment]:
    hour, minute = (int(groups.get(name) or 0) for name in ("hour", "minute"))
    half = (groups.get("half") or "").lower()
    if half[:1] in {"a", "p"}:
        hour = hour % _NOON + (_NOON if half[0] == "p" else 0)
    yield Moment(other=("time", hour * 60 + minute))
    if not half and hour < _NOON:
        yield Moment(other=("time", (hour + _NOON) * 60 + minute))


def _is_date(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        date(year or _LEAP_YEAR, month or 0, day or 1)
    except ValueError:
        return False
    return True
