-- Talking with the server, in a task: every request is answered, or its fault raised.
local config = require('writeit.config')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

---@type table<integer, table<writeit.Resume, true>> By client: who waits for a reply.
local waiting = {}

---@type writeit.Fault
local GONE = {
  kind = 'gone',
  message = 'the server has stopped.',
  hint = 'What it had received is kept; the next :WriteIt starts it again.',
}

--- For those who waited when it went: the writer has been told once.
---@type writeit.Fault
local GONE_AND_SAID = { kind = 'gone', message = GONE.message, quiet = true }

---@param err lsp.ResponseError|writeit.Fault
---@return writeit.Fault
local function fault_of(err)
  if err == GONE or err == GONE_AND_SAID then
    ---@cast err writeit.Fault
    return err
  end
  ---@cast err lsp.ResponseError
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
  local err, result = task.await(function(resume)
    waiting[client.id] = waiting[client.id] or {}
    waiting[client.id][resume] = true
    local sent = not client:is_stopped()
      and client:request(method, params, function(failure, reply)
        waiting[client.id][resume] = nil
        resume(failure, reply)
      end, buf)
    if not sent then
      waiting[client.id][resume] = nil
      vim.schedule(function()
        resume(GONE)
      end)
    end
  end)
  if err then
    error(fault_of(err), 0)
  end
  return result
end

--- Run a command of the contract; returns its result.
---@param client vim.lsp.Client
---@param command string Without `writeit.` in front.
---@param params? table
---@return any
function M.execute(client, command, params)
  return M.request(client, 'workspace/executeCommand', {
    command = 'writeit.' .. command,
    arguments = { params and next(params) and params or vim.empty_dict() },
  })
end

--- Tell everybody who waits for a server that it is gone.
---@param id integer
function M.abandon(id)
  local resumes = waiting[id] or {}
  waiting[id] = nil
  for resume in pairs(resumes) do
    resume(GONE_AND_SAID)
  end
end

--- Whether a reply is being waited for.
---@param id integer
---@return boolean
function M.is_waited_for(id)
  return next(waiting[id] or {}) ~= nil
end

--- The client of a workspace that can be spoken to now.
---@param root string
---@return vim.lsp.Client?
function M.of_root(root)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'writeit' })) do
    if client.initialized and not client:is_stopped() and client.root_dir == root then
      return client
    end
  end
end

---@param root string
---@return boolean
local function is_coming(root)
  local clients = vim.lsp.get_clients({ name = 'writeit', _uninitialized = true })
  return vim.iter(clients):any(function(client)
    return client.root_dir == root and not client:is_stopped()
  end)
end

---@param buf integer
---@param root string
local function start(buf, root)
  if not server.find() and type(vim.lsp.config.writeit.cmd) == 'function' then
    error(server.missing(), 0)
  end
  local settings = vim.deepcopy(vim.lsp.config.writeit)
  settings.name, settings.root_dir = 'writeit', root
  local attach = vim.bo[buf].filetype == 'markdown' and vim.bo[buf].buftype == ''
  vim.lsp.start(settings, { bufnr = buf, attach = attach })
end

--- The client of a buffer, ready; it is started if there is none. Waits in a task.
---@param buf integer
---@return vim.lsp.Client
function M.ready(buf)
  local root = server.root_of(buf)
  if not root then
    error({ message = 'this buffer belongs to no workspace.' }, 0)
  end
  local client = M.of_root(root)
  if client then
    return client
  end
  if not is_coming(root) then
    start(buf, root)
  end
  local patience = vim.uv.now() + config.get('patience') * 3
  repeat
    task.sleep(20)
    client = M.of_root(root)
  until client or not is_coming(root) or vim.uv.now() > patience
  if client then
    return client
  end
  error({
    message = is_coming(root) and 'the server does not answer.' or 'the server did not start.',
    hint = ':WriteIt log says what it said; :WriteIt restart starts it anew.',
  }, 0)
end

return M
