-- Where the server is, and why that one.
local config = require('writeit.config')

local M = {}

M.OLDEST = '0.1.0' -- the oldest server that knows everything we ask for

local MARKERS = { '.writeit', 'pipelines', '.git' }

---@class writeit.Found
---@field cmd string[]
---@field why string

---@param path string
---@return boolean
local function runs(path)
  return vim.fn.executable(path) == 1
end

--- The `writeit` of the environment that this copy of the plug-in came with: a wheel
--- has us in `<environment>/lib/…/writeit/_bundled/neovim`, a checkout beside `.venv`.
---@return string?
local function beside()
  local here = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
  local plugin = vim.fs.normalize(vim.fs.joinpath(here, '..', '..'))
  for folder in vim.fs.parents(plugin) do
    for _, place in ipairs({ { 'bin', 'writeit' }, { '.venv', 'bin', 'writeit' } }) do
      local path = vim.fs.joinpath(folder, unpack(place))
      if runs(path) and vim.startswith(plugin, folder .. '/') then
        return path
      end
    end
    if vim.fs.basename(folder):match('^python%d') == nil and vim.uv.fs_stat(folder .. '/.git') then
      return nil -- the top of the checkout: what lies above is somebody else's
    end
  end
end

--- The server, or nil and where it was looked for. A workspace's own files are never
--- run: a cloned repository is somebody else's until she says otherwise.
---@return writeit.Found?
---@return string[] looked
function M.find()
  local looked = {}
  local given = config.get('cmd')
  if given then
    if given[1] and runs(given[1]) then
      return { cmd = given, why = 'vim.g.writeit.cmd says so' }, looked
    end
    return nil, { ('vim.g.writeit.cmd: %s cannot be run'):format(given[1] or 'empty') }
  end
  local environment = vim.env.VIRTUAL_ENV
  if environment then
    local path = vim.fs.joinpath(environment, 'bin', 'writeit')
    if runs(path) then
      return { cmd = { path, 'serve' }, why = 'the active Python environment has it' }, looked
    end
    looked[#looked + 1] = ('$VIRTUAL_ENV: no %s'):format(path)
  else
    looked[#looked + 1] = '$VIRTUAL_ENV: no Python environment is active'
  end
  local path = vim.fn.exepath('writeit')
  if path ~= '' then
    return { cmd = { path, 'serve' }, why = 'it is on the PATH' }, looked
  end
  looked[#looked + 1] = '$PATH: no writeit'
  path = beside()
  if path then
    return { cmd = { path, 'serve' }, why = 'it came with this plug-in' }, looked
  end
  looked[#looked + 1] = 'beside this plug-in: no writeit'
  return nil, looked
end

--- What to say when there is none.
---@return writeit.Fault
function M.missing()
  local given = config.get('cmd')
  local _, looked = M.find()
  return {
    message = given and looked[1] .. '.' or 'no server was found.',
    hint = given and 'Put it right, or leave it out; :checkhealth writeit says more.'
      or 'Install it with `pip install writeit`, or name it in vim.g.writeit.cmd;'
        .. ' :checkhealth writeit says where it was looked for.',
  }
end

---@type table<vim.lsp.rpc.PublicClient, integer> Its process, to be ended if it hangs.
local processes = setmetatable({}, { __mode = 'k' })

--- Start the server's process, for `vim.lsp`.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@return vim.lsp.rpc.PublicClient
function M.spawn(dispatchers)
  local found = M.find()
  if not found then
    error(M.missing().message, 0)
  end
  local before = vim.api.nvim_get_proc_children(vim.uv.os_getpid())
  local rpc = vim.lsp.rpc.start(found.cmd, dispatchers)
  for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.uv.os_getpid())) do
    if not vim.list_contains(before, pid) then
      processes[rpc] = pid
    end
  end
  return rpc
end

--- End a server that may not listen any more.
---@param client vim.lsp.Client
function M.kill(client)
  local pid = processes[client.rpc]
  local process = pid and vim.api.nvim_get_proc(pid)
  if process and process.ppid == vim.uv.os_getpid() then
    vim.uv.kill(pid, 'sigkill')
  end
end

--- The workspace of a file: the nearest folder with one of the markers, else its own.
---@param buf integer
---@return string? -- nil if the buffer is no file's
function M.root_of(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if vim.b[buf].writeit_root or vim.startswith(name, 'writeit:') then
    return vim.b[buf].writeit_root
  end
  local root = vim.fs.root(buf, MARKERS)
  if root then
    return root
  end
  return name ~= '' and vim.fs.dirname(vim.fs.normalize(name)) or vim.uv.cwd()
end

local said_missing = false

--- For `vim.lsp.enable`: start only where there is something to start.
---@param buf integer
---@param on_dir fun(root: string?)
function M.root_dir(buf, on_dir)
  if vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit:') then
    return
  end
  local configured = vim.lsp.config.writeit
  if type(configured.cmd) == 'function' and not M.find() then
    if not said_missing then
      said_missing = true
      vim.schedule(function()
        local fault = M.missing()
        require('writeit.say').warn(fault.message .. ' ' .. fault.hint)
      end)
    end
    return
  end
  on_dir(M.root_of(buf))
end

return M
