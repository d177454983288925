-- `:checkhealth writeit`: the server, its version, the models, the store, the settings.
local config = require('writeit.config')
local rpc = require('writeit.rpc')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

local TIMEOUT = 15000 -- milliseconds
local health = vim.health

--- The client to check: that of the last document, else any, else one that is started.
---@return vim.lsp.Client?, boolean started
local function find_or_start_client()
  local previous = vim.fn.bufnr('#') -- the report has a buffer of its own
  local root = previous > 0 and server.root_of(require('writeit.targets').target_buffer(previous))
  local client = root and rpc.find_client(root) or vim.lsp.get_clients({ name = 'writeit' })[1]
  if client then
    return client, false
  end
  local settings = vim.deepcopy(vim.lsp.config.writeit)
  settings.name, settings.root_dir = 'writeit', vim.uv.cwd()
  local id = vim.lsp.start(settings, { attach = false })
  local started = id and vim.lsp.get_client_by_id(id)
  vim.wait(TIMEOUT, function()
    return not started or started.initialized or started:is_stopped()
  end, 20)
  return started, true
end

---@class writeit.Reply
---@field result? table
---@field error? string Why there is no result.

--- Send all commands at once and wait for the replies: listing the models takes seconds
--- for the first time, and the server checks its store meanwhile.
---@param client vim.lsp.Client
---@param commands string[]
---@return table<string, writeit.Reply>
local function execute_all(client, commands)
  local replies, missing = {}, #commands ---@type table<string, writeit.Reply>
  for _, command in ipairs(commands) do
    replies[command] = { error = 'no reply' }
    client:request('workspace/executeCommand', {
      command = 'writeit.' .. command,
      arguments = { vim.empty_dict() },
    }, function(err, result)
      replies[command] = { result = not err and result or nil, error = err and err.message }
      missing = missing - 1
    end)
  end
  vim.wait(TIMEOUT, function()
    return missing == 0 or client:is_stopped()
  end, 10)
  return replies
end

local function report_settings()
  health.start('WriteIt: settings')
  local problems = config.problems()
  for _, problem in ipairs(problems) do
    health.warn(problem, 'See :help writeit-settings')
  end
  if #problems == 0 then
    health.ok('vim.g.writeit is valid')
  end
  if not vim.lsp.is_enabled('writeit') then
    health.warn('The client is not enabled', "Call vim.lsp.enable('writeit')")
  end
end

---@return boolean found
local function report_server()
  health.start('WriteIt: server')
  local found, searched = server.find()
  if found then
    health.ok(('Command: `%s` (%s)'):format(table.concat(found.cmd, ' '), found.reason))
    return true
  end
  health.error('No server was found', { 'Install it: pip install writeit', unpack(searched) })
  return false
end

---@param client vim.lsp.Client
local function report_version(client)
  local text = (client.server_info or {}).version or 'unknown'
  local version = vim.version.parse(text)
  if version and not vim.version.lt(version, server.MIN_VERSION) then
    health.ok(('Version: %s (this plug-in needs %s or later)'):format(text, server.MIN_VERSION))
  else
    health.error(
      ('Version %s is too old: this plug-in needs %s'):format(text, server.MIN_VERSION),
      'Update it: pip install --upgrade writeit'
    )
  end
  health.info('Workspace: ' .. vim.fn.fnamemodify(client.root_dir or '?', ':~'))
end

---@param reply writeit.Reply
local function report_models(reply)
  health.start('WriteIt: models')
  local listed = reply.result
  if not listed then
    health.error('The models could not be listed: ' .. reply.error)
    return
  end
  local usable = vim.tbl_filter(function(model)
    return model.available
  end, listed.models)
  if #usable == 0 then
    health.warn('No model is available yet', {
      'Set the key of a provider with :WriteIt key',
      'Download a small model that works offline with :WriteIt model embedded/smollm2-135m',
    })
  else
    health.ok(('Available models: %d, for example %s'):format(#usable, usable[1].id))
  end
  for _, model in ipairs(listed.models) do
    if not model.available then
      health.info(('%s: %s'):format(model.id, model.reason or 'not available'))
    end
  end
end

---@param status writeit.Reply
---@param verification writeit.Reply
local function report_store(status, verification)
  health.start('WriteIt: store')
  local store, verified = status.result, verification.result
  if not store then
    health.warn('The store could not be read: ' .. status.error)
    return
  end
  health.info(('%s: %d runs, %d answers'):format(store.path, store.runs, store.responses))
  if verified and verified.ok then
    health.ok(('The store is healthy (%d records checked)'):format(verified.checked))
  elseif verified then
    health.error(
      'The store is damaged: ' .. verified.problems[1].message,
      'Run: writeit store verify'
    )
  else
    health.warn('The store could not be verified: ' .. verification.error)
  end
end

---@param client vim.lsp.Client
local function report_queue(client)
  health.start('WriteIt: queue')
  local names = client.root_dir and task.pending_names(client.root_dir) or {}
  health.info(#names == 0 and 'No command is waiting' or table.concat(names, ', '))
  if rpc.has_pending(client.id) then
    health.info('A request to the server is under way')
  end
end

function M.check()
  report_settings()
  if not report_server() and type(vim.lsp.config.writeit.cmd) == 'function' then
    return
  end
  local client, started = find_or_start_client()
  if not client or not client.initialized then
    health.error('The server does not answer', 'Read its log with :WriteIt log')
    return
  end
  report_version(client)
  local replies = execute_all(client, { 'model.list', 'store.status', 'store.verify' })
  report_models(replies['model.list'])
  report_store(replies['store.status'], replies['store.verify'])
  if started then
    require('writeit.lifecycle').stop(client)
  end
  report_queue(client)
end

return M
