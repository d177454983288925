"""How much of its prompts a run sends again to the same model, word for word.

A provider's prompt cache charges less for the beginning of a prompt that it has read.
tech-article goes through all its steps, with the outline regenerated once, against the
loopback provider. Printed: the bytes of each prompt that an earlier one begins with.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from scene import ROOT

from support.editor import serving
from support.provider import running

ANSWER = "fast-300"
"""The model, which answers 300 words."""


async def prompts_of_a_run(folder: Path) -> dict[str, str]:
    """Return each prompt that the provider was sent, by what it was for."""
    shutil.copy(ROOT / "examples" / "notes-lmdb.md", folder / "notes.md")
    async with running() as provider:
        environment = {
            "HOME": str(folder),
            "OPENAI_API_KEY": "sk-bench",
            "OPENAI_BASE_URL": provider.base_url,
            "WRITEIT_ALLOW_MODEL_REQUESTS": "loopback",
            "WRITEIT_CONFIG_DIR": str(folder / "config"),
        }
        async with serving([folder], "neovim", environment) as editor:
            editor.notes = editor.open_document(folder / "notes.md")
            run_id = await editor.start_run()
            names = []
            for step in ("angles", "outline", "draft", "polish"):
                names.append(step)
                await editor.generate(run_id, ANSWER)
                if step == "outline":
                    names.append("outline, regenerated")
                    await editor.command(
                        "writeit.step.regenerate", runId=run_id, feedback="Shorter."
                    )
                await editor.choose(run_id, feedback="Mind the readers.")
    sent = [call.prompt for call in provider.calls if call.model == ANSWER]
    return dict(zip(names, sent, strict=True))


def shared_bytes(prompts: list[str]) -> list[int]:
    """Return for each prompt the bytes at its start that an earlier one has, too."""
    texts = [prompt.encode() for prompt in prompts]
    return [
        max((len(os.path.commonprefix((text, old))) for old in texts[:n]), default=0)  # noqa: RUF071 -- no paths
        for n, text in enumerate(texts)
    ]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        prompts = asyncio.run(prompts_of_a_run(Path(folder)))
    shared = shared_bytes([*prompts.values()])
    print("Beginnings of prompts that the model has read before, in bytes:")
    for (name, prompt), same in zip(prompts.items(), shared, strict=True):
        print(f"  {name:21} {same:6,} of {len(prompt.encode()):6,}")
    total = sum(len(prompt.encode()) for prompt in prompts.values())
    print(f"  together {sum(shared) / total:.0%}")


if __name__ == "__main__":
    main()
