"""The plug-in as it is found: by `writeit neovim-runtime`, in a wheel, by its help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from neovim import wording
from writeit.cli.setup import runtime_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from support.neovim_session import NeovimSession
    from support.nvim import Nvim

PLUGIN = Path(__file__).parents[2] / "neovim"
LUA = sorted(PLUGIN.rglob("*.lua"))
WATCH = """
_G.strays = {}
setmetatable(_G, { __newindex = function(_, name, value)
  local where = debug.getinfo(2, 'S').source
  if where:find('/neovim/lua/writeit') then
    table.insert(_G.strays, name)
  end
  rawset(_G, name, value)
end })
"""

LISTEN = """
local client = vim.lsp.get_clients({ name = 'writeit' })[1]
_G.heard = {}
function client:request(method, params, handler, ...)
  local command = params.command
  table.insert(_G.heard, 'asked ' .. (command or method))
  return require('vim.lsp.client').request(self, method, params, function(...)
    table.insert(_G.heard, 'told ' .. (command or method))
    return handler(...)
  end, ...)
end
"""


def test_the_command_prints_the_plugin_that_came_with_the_server() -> None:
    """As a path, and as JSON."""
    command = [sys.executable, "-m", "writeit", "neovim-runtime"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (Path(plain.stdout.strip()) / "plugin/writeit.lua").is_file()
    told = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout)["path"] == plain.stdout.strip()


def test_the_wheels_copy_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the package carries one, that is the one that fits the server."""
    package = tmp_path / "writeit"
    (package / "_bundled/neovim/lua/writeit").mkdir(parents=True)
    monkeypatch.setattr("writeit.cli.setup.__file__", str(package / "cli/neovim.py"))
    assert runtime_folder() == package / "_bundled/neovim"


def test_the_help_names_every_verb(writer: NeovimSession) -> None:
    """`:help :WriteIt-next` leads to the words about it."""
    for verb in writer.nvim.lua("return require('writeit.verb_names').names"):
        writer.nvim.command(f"help :WriteIt-{verb}")
        assert writer.nvim.lua("return vim.fn.expand('%:t')") == "writeit.txt"


def test_the_tags_of_the_help_are_its_own(
    writer: NeovimSession, tmp_path: Path
) -> None:
    """They come with the plug-in: a wheel is never asked to make them."""
    text = (PLUGIN / "doc/writeit.txt").read_bytes()
    (tmp_path / "writeit.txt").write_bytes(text)
    writer.nvim.command(f"helptags {tmp_path}")
    assert (tmp_path / "tags").read_text() == (PLUGIN / "doc/tags").read_text()


def test_no_module_sets_a_global(start: Callable[..., Nvim]) -> None:
    """Every module loads by itself, in a Neovim that watches its globals."""
    nvim = start(WATCH)
    names = [
        ".".join(path.relative_to(PLUGIN / "lua").with_suffix("").parts)
        for path in LUA
        if path.is_relative_to(PLUGIN / "lua") and path.stem != "types"
    ]
    assert len(names) > 20
    for name in names:
        nvim.lua("require(...)", name.removesuffix(".init"))
    assert nvim.lua("return _G.strays") == []


def test_a_start_loads_little(start: Callable[..., Nvim]) -> None:
    """Until markdown is opened or a command given, three small modules at most."""
    loaded = start().lua(
        "return vim.tbl_filter(function(name)"
        " return vim.startswith(name, 'writeit') end, vim.tbl_keys(package.loaded))"
    )
    assert set(loaded) <= {"writeit.verb_names", "writeit.commands", "writeit.handlers"}


def test_checkhealth_says_what_works_and_what_does_not(writer: NeovimSession) -> None:
    """Server, version, models, store; each with what to do about it."""
    writer.nvim.command("checkhealth writeit")
    report = writer.text(writer.nvim.lua("return vim.api.nvim_get_current_buf()"))
    assert wording.HEALTH_VERSION in report
    assert wording.HEALTH_SERVER in report
    assert any(text in report for text in wording.HEALTH_MODELS)
    assert wording.HEALTH_STORE in report
    assert "ERROR" not in report, report


def test_checkhealth_asks_everything_at_once(writer: NeovimSession) -> None:
    """The store is looked at while the models are still being listed."""
    writer.nvim.lua(LISTEN)
    writer.nvim.command("checkhealth writeit")
    heard = writer.nvim.lua("return _G.heard")
    writer.nvim.lua("vim.lsp.get_clients({ name = 'writeit' })[1].request = nil")
    assert heard[:3] == [
        "asked writeit.model.list",
        "asked writeit.store.status",
        "asked writeit.store.verify",
    ]


def test_checkhealth_without_a_server_says_where_it_looked(
    start: Callable[..., Nvim],
) -> None:
    """Every place, and how to install it."""
    nvim = start("vim.g.writeit = { cmd = { '/nowhere/writeit' } }")
    nvim.command("checkhealth writeit")
    report = "\n".join(nvim.lua("return vim.fn.getline(1, '$')"))
    assert wording.CANNOT_RUN.format("/nowhere/writeit") in report
    assert wording.HEALTH_INSTALL in report


def test_wrong_settings_are_named(start: Callable[..., Nvim]) -> None:
    """A misspelled or wrongly typed setting is a warning; its default is used."""
    nvim = start("vim.g.writeit = { windw = 'float', width = 'wide' }")
    problems = nvim.lua("return require('writeit.config').problems()")
    assert problems == [
        wording.SETTING_TYPE.format("width", "number"),
        wording.SETTING_UNKNOWN.format("windw"),
    ]
    assert nvim.lua("return require('writeit.config').get('width')") == 0.5


def test_the_users_own_configuration_is_sent_when_the_server_starts(
    start: Callable[..., Nvim],
) -> None:
    """Beside what the plug-in says of itself."""
    nvim = start("vim.g.writeit = { user = { storeLocation = 'user' } }")
    sent = nvim.lua(
        "local options = vim.deepcopy(vim.lsp.config.writeit.init_options)"
        " local params = { initializationOptions = options }"
        " require('writeit.lifecycle').before_init(params, {})"
        " return params.initializationOptions.writeit"
    )
    assert sent["user"] == {"storeLocation": "user"}
    assert sent["views"] == "uri"
