"""From one run of a family to another, by what a bare client is offered."""

import os

from support.code_actions import actions, execute, lenses, line_of, open_view
from support.editor import Json
from support.open_documents import SECOND, OpenDocuments
from support.terminal import Terminal
from writeit.views.escape import shorten

BACK = "Activate the original run"
ON = "Activate this run"


async def family(bare: OpenDocuments, name: str) -> tuple[str, str, str]:
    """A document, its run, and the branch it is about now."""
    path = bare.editor.folder / f"{name}.md"
    path.write_text(f"# {name}\n\nA river is moving water.\n", encoding="utf-8")
    uri = bare.editor.open_document(path)
    run_id = await bare.editor.start_run(uri=uri)
    model = ["openai/say-One+20way."]
    await bare.editor.command("writeit.step.run", runId=run_id, models=model)
    child = await bare.editor.command("writeit.run.branch", runId=run_id, step="angles")
    return uri, run_id, child["pipelineRunId"]


async def run_of(bare: OpenDocuments, uri: str) -> str:
    """The run that a document is about, as its offers have it."""
    command = (await actions(bare.editor, uri))["Open the run"]
    run_id: str = command["arguments"][0]["runId"]
    return run_id


def here(line: int) -> Json:
    """A cursor at the beginning of a line."""
    return {"start": {"line": line, "character": 0}} | {
        "end": {"line": line, "character": 0}
    }


async def test_a_document_goes_back_to_the_run_its_own_branched_off(
    bare: OpenDocuments,
) -> None:
    """And its writer is told; the branch stays as it is."""
    uri, run_id, child = await family(bare, "back")
    assert await run_of(bare, uri) == child
    await execute(bare.editor, (await actions(bare.editor, uri))[BACK])
    assert await run_of(bare, uri) == run_id
    assert BACK not in await actions(bare.editor, uri)
    told = bare.editor.shown_messages()
    assert any("is now the active run" in message for message in told)


async def test_the_page_of_a_run_offers_to_go_on_with_it(bare: OpenDocuments) -> None:
    """By lens and by action, unless the document is about it already."""
    uri, run_id, child = await family(bare, "on")
    page = f"writeit:/run/{run_id}.md"
    await open_view(bare.editor, page)
    assert ON in [title for _, title, _ in await lenses(bare.editor, page)]
    await execute(bare.editor, (await actions(bare.editor, page))[ON])
    assert await run_of(bare, uri) == run_id
    assert ON not in await actions(bare.editor, page)
    assert ON in await actions(bare.editor, f"writeit:/run/{child}.md")


async def test_each_line_of_a_family_leads_to_its_run(bare: OpenDocuments) -> None:
    """To its page, and to going on with it; the line of this run leads nowhere."""
    uri, run_id, child = await family(bare, "lines")
    page = f"writeit:/run/{run_id}.md"
    text = await open_view(bare.editor, page)
    there = line_of(text, "└─ from angles")
    found = await actions(bare.editor, page, here(there))
    assert found["Open this run"]["arguments"][0] == {
        "runId": child,
        "view": "run",
        "wait": False,
    }
    own = line_of(text, "lines · ")
    assert "Open this run" not in await actions(bare.editor, page, here(own))
    await execute(bare.editor, (await actions(bare.editor, page))[ON])
    assert await run_of(bare, uri) == run_id
    await execute(bare.editor, (await actions(bare.editor, page, here(there)))[ON])
    assert await run_of(bare, uri) == child


async def test_two_runs_of_a_family_are_compared_from_where_they_part(
    bare: OpenDocuments,
) -> None:
    """From the tree and the notes; the page says which steps are equal."""
    notes, run_id, child = await family(bare, "compared")
    for each, words in ((run_id, "say-Mills."), (child, "say-Floods.")):
        await bare.editor.choose(each)
        await bare.editor.generate(each, words)
        await bare.editor.choose(each)
    page = f"writeit:/run/{run_id}.md"
    text = await open_view(bare.editor, page)
    there = line_of(text, "└─ from angles")
    found = await actions(bare.editor, page, here(there))
    titles = [title for title in found if title.startswith("Compare ")]
    assert titles == [
        "Compare outline of the two runs",
        "Compare angles of the two runs (equal)",
    ]
    parent = "Compare outline with the original run"
    assert parent in await actions(bare.editor, notes)
    await execute(bare.editor, found[titles[0]])
    sides = f"{run_id}/outline/content/{child}/outline/content"
    compared = f"writeit:/compare/{sides}.md"
    text = await open_view(bare.editor, compared)
    assert text.startswith("# outline · first run → outline · run from angles\n")
    assert "\nangles: equal · outline: differs\n" in text
    shown = [title for _, title, _ in await lenses(bare.editor, compared)]
    assert titles[1] in shown
    assert titles[0] not in shown
    await execute(bare.editor, (await actions(bare.editor, compared))[titles[1]])
    text = await open_view(bare.editor, compared.replace("outline", "angles"))
    assert "\nThe two texts are equal.\n" in text


async def test_a_line_of_a_page_that_is_older_than_the_family_offers_nothing(
    bare: OpenDocuments,
) -> None:
    """It would lead to another run than it tells of."""
    _, run_id, child = await family(bare, "older")
    page = f"writeit:/run/{run_id}.md"
    text = await open_view(bare.editor, page)
    there = line_of(text, "└─ from angles")
    await bare.editor.command(
        "writeit.run.branch", runId=run_id, step="angles", name="two"
    )
    found = await actions(bare.editor, page, here(there))
    led = [command["arguments"][0].get("runId") for command in found.values()]
    assert child not in led


async def test_a_run_of_a_passage_is_not_what_a_document_is_about(
    bare: OpenDocuments,
) -> None:
    """Neither on its page nor from its branch."""
    page = bare.open()
    run_id = await bare.polished(page)
    branch = await bare.editor.command(
        "writeit.run.branch", runId=run_id, step="polish"
    )
    for each in (run_id, branch["pipelineRunId"]):
        found = await actions(bare.editor, f"writeit:/run/{each}.md")
        assert not {ON, BACK} & set(found)


async def test_a_comparison_begins_with_the_first_difference(
    bare: OpenDocuments,
) -> None:
    """From the notes and from the tree; the articles come next."""
    notes, run_id, child = await family(bare, "first")
    for each, words in ((run_id, "Mills."), (child, "Floods.")):
        await bare.editor.command(
            "writeit.step.select", runId=each, response=0, content=words
        )
        for _ in range(2):
            await bare.editor.generate(each, f"say-{words}")
            await bare.editor.choose(each)
    assert "Compare angles with the original run" in await actions(bare.editor, notes)
    page = f"writeit:/run/{run_id}.md"
    there = line_of(await open_view(bare.editor, page), "└─ from angles")
    found = await actions(bare.editor, page, here(there))
    assert [t.split()[1] for t in found if t.startswith("Compare ")] == [
        "angles",
        "draft",
        "outline",
    ]


async def test_a_passage_is_shown_by_its_words_below_its_document(
    bare: OpenDocuments, environment: dict[str, str]
) -> None:
    """In the list, in the tree, and on the page, which opens it and nothing else."""
    page = bare.open()
    run_id = await bare.editor.start_run(uri=page.uri)
    passage = await bare.polished(page)
    listed = await bare.editor.command("writeit.run.list", uri=page.uri)
    about = {run["runId"]: run for run in listed["runs"]}
    words = f"“{shorten(SECOND, 50)}”"
    assert about[passage]["label"] == words
    assert about[passage]["documentRunId"] == run_id
    assert (about[run_id]["passage"], about[run_id]["documentRunId"]) == ("", None)
    tree = await bare.editor.command("writeit.run.tree", runId=run_id)
    assert [one["runId"] for one in tree["passages"]] == [passage]
    view = f"writeit:/run/{run_id}.md"
    there = line_of(await open_view(bare.editor, view), f"└─ {words} · polish-passage")
    plain = await actions(bare.editor, view)
    found = await actions(bare.editor, view, here(there))
    assert [title for title in found if title not in plain] == ["Open this run"]
    shell = Terminal(bare.editor.folder, {**os.environ, **environment})
    log = (await shell.writeit("log", "--limit", "2")).out.splitlines()
    assert [line.split()[0] for line in log] == [run_id, passage]
    assert f"└ {words} · polish-passage" in log[1]
    searched = await shell.writeit("log", "--text", SECOND[:20], "--json")
    assert passage in searched.out
