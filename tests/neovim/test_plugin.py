"""The plug-in: its installation, help, settings, health check and workspace."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neovim import wording
from support.neovim_session import NeovimSession
from support.nvim import Nvim
from writeit.cli.setup import runtime_folder

PLUGIN = Path(__file__).parents[2] / "neovim"
LUA = sorted(PLUGIN.rglob("*.lua"))
RECORD_GLOBALS = """
_G.new_globals = {}
setmetatable(_G, { __newindex = function(_, name, value)
  local where = debug.getinfo(2, 'S').source
  if where:find('/neovim/lua/writeit') then
    table.insert(_G.new_globals, name)
  end
  rawset(_G, name, value)
end })
"""
FIND_ROOT = "return require('writeit.server').root_of(vim.fn.bufadd(...))"
RECORD_REQUESTS = """
local client = vim.lsp.get_clients({ name = 'writeit' })[1]
_G.events = {}
function client:request(method, params, handler, ...)
  local command = params.command
  table.insert(_G.events, 'sent ' .. (command or method))
  return require('vim.lsp.client').request(self, method, params, function(...)
    table.insert(_G.events, 'received ' .. (command or method))
    return handler(...)
  end, ...)
end
"""


def test_neovim_runtime_prints_the_bundled_plugin() -> None:
    """As a path and as JSON."""
    command = [sys.executable, "-m", "writeit", "neovim-runtime"]
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (Path(plain.stdout.strip()) / "plugin/writeit.lua").is_file()
    as_json = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(as_json.stdout)["path"] == plain.stdout.strip()


def test_wheels_plugin_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fits the server."""
    package = tmp_path / "writeit"
    (package / "_bundled/neovim/lua/writeit").mkdir(parents=True)
    monkeypatch.setattr("writeit.cli.setup.__file__", str(package / "cli/neovim.py"))
    assert runtime_folder() == package / "_bundled/neovim"


def test_help_has_every_verb(session: NeovimSession) -> None:
    """`:help :WriteIt-next` finds its text."""
    for verb in session.nvim.lua("return require('writeit.verb_names').names"):
        session.nvim.command(f"help :WriteIt-{verb}")
        assert session.nvim.lua("return vim.fn.expand('%:t')") == "writeit.txt"


def test_help_tags_are_up_to_date(session: NeovimSession, tmp_path: Path) -> None:
    """They are part of the plug-in: a wheel cannot generate them."""
    text = (PLUGIN / "doc/writeit.txt").read_bytes()
    (tmp_path / "writeit.txt").write_bytes(text)
    session.nvim.command(f"helptags {tmp_path}")
    assert (tmp_path / "tags").read_text() == (PLUGIN / "doc/tags").read_text()


def test_no_module_sets_a_global(start: Callable[..., Nvim]) -> None:
    """Every module is loaded by itself, in a Neovim that records new globals."""
    nvim = start(RECORD_GLOBALS)
    names = [
        ".".join(path.relative_to(PLUGIN / "lua").with_suffix("").parts)
        for path in LUA
        if path.is_relative_to(PLUGIN / "lua") and path.stem != "types"
    ]
    assert len(names) > 20
    for name in names:
        nvim.lua("require(...)", name.removesuffix(".init"))
    assert nvim.lua("return _G.new_globals") == []


def test_startup_reads_two_files(neovim_binary: Path, tmp_path: Path) -> None:
    """The others, and Neovim's own `vim.lsp`, are loaded with markdown or a command."""
    times = tmp_path / "times.txt"
    arguments = ["--clean", "--headless", "--cmd", f"set runtimepath^={PLUGIN}"]
    command = [*arguments, "--startuptime", str(times), "-c", "quit"]
    subprocess.run([str(neovim_binary), *command], check=True, cwd=tmp_path)
    lines = [line for line in times.read_text("utf-8").splitlines() if ": " in line]
    ours = [line for line in lines if "writeit" in line]
    read = [line.split(": ", 1)[1] for line in ours]
    assert read == [
        "require('writeit.verb_names')",
        f"sourcing {PLUGIN}/plugin/writeit.lua",
    ]
    assert not [line for line in lines if "vim.lsp" in line]


def test_lines_of_the_readme_load_the_plugin(
    neovim_binary: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """As they stand; where the folder is missing they do nothing."""
    readme = (PLUGIN.parent / "README.md").read_text("utf-8")
    blocks = re.findall("```lua\n(.*?)```", readme, re.DOTALL)
    (lines,) = [block for block in blocks if "runtimepath" in block]
    config = tmp_path / ".config/nvim"
    config.mkdir(parents=True)
    (config / "init.lua").write_text(lines, encoding="utf-8")
    script = ["-u", str(config / "init.lua")]
    exists = "return vim.fn.exists(':WriteIt') .. vim.fn.execute('messages')"
    with Nvim(neovim_binary, tmp_path, environment, arguments=script) as nvim:
        assert nvim.lua(exists) == "0"
    (config / "writeit").symlink_to(PLUGIN)
    with Nvim(neovim_binary, tmp_path, environment, arguments=script) as nvim:
        assert nvim.lua(exists) == "2"


def test_file_on_the_command_line_gets_the_client(
    neovim_binary: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Its type is set before Neovim has started."""
    (tmp_path / "notes.md").write_text("# Notes\n", encoding="utf-8")
    arguments = ["--cmd", f"set runtimepath^={PLUGIN}", str(tmp_path / "notes.md")]
    with Nvim(neovim_binary, tmp_path, environment, arguments=arguments) as nvim:
        nvim.wait_until("#vim.lsp.get_clients({ name = 'writeit', bufnr = 0 }) == 1")


def test_checkhealth(session: NeovimSession) -> None:
    """Server, version, models and store; all requests are sent before a reply."""
    session.nvim.lua(RECORD_REQUESTS)
    session.nvim.command("checkhealth writeit")
    events = session.nvim.lua("return _G.events")
    session.nvim.lua("vim.lsp.get_clients({ name = 'writeit' })[1].request = nil")
    assert events[:3] == [
        "sent writeit.model.list",
        "sent writeit.store.status",
        "sent writeit.store.verify",
    ]
    report = session.text(session.nvim.lua("return vim.api.nvim_get_current_buf()"))
    assert wording.HEALTH_VERSION in report
    assert wording.HEALTH_SERVER in report
    assert any(text in report for text in wording.HEALTH_MODELS)
    assert wording.HEALTH_STORE in report
    assert "ERROR" not in report, report


def test_checkhealth_without_a_server(start: Callable[..., Nvim]) -> None:
    """It lists the places searched and says how to install it."""
    nvim = start("vim.g.writeit = { cmd = { '/nowhere/writeit' } }")
    nvim.command("checkhealth writeit")
    report = "\n".join(nvim.lua("return vim.fn.getline(1, '$')"))
    assert wording.CANNOT_RUN.format("/nowhere/writeit") in report
    assert wording.HEALTH_INSTALL in report


def test_invalid_settings_are_reported(start: Callable[..., Nvim]) -> None:
    """The default is used instead."""
    nvim = start("vim.g.writeit = { windw = 'float', width = 'wide' }")
    problems = nvim.lua("return require('writeit.config').problems()")
    assert problems == [
        wording.SETTING_TYPE.format("width", "number"),
        wording.SETTING_UNKNOWN.format("windw"),
    ]
    assert nvim.lua("return require('writeit.config').get('width')") == 0.5


def test_user_configuration_is_sent_at_startup(start: Callable[..., Nvim]) -> None:
    """Together with the plug-in's own options."""
    nvim = start("vim.g.writeit = { user = { storeLocation = 'user' } }")
    options = nvim.lua(
        "local options = vim.deepcopy(vim.lsp.config.writeit.init_options)"
        " local params = { initializationOptions = options }"
        " require('writeit.lifecycle').before_init(params, {})"
        " return params.initializationOptions.writeit"
    )
    assert options["user"] == {"storeLocation": "user"}
    assert options["views"] == "uri"


@pytest.mark.parametrize("marker", [".writeit", "pipelines", ".git"])
def test_workspace_is_the_nearest_folder_with_a_marker(
    session: NeovimSession, tmp_path: Path, marker: str
) -> None:
    """Whatever markers are in the folders above."""
    (tmp_path / ".git").mkdir()
    book = tmp_path / "book"
    (book / marker).mkdir(parents=True)
    (book / "chapters").mkdir()
    file = str(book / "chapters" / "one.md")
    assert session.nvim.lua(FIND_ROOT, file) == str(book)


def test_workspace_without_a_marker_is_the_files_folder(
    session: NeovimSession, tmp_path: Path
) -> None:
    """A folder of notes is a workspace, too."""
    assert session.nvim.lua(FIND_ROOT, str(tmp_path / "one.md")) == str(tmp_path)
