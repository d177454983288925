"""RUN is an id, its beginning, a name or `last`; a run can be deleted."""

import pytest
import pytest_asyncio

from support.terminal import Terminal


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runs(shell: Terminal) -> tuple[str, str]:
    """A run, and a newer branch of it called "other way"."""
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask", "--json"),
        *("-m", "openai/say-words"),
        lines="back angles other way\nquit\n",
    )
    child: str = result.json["run_id"]
    shown = (await shell.writeit("show", child, "--json")).json
    return shown["parent_pipeline_run_id"], child


@pytest.mark.parametrize("name", ["last", "other way", "Other Way", "beginning"])
async def test_a_run_is_found_by_name(
    shell: Terminal, runs: tuple[str, str], name: str
) -> None:
    """Wherever a command takes RUN."""
    named = runs[1][:30] if name == "beginning" else name
    for command in ("show", "export"):
        result = await shell.writeit(command, named, "--json")
        assert result.code == 0, result.err
        assert runs[1] in result.out


async def test_a_name_of_no_run_or_of_several_is_refused(
    shell: Terminal, runs: tuple[str, str]
) -> None:
    """The hint lists runs, or how to."""
    unknown = await shell.writeit("show", "zebra")
    assert (unknown.code, "writeit log" in unknown.err) == (1, True)
    several = await shell.writeit("show", runs[0][:2])
    assert several.code == 1
    assert all(run in several.err for run in runs)


async def test_deleting_asks_and_says_what_is_kept(
    shell: Terminal, runs: tuple[str, str]
) -> None:
    """Without an answer nothing is deleted; branches and costs are kept."""
    asked = await shell.writeit("delete", runs[0], lines="n\n")
    assert asked.code == 1
    assert "Its 1 branch will be kept." in asked.err
    deleted = await shell.writeit("delete", runs[0], "--yes")
    assert deleted.code == 0, deleted.err
    assert deleted.out.startswith("Deleted 1 run")
    assert (await shell.writeit("show", runs[0])).code == 1
    assert (await shell.writeit("show", "other way")).code == 0
    assert (await shell.writeit("usage", "--json")).json["rows"]
