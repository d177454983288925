"""A provider on loopback and a server for each editor's capabilities.

Servers live for the whole session: their model hosts take seconds to start. Tests
that break a server, or look at its store as a whole, start their own.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.editor import PROFILES, Editor, serving
from support.front_matter_document import add_pipeline
from support.open_documents import OpenDocuments
from support.provider import Provider, environment_of, running
from support.workspace import new_workspace


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    """A language model provider that does what the model's name says."""
    async with running() as provider:
        yield provider


@pytest.fixture(scope="session")
def environment(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What a server process is started with: a key, and nobody to talk to outside."""
    return environment_of(provider.base_url, tmp_path_factory.mktemp("home"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of the test's own."""
    return new_workspace(tmp_path / "workspace")


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=PROFILES)
async def editor(
    request: pytest.FixtureRequest,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Editor]:
    """An editor with its server, once for each profile; `notes` is open in it."""
    folder = new_workspace(tmp_path_factory.mktemp(f"workspace-{request.param}"))
    async with serving([folder], request.param, environment) as editor:
        yield editor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def one_editor(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor for what does not depend on capabilities."""
    folder = new_workspace(tmp_path_factory.mktemp("workspace-one"))
    async with serving([folder], "neovim", environment) as editor:
        yield editor


@pytest.fixture
def pipelined(editor: Editor) -> Iterator[Editor]:
    """An editor, once for each profile, with the pipeline `post` in its workspace."""
    path = add_pipeline(editor.folder)
    yield editor
    path.unlink()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def docs(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OpenDocuments]:
    """An editor whose documents take edits."""
    folder = new_workspace(tmp_path_factory.mktemp("documents"))
    async with serving([folder], "neovim", environment) as editor:
        yield OpenDocuments(editor)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bare(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OpenDocuments]:
    """An editor without a plug-in: actions, messages, and its pages as files."""
    folder = new_workspace(tmp_path_factory.mktemp("bare"))
    async with serving([folder], "bare", environment) as editor:
        yield OpenDocuments(editor)


@pytest_asyncio.fixture(loop_scope="session")
async def own(workspace: Path, environment: dict[str, str]) -> AsyncIterator[Editor]:
    """An editor on a workspace of the test's own."""
    async with serving([workspace], "neovim", environment) as editor:
        editor.notes = editor.open_document(workspace / "notes.md")
        yield editor
