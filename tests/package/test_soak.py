"""The soak, for ten seconds: nothing but counts; memory takes minutes to judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_nothing_grows_under_cancels_and_kills() -> None:
    """Tasks, threads, descriptors, progress tokens of server and host."""
    said = subprocess.run(
        [sys.executable, "benchmarks/soak.py", "10"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Nothing grew." in said.stdout
    done = dict(zip(*[iter(said.stdout.splitlines()[-2].split())] * 2, strict=True))
    assert min(int(done[name]) for name in ("cancelled", "paused", "kills")) > 0
