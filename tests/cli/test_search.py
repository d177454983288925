"""`writeit search`: what it finds, and how that looks."""

from support.terminal import Terminal


async def test_search_lists_hits_by_run(shell: Terminal) -> None:
    """A run is named once; a step and a model before their texts."""
    nothing = await shell.writeit("search", "zebra")
    assert nothing.err.startswith("No runs here yet.")
    await shell.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/say-zebras-drum"),
        *("--choose", "first"),
    )
    (run,) = (await shell.writeit("log", "--json")).json
    found = await shell.writeit("search", "zebras dr*", "--in", "answer", "-n", "2")
    first, place, excerpt, *_ = found.out.splitlines()
    assert first.startswith(run["run_id"])
    assert place.endswith(" · openai/say-zebras-drum")
    assert "zebras" in excerpt
    assert "More: --limit 4" in found.err
    words = ("search", "zebras", "--model", "say-zebras-drum", "--json")
    hits = (await shell.writeit(*words, "--document", "notes.md")).json
    assert {hit["run_id"] for hit in hits} == {run["run_id"]}
    assert {hit["in"] for hit in hits} == {"answer", "prompt"}
    assert (await shell.writeit(*words, "--since", "2999-01-01")).json == []
    assert (await shell.writeit("search", "quagga")).err == "Nothing was found.\n"
