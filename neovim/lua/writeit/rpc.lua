-- Requests to the server, in a task: each returns its result or raises an error.
local config = require('writeit.config')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

---@type table<integer, table<writeit.Resume, true>> By client: the tasks that wait for a reply.
local pending = {}

---@type writeit.Error
local STOPPED = {
  message = 'The server has stopped.',
  hint = 'What it received was kept; the next :WriteIt command starts it again.',
}

--- For requests that were under way: the user has been told once.
---@type writeit.Error
local STOPPED_QUIET = { message = STOPPED.message, quiet = true }

---@param err lsp.ResponseError
---@return writeit.Error
local function to_error(err)
  local data = type(err.data) == 'table' and err.data or {}
  return { message = data.message or err.message, hint = data.hint, kind = data.kind }
end

--- Send a request; returns its result.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param buf? integer
---@return any
function M.request(client, method, params, buf)
  local failure, result = task.await(function(resume)
    pending[client.id] = pending[client.id] or {}
    pending[client.id][resume] = true
    local sent = not client:is_stopped()
      and client:request(method, params, function(err, reply)
        pending[client.id][resume] = nil
        resume(err and to_error(err), reply)
      end, buf)
    if not sent then
      pending[client.id][resume] = nil
      vim.schedule(function()
        resume(STOPPED)
      end)
    end
  end)
  if failure then
    error(failure, 0)
  end
  return result
end

--- Run a command of the protocol; returns its result.
---@param client vim.lsp.Client
---@param command string Without the prefix `writeit.`.
---@param params? table
---@return any
function M.execute(client, command, params)
  return M.request(client, 'workspace/executeCommand', {
    command = 'writeit.' .. command,
    arguments = { params and next(params) and params or vim.empty_dict() },
  })
end

--- End every request to a server that has stopped.
---@param id integer
function M.fail_pending(id)
  local resumes = pending[id] or {}
  pending[id] = nil
  for resume in pairs(resumes) do
    resume(STOPPED_QUIET)
  end
end

--- Whether a request to a server is under way.
---@param id integer
---@return boolean
function M.has_pending(id)
  return next(pending[id] or {}) ~= nil
end

--- The client of a workspace, if it is ready.
---@param root string
---@return vim.lsp.Client?
function M.find_client(root)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'writeit' })) do
    if client.initialized and not client:is_stopped() and client.root_dir == root then
      return client
    end
  end
end

---@param root string
---@return boolean
local function is_starting(root)
  local clients = vim.lsp.get_clients({ name = 'writeit', _uninitialized = true })
  return vim.iter(clients):any(function(client)
    return client.root_dir == root and not client:is_stopped()
  end)
end

--- Whether a buffer is a markdown document of the user's.
---@param buf integer
---@return boolean
function M.is_document(buf)
  local types = vim.lsp.config.writeit.filetypes or {}
  local is_ours = vim.api.nvim_buf_get_name(buf):match('^writeit[%l-]*:') ~= nil
  return vim.tbl_contains(types, vim.bo[buf].filetype) and vim.bo[buf].buftype == '' and not is_ours
end

--- Attach the running clients to the open pipelines and primers of their workspaces.
function M.attach_library_files()
  for _, client in ipairs(vim.lsp.get_clients({ name = 'writeit' })) do
    for _, buf in ipairs(vim.api.nvim_list_bufs()) do
      local path = vim.fs.normalize(vim.api.nvim_buf_get_name(buf))
      local is_library = path:match('/pipelines/[^/]+%.ya?ml$')
        or path:match('/primers/[^/]+%.ya?ml$')
      if
        is_library
        and vim.api.nvim_buf_is_loaded(buf)
        and vim.startswith(path, (client.root_dir or '') .. '/')
      then
        vim.lsp.buf_attach_client(buf, client.id)
      end
    end
  end
end

---@param buf integer
---@param root string
local function start(buf, root)
  if not server.find() and type(vim.lsp.config.writeit.cmd) == 'function' then
    error(server.not_found_error(), 0)
  end
  local settings = vim.deepcopy(vim.lsp.config.writeit)
  settings.name, settings.root_dir = 'writeit', root
  vim.lsp.start(settings, { bufnr = buf, attach = M.is_document(buf) })
end

--- The client of a buffer's workspace, ready; started if there is none. Waits in a task.
---@param buf integer
---@return vim.lsp.Client
function M.ensure_client(buf)
  local root = server.root_of(buf)
  if not root then
    error(server.NO_WORKSPACE, 0)
  end
  local client = M.find_client(root)
  if client then
    return client
  end
  if not is_starting(root) then
    start(buf, root)
  end
  local deadline = vim.uv.now() + config.get('patience') * 3
  repeat
    task.sleep(20)
    client = M.find_client(root)
  until client or not is_starting(root) or vim.uv.now() > deadline
  if client then
    return client
  end
  error({
    message = is_starting(root) and 'The server does not answer.' or 'The server did not start.',
    hint = 'Read its log with :WriteIt log, or restart it with :WriteIt restart.',
  }, 0)
end

return M
