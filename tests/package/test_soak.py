"""The soak benchmark for ten seconds, counts only: memory needs minutes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_nothing_grows_under_cancels_and_kills() -> None:
    """Tasks, threads, descriptors and progress tokens of server and host."""
    result = subprocess.run(
        [sys.executable, "benchmarks/soak.py", "10"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Nothing grew." in result.stdout
    done = dict(zip(*[iter(result.stdout.splitlines()[-2].split())] * 2, strict=True))
    assert min(int(done[name]) for name in ("cancelled", "paused", "kills")) > 0
