"""Numbers with units in English and German texts, in digits and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from writeit.text.language import FUNCTION_WORDS, Language

Bound = Literal["", "about", "over", "under"]
"""What the words before a number say: it is rounded, and to which side."""
Key = tuple[str | int | None, ...]
"""What is compared: a fact has been found if the notes have one of its keys."""
Unit = tuple[str, float]
"""What a unit measures, and how many of the first unit of that measure it is."""

_UNITS = """
%: 1 % percent per-cent pct prozent percentage-point prozentpunkt prozentig
time: 1 s second sekunde; 1 sec sek sekündig; 1e-3 msec; 60 min m minute minütig
time: 3600 h hr hour std stunde stündig; 86400 d day tag tage tagen tägig
time: 604800 wk week woche wöchig
month: 1 month monat monatig; 12 yr year jahr jährig
byte: 1 b byte; 1e3 kib; 1e6 mib; 1e9 gib
bit: 1 bit; 1e3 kbps; 1e6 mbps; 1e9 gbps
metre: 1 m metre meter; 1609.344 mi mile meile
inch: 1 inch zoll ″; 12 ft foot feet fuß
gram: 1 g gram gramm; 1e3 kilo; 1e6 t tonne
lb: 1 lb pound pfund
m²: 1 m² m2 square-metre square-meter quadratmeter; 1e4 ha hectare hektar
m²: 1e6 km² km2 square-kilometre square-kilometer quadratkilometer
litre: 1 l litre liter
°C: 1 °c c degrees-celsius celsius grad-celsius grad degree
°F: 1 °f f degrees-fahrenheit fahrenheit grad-fahrenheit degree
hertz: 1 hz hertz
watt: 1 w watt
Wh: 1 wh watt-hour wattstunde
volt: 1 v volt
dB: 1 db decibel dezibel
pixel: 1 px pixel
$: 1 $ usd dollar us-dollar
€: 1 € eur euro
£: 1 £ gbp pound pfund
¥: 1 ¥ jpy yen
CHF: 1 chf franken
times: 1 x \N{MULTIPLICATION SIGN} time fold mal fach
"""
"""What is measured, how many of its first unit a unit is, and how it is written."""
_SMALLER = (
    "n=1e-9 nano=1e-9 µ=1e-6 μ=1e-6 u=1e-6 micro=1e-6 mikro=1e-6 m=1e-3 milli=1e-3"
)
_LARGER = "k=1e3 kilo=1e3 m=1e6 mega=1e6 g=1e9 giga=1e9 t=1e12 tera=1e12"
_LENGTHS = f"{_SMALLER} c=1e-2 centi=1e-2 zenti=1e-2 k=1e3 kilo=1e3"
_PREFIXES = {
    **dict.fromkeys(("byte", "bit", "hertz", "watt", "Wh"), _LARGER),
    **dict.fromkeys(("metre", "gram", "litre"), _LENGTHS),
    "time": _SMALLER,
}
_SHORT = 3
SPELLINGS: dict[str, list[Unit]] = {}
for _measure, _unit in (
    (line.partition(":")[0], unit)
    for line in _UNITS.strip().splitlines()
    for unit in line.partition(":")[2].split(";")
):
    _factor, *_names = _unit.split()
    for _name in _names:
        SPELLINGS.setdefault(_name, []).append((_measure, float(_factor)))
    for _prefix in _PREFIXES.get(_measure, "").split() if _factor == "1" else ():
        _letters, _, _size = _prefix.partition("=")
        for _name in _names:
            if (len(_letters) == 1) == (len(_name) < _SHORT or _name == "bit"):
                SPELLINGS.setdefault(_letters + _name, [(_measure, float(_size))])
for _name, _found in [*SPELLINGS.items()]:
    for _ending in ("s", "e", "n", "en", "es", "er", "em"):
        if len(_name) > (_SHORT if _ending != "s" else _SHORT - 1):
            SPELLINGS.setdefault(_name + _ending, _found)
NO_UNIT: Unit = ("", 1.0)
_CURRENCIES = frozenset(("$", "€", "£", "¥", "CHF"))
_SCALES = {
    **dict.fromkeys(("k", "tsd", "thousand", "tausend"), 1e3),
    **dict.fromkeys(("m", "mn", "mio", "million", "millions", "millionen"), 1e6),
    **dict.fromkeys(("b", "bn", "billion", "mrd", "milliarde", "milliarden"), 1e9),
    **dict.fromkeys(("tn", "trillion", "billionen"), 1e12),
}
_JOINED_SCALES = frozenset("kmb")
"""Read as a scale only directly behind the digits."""

_ENGLISH_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen"
    " fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty"
    " sixty seventy eighty ninety"
)
_GERMAN_WORDS = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn"
    " vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig"
    " fünfzig sechzig siebzig achtzig neunzig"
)
_VALUES = (*map(float, range(20)), *map(float, range(20, 100, 10)))
_ENGLISH = dict(zip(_ENGLISH_WORDS.split(), _VALUES, strict=True))
_GERMAN = dict(zip(_GERMAN_WORDS.split(), _VALUES, strict=True)) | {
    **dict.fromkeys(("eins", "eine", "einer", "einem", "einen"), 1.0),
    "zwo": 2.0,
    "anderthalb": 1.5,
    "dutzend": 12.0,
}
_GERMAN_UNIT = re.compile(
    r"(.{3,40}?)(fach|mal|prozentig|tägig|jährig|monatig|stündig|minütig|wöchig)"
    r"(?:e[mnrs]?)?"
)
_MULTIPLES = {"hundred": 100.0, "dozen": 12.0, "thousand": 1e3}
_FIXED = {
    **dict.fromkeys(("half", "hälfte"), (50.0, "%")),
    **dict.fromkeys(("quarter", "viertel"), (25.0, "%")),
    **dict.fromkeys(("twice", "double", "doubled", "doppelt"), (2.0, "times")),
}
"""Words in the notes that an article may write as a number."""
_LABEL_WORDS = "figure fig table step part chapter section page abbildung tabelle"
LABELS = frozenset(f"{_LABEL_WORDS} schritt teil kapitel abschnitt seite".split())
"""What a text numbers itself."""
_ORDINALS = frozenset(("st", "nd", "rd", "th", "er", "te", "ten", "ter", "tes"))

_ABOUT = "about around roughly approximately approx some circa ca etwa rund ungefähr"
_UNDER = "nearly almost under below knapp fast nahezu beinahe unter less fewer weniger"
_BOUNDS: dict[str, Bound] = {
    **dict.fromkeys((*_ABOUT.split(), "zirka", "gut", "~", "≈", "close"), "about"),
    **dict.fromkeys(("over", "above", "über", "more", "mehr"), "over"),
    **dict.fromkeys(_UNDER.split(), "under"),
}
_BETWEEN = frozenset(("than", "als", "to", "a", *_CURRENCIES))
"""What may be between such a word and the number."""

_TOKEN = re.compile(
    r"(?P<digits>(?<![^\W\d_])\d{1,3}(?P<group>[.,'\u2019 \u00a0\u2009\u202f])\d{3}"
    r"(?:(?P=group)\d{3})*(?:[.,]\d+)?(?!\d|[.,]\d)|\d+(?:[.,]\d+)*)"
    r"|k?m2(?!\w)|[^\W\d_]+|[%$€£¥\u00d7″~≈]|°[CF]?"
)
_GROUPS = re.compile(r"['\u2019 \u00a0\u2009\u202f]")
_NEAR = re.compile(
    r"[ \t\u00a0\u2009\u202f]{0,3}|[ \t]*(?:\r\n|\n|\r)[ \t]*|[-\u2010\u2011]"
)
"""What is between a number and its unit."""
_RANGE = re.compile(r"\s*(?:[-\u2010-\u2015]|to|bis)\s*[$€£¥]?\s*")
_PAIR = re.compile(r"\s*(?:,|and|und|or|oder)\s*[$€£¥]?\s*")
_DIFFERENCE = re.compile(
    r"\s+(?:\w+\s+){0,2}?(?:more|less|fewer|further|farther|mehr|weniger"
    r"|(?:long|short|high|low|fast|slow|lat|earli|old|young|heavi|light|wid|larg|small"
    r"|läng|kürz|höh|nied?rig|schnell|langsam|spät|früh|ält|jüng|schwer|leicht)er)\b"
)
"""Behind the difference between two numbers."""
_BETWEEN_TWO = (["between"], ["zwischen"])
_BY = (["by"], ["um"])
_SENTENCE_END = re.compile(r"[.!?;:](?:\s|$)|\n\s*\n")
_SHARE = re.compile(r"\s*(?:in|of|out of|von|aus)\s*(?:the |den |der )?")
_MAX_DIGITS = 40
_SMALL = 12
_COMMON_DIGITS = 2
"""A number with more digits that count is seldom in the notes for something else."""
_TEN, _TWENTY = 10, 20
REACH = 0.15
"""How far a rounded number may be off, of itself."""


@dataclass(frozen=True, slots=True)
class Amount:
    """One reading of a number."""

    value: float
    """With its scale: 5 million is 5,000,000."""
    unit: Unit
    noun: str
    """The word behind a number without a unit, "" if there is none."""
    bound: Bound
    is_small_word: bool
    """Whether it is one of "two" to "twelve" without a unit."""
    is_difference: bool = False
    """Whether it may be the difference between two numbers: it rose by 5."""

    @property
    def size(self) -> float:
        """In the first unit of its measure."""
        return self.value * self.unit[1]

    @property
    def measures(self) -> tuple[str, ...]:
        """What it may measure; anything if nothing is behind it, as in a table."""
        return (self.unit[0],) if self.unit[0] or self.noun else ("", "alone")

    def wanted(self) -> Iterator[Key]:
        """Yield the keys of which the notes must have one."""
        if self.unit[0]:
            yield self.unit[0], f"{self.size:.9g}"
            yield "alone", f"{self.value:.9g}"
        else:
            value = f"{self.value:.9g}"
            is_rare = len(value.replace(".", "").rstrip("0")) > _COMMON_DIGITS
            yield "any" if is_rare or not self.noun else "counted", value

    def given(self) -> Iterator[Key]:
        """Yield the keys that it adds to those of the notes."""
        value = f"{self.value:.9g}"
        yield "any", value
        if self.unit[0]:
            yield self.unit[0], f"{self.size:.9g}"
            return
        yield "counted", value
        yield ("noun", self.noun) if self.noun else ("alone", value)

    def is_rounding_of(self, given: float, own: float) -> bool:
        """Return whether "about" its size or value may stand for another."""
        digits = f"{own:.9e}".split("e")[0].rstrip("0").replace(".", "")
        step = abs(own) / int(digits or 1) * (5 if digits[-1:] == "5" else 1)
        is_other_side = given < own if self.bound == "over" else given > own
        if self.bound != "about" and is_other_side:
            return False
        reach = step / 2 if self.bound == "about" else step
        return abs(given - own) <= min(reach, abs(own) * REACH) * (1 + 1e-9)


@dataclass(slots=True)
class Number:
    """A number in a text, while it is read and after."""

    first: int
    """Its token."""
    values: list[float]
    stop: int
    """The token behind it."""
    literal: str = ""
    """The number itself, where it is a version or too long to be read."""
    is_word: bool = False
    is_loose: bool = False
    """Whether only notes are searched for it: "half", "one", the 4 of "GPT-4"."""
    forms: list[tuple[float, list[Unit]]] = field(default_factory=list)
    """Its scale with its units; more than one if it is unclear: 5m."""
    start: int = 0
    end: int = 0
    readings: tuple[Amount, ...] = ()


class NumberReader:
    """Reads the numbers of a part of a text."""

    def __init__(self, text: str, language: Language, start: int, end: int) -> None:
        self._text = text
        self._language = language
        self._tokens = list(_TOKEN.finditer(text, start, end))
        self._lower = [token[0].lower() for token in self._tokens]

    def read(self) -> list[Number]:
        """Return the numbers in their order."""
        numbers: list[Number] = []
        at = 0
        while at < len(self._tokens):
            number = self._number(at)
            if number is None:
                at += 1
                continue
            if not number.forms:
                self._read_unit(number)
            numbers.append(number)
            at = number.stop
        for first, second in reversed([*pairwise(numbers)]):
            self._share_unit(first, second)
        for first, second in pairwise(numbers):
            self._repeat_unit(first, second)
        for number in numbers:
            self._finish(number)
        return numbers

    def _number(self, at: int) -> Number | None:
        if self._tokens[at]["digits"]:
            return self._digits(at)
        word = self._lower[at]
        value, stop = self._english(at)
        if stop > at:
            is_idiom = self._lower[at] in {"a", "an"} and stop == at + 2
            return Number(at, [value], stop, is_word=True, is_loose=is_idiom)
        if word in _FIXED:
            value, measure = _FIXED[word]
            forms = [(1.0, [(measure, 1.0)])]
            return Number(at, [value], at + 1, is_loose=True, forms=forms)
        if (german := _german(word)) is not None:
            is_idiom = word in {"hundert", "tausend"}
            return Number(at, [german], at + 1, is_word=True, is_loose=is_idiom)
        attached = _GERMAN_UNIT.fullmatch(word)
        if attached and (german := _german(attached[1])):
            return Number(at, [german], at + 1, forms=[(1, SPELLINGS[attached[2]])])
        return None

    def _digits(self, at: int) -> Number:
        token = self._tokens[at]
        before = self._text[max(0, token.start() - 2) : token.start()]
        is_part = before[-1:].isalpha() and self._lower[at - 1] != "v"
        is_part |= before[-1:] == "_" or (
            before[-1:] in "-\u2010\u2011" and before[:1].isupper()
        )
        is_part |= at > 0 and self._lower[at - 1] in LABELS
        values = _values(token[0], self._language)
        literal = "" if values else token[0]
        if literal and (version := re.match(r"\d{1,9}\.\d{1,9}", literal)):
            values = [float(version[0])]
        return Number(at, values, at + 1, literal, is_loose=is_part)

    def _english(self, at: int) -> tuple[float, int]:
        """Return the number in English words at a token, and the token behind it."""
        total, current, stop, word = 0.0, 0.0, at, ""
        if self._lower[at] in {"a", "an"} and self._word(at + 1) in _MULTIPLES:
            current, stop = 1.0, at + 1
        elif self._lower[at] in {"a", "half"}:
            is_half = self._lower[at] == "half"
            stop = at + 1 + (is_half and self._word(at + 1) == "a")
            is_scaled = self._word(stop) in _SCALES or self._word(stop) == "dozen"
            if not is_scaled:
                return 0.0, at
            current = 0.5 if is_half else 1.0
        while stop < len(self._lower) and (stop == at or self._word(stop)):
            before, word = word, self._lower[stop]
            if word in _ENGLISH:
                value, tens = _ENGLISH[word], current % 100
                if tens and (tens < _TWENTY or tens % _TEN or not 0 < value < _TEN):
                    break
                current += value
            elif word in _MULTIPLES and current:
                current *= _MULTIPLES[word]
                if word == "thousand":
                    total, current = total + current, 0.0
            elif (
                word != "and"
                or before not in _MULTIPLES
                or self._word(stop + 1) not in _ENGLISH
            ):
                break
            stop += 1
        return total + current, stop

    # --- what is around a number ------------------------------------------------------

    def _word(self, at: int) -> str:
        """Return the word at a token if it stands directly behind the one before."""
        if not 0 < at < len(self._lower) or self._tokens[at]["digits"]:
            return ""
        between = self._between(at, at)
        is_near = _NEAR.fullmatch(between) or (
            between.strip() == "." and self._lower[at - 1] in _SCALES  # 3 Mio. Euro
        )
        return self._lower[at] if is_near else ""

    def _between(self, first: int, second: int) -> str:
        return self._text[self._tokens[first - 1].end() : self._tokens[second].start()]

    def _read_unit(self, number: Number) -> None:
        if self._lower[number.stop : number.stop + 3] == ["and", "a", "half"]:
            number.values = [value + 0.5 for value in number.values]
            number.stop += 3
        scale, at = 1.0, number.stop
        word = self._word(at)
        is_joined = bool(word) and not self._between(at, at)
        if word in _SCALES and (is_joined or word not in _JOINED_SCALES):
            if word in SPELLINGS:
                number.forms.append((1.0, SPELLINGS[word]))
            scale = _SCALES[word]
            if self._language == "de" and word == "billion":
                scale = 1e12
            number.stop += 1
        elif is_joined and word in _ORDINALS:
            number.stop += 1
        units, number.stop = self._unit(number.stop)
        if is_joined and number.stop == at:
            number.is_loose |= not number.is_word  # a part of a name: 3D
        number.forms.append((scale, [*units, *self._currency(number)]))

    def _unit(self, at: int) -> tuple[list[Unit], int]:
        """Return the readings of the unit at a token, and the token behind it."""
        word = self._word(at)
        for name, stop in ((f"{word}-{self._word(at + 1)}", at + 2), (word, at + 1)):
            if name in SPELLINGS:
                return SPELLINGS[name], stop
        return [], at

    def _currency(self, number: Number) -> list[Unit]:
        """Return the currency before a number."""
        at = number.first
        if not at or not _NEAR.fullmatch(self._between(at, at)):
            return []
        units = SPELLINGS.get(self._lower[at - 1], [])
        return [unit for unit in units if unit[0] in _CURRENCIES]

    def _share_unit(self, first: Number, second: Number) -> None:
        """Give a number the unit of the next: 10 to 20 ms."""
        if any(units or scale != 1 for scale, units in first.forms):
            return
        between = self._between(first.stop, second.first)
        before = self._lower[first.first - 1 : first.first]
        is_pair = _PAIR.fullmatch(between)
        if _RANGE.fullmatch(between) or (is_pair and before in _BETWEEN_TWO):
            first.forms = second.forms
        elif is_pair:
            first.forms = [*first.forms, *second.forms]
        elif _SHARE.fullmatch(between) and first.values and any(second.values):
            share = first.values[0] / second.values[0] * 100
            second.forms.append((share / second.values[0], [("%", 1.0)]))

    def _repeat_unit(self, first: Number, second: Number) -> None:
        """Give a number at an end the unit before, too: 640 MB instead of 1,800."""
        is_bare = second.forms == [(1.0, [])] and not self._word(second.stop)
        if is_bare and not _SENTENCE_END.search(
            self._between(first.stop, second.first)
        ):
            second.forms += first.forms

    def _finish(self, number: Number) -> None:
        first = number.first - bool(self._currency(number))
        bound = self._bound(first, number.stop)
        number.start = self._tokens[first].start()
        number.end = self._tokens[number.stop - 1].end()
        readings = (
            self._amount(number, value * scale, unit, bound)
            for value in number.values
            for scale, units in number.forms
            for unit in units or [NO_UNIT]
        )
        if self._is_difference(first, number):
            readings = (replace(reading, is_difference=True) for reading in readings)
        number.readings = tuple(readings)
        if number.is_word:
            are_one = (r.value <= 1 and r.unit[0] != "%" for r in number.readings)
            number.is_loose |= all(are_one)

    def _is_difference(self, first: int, number: Number) -> bool:
        has_unit = any(units for _, units in number.forms)
        if self._lower[first - 1 : first] in _BY:
            return has_unit or max(number.values, default=0) > _SMALL  # by two people
        return _DIFFERENCE.match(self._text, number.end) is not None

    def _amount(self, number: Number, value: float, unit: Unit, bound: Bound) -> Amount:
        noun = self._word(number.stop)
        if unit[0] == "times":
            unit, noun = NO_UNIT, "time"
        noun = "" if unit[0] or noun in FUNCTION_WORDS else noun.removesuffix("s")
        is_small = number.is_word and unit is NO_UNIT and value <= _SMALL
        return Amount(value, unit, noun, bound, is_small)

    def _bound(self, first: int, stop: int) -> Bound:
        words = [self._lower[at] for at in (first - 1, first - 2) if at >= 0]
        if self._lower[stop : stop + 2] in (["or", "so"], ["oder", "so"]):
            return "about"
        if not words or not _NEAR.fullmatch(self._between(first, first)):
            return ""
        if words[0] in _BETWEEN:
            words = words[1:]
        return _BOUNDS.get(words[0], "") if words else ""


# --- values ---------------------------------------------------------------------------


def _values(digits: str, language: Language) -> list[float]:
    """Return what digits may mean; none for a version, a list or a very long number."""
    plain = _GROUPS.sub("", digits)
    head, *groups = re.split("[.,]", plain)
    marks = re.findall("[.,]", plain)
    if len(plain) > _MAX_DIGITS:
        return []
    if not marks:
        return [float(plain)]
    is_grouped = re.fullmatch(r"[1-9]\d{0,2}(?:([.,])\d{3}(?:\1\d{3})*)?", plain)
    whole = float("".join((head, *groups)))
    decimal = whole / 10 ** len(groups[-1])
    if len(marks) > 1:
        is_decimal = re.fullmatch(r"\d{1,3}(?:(,\d{3})+\.|(\.\d{3})+,)\d+", plain)
        return [whole] if is_grouped else [decimal] if is_decimal else []
    if not is_grouped:
        return [decimal]
    if not language:
        return [whole, decimal]
    return [whole if (marks[0] == ",") == (language == "en") else decimal]


def _german(word: str) -> float | None:
    """Return the value of a German number word, without case."""
    word = word.replace("dreissig", "dreißig")
    if word in _GERMAN or len(word) > _MAX_DIGITS * 2:
        return _GERMAN.get(word)
    if (half := word.removesuffix("einhalb")) != word:
        whole = _german(half)
        return whole and whole + 0.5
    for part, factor in (("tausend", 1000), ("hundert", 100)):
        lead, found, rest = word.partition(part)
        if found:
            first = _german(lead) if lead else 1.0
            second = _german(rest.removeprefix("und")) if rest else 0.0
            return None if first is None or second is None else first * factor + second
    one, _, ten = word.partition("und")
    ones, tens = _GERMAN.get(one, 0), _GERMAN.get(ten, 0)
    return ones + tens if 0 < ones < _TEN and tens >= _TWENTY else None
