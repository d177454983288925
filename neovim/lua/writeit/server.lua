-- The server's executable and process, and the workspace of a file.
local config = require('writeit.config')

local M = {}

M.MIN_VERSION = '0.1.0' -- the oldest server with everything that this plug-in uses

local WORKSPACE_MARKERS = { '.writeit', 'pipelines', '.git' }

---@type writeit.Error
M.NO_WORKSPACE = { message = 'This buffer belongs to no workspace.' }

---@class writeit.ServerCommand
---@field cmd string[]
---@field reason string Why this one is used.

---@param path string
---@return boolean
local function is_executable(path)
  return vim.fn.executable(path) == 1
end

--- The `writeit` of the environment that has this plug-in: a wheel's plug-in is in
--- `<environment>/lib/…/writeit/_bundled/neovim`, a checkout's beside `.venv`.
---@return string?
local function find_bundled()
  local directory = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
  local plugin = vim.fs.normalize(vim.fs.joinpath(directory, '..', '..'))
  for folder in vim.fs.parents(plugin) do
    for _, parts in ipairs({ { 'bin', 'writeit' }, { '.venv', 'bin', 'writeit' } }) do
      local path = vim.fs.joinpath(folder, unpack(parts))
      if is_executable(path) and vim.startswith(plugin, folder .. '/') then
        return path
      end
    end
    if vim.fs.basename(folder):match('^python%d') == nil and vim.uv.fs_stat(folder .. '/.git') then
      return nil -- the top of the checkout: folders above it are not ours
    end
  end
end

--- The server's command, or nil and the places that were searched. A workspace's own
--- files are never run: a cloned repository is not trusted.
---@return writeit.ServerCommand?
---@return string[] searched
function M.find()
  local searched = {}
  local configured = config.get('cmd')
  if configured then
    if configured[1] and is_executable(configured[1]) then
      return { cmd = configured, reason = 'set in vim.g.writeit.cmd' }, searched
    end
    return nil, { ('vim.g.writeit.cmd: %s cannot be run'):format(configured[1] or 'empty') }
  end
  local environment = vim.env.VIRTUAL_ENV
  if environment then
    local path = vim.fs.joinpath(environment, 'bin', 'writeit')
    if is_executable(path) then
      return { cmd = { path, 'serve' }, reason = 'in the active Python environment' }, searched
    end
    searched[#searched + 1] = ('$VIRTUAL_ENV: no %s'):format(path)
  else
    searched[#searched + 1] = '$VIRTUAL_ENV: no Python environment is active'
  end
  local path = vim.fn.exepath('writeit')
  if path ~= '' then
    return { cmd = { path, 'serve' }, reason = 'on the PATH' }, searched
  end
  searched[#searched + 1] = '$PATH: no writeit'
  path = find_bundled()
  if path then
    return { cmd = { path, 'serve' }, reason = 'bundled with this plug-in' }, searched
  end
  searched[#searched + 1] = 'this plug-in: no writeit bundled with it'
  return nil, searched
end

--- The error for a server that is not found.
---@return writeit.Error
function M.not_found_error()
  local is_configured = config.get('cmd')
  local _, searched = M.find()
  return {
    message = is_configured and searched[1] .. '.' or 'No server was found.',
    hint = is_configured and 'Correct or remove the setting; see :checkhealth writeit.'
      or 'Install it with `pip install writeit`, or set vim.g.writeit.cmd;'
        .. ' :checkhealth writeit lists the places searched.',
  }
end

---@type table<vim.lsp.rpc.PublicClient, integer> The process id, to kill a server that hangs.
local processes = setmetatable({}, { __mode = 'k' })

--- Start the server's process, for `vim.lsp`.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@return vim.lsp.rpc.PublicClient
function M.spawn(dispatchers)
  local found = M.find()
  if not found then
    error(M.not_found_error().message, 0)
  end
  local before = vim.api.nvim_get_proc_children(vim.uv.os_getpid())
  local connection = vim.lsp.rpc.start(found.cmd, dispatchers)
  for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.uv.os_getpid())) do
    if not vim.list_contains(before, pid) then
      processes[connection] = pid
    end
  end
  return connection
end

--- Kill a server that may no longer answer.
---@param client vim.lsp.Client
function M.kill(client)
  local pid = processes[client.rpc]
  local process = pid and vim.api.nvim_get_proc(pid)
  if process and process.ppid == vim.uv.os_getpid() then
    vim.uv.kill(pid, 'sigkill')
  end
end

--- The workspace of a file: the nearest folder with a marker, else the file's own folder.
---@param buf integer
---@return string? -- nil if the buffer is a view of no known workspace
function M.root_of(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.b[buf].writeit_root or vim.startswith(name, 'writeit:') then
    return vim.b[buf].writeit_root
  end
  local root = vim.fs.root(buf, WORKSPACE_MARKERS)
  if root then
    return root
  end
  return name ~= '' and vim.fs.dirname(vim.fs.normalize(name)) or vim.uv.cwd()
end

--- The workspace of the working directory.
---@return string
function M.working_root()
  local folder = assert(vim.uv.cwd())
  return vim.fs.root(folder, WORKSPACE_MARKERS) or folder
end

--- For `vim.lsp.enable`: start a server only if there is one. A command says if there is
--- none.
---@param buf integer
---@param on_dir fun(root: string?)
function M.root_dir(buf, on_dir)
  if vim.api.nvim_buf_get_name(buf):match('^writeit[%l-]*:') then
    return
  end
  local configured = vim.lsp.config.writeit
  if type(configured.cmd) == 'function' and not M.find() then
    return
  end
  on_dir(M.root_of(buf))
end

return M
