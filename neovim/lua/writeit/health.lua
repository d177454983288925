-- `:checkhealth writeit`: the server and why that one, whether it fits, the models, the
-- store, the settings.
local client_of = require('writeit.client')
local config = require('writeit.config')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

local PATIENCE = 15000
local health = vim.health

--- A client to ask: that of the article she comes from, any that is there, else one that
--- is started for the occasion.
---@return vim.lsp.Client?, boolean made
local function client()
  local before = vim.fn.bufnr('#') -- the report has a buffer of its own
  local root = before > 0 and server.root_of(require('writeit.here').subject(before))
  local there = root and client_of.of_root(root) or vim.lsp.get_clients({ name = 'writeit' })[1]
  if there then
    return there, false
  end
  local settings = vim.deepcopy(vim.lsp.config.writeit)
  settings.name, settings.root_dir = 'writeit', vim.uv.cwd()
  local id = vim.lsp.start(settings, { attach = false })
  local made = id and vim.lsp.get_client_by_id(id)
  vim.wait(PATIENCE, function()
    return not made or made.initialized or made:is_stopped()
  end, 20)
  return made, true
end

---@class writeit.Told
---@field result? table
---@field why? string Why there is no result.

--- Ask all of it at once, and wait for the replies: a server that has not asked a model yet
--- takes seconds to know of any, and looks at its store meanwhile.
---@param one vim.lsp.Client
---@param commands string[]
---@return table<string, writeit.Told>
local function ask(one, commands)
  local told, left = {}, #commands ---@type table<string, writeit.Told>
  for _, command in ipairs(commands) do
    told[command] = { why = 'no reply' }
    one:request('workspace/executeCommand', {
      command = 'writeit.' .. command,
      arguments = { vim.empty_dict() },
    }, function(err, result)
      told[command] = { result = not err and result or nil, why = err and err.message }
      left = left - 1
    end)
  end
  vim.wait(PATIENCE, function()
    return left == 0 or one:is_stopped()
  end, 10)
  return told
end

local function settings()
  health.start('WriteIt: settings')
  local problems = config.problems()
  for _, problem in ipairs(problems) do
    health.warn(problem, ':help writeit-settings')
  end
  if #problems == 0 then
    health.ok('vim.g.writeit is understood')
  end
  if not vim.lsp.is_enabled('writeit') then
    health.warn('the client is not enabled', "vim.lsp.enable('writeit')")
  end
end

---@return boolean
local function found()
  health.start('WriteIt: server')
  local it, looked = server.find()
  if it then
    health.ok(('`%s`, because %s'):format(table.concat(it.cmd, ' '), it.why))
    return true
  end
  health.error('no server was found', { 'pip install writeit', unpack(looked) })
  return false
end

---@param one vim.lsp.Client
local function version(one)
  local told = (one.server_info or {}).version or 'of no version'
  local parsed = vim.version.parse(told)
  if parsed and not vim.version.lt(parsed, server.OLDEST) then
    health.ok(('server %s fits this plug-in, which needs %s'):format(told, server.OLDEST))
  else
    health.error(
      ('server %s is too old; this plug-in needs %s'):format(told, server.OLDEST),
      'pip install --upgrade writeit'
    )
  end
  health.info('workspace ' .. vim.fn.fnamemodify(one.root_dir or '?', ':~'))
end

---@param told writeit.Told
local function models(told)
  health.start('WriteIt: models')
  local listed = told.result
  if not listed then
    health.error('the models could not be listed: ' .. told.why)
    return
  end
  local usable = vim.tbl_filter(function(model)
    return model.available
  end, listed.models)
  if #usable == 0 then
    health.warn('no model can be asked yet', {
      ':WriteIt key sets the key of a provider',
      ':WriteIt model embedded/smollm2-135m fetches a small one that works offline',
    })
  else
    health.ok(('%d models can be asked, among them %s'):format(#usable, usable[1].id))
  end
  for _, model in ipairs(listed.models) do
    if not model.available then
      health.info(('%s: %s'):format(model.id, model.reason or 'cannot be asked'))
    end
  end
end

---@param status writeit.Told
---@param verified writeit.Told
local function store(status, verified)
  health.start('WriteIt: store')
  local it, whole = status.result, verified.result
  if not it then
    health.warn('the store was not looked at: ' .. status.why)
    return
  end
  health.info(('%s: %d runs, %d answers'):format(it.path, it.runs, it.responses))
  if whole and whole.ok then
    health.ok(('the store is healthy (%d things checked)'):format(whole.checked))
  elseif whole then
    health.error('the store is damaged: ' .. whole.problems[1].message, 'writeit store verify')
  else
    health.warn('the store could not be verified: ' .. verified.why)
  end
end

function M.check()
  settings()
  if not found() and type(vim.lsp.config.writeit.cmd) == 'function' then
    return
  end
  local one, made = client()
  if not one or not one.initialized then
    health.error('the server does not answer', ':WriteIt log says what it said')
    return
  end
  version(one)
  local told = ask(one, { 'model.list', 'store.status', 'store.verify' })
  models(told['model.list'])
  store(told['store.status'], told['store.verify'])
  if made then
    require('writeit.life').dismiss(one)
  end
  health.start('WriteIt: waiting')
  local waits = one.root_dir and task.waiting(one.root_dir) or {}
  health.info(#waits == 0 and 'nothing' or table.concat(waits, ', '))
  if client_of.is_waited_for(one.id) then
    health.info('a reply of the server is being waited for')
  end
end

return M
