-- Verbs that ask models: start, next, regenerate, polish.
local ask = require('writeit.ask')
local client_of = require('writeit.client')
local edit = require('writeit.edit')
local here_of = require('writeit.here')
local say = require('writeit.say')
local settle = require('writeit.settle')
local stream_of = require('writeit.stream')
local view = require('writeit.view')

local M = {}

--- The pipeline that is named, by the command or by the front matter, or that she picks;
--- and the inputs that front matter gives. What it says is the server's to read.
---@param here writeit.Here
---@param name? string
---@return writeit.Pipeline pipeline, table<string, string> bound
local function pipeline_of(here, name)
  local told = client_of.execute(here.client, 'pipeline.list', { uri = here.uri })
  local bound = (told.binding or {}).inputs or {}
  name = name or (told.binding or {}).pipeline
  for _, pipeline in ipairs(told.pipelines) do
    if pipeline.name == name then
      return pipeline, bound
    end
  end
  if name then
    error({
      message = ('there is no pipeline %s.'):format(name),
      hint = ':WriteIt start offers those there are.',
    }, 0)
  end
  local fitting = vim.tbl_filter(function(pipeline)
    return pipeline.appliesTo == 'document'
  end, told.pipelines)
  local picked = ask.select(fitting, 'Start', function(pipeline)
    return ('%s: %s'):format(pipeline.name, pipeline.description)
  end)
  return picked, bound
end

---@param input writeit.Input
---@return any value, boolean given
local function asked(input)
  local label = input.label ~= '' and input.label or input.name
  if #input.options > 0 then
    return ask.select(input.options, label), true
  end
  local default = input.default ~= nil and tostring(input.default) or ''
  local must = input.required and default == ''
  local words
  repeat
    words = ask.input(label .. (must and ' (needed): ' or ': '), default)
  until words ~= '' or not must
  return words, words ~= '' and words ~= default
end

--- The inputs that neither the command nor the front matter nor the document gives.
---@param pipeline writeit.Pipeline
---@param given string[] `name=value`
---@param bound table<string, string> By the front matter.
---@return table<string, any>
local function inputs_of(pipeline, given, bound)
  local values = {}
  for _, pair in ipairs(given) do
    local name, value = pair:match('^([%w_%-]+)=(.*)$')
    if not name then
      error({ message = ('%s is no input.'):format(pair), hint = 'Write name=value.' }, 0)
    end
    values[name] = value
  end
  for _, input in ipairs(pipeline.inputs) do
    local known = values[input.name] or bound[input.name] or input.from
    if known == nil then
      local value, counts = asked(input)
      values[input.name] = counts and value or nil
    end
  end
  return values
end

---@param here writeit.Here
---@param name? string Of the pipeline.
---@param given string[]
local function begin(here, name, given)
  if not here.uri then
    error(here_of.no_article(here.buf, 'a run starts on a markdown file.'), 0)
  end
  local pipeline, bound = pipeline_of(here, name)
  local inputs = inputs_of(pipeline, given, bound)
  local run = client_of.execute(here.client, 'run.start', {
    pipeline = pipeline.name,
    uri = here.uri,
    inputs = next(inputs) and inputs or nil,
  })
  view.show(here.client, ('writeit:/run/%s.md'):format(run.pipelineRunId))
  local elsewhere = vim.api.nvim_get_current_buf() ~= here.buf
  local where = elsewhere and ' for ' .. vim.fs.basename(vim.api.nvim_buf_get_name(here.buf)) or ''
  say.info(
    ('%s is ready%s. :WriteIt next asks for %s.'):format(pipeline.name, where, run.currentStep)
  )
end

--- `:WriteIt start [pipeline] [name=value …]`
---@param call writeit.Call
function M.start(call)
  local here = here_of.find(call.buf)
  local given = vim.list_slice(call.arguments)
  local name = given[1] and not given[1]:find('=') and table.remove(given, 1) or nil
  begin(here, name, given)
end

function M.start_offered(client, params, _, buf)
  local here = { client = client, buf = buf, uri = params.uri }
  begin(here, params.pipeline, {})
end

---@param step writeit.Step
---@return string
local function came(step)
  local answers, failures = #step.aiResponses, #step.failures
  local words = ('%s: %d answer%s to choose from'):format(
    step.stepName,
    answers,
    answers == 1 and '' or 's'
  )
  if failures > 0 then
    words = words .. (', %d did not come'):format(failures)
  end
  return words .. '. :WriteIt choose takes one.'
end

---@param client vim.lsp.Client
---@param command string
---@param params table
local function ask_step(client, command, params)
  local step, stream = stream_of.ask(client, command, params)
  stream_of.hand_over(stream)
  local last = step.aiResponses[#step.aiResponses]
  if last and last.partial then
    say.info(('%s: stopped; what came is kept and can be chosen.'):format(step.stepName))
  elseif #step.aiResponses == 0 then
    say.info(('%s: stopped before anything came.'):format(step.stepName))
  else
    say.info(came(step))
  end
end

M.ask_step = ask_step

--- `:WriteIt next [model …]`
---@param call writeit.Call
function M.next(call)
  local here = here_of.find_run(call.buf)
  ask_step(here.client, 'step.run', {
    runId = here.run_id,
    models = #call.arguments > 0 and call.arguments or nil,
  })
end

function M.step_offered(client, params)
  ask_step(client, 'step.run', params)
end

--- `:WriteIt regenerate [what to change]`
---@param call writeit.Call
function M.regenerate(call)
  local here = here_of.find_run(call.buf)
  M.regenerate_offered(here.client, {
    runId = here.run_id,
    step = here.step,
    feedback = call.words ~= '' and call.words or nil,
  })
end

function M.regenerate_offered(client, params)
  if not params.feedback then
    local words = ask.input('What should change? ')
    params.feedback = words ~= '' and words or nil
  end
  ask_step(client, 'step.regenerate', params)
end

--- `:'<,'>WriteIt polish [how]`
---@param call writeit.Call
function M.polish(call)
  local here = here_of.find(call.buf)
  if not here.uri then
    error(here_of.no_article(here.buf, 'only a markdown file of yours can be polished.'), 0)
  elseif call.range and not call.span then
    error({
      message = 'a block of columns cannot be polished.',
      hint = 'Select characters or lines.',
    }, 0)
  end
  M.polish_offered(here.client, {
    uri = here.uri,
    range = call.span and M.range(here, call.span),
    instruction = call.words ~= '' and call.words or nil,
    apply = true,
  })
end

--- Rows and bytes as the server counts them.
---@param here writeit.Here
---@param span table
---@return lsp.Range
function M.range(here, span)
  local range = {}
  for edge, place in pairs(span) do
    local line = vim.api.nvim_buf_get_lines(here.buf, place.row, place.row + 1, false)[1] or ''
    local character = vim.str_utfindex(line, here.client.offset_encoding, place.column, false)
    range[edge] = { line = place.row, character = character }
  end
  return range
end

function M.polish_offered(client, params)
  local fates = edit.watch()
  local run, stream = stream_of.ask(client, 'document.polish', params)
  local step = run.steps[run.currentStep]
  if run.isDone then
    stream_of.clear_away(stream)
    settle.after_polish(client, run, params.uri, fates[params.uri])
  elseif #step.aiResponses > 0 then
    stream_of.hand_over(stream)
    say.info('in the window beside, :WriteIt choose takes an answer and :WriteIt apply puts it in.')
  end
end

return M
