-- Verbs about what is kept for later runs: model, key, primer.
local ask = require('writeit.ask')
local client_of = require('writeit.client')
local here_of = require('writeit.here')
local say = require('writeit.say')

local M = {}

---@param model { id: string, available: boolean, reason?: string }
---@return string
local function line_of(model)
  return model.available and model.id
    or ('%s (not yet: %s)'):format(model.id, model.reason or 'unknown')
end

---@param listed table[]
---@param id? string
---@return table
local function pick(listed, id)
  for _, model in ipairs(listed) do
    if model.id == id then
      return model
    end
  end
  if id and not id:find('/', 2, true) then
    error({
      message = ('%s is no model.'):format(id),
      hint = 'Write provider/model, as in openai/gpt-4o; <Tab> completes.',
    }, 0)
  elseif id then
    return { id = id, available = true } -- it need not be in the list
  end
  return ask.select(listed, 'Ask from now on', line_of)
end

---@param client vim.lsp.Client
---@return string[]
local function all_steps(client)
  local steps = {}
  for _, pipeline in ipairs(client_of.execute(client, 'pipeline.list').pipelines) do
    for _, step in ipairs(pipeline.steps) do
      steps[step] = true
    end
  end
  return vim.tbl_keys(steps)
end

--- `:WriteIt model [id] [step]`: which model answers from now on, in all steps or in one.
--- The embedded one is fetched if it is not there yet.
---@param call writeit.Call
function M.model(call)
  local here = here_of.find(call.buf)
  local listed = client_of.execute(here.client, 'model.list').models
  local model = pick(listed, call.arguments[1])
  if not model.available and vim.startswith(model.id, 'embedded/') then
    say.info(('fetching %s; this takes a while.'):format(model.id))
    client_of.execute(here.client, 'model.install', { model = model.id })
  end
  local preferred = client_of.execute(here.client, 'preferences.get').defaultModels or {}
  for _, step in ipairs(call.arguments[2] and { call.arguments[2] } or all_steps(here.client)) do
    preferred[step] = model.id
  end
  client_of.execute(here.client, 'preferences.set', { defaultModels = preferred })
  say.info(
    ('%s answers from now on%s.'):format(
      model.id,
      call.arguments[2] and ' in ' .. call.arguments[2] or ''
    )
  )
end

--- `:WriteIt key [provider]`: into the system keyring, never into a file.
---@param call writeit.Call
function M.key(call)
  local here = here_of.find(call.buf)
  local provider = call.arguments[1]
  if not provider then
    local listed = client_of.execute(here.client, 'keys.list').providers
    provider = ask.select(listed, 'Key for', function(one)
      local there = one.source == 'none' and 'no key yet' or 'has one, from the ' .. one.source
      return ('%s (%s)'):format(one.provider, there)
    end).provider
  end
  local key = ask.secret(('Key for %s: '):format(provider))
  client_of.execute(here.client, 'keys.set', { provider = provider, key = key })
  say.info(('the key for %s is in the system keyring.'):format(provider))
end

--- `:WriteIt primer [id]`: the style of runs that are started from now on.
---@param call writeit.Call
function M.primer(call)
  local here = here_of.find(call.buf)
  local id = call.arguments[1]
  if not id then
    local listed = client_of.execute(here.client, 'primer.list').primers
    id = ask.select(listed, 'Write in the style of', function(primer)
      return ('%s: %s'):format(primer.primerId, primer.description)
    end).primerId
  end
  client_of.execute(here.client, 'preferences.set', { stylePrimer = id })
  say.info(
    ('new runs write in the style of %s, unless the pipeline or the file says otherwise.'):format(
      id
    )
  )
end

return M
