"""5,000 mutated messages and 2,000 mutated files; `make drill-fuzz` has a million.

The seed is always the same, so that a failure is of the change it came with.
"""

import pytest

from drills.fuzz import fuzz_files, fuzz_framing, fuzz_messages

SEED = 2026


@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="session")
async def test_mutated_messages_are_answered() -> None:
    """With a result or a typed error; the server lives, and its memory is bounded."""
    found = await fuzz_messages(4_500, SEED)
    assert found.cases == 4_500
    assert found.problems == []


@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="session")
async def test_mutated_frames_end_nothing_in_silence() -> None:
    """A header or a body that is damaged: the server stays, or says why it ends."""
    found = await fuzz_framing(500, SEED)
    assert found.problems == []


@pytest.mark.timeout(300)
def test_mutated_files_are_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipelines, primers, front matter, the user's configuration, exports."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", "")  # restored after the test
    found = fuzz_files(2_000, SEED)
    assert found.cases == 2_000
    assert found.problems == []
