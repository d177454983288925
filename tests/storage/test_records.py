"""Records, keys and caches: order, limits, versions."""

from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.samples import an_id, answer, at
from writeit.domain.answer import AIResponse, ResponseFailure, StreamingResponse
from writeit.domain.document import RunDocument
from writeit.domain.entity import Entity, TokenUsage
from writeit.domain.errors import InvalidParams
from writeit.domain.primer import RunPrimer, StylePrimer
from writeit.domain.run import (
    MergePart,
    Passage,
    PipelineRun,
    PreviousStepState,
    StepState,
)
from writeit.storage import keys, mapping, records
from writeit.storage.cache import LruCache, cached_bytes
from writeit.storage.records import (
    PreferencesRecord,
    PrimerRecord,
    Record,
    RecordTooNew,
    ResponseRecord,
    SharedTexts,
    StoredText,
    decode_record,
    encode_record,
)

TIMES = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001 -- hypothesis adds the zone
    timezones=st.sampled_from([timezone(timedelta(hours=h)) for h in (-11, 0, 5)]),
)


class Note(Record):
    """A record of version 3, which grew a field and renamed one."""

    VERSION: ClassVar[int] = 3
    UPCASTS = (
        lambda old: {**old, "author": "unknown"},
        lambda old: {"words": old["text"], "author": old["author"]},
    )
    words: StoredText
    author: str


def no_text(digest: str) -> str:
    """There are no texts here."""
    raise LookupError(digest)


def test_an_old_record_is_upcast_step_by_step() -> None:
    """From whichever version it has."""
    expected = Note(v=3, words="w", author="unknown")
    assert decode_record(Note, b'{"v":1,"text":"w"}', no_text) == expected
    assert (
        decode_record(Note, b'{"v":2,"text":"w","author":"unknown"}', no_text)
        == expected
    )
    raw = encode_record(expected, SharedTexts())
    assert raw == b'{"v":3,"words":"w","author":"unknown"}'
    assert decode_record(Note, raw, no_text) == expected


class LaterPreferences(PreferencesRecord):
    """Preferences of a later version, which called the theme something else before."""

    VERSION: ClassVar[int] = 2
    UPCASTS = (lambda old: {"preferences": {"theme": old["preferences"]["colours"]}},)


def test_preferences_are_upcast_as_all_records_are() -> None:
    """Before they are validated."""
    record = decode_record(
        LaterPreferences, b'{"v":1,"preferences":{"colours":"x"}}', no_text
    )
    assert record.preferences.theme == "x"


def test_a_newer_record_is_refused() -> None:
    """It is not guessed at."""
    with pytest.raises(RecordTooNew):
        decode_record(Note, b'{"v":4,"words":"w","author":"a"}', no_text)


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"", b'{"v":"1"}', b'{"v":0}', b"\xff"])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    """With one kind of error."""
    with pytest.raises(ValueError, match=r".*"):
        decode_record(Note, raw, no_text)


@given(st.text(), st.text())
def test_any_text_comes_back(short: str, part: str) -> None:
    """Also one that looks like a reference, and long ones by reference."""
    for words in (short, part * 300, '{"text":"' + part):
        texts = SharedTexts()
        note = Note(v=3, words=words, author=short)
        raw = encode_record(note, texts)
        kept = {digest: data.decode() for digest, data in texts.by_digest.items()}
        assert decode_record(Note, raw, kept.__getitem__) == note
        assert bool(kept) == (len(words.encode()) >= 256)


@pytest.mark.parametrize("raw", ["\n\n words \n", "words", "```\nw\n```", "a\0b"])
def test_a_cleaned_text_within_the_raw_one_is_a_slice(raw: str) -> None:
    """And any other is kept as it is."""
    for cleaned in (raw.strip(), raw, "else entirely", ""):
        response = answer(1, raw).evolve(processed_content=cleaned)
        texts = SharedTexts()
        encoded = encode_record(mapping.response_record(response), texts)
        kept = {digest: data.decode() for digest, data in texts.by_digest.items()}
        record = decode_record(ResponseRecord, encoded, kept.__getitem__)
        assert mapping.response_entity(record) == response
        assert (b"processed_content" in encoded) == (cleaned not in raw)


def test_numbers_without_end_come_back() -> None:
    """JSON has no word for them."""
    usage = TokenUsage(
        prompt_tokens=1, completion_tokens=1, total_tokens=2, cost_usd=float("inf")
    )
    response = answer(1, processing_time=float("inf"), usage_stats=usage)
    texts = SharedTexts()
    raw = encode_record(mapping.response_record(response), texts)
    kept = {digest: data.decode() for digest, data in texts.by_digest.items()}
    record = decode_record(ResponseRecord, raw, kept.__getitem__)
    assert mapping.response_entity(record) == response


@pytest.mark.parametrize(
    ("entity", "record", "elsewhere"),
    [
        (PipelineRun, records.RunRecord, {"steps"}),
        (StepState, records.StepRecord, {"ai_responses"}),
        (AIResponse, records.ResponseRecord, set()),
        (TokenUsage, records.TokenUsageRecord, set()),
        (StreamingResponse, records.StreamingRecord, {"text", "thoughts"}),
        (ResponseFailure, records.FailureRecord, set()),
        (Passage, records.PassageRecord, set()),
        (MergePart, records.MergePartRecord, set()),
        (PreviousStepState, records.BeforeRegenerationRecord, set()),
        (RunPrimer, records.RunPrimerRecord, set()),
        (RunDocument, records.DocumentRecord, set()),
        (StylePrimer, PrimerRecord, set()),
    ],
)
def test_every_field_of_an_entity_has_its_place(
    entity: type[Entity], record: type[Record], elsewhere: set[str]
) -> None:
    """A field that is new in `core` needs one in its record, and a thought."""
    assert set(entity.model_fields) <= set(record.model_fields) | elsewhere


# Keys


@pytest.mark.rule("more-key-5")
@given(TIMES, TIMES)
def test_keys_of_times_sort_as_the_times_do(one: datetime, two: datetime) -> None:
    """Whatever zone they were given in."""
    index = keys.recent_runs("local")
    first, second = (keys.index_entry(index, moment, an_id(1)) for moment in (one, two))
    assert (first < second) == (one < two)
    assert len(first) - len(index) - 1 == keys.INDEX_SUFFIX_LENGTH
    assert keys.trailing_id(first) == an_id(1)


@pytest.mark.rule("more-key-5")
def test_keys_of_responses_sort_by_their_index() -> None:
    """Beyond ten, too."""
    made = [
        keys.step_response(an_id(1), "draft", index, an_id(99 - index))
        for index in (0, 2, 9, 10, 99)
    ]
    assert made == sorted(made)
    assert {keys.step_of_response(key) for key in made} == {"draft"}


@pytest.mark.rule("more-key-5")
def test_a_key_fits_or_is_refused() -> None:
    """511 bytes, not characters."""
    assert len(keys.config("c" * 504)) == 511
    for name in ("c" * 505, "ü" * 253, ":" * 169):
        with pytest.raises(InvalidParams):
            keys.config(name)
    with pytest.raises(InvalidParams):
        keys.index_entry(keys.run_by_config("c" * 440), at(0), an_id(1))


@pytest.mark.rule("more-key-5")
@given(st.text(max_size=40), st.text(max_size=40))
def test_different_names_have_different_keys(one: str, two: str) -> None:
    """Colons in a name cannot separate it."""
    a, b = (keys.active_session(name, an_id(1)) for name in (one, two))
    assert (a == b) == (one == two)
    prefix = keys.active_sessions_prefix(one)
    assert b.startswith(prefix) == (one == two)


def test_every_reserved_key_is_of_its_kind() -> None:
    """The patterns of the data model and additional ones, literally."""
    run: Any = an_id(1)
    assert keys.lease(run) == f"lease:{run}".encode()
    assert keys.branch_parent(run) == f"branch_parent:{run}".encode()
    assert keys.primer("academic") == b"primer:academic"


# The cache


def test_the_cache_is_bounded_by_bytes() -> None:
    """The least recently used are removed first; one that is too big is not kept."""
    cache = LruCache(100_000, cached_bytes)
    for number in range(1, 30):
        cache.add(an_id(number), answer(number, "x" * 5_000))
        assert cache.get(an_id(1)) is not None
        assert cache.size <= 100_000
    assert cache.get(an_id(2)) is None
    assert cache.get(an_id(29)) is not None
    cache.add(an_id(99), answer(99, "x" * 200_000))
    assert cache.size <= 100_000
