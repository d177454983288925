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

---@param listed table[]
---@param id? string
---@return table
local function select_model(listed, id)
  for _, model in ipairs(listed) do
    if model.id == id then
      return model
    end
  end
  if id and not id:find('/', 2, true) then
    error({
      message = ('%s is not a model.'):format(id),
      hint = 'Write provider/model, for example openai/gpt-4o; <Tab> completes it.',
    }, 0)
  elseif id then
    return { id = id, available = true } -- a model need not be in the list
  end
  return user_input.select(listed, 'Default model', model_line)
end

---@param client vim.lsp.Client
---@return string[]
local function all_steps(client)
  local steps = {}
  for _, pipeline in ipairs(rpc.execute(client, 'pipeline.list').pipelines) do
    for _, step in ipairs(pipeline.steps) do
      steps[step] = true
    end
  end
  return vim.tbl_keys(steps)
end

--- `:WriteIt model add`: ask for provider, key and model; the server calls it once.
---@param client vim.lsp.Client
local function add_model(client)
  local answer = user_input.input('Provider, such as openai, or the address of a server: ')
  local address = answer:find('://', 1, true) and answer or nil
  local provider = address and user_input.input('Provider of this server: ', 'openai') or answer
  local key = user_input.secret(('API key for %s (may stay empty): '):format(provider), true)
  local model = user_input.input('Model: ')
  notify.info(('Calling %s/%s once…'):format(provider, model))
  local added = rpc.execute(client, 'model.add', {
    provider = provider,
    model = model,
    key = key ~= '' and key or nil,
    baseUrl = address,
  })
  notify.info(('%s works. It is your default model now.'):format(added.id))
end

--- `:WriteIt model [id] [step]`: set the default model, for all steps or for one. The
--- embedded model is downloaded if necessary.
---@param call writeit.Call
function M.model(call)
  local target = targets.find(call.buf)
  if call.arguments[1] == 'add' then
    return add_model(target.client)
  end
  local listed = rpc.execute(target.client, 'model.list').models
  local model, step = select_model(listed, call.arguments[1]), call.arguments[2]
  if not model.available and vim.startswith(model.id, 'embedded/') then
    notify.info(('Downloading %s. This takes a while.'):format(model.id))
    rpc.execute(target.client, 'model.install', { model = model.id })
  end
  local preferred = rpc.execute(target.client, 'preferences.get').defaultModels or {}
  for _, name in ipairs(step and { step } or all_steps(target.client)) do
    preferred[name] = model.id
  end
  rpc.execute(target.client, 'preferences.set', { defaultModels = preferred })
  notify.info(('Default model for %s: %s.'):format(step or 'all steps', model.id))
end

--- `:WriteIt key [provider]`: store an API key in the system keyring.
---@param call writeit.Call
function M.key(call)
  local target = targets.find(call.buf)
  local provider = call.arguments[1]
  if not provider then
    local listed = rpc.execute(target.client, 'keys.list').providers
    provider = user_input.select(listed, 'API key for', function(item)
      local state = item.source == 'none' and 'no key' or 'key from the ' .. item.source
      return ('%s (%s)'):format(item.provider, state)
    end).provider
  end
  local key = user_input.secret(('API key for %s: '):format(provider))
  rpc.execute(target.client, 'keys.set', { provider = provider, key = key })
  notify.info(('API key for %s saved in the system keyring.'):format(provider))
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

return M
