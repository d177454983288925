"""A cold `writeit run` against the `llm` command: the same prompt, the same server.

    python benchmarks/cold_run.py LLM [ROUNDS]     11 unless told otherwise

Both are whole commands, from their start to their end, and take turns in each round.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scene import provider

MODEL = "fast-20"
PROMPT = "Write one sentence on rivers."
PIPELINE = """\
name: one-step
inputs: [{name: notes, type: text, required: true, from: document}]
steps:
  - name: answer
    prompt: Write one sentence on rivers.
"""
LLM_MODELS = "- {{model_id: bench, model_name: {name}, api_base: '{url}'}}\n"


def time_once(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Return the seconds that a command takes; it must print the answer."""
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    took = time.perf_counter() - begun
    assert "word0" in done.stdout, done.stdout
    return took


async def main(llm: Path, rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with provider() as url:
            (folder / "notes.md").write_text("Rivers.\n", "utf-8")
            pipelines = folder / ".writeit" / "pipelines"
            pipelines.mkdir(parents=True)
            (pipelines / "one-step.yaml").write_text(PIPELINE, "utf-8")
            models = LLM_MODELS.format(name=MODEL, url=url)
            (folder / "extra-openai-models.yaml").write_text(models, "utf-8")
            environment = {
                **os.environ,
                "HOME": name,
                "LLM_USER_PATH": name,
                "OPENAI_API_KEY": "sk-bench",
                "OPENAI_BASE_URL": url,
            }
            ours = [sys.executable, "-m", "writeit", "run", "one-step", "notes.md"]
            ours += ["--trust", "--model", f"openai/{MODEL}"]
            sides = {
                "llm": [str(llm), "prompt", "--model", "bench", PROMPT],
                "writeit run": ours,
            }
            times: dict[str, list[float]] = {side: [] for side in sides}
            for number in range(rounds + 1):
                for side, command in list(sides.items())[:: (-1) ** number]:
                    took = await asyncio.to_thread(
                        time_once, command, folder, environment
                    )
                    if number:  # the first reads the files from the disk
                        times[side].append(took)
    show(times)


def show(times: dict[str, list[float]]) -> None:
    """Print both sides and their ratios."""
    theirs, ours = times.values()
    print(f"A cold command, s ({len(ours)} rounds, alternating)")
    for side, values in times.items():
        middle = statistics.median(values)
        print(f"  {side:14} min {min(values):8.2f}  median {middle:8.2f}")
    print(
        f"  ratio          min {min(ours) / min(theirs):8.2f}"
        f"  median {statistics.median(ours) / statistics.median(theirs):8.2f}"
    )


if __name__ == "__main__":
    count = int(sys.argv[2]) if sys.argv[2:] else 11
    asyncio.run(main(Path(sys.argv[1]).resolve(), count))
