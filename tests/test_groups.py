"""Tests that share an editor are never run two at a time."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parent

CONFTEST = """
from support.groups import Groups

def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log)
"""

FOUR = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_who(number, worker_id):
    with open("{seen}", "a") as seen:
        print("{group}", worker_id, file=seen)
"""


def test_the_tests_of_a_file_or_of_an_editors_folder_run_in_one_worker(
    tmp_path: Path,
) -> None:
    """Asked of the real pytest and xdist: their newer versions may group otherwise."""
    seen = tmp_path / "seen"
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name, group in {
        "vscode/test_one.py": "vscode",
        "vscode/test_two.py": "vscode",
        "test_three.py": "three",
        "test_four.py": "four",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(FOUR.format(seen=seen, group=group))

    options = ["-n", "2", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-o", f"pythonpath={TESTS}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    workers = defaultdict(set)
    lines = seen.read_text().splitlines()
    for line in lines:
        group, worker = line.split()
        workers[group].add(worker)
    assert len(lines) == 16
    assert {group: len(who) for group, who in workers.items()} == {
        "vscode": 1,
        "three": 1,
        "four": 1,
    }
