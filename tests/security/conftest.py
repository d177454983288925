"""What is attacked: real servers, and a provider that keeps what is sent."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lsp.conftest import environment, provider, workspace
from support.editor import Editor, serving

__all__ = ["environment", "provider", "workspace"]

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # before LiteLLM is imported


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cloned(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor in a folder that somebody else made."""
    folder = tmp_path_factory.mktemp("cloned")
    (folder / "notes.md").write_text("# Secret notes\n")
    async with serving([folder], "neovim", environment) as editor:
        editor.folder = folder
        editor.notes = editor.open_document(folder / "notes.md")
        yield editor
