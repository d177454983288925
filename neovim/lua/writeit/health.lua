-- `:checkhealth writeit`: the server and why that one, whether it fits, the models, the
-- store, the settings.
local client_of = require('writeit.client')
local config = require('writeit.config')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

local PATIENCE = 15000
local health = vim.health

--- A client to ask: one that is there, else one that is started for the occasion.
---@return vim.lsp.Client?, boolean made
local function client()
  local there = vim.lsp.get_clients({ name = 'writeit' })[1]
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

--- Ask, and wait for the reply; nil and why if there is none.
---@param one vim.lsp.Client
---@param command string
---@return table?, string?
local function ask(one, command)
  local reply, why = one:request_sync('workspace/executeCommand', {
    command = 'writeit.' .. command,
    arguments = { vim.empty_dict() },
  }, PATIENCE)
  if not reply then
    return nil, why or 'no reply'
  end
  return reply.result, reply.err and reply.err.message
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

---@param one vim.lsp.Client
local function models(one)
  health.start('WriteIt: models')
  local listed, why = ask(one, 'model.list')
  if not listed then
    health.error('the models could not be listed: ' .. why)
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

---@param one vim.lsp.Client
local function store(one)
  health.start('WriteIt: store')
  local status, why = ask(one, 'store.status')
  if not status then
    health.warn('the store was not looked at: ' .. why)
    return
  end
  health.info(('%s: %d runs, %d answers'):format(status.path, status.runs, status.responses))
  local verified, trouble = ask(one, 'store.verify')
  if verified and verified.ok then
    health.ok(('the store is healthy (%d things checked)'):format(verified.checked))
  elseif verified then
    health.error('the store is damaged: ' .. verified.problems[1].message, 'writeit store verify')
  else
    health.warn('the store could not be verified: ' .. trouble)
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
  models(one)
  store(one)
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
