-- Verbs that generate answers: start, next, regenerate, continue, polish.
local CUT = require('writeit.stream_buffer').CUT
local apply_edit = require('writeit.apply_edit')
local apply_outcome = require('writeit.apply_outcome')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local stream = require('writeit.stream')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')
local view = require('writeit.view')

local M = {}

--- The named pipeline, that of the front matter, or the one that the user selects; and
--- the inputs of the front matter, which the server reads.
---@param target writeit.Target
---@param name? string
---@param is_review? boolean Only reviews are offered, not what the document is bound to.
---@return writeit.Pipeline pipeline, table<string, string> bound
local function find_pipeline(target, name, is_review)
  local listed = rpc.execute(target.client, 'pipeline.list', { uri = target.uri })
  local bound = (listed.binding or {}).inputs or {}
  name = name or not is_review and (listed.binding or {}).pipeline or nil
  for _, pipeline in ipairs(listed.pipelines) do
    if pipeline.name == name then
      return pipeline, bound
    end
  end
  if name then
    error({
      message = ('There is no pipeline %s.'):format(name),
      hint = 'List the pipelines with :WriteIt start.',
    }, 0)
  end
  local document_pipelines = vim.tbl_filter(function(pipeline)
    return pipeline.appliesTo == 'document' and (not is_review or pipeline.output == 'review')
  end, listed.pipelines)
  local title = is_review and 'Review with' or 'Start'
  local selected = user_input.select(document_pipelines, title, function(pipeline)
    local problem = pipeline.problems[1]
    return ('%s: %s'):format(pipeline.name, problem and problem.message or pipeline.description)
  end)
  return selected, bound
end

---@param input writeit.Input
---@return any value, boolean is_given
local function ask_for_input(input)
  local label = input.label ~= '' and input.label or input.name
  if #input.options > 0 then
    return user_input.select(input.options, label), true
  end
  local default = input.default ~= nil and tostring(input.default) or ''
  local is_required = input.required and default == ''
  local text
  repeat
    text = user_input.input(label .. (is_required and ' (required): ' or ': '), default)
  until text ~= '' or not is_required
  return text, text ~= '' and text ~= default
end

--- The inputs from the command and from the user; the server reads those of the front
--- matter and of the document.
---@param pipeline writeit.Pipeline
---@param pairs_given string[] `name=value`
---@param bound table<string, string> By the front matter.
---@return table<string, any>
local function collect_inputs(pipeline, pairs_given, bound)
  local values = {}
  for _, pair in ipairs(pairs_given) do
    local name, value = pair:match('^([%w_%-]+)=(.*)$')
    if not name then
      error({
        message = ('%s is not an input.'):format(pair),
        hint = 'Write inputs as name=value.',
      }, 0)
    end
    values[name] = value
  end
  for _, input in ipairs(pipeline.inputs) do
    local known = values[input.name] or bound[input.name] or input.from
    local is_extra = input.type == 'number' and not (input.required or input.default)
    if known == nil and not is_extra then
      local value, is_given = ask_for_input(input)
      values[input.name] = is_given and value or nil
    end
  end
  return values
end

--- Whether a word is the name of a pipeline for documents.
---@param target writeit.Target
---@param word? string
---@return boolean
function M.names_pipeline(target, word)
  local pipelines = word and target.uri and rpc.execute(target.client, 'pipeline.list').pipelines
  return vim.iter(pipelines or {}):any(function(pipeline)
    return pipeline.name == word and pipeline.appliesTo == 'document'
  end)
end

---@class writeit.GenerationWords
---@field models string[]
---@field samples? integer
---@field others string[] The other arguments, in their order.

--- Sort arguments: `provider/model` is a model, `samples=N` a number of answers each.
---@param arguments string[]
---@return writeit.GenerationWords
function M.parse_generation(arguments)
  local words = { models = {}, others = {} }
  for _, argument in ipairs(arguments) do
    local samples = argument:match('^samples=(%d+)$')
    if samples then
      words.samples = tonumber(samples)
    elseif argument:match('^[%w_.-]+/%S+$') then
      table.insert(words.models, argument)
    else
      table.insert(words.others, argument)
    end
  end
  return words
end

--- Start a run on a document; with `goOn` generate its first step.
---@param target writeit.Target
---@param arguments string[] The pipeline, models, samples and inputs.
---@param goes_on boolean
---@param is_review? boolean
function M.start_run(target, arguments, goes_on, is_review)
  if not target.uri then
    local message = 'Start a run from a markdown file.'
    error(targets.not_a_document_error(target.buf, message), 0)
  end
  local words = M.parse_generation(arguments)
  local first = words.others[1]
  local name = first and not first:find('=') and table.remove(words.others, 1) or nil
  local pipeline, bound = find_pipeline(target, name, is_review)
  local inputs = collect_inputs(pipeline, words.others, bound)
  local params = {
    pipeline = pipeline.name,
    uri = target.uri,
    inputs = next(inputs) and inputs or nil,
    models = #words.models > 0 and { [pipeline.steps[1]] = words.models } or nil,
    samples = words.samples,
    goOn = goes_on or nil,
  }
  local is_elsewhere = vim.api.nvim_get_current_buf() ~= target.buf
  local path = vim.fs.basename(vim.api.nvim_buf_get_name(target.buf))
  local started = ('Started %s%s.'):format(pipeline.name, is_elsewhere and ' for ' .. path or '')
  if goes_on then
    M.go_on(target.client, 'run.start', params, started, pipeline.output == 'review')
    return
  end
  local run = rpc.execute(target.client, 'run.start', params)
  view.show(target.client, ('writeit:/run/%s.md'):format(run.pipelineRunId))
  notify.info(('%s Generate %s with :WriteIt next.'):format(started, run.currentStep))
end

--- `:WriteIt review [pipeline] [model …] [samples=N] [name=value …]`
---@param call writeit.Call
function M.review(call)
  M.start_run(targets.find(call.buf), call.arguments, true, true)
end

--- `:WriteIt start [pipeline] [model …] [samples=N] [name=value …]`
---@param call writeit.Call
function M.start(call)
  M.start_run(targets.find(call.buf), call.arguments, false)
end

function M.start_command(client, params, _, buf)
  local target = { client = client, buf = buf, uri = params.uri }
  M.start_run(target, { params.pipeline }, params.goOn or false)
end

---@param step writeit.Step
---@return string
local function answers_message(step)
  local answers, failures = #step.aiResponses, #step.failures
  return ('%s has %d answer%s%s. Choose one with :WriteIt go.'):format(
    step.stepName,
    answers,
    answers == 1 and '' or 's',
    failures > 0 and (' (%d failed)'):format(failures) or ''
  )
end

---@param remarks { state: string }[]
---@return string
local function remarks_message(remarks)
  local count = #vim.tbl_filter(function(remark)
    return remark.state == 'open'
  end, remarks)
  local plural = count == 1 and '' or 's'
  return ('%d remark%s on the text. Act on one with :WriteIt.'):format(count, plural)
end

--- Generate answers for a step and report the result.
---@param client vim.lsp.Client
---@param command string
---@param params table
function M.generate_step(client, command, params)
  local step, generated = stream.generate(client, command, params)
  stream.show_answers_if_unread(generated)
  local last = step.aiResponses[#step.aiResponses]
  if generated.is_chosen then
    return
  elseif last and last.partial then
    notify.info(('Stopped %s. What was received is kept and can be chosen.'):format(step.stepName))
  elseif not last then
    notify.info(('Stopped %s before any text was received.'):format(step.stepName))
  else
    notify.info(answers_message(step))
  end
end

--- Run a decision or a start with `goOn`, in a task, and show what follows: the answers
--- of the next step, or the article. If nothing follows, the server has said why.
---@param client vim.lsp.Client
---@param command string
---@param params table
---@param decision string What was decided, for the user.
---@param is_quiet? boolean The answers are not shown: they are remarks.
function M.go_on(client, command, params, decision, is_quiet)
  local outcomes = apply_edit.track_outcomes()
  local run, generated = stream.generate(client, command, params, is_quiet)
  local step = run.steps[run.next.step]
  if run.applied then
    local apply_params = { runId = run.pipelineRunId, step = run.next.step }
    apply_outcome.report(client, apply_params, run.applied, outcomes[run.applied.uri])
  elseif run.next.error == nil and run.review then
    notify.info(remarks_message(run.review.remarks))
  elseif run.next.error == nil then
    stream.show_answers_if_unread(generated)
    notify.info(decision .. ' ' .. answers_message(step))
  else
    view.show(client, ('writeit:/run/%s.md'):format(run.pipelineRunId))
  end
end

--- `:WriteIt next [model …] [samples=N] [words for the models]`
---@param call writeit.Call
function M.next(call)
  local target = targets.find_run(call.buf)
  local words = M.parse_generation(call.arguments)
  M.generate_step(target.client, 'step.run', {
    runId = target.run_id,
    models = #words.models > 0 and words.models or nil,
    samples = words.samples,
    instruction = #words.others > 0 and table.concat(words.others, ' ') or nil,
  })
end

function M.next_command(client, params)
  M.generate_step(client, 'step.run', params)
end

--- `:WriteIt regenerate [what to change]`
---@param call writeit.Call
function M.regenerate(call)
  local target = targets.find_run(call.buf)
  M.regenerate_command(target.client, {
    runId = target.run_id,
    step = target.step,
    feedback = call.words ~= '' and call.words or nil,
  })
end

function M.regenerate_command(client, params)
  if not params.feedback then
    params.step = params.step
      or rpc.execute(client, 'run.show', { runId = params.runId }).currentStep
    local uri = view.step_uri(params.runId, params.step)
    local draft = rpc.execute(client, 'view.read', { uri = uri }).drafts.feedback or ''
    -- The question has one line; unchanged words are taken as they were drafted.
    local shown = vim.trim(draft:gsub('%s*\n%s*', ' '))
    local text = user_input.input('What should change? ', shown)
    params.feedback = text ~= shown and text or nil
  end
  M.generate_step(client, 'step.regenerate', params)
end

--- `:WriteIt continue [number]`: without a number, the newest incomplete answer.
---@param call writeit.Call
function M.continue(call)
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  local decide = require('writeit.verbs.decide')
  local answer
  if not call.arguments[1] and not decide.answer_at(call) then
    for _, other in ipairs(step.aiResponses) do
      answer = (other.partial or other.finishReason == 'length') and other or answer
    end
  end
  answer = answer or decide.find_answer(target, step, call, call.arguments[1], 'Continue')
  M.generate_step(target.client, 'step.continue', {
    runId = target.run_id,
    step = step.stepName,
    response = answer.responseId,
  })
end

function M.continue_command(client, params)
  M.generate_step(client, 'step.continue', params)
end

--- Let a span follow its text; the function returns where that is now.
---@param buf integer
---@param span writeit.Span
---@return fun(): writeit.Span
local function track_span(buf, span)
  local ns, marks = vim.api.nvim_create_namespace('writeit.span'), {}
  for edge, position in pairs(span) do
    -- Text that is typed beside the span stays outside.
    local options = { right_gravity = edge == 'start', strict = false }
    marks[edge] = vim.api.nvim_buf_set_extmark(buf, ns, position.row, position.column, options)
  end
  return function()
    local now = {}
    for edge, id in pairs(marks) do
      local place = vim.api.nvim_buf_get_extmark_by_id(buf, ns, id, {})
      now[edge] = { row = place[1], column = place[2] }
      vim.api.nvim_buf_del_extmark(buf, ns, id)
    end
    return now
  end
end

--- `:'<,'>WriteIt polish [instruction]`
---@param call writeit.Call
function M.polish(call)
  local current_span = call.span and track_span(call.buf, call.span)
  local target = targets.find(call.buf) -- waits while the server starts
  if not target.uri then
    error(targets.not_a_document_error(target.buf, 'Only a markdown file can be polished.'), 0)
  elseif call.range and not call.span then
    error({
      message = 'A block selection cannot be polished.',
      hint = 'Select characters or lines.',
    }, 0)
  end
  M.polish_command(target.client, {
    uri = target.uri,
    range = current_span and M.to_lsp_range(target, current_span()),
    instruction = call.words ~= '' and call.words or nil,
  })
end

--- Convert rows and bytes to an LSP range.
---@param target writeit.Target
---@param span writeit.Span
---@return lsp.Range
function M.to_lsp_range(target, span)
  local range = {}
  for edge, position in pairs(span) do
    local row, column = position.row, position.column
    local line = vim.api.nvim_buf_get_lines(target.buf, row, row + 1, false)[1] or ''
    local character = vim.str_utfindex(line, target.client.offset_encoding, column, false)
    range[edge] = { line = row, character = character }
  end
  return range
end

--- Generate the text; a single answer that is complete is inserted at once.
function M.polish_command(client, params)
  params.apply = nil -- by the commands that report what became of the text
  local run, generated = stream.generate(client, 'document.polish', params, true)
  local id, step = run.pipelineRunId, run.steps[run.currentStep]
  local answer = step.aiResponses[1]
  local is_cut = answer and (answer.partial or CUT[answer.finishReason])
  if #step.aiResponses == 1 and not is_cut then
    rpc.execute(client, 'step.select', { runId = id, response = answer.responseId })
    apply_outcome.apply(client, { runId = id, step = step.stepName }, true)
  elseif answer then
    if generated.output then
      stream.show_answers_if_unread(generated)
    else
      view.show(client, view.step_uri(id, step.stepName))
    end
    local choice = 'choose an answer and insert it with :WriteIt go.'
    local rest = 'the answer is incomplete. :WriteIt continue completes it, go inserts it.'
    notify.info('In the side window, ' .. (is_cut and rest or choice))
  end
end

return M
