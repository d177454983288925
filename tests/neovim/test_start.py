"""Start of a run: its inputs, its front matter, its document."""

from neovim import wording
from support.neovim_session import NeovimSession


def test_front_matter_sets_pipeline_and_inputs(session: NeovimSession) -> None:
    """In any YAML style; nothing that it sets is asked for."""
    inputs = '{"target_audience": you}'
    for front in (
        f"writeit: {{pipeline: tech-article, inputs: {inputs}}}",
        f"writeit:\n  inputs: {inputs}\n  pipeline: 'tech-article'",
    ):
        session.open_notes(f"---\n{front}\n---\n# Notes\n\n- One note.\n")
        session.run("start")
        session.wait_for_message(wording.STARTED.format("tech-article"))
        assert session.newest_run()["userInputs"]["target_audience"] == "you"


def test_start_asks_for_missing_inputs(session: NeovimSession) -> None:
    """The default is filled in; keys outside of `writeit.inputs` are no inputs."""
    session.open_notes(
        "---\ntitle: x\ntarget_audience: nobody\n---\n# Notes\n\n- One note.\n"
    )
    session.nvim.keys(":WriteIt start tech-article<CR>")
    session.nvim.wait_for_screen(wording.AUDIENCE_DEFAULT)
    session.nvim.keys("<C-u>gardeners<CR>")
    session.wait_for_message(wording.STARTED.format("tech-article"))
    assert session.newest_run()["userInputs"]["target_audience"] == "gardeners"


def test_unnamed_document_must_be_saved_first(session: NeovimSession) -> None:
    """Its runs could not be found again."""
    session.nvim.command("enew")
    session.nvim.command("setfiletype markdown")
    for verb in ("start blog-post target_audience=me", "next", "polish"):
        session.nvim.command("messages clear")
        session.nvim.keys(f":WriteIt {verb}<CR>")
        session.wait_for_message(wording.UNNAMED)


def test_start_from_another_buffer_names_the_document(session: NeovimSession) -> None:
    """The last document is the target."""
    session.nvim.command("new")
    session.run("start")
    session.wait_for_message(
        wording.STARTED_FOR.format("tech-article", session.notes.name)
    )


def test_names_with_blanks_and_special_characters(session: NeovimSession) -> None:
    """Of the notes, of an exported file and in an input."""
    notes = session.workspace / "50% of # [März], it's ä.md"
    notes.write_text("# Notes\n\nA river.\n", encoding="utf-8")
    session.nvim.lua("vim.cmd.edit(vim.fn.fnameescape(...))", str(notes))
    session.wait_for_client()
    session.notes = notes
    session.run("start blog-post target_audience=who\\ walks")
    session.run("next openai/say-a")
    session.run("choose 1")
    session.run("export markdown so far.md")
    session.wait_for_message(wording.EXPORTED)
    assert (session.workspace / "so far.md").exists()
    uri = session.nvim.lua("return vim.uri_from_bufnr(...)", session.buffer())
    (listed,) = session.execute("run.list", uri=uri)["runs"]
    run = session.execute("run.show", runId=listed["runId"])
    assert run["userInputs"]["target_audience"] == "who walks"
    for _ in [*run["steps"]][1:]:
        session.run("skip")
    session.run("apply new_file")
    made = session.workspace / "50% of # [März], it's ä.blog-post.md"
    assert made.read_text("utf-8") == "a\n"
