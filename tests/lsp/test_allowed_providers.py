"""Where a text may be sent: its front matter says so, and nothing else is asked."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from support.document import Document
from support.editor import Refused, serving
from support.open_documents import BETTER, OpenDocuments, file_of
from support.provider import Provider
from support.workspace import new_workspace
from writeit.library.front_matter import split_front_matter

BODY = "# Rivers\n\nA river is moving water.\n"
_names = count(1)


def text(providers: str) -> str:
    """A document whose front matter says where it may be sent."""
    return f"---\nwriteit:\n  providers: {providers}\n---\n{BODY}"


HOME = text("[embedded, ollama]")
ABROAD = text("[embedded, openai]")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OpenDocuments]:
    """An editor with documents that may not be sent anywhere."""
    workspace = new_workspace(tmp_path_factory.mktemp("egress"))
    async with serving([workspace], "bare", environment) as editor:
        docs = OpenDocuments(editor)
        docs.add_mirror()
        yield docs


async def begun(home: OpenDocuments, words: str = HOME) -> tuple[Document, str]:
    """A document, and a run of it."""
    page = home.open(words)
    return page, await home.editor.start_run(uri=page.uri)


def model() -> str:
    """A model that no other test asks."""
    return f"openai/say-egress{next(_names)}"


async def made_of(home: OpenDocuments, source: Document) -> Document:
    """A new document with the text of a run of another one, open in the editor.

    Its own block is taken out, as in documents that exist longer than the block.
    """
    path = home.path()
    run_id = await home.run(
        source.uri, source.text, pipeline="mirror", output_path=path.name
    )
    applied = await home.apply(run_id, mode="new_file")
    assert applied["uri"] == path.as_uri()
    body = split_front_matter(path.read_text(encoding="utf-8")).body
    return home.open(body.lstrip(), uri=path.as_uri())


async def refused(home: OpenDocuments, provider: Provider, run_id: str) -> Refused:
    """Run a step with a model the text may not be sent to; nothing is sent."""
    asked = len(provider.calls)
    refusal = await home.editor.refusal(
        "writeit.step.run", runId=run_id, models=[model()]
    )
    assert refusal.kind == "not_trusted"
    assert refusal.data["providers"] == ["embedded", "ollama"]
    assert refusal.data["hint"]
    assert len(provider.calls) == asked
    return refusal


async def test_a_step_asks_nobody_the_document_does_not_name(
    home: OpenDocuments, provider: Provider
) -> None:
    """Although the model has a key, and the user named it."""
    page, run_id = await begun(home)
    refusal = await refused(home, provider, run_id)
    assert "may not be sent to openai" in str(refusal)
    page.close()


async def test_the_prompt_of_a_step_says_who_must_not_get_it(
    home: OpenDocuments,
) -> None:
    """Before it is run, for a program and for a reader."""
    page = home.open(HOME)
    run_id = await home.editor.start_run(
        uri=page.uri, models={"angles": ["openai/gpt-4o", "ollama/llama3"]}
    )
    shown = await home.editor.command("writeit.step.preview", runId=run_id)
    allowed = {model["id"]: model["allowed"] for model in shown["models"]}
    assert allowed == {"openai/gpt-4o": False, "ollama/llama3": True}
    read = await home.editor.command(
        "writeit.view.read", uri=f"writeit:/prompt/{run_id}/angles.md"
    )
    assert "not allowed: `providers` does not list openai" in read["text"]
    page.close()


async def test_what_the_document_says_now_counts(
    home: OpenDocuments, provider: Provider
) -> None:
    """In the editor, saved or not: first it lets it go, then no longer."""
    page, run_id = await begun(home, ABROAD)
    await home.editor.command("writeit.step.run", runId=run_id, models=[model()])
    at = page.text.index("openai")
    page.type(at, at + len("openai"), "ollama")
    asked = len(provider.calls)
    joined = {"responses": [0], "instruction": "Join them.", "model": model()}
    for command, given in (
        ("writeit.step.regenerate", {"runId": run_id, "models": [model()]}),
        ("writeit.step.merge", {"runId": run_id, **joined}),
        ("writeit.document.polish", {"uri": page.uri, "models": [model()]}),
    ):
        refusal = await home.editor.refusal(command, **given)
        assert refusal.kind == "not_trusted", (command, refusal)
    assert len(provider.calls) == asked
    page.close()


async def test_a_mistake_in_front_matter_sends_nothing(
    home: OpenDocuments, provider: Provider
) -> None:
    """What cannot be read may be the line that keeps the text at home."""
    page, run_id = await begun(home, ABROAD)
    at = page.text.index("providers")
    page.type(at, at, "[")
    asked = len(provider.calls)
    refusal = await home.editor.refusal(
        "writeit.step.run", runId=run_id, models=[model()]
    )
    assert refusal.kind == "invalid_pipeline"
    assert len(provider.calls) == asked
    page.close()


async def test_a_document_that_is_gone_is_still_sent_nowhere_else(
    home: OpenDocuments, provider: Provider
) -> None:
    """Closed and renamed, its run keeps to what it said when the run began."""
    page, run_id = await begun(home)
    page.close()
    path = file_of(page.uri)
    path.rename(path.with_name(f"{path.stem} of old.md"))
    await refused(home, provider, run_id)


async def test_a_text_that_was_never_a_file_is_still_sent_nowhere_else(
    home: OpenDocuments, provider: Provider
) -> None:
    """Its editor forgot it; a branch of its run remembers as well."""
    page = home.open(HOME, uri="untitled:Egress-1")
    run_id = await home.editor.start_run(uri=page.uri)
    page.close()
    await refused(home, provider, run_id)
    branch = await home.editor.command(
        "writeit.run.branch", runId=run_id, step="angles"
    )
    await refused(home, provider, branch["pipelineRunId"])


async def test_an_article_is_as_private_as_the_notes_it_came_from(
    home: OpenDocuments, provider: Provider
) -> None:
    """It says nothing itself; what it came from does, over any number of documents."""
    notes = home.open(text("[openai]"))
    article = await made_of(home, notes)
    book = await made_of(home, article)
    asked = len(provider.calls)
    for page in (article, book):
        refusal = await home.editor.refusal(
            "writeit.document.polish", uri=page.uri, models=["mistral/small"]
        )
        assert refusal.kind == "not_trusted"
        assert file_of(notes.uri).name in str(refusal)
        assert "providers: [mistral]" in refusal.data["hint"]
    assert len(provider.calls) == asked


async def test_a_copy_of_an_article_is_as_private(
    home: OpenDocuments, provider: Provider
) -> None:
    """Renamed, and with other words around a sentence that is long enough."""
    article = await made_of(home, home.open(text("[openai]")))
    asked = len(provider.calls)
    for copied in (article.text, f"# Mine\n\n- New. {BETTER} More."):
        copy = home.open(copied)
        refusal = await home.editor.refusal(
            "writeit.document.polish", uri=copy.uri, models=["mistral/small"]
        )
        assert refusal.kind == "not_trusted"
        assert "sets this limit" in str(refusal)
    assert len(provider.calls) == asked


async def test_a_new_file_begins_with_the_providers_of_its_notes(
    home: OpenDocuments,
) -> None:
    """The prompt page shows it before."""
    notes, path = home.open(ABROAD), home.path()
    run_id = await home.run(
        notes.uri, notes.text, pipeline="mirror", output_path=path.name
    )
    head = '---\nwriteit:\n  providers: ["embedded", "openai"]\n---\n'
    page = await home.editor.command(
        "writeit.view.read", uri=f"writeit:/prompt/{run_id}/look.md"
    )
    assert head in page["text"]
    await home.apply(run_id, mode="new_file")
    assert path.read_text(encoding="utf-8").startswith(head)
    exported = await home.editor.command(
        "writeit.run.export", runId=run_id, format="markdown"
    )
    assert split_front_matter(exported["content"]).config.providers == (
        "embedded",
        "openai",
    )


async def test_a_provider_that_does_not_exist_blocks_the_others(
    home: OpenDocuments, provider: Provider
) -> None:
    """Nobody knows which one was meant."""
    page, run_id = await begun(home, text("[olama, openai]"))
    asked = len(provider.calls)
    refusal = await home.editor.refusal(
        "writeit.step.run", runId=run_id, models=[model()]
    )
    assert refusal.kind == "not_trusted"
    assert "'olama'" in str(refusal)
    assert len(provider.calls) == asked
    page.close()


async def test_an_article_that_says_where_it_may_go_is_asked_itself(
    home: OpenDocuments, provider: Provider
) -> None:
    """Its own front matter allows it."""
    article = await made_of(home, home.open(text("[openai]")))
    article.type(0, 0, text("[embedded]").removesuffix(BODY))
    asked = len(provider.calls)
    refusal = await home.editor.refusal(
        "writeit.document.polish", uri=article.uri, models=[model()]
    )
    assert refusal.data["providers"] == ["embedded"]
    start = article.text.index("embedded")
    article.type(start, start + len("embedded"), "openai")
    await home.editor.command(
        "writeit.document.polish", uri=article.uri, models=[model()]
    )
    assert len(provider.calls) == asked + 1


async def test_notes_that_say_nothing_any_more_may_go_anywhere(
    home: OpenDocuments,
) -> None:
    """Although a text stands in them that came from them when they did."""
    page = home.open(text("[openai]"))
    run_id = await home.run(
        page.uri, page.text, pipeline="mirror", content="Words of no other text."
    )
    await home.apply(run_id, mode="insert")
    start = page.text.index("writeit")
    page.type(start, page.text.index("---", 4), "")
    refusal = await home.editor.refusal(
        "writeit.document.polish", uri=page.uri, models=["mistral/small"]
    )
    assert refusal.kind == "model_error"  # there is no key for it
