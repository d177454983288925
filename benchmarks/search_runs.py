"""How long searches in many runs take, and how large the index is.

Each run has about 5 KB of text: notes, a prompt with them, and an answer. Its words are
as frequent as in English. A few hundred runs are made by the store; the others are
copies of their records, with ids and texts of their own. The figures are printed, also
bad ones.

    python benchmarks/search_runs.py [COUNT]
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from make_runs import MODELS, PIPELINE, START, Author

from writeit.domain import state_machine
from writeit.domain.answer import Call
from writeit.domain.document import RunDocument
from writeit.domain.events import Event, RunStarted
from writeit.domain.operations import generate, select
from writeit.domain.run import PipelineRun, StepState
from writeit.ports.store import RunCommit, SearchQuery
from writeit.storage.keys import run_by_uri
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.snapshot import Batch
from writeit.storage.store import LmdbStore

COUNT, TEMPLATES = 2_000, 400
NOTES = "file:///notes/77.md"
QUERIES: dict[str, dict[str, object]] = {
    "a frequent word": {"text": "baba"},
    "two frequent words": {"text": "baba baka"},
    "a rare word": {"text": "77mark"},
    "no hit": {"text": "zzz"},
    "the beginning of a word": {"text": "ba*"},
    "the beginning of many words": {"text": "b*"},
    "a phrase": {"text": '"baba baka"'},
    "a phrase that is nowhere": {"text": '"baba baka 77mark"'},
    "frequent words, no phrase": {"text": '"write baba baka"'},
    "a document": {"text": "baba", "uri": NOTES},
    "a model": {"text": "baba", "model": MODELS[1]},
    "a document, another model": {"text": "baba", "uri": NOTES, "model": "none"},
    "feedback, of which there is none": {"text": "baba", "places": ("feedback",)},
}
SYLLABLES = [a + b for a in "bdfghjklmnprstv" for b in "aeiou"][::3]


class Prose:
    """Texts of words of which the n-th is as frequent as 1 / n, as in English."""

    def __init__(self) -> None:
        chosen = random.Random(7)  # noqa: S311 -- the same texts each time
        words = ["".join(chosen.choices(SYLLABLES, k=2 + n // 400)) for n in range(999)]
        words += ["".join(chosen.choices(SYLLABLES, k=4)) for _ in range(40_000)]
        weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
        stock = chosen.choices(
            ["baba", "baka", *words], cum_weights=[0.2, 0.3, *weights], k=2_000_000
        )
        self._stock, self._random = stock, chosen

    def text(self, count: int) -> str:
        """Return a text of so many words; sentences recur, paragraphs do not."""
        starts = (self._random.randrange(1_999_000) for _ in range(count // 20))
        return ". ".join(" ".join(self._stock[at : at + 20]) for at in starts)


def template(author: Author, prose: Prose, number: int) -> RunCommit:
    """Return a run of one step with one chosen answer."""
    notes, run_id = prose.text(240), author._id()  # noqa: SLF001 -- of make_runs
    run = PipelineRun(
        pipeline_run_id=run_id,
        configuration_id=PIPELINE.configuration_id,
        created_at=START,
        updated_at=START,
        current_step="angles",
        user_inputs={"source_material": notes},
        steps={"angles": StepState(step_name="angles")},
        uri=f"file:///notes/{number}.md",
        document=RunDocument(text=notes, title=prose.text(20)[:40]),
    )
    model = MODELS[number % 2]
    call = Call(response_id=author._id(), model=model, generation=1)  # noqa: SLF001 -- as above
    prompt = f"Write about these notes.\n\n{notes}"
    answer = author._answer(call, "angles", prompt, START)  # noqa: SLF001 -- as above
    text = prose.text(460)
    answer = answer.evolve(raw_output=text, processed_content=text)
    events: tuple[Event, ...] = (RunStarted(at=START, run=run),)
    step = run.steps["angles"]
    events += generate.start_generation(run, step, [call], START)
    events += (generate.start_response("angles", call, prompt, START),)
    events += generate.complete_response("angles", answer, START)
    run = state_machine.replay(events)
    events += select.select_response(run, run.steps["angles"], 0, START)
    run = state_machine.replay(events)
    return RunCommit(run=run, events=events, expected_seq=0, configuration=PIPELINE)


def copies(
    store: LmdbStore, runs: list[RunCommit], prose: Prose, count: int, first: int
) -> Iterator[dict[bytes, bytes]]:
    """Yield the records of so many more runs, with other ids and other texts."""
    with store.snapshot() as snapshot:
        for number in range(first, first - count, -1):
            run = runs[number % len(runs)].run
            answer = run.steps["angles"].ai_responses[0]
            ids = [str(run.pipeline_run_id), str(answer.response_id)]
            swaps = {  # of the same length
                old.encode(): f"{old[:24]}{number:06x}{old[30:]}".encode()
                for old in ids
            }
            notes = prose.text(240)
            texts = {
                run.user_inputs["source_material"]: notes,
                answer.prompt_used: f"Write about these notes.\n\n{notes}",
                answer.raw_output: f"{number}mark. {prose.text(460)}",
            }
            records = {}
            for old, new in texts.items():
                digest = hashlib.sha256(new.encode()).hexdigest()
                swaps[hashlib.sha256(old.encode()).hexdigest().encode()] = (
                    digest.encode()
                )
                records[f"text:{digest}".encode()] = new.encode()
            prefixes = [
                f"{kind}:{ids[0]}" for kind in ("run", "step", "step_responses")
            ]
            prefixes += [f"event:{ids[0]}", f"response:{ids[1]}"]
            for prefix in prefixes:
                for each in snapshot.scan(prefix.encode()):
                    key, value = each
                    for old_id, new_id in swaps.items():
                        key = key.replace(old_id, new_id)
                        value = value.replace(old_id, new_id)
                    records[key] = value
            for key, value in snapshot.scan(run_by_uri(run.uri or "") + b":"):
                if key.endswith(ids[0].encode()):
                    records[key.replace(ids[0].encode(), swaps[ids[0].encode()])] = (
                        value
                    )
            yield records


async def make_runs(store: LmdbStore, count: int) -> None:
    """Write the runs, and say how much text they have."""
    author, prose, began = Author(), Prose(), time.perf_counter()
    runs = [template(author, prose, number) for number in range(min(count, TEMPLATES))]
    for run in runs:
        await store.commit(run)
    assert store.environment_and_writer is not None
    _, writer = store.environment_and_writer
    batch: list[dict[bytes, bytes]] = []

    def write(into: Batch) -> None:
        for records in batch:
            for key, value in records.items():
                into.put(key, value)

    missing = count - len(runs)
    while missing:  # in a transaction each
        batch[:] = copies(store, runs, prose, min(missing, 500), missing)
        writer.submit_and_wait(write)
        missing -= len(batch)
    with store.snapshot() as snapshot:
        size = sum(len(text) for _, text in snapshot.scan(b"text:"))
    seconds = time.perf_counter() - began
    print(f"{count:,} runs with {size / 1e6:,.0f} MB of text made in {seconds:.0f} s")


async def measure(folder: Path) -> None:
    """Make the index, then search it, each time from a store that was just opened."""
    store = LmdbStore.open(folder)
    began, worked = time.perf_counter(), time.process_time()
    page = await store.search(SearchQuery(text="baba"))
    first = time.perf_counter() - began
    print(f"without an index: {len(page.hits)} first hits after {first:.2f} s")
    waits = []
    while page.partial:
        await asyncio.sleep(1)
        asked = time.perf_counter()
        page = await store.search(SearchQuery(text="baba"))
        waits.append(time.perf_counter() - asked)
    print(f"searches meanwhile: {max(waits, default=0):.2f} s at most")
    print(
        f"index made in {time.perf_counter() - began:.0f} s, of which"
        f" {time.process_time() - worked:.0f} s of this process"
    )
    (file,) = folder.glob("search-*.db")  # noqa: ASYNC240 -- nothing else runs
    with store.snapshot() as snapshot:
        text = sum(len(text) for _, text in snapshot.scan(b"text:"))
    size = file.stat().st_size
    print(f"index: {size / 1e6:,.0f} MB, {size / text:.2f} of the text")
    runs = dict.fromkeys(hit.run_id for hit in page.hits)
    for name, query in QUERIES.items():
        store.close()
        store, times = LmdbStore.open(folder), list[float]()
        worked = time.process_time()
        for _ in range(3):
            asked = time.perf_counter()
            page = await store.search(SearchQuery(**query))  # type: ignore[arg-type]
            times.append((time.perf_counter() - asked) * 1e3)
        hits = f"{len(page.hits)} hits{', partial' * page.partial}"
        worked = (time.process_time() - worked) * 1e3 / len(times)
        print(
            f"  {name:34} {times[0]:6.0f} ms, then {min(times):6.0f} ms,"
            f" {worked:6.0f} ms of CPU, {hits}"
        )
    store.close()
    for run_id in list(runs)[:3]:
        store, asked = LmdbStore.open(folder), time.perf_counter()
        worked = time.process_time()
        await store.delete_run(run_id)
        store.close()
        seconds, worked = time.perf_counter() - asked, time.process_time() - worked
        print(
            f"a run deleted, also from the index, in {seconds:.2f} s,"
            f" {worked:.2f} s of CPU"
        )
    store, asked = LmdbStore.open(folder), time.perf_counter()
    await LmdbMaintenance(store).compact()
    print(f"compacted in {time.perf_counter() - asked:.1f} s")
    store.close()


async def main(count: int) -> None:
    """Make the runs in a temporary folder, and measure."""
    with TemporaryDirectory() as place:
        os.environ["WRITEIT_DATA_DIR"] = f"{place}/data"
        store = LmdbStore.open(Path(place) / "store", map_size=8 << 30)
        await make_runs(store, count)
        store.close()
        await measure(Path(place) / "store")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
