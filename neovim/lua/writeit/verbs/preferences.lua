-- Verbs that set preferences for later runs: model, key, primer.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')

local M = {}

---@param model { id: string, available: boolean, reason?: string }
---@return string
local function model_line(model)
  return model.available and model.id
    or ('%s (not available: %s)'):format(model.id, model.reason or 'unknown')
end

--- Download an embedded model that is named and not there yet.
---@param client vim.lsp.Client
---@param listed { id: string, available: boolean }[]
---@param ids string[]
local function install_missing(client, listed, ids)
  for _, model in ipairs(listed) do
    local is_missing = not model.available and vim.startswith(model.id, 'embedded/')
    if is_missing and vim.list_contains(ids, model.id) then
      notify.info(('Downloading %s. This takes a while.'):format(model.id))
      rpc.execute(client, 'model.install', { model = model.id })
    end
  end
end

---@param provider { provider: string, source: string }
---@return string
local function provider_line(provider)
  local state = provider.source == 'none' and 'no key' or 'key from the ' .. provider.source
  return ('%s (%s)'):format(provider.provider, state)
end

local SERVER = 'a server with an address of its own'

--- `:WriteIt model add [provider]`: ask for what is missing; the server calls it once.
---@param client vim.lsp.Client
---@param provider? string
local function add_model(client, provider)
  local listed = rpc.execute(client, 'keys.list').providers
  table.insert(listed, { provider = SERVER })
  provider = provider
    or user_input.select(listed, 'Provider', function(item)
      return item.provider == SERVER and SERVER or provider_line(item)
    end).provider
  local address
  if provider == SERVER or provider:find('://', 1, true) then
    address = provider ~= SERVER and provider or user_input.input('Address: ', 'http://')
    provider = user_input.input('Provider whose protocol it speaks: ', 'openai')
  end
  local key =
    user_input.secret(('API key for %s (empty: none, or the saved one): '):format(provider), true)
  local model = user_input.input(('Model of %s: '):format(provider))
  notify.info(('Calling %s/%s once…'):format(provider, model))
  local added = rpc.execute(client, 'model.add', {
    provider = provider,
    model = model,
    key = key ~= '' and key or nil,
    baseUrl = address,
  })
  notify.info(('%s works. It is your default model now.'):format(added.id))
end

--- `:WriteIt model [id …] [samples=N] [step]`: set the default models, for all steps, or
--- the one of a step.
---@param call writeit.Call
function M.model(call)
  local target = targets.find(call.buf)
  if call.arguments[1] == 'add' then
    return add_model(target.client, call.arguments[2])
  end
  local listed = rpc.execute(target.client, 'model.list').models
  local words = require('writeit.verbs.generate').parse_generation(call.arguments)
  local ids, step = words.models, words.others[1]
  if #call.arguments == 0 then
    ids = { user_input.select(listed, 'Default model', model_line).id }
  elseif #ids == 0 then
    error({
      message = ('%s is not a model.'):format(call.arguments[1]),
      hint = 'Write provider/model, for example openai/gpt-4o; <Tab> completes it.',
    }, 0)
  end
  install_missing(target.client, listed, ids)
  local change = {}
  if step then
    change.defaultModels = rpc.execute(target.client, 'preferences.get').defaultModels or {}
    change.defaultModels[step] = ids[1]
  else
    change.defaultModels = vim.empty_dict() -- those of single steps would win
    change.models = vim.tbl_map(function(id)
      return { model = id, samples = words.samples or 1 }
    end, ids)
  end
  rpc.execute(target.client, 'preferences.set', change)
  local each = words.samples and not step and (', %d answers each'):format(words.samples) or ''
  notify.info(
    ('Default model%s for %s: %s%s.'):format(
      #ids > 1 and not step and 's' or '',
      step or 'all steps',
      step and ids[1] or table.concat(ids, ', '),
      each
    )
  )
end

--- `:WriteIt key [provider]`: store an API key in the system keyring.
---@param call writeit.Call
function M.key(call)
  local target = targets.find(call.buf)
  local provider = call.arguments[1]
  if not provider then
    local listed = rpc.execute(target.client, 'keys.list').providers
    provider = user_input.select(listed, 'API key for', provider_line).provider
  end
  local key = user_input.secret(('API key for %s: '):format(provider))
  rpc.execute(target.client, 'keys.set', { provider = provider, key = key })
  notify.info(('API key for %s stored in the system keyring.'):format(provider))
end

--- `:WriteIt primer [id]`: set the default style of new runs.
---@param call writeit.Call
function M.primer(call)
  local target = targets.find(call.buf)
  local id = call.arguments[1]
  if not id then
    local listed = rpc.execute(target.client, 'primer.list').primers
    id = user_input.select(listed, 'Default style', function(primer)
      local problem = primer.problems[1]
      return ('%s: %s'):format(primer.primerId, problem and problem.message or primer.description)
    end).primerId
  end
  rpc.execute(target.client, 'preferences.set', { stylePrimer = id })
  notify.info(
    ('Default style of new runs: %s. A pipeline or a document can set another.'):format(id)
  )
end

--- What can be set here, with its name for the user. Models, keys and styles have verbs.
local NAMES = {
  autoSaveEnabled = 'Save the document after WriteIt changes it',
  exportFormat = 'Export format',
  maxConcurrentPipelines = 'Runs that generate at the same time',
  streamingBufferSize = 'Tokens per update',
  theme = 'Terminal theme',
}

---@param value any
---@return string
local function value_text(value)
  return value == true and 'on' or value == false and 'off' or tostring(value)
end

--- What completes `:WriteIt preferences`.
---@param name? string The preference whose value is completed.
---@return string[]
function M.candidates(name)
  if name then
    return name == 'autoSaveEnabled' and { 'on', 'off' } or {}
  end
  local names = vim.tbl_keys(NAMES)
  table.sort(names)
  return names
end

--- `:WriteIt preferences [name] [value]`: show the preferences and change one.
---@param call writeit.Call
function M.preferences(call)
  local client = targets.find(call.buf).client
  local now = rpc.execute(client, 'preferences.get')
  local field, text = unpack(call.arguments)
  field = field
    or user_input.select(M.candidates(), 'Preferences', function(name)
      return ('%s: %s'):format(NAMES[name], value_text(now[name]))
    end)
  if not NAMES[field] then
    error({ message = ('%s is not a preference.'):format(field), hint = '<Tab> lists them.' }, 0)
  end
  local value = now[field]
  if not text and type(value) ~= 'boolean' then
    text = user_input.input(NAMES[field] .. ': ', tostring(value))
  end
  if type(value) == 'boolean' then
    value = text == 'on' or (not text and not value)
  else
    value = type(value) == 'number' and tonumber(text) or text
  end
  rpc.execute(client, 'preferences.set', { [field] = value })
  require('writeit.user_preferences').load(client)
  notify.info(('%s: %s.'):format(NAMES[field], value_text(value)))
end

return M
