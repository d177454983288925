-- Verbs that decide: choose, edit, feedback, take, merge, skip, pause, resume.
local ask = require('writeit.ask')
local client_of = require('writeit.client')
local compose = require('writeit.compose')
local here_of = require('writeit.here')
local say = require('writeit.say')

local M = {}

--- What happens next in a run, in words.
---@param run writeit.Run
---@return string
local function what_next(run)
  if run.isDone then
    return 'The run is finished: :WriteIt apply brings its text into the document.'
  end
  local step = run.steps[run.currentStep]
  if step.can.select then
    return (':WriteIt choose takes an answer for %s.'):format(run.currentStep)
  end
  return (':WriteIt next asks for %s.'):format(run.currentStep)
end

---@param answer writeit.Answer
---@param index integer From 1.
---@return string
function M.line_of(answer, index)
  local words = vim.trim((answer.processedContent:gsub('%s+', ' ')))
  local room = math.max(20, vim.o.columns - 50)
  if vim.fn.strchars(words) > room then
    words = vim.fn.strcharpart(words, 0, room) .. '…'
  end
  local cut = answer.partial and ', cut short' or ''
  return ('answer %d · %s/%s%s: %s'):format(index, answer.provider, answer.modelName, cut, words)
end

--- One of a step's answers: the one she names from 1, the only one, else she is asked.
---@param step writeit.Step
---@param named? string
---@param prompt string
---@return integer index From 1.
function M.pick(step, named, prompt)
  local count = #step.aiResponses
  if count == 0 then
    error({
      message = ('%s has no answers yet.'):format(step.stepName),
      hint = ':WriteIt next asks for some.',
    }, 0)
  elseif named then
    local number = named:match('^%d+$') and math.floor(tonumber(named) or 0) or 0
    if number < 1 or number > count then
      error({
        message = ('%s has no answer %s.'):format(step.stepName, named),
        hint = count == 1 and 'There is answer 1.' or ('There are answers 1 to %d.'):format(count),
      }, 0)
    end
    return number
  elseif count == 1 then
    return 1
  end
  local indices = vim.fn.range(1, count)
  return ask.select(indices, prompt, function(index)
    return M.line_of(step.aiResponses[index], index)
  end)
end

---@param call writeit.Call
---@param prompt string
---@return writeit.HereRun, writeit.Step, integer index, string? feedback
local function chosen(call, prompt)
  local here = here_of.find_run(call.buf)
  local step = here_of.step(here, here_of.run(here))
  local first = call.arguments[1] or ''
  local named = first:match('^%-?[%d.]+$')
  local feedback = named and vim.trim(call.words:sub(#first + 1)) or call.words
  local index = M.pick(step, named, prompt:format(step.stepName))
  return here, step, index, feedback ~= '' and feedback or nil
end

--- `:WriteIt choose [number] [feedback]`
---@param call writeit.Call
function M.choose(call)
  local here, step, index, feedback = chosen(call, 'Choose for %s')
  local run = client_of.execute(here.client, 'step.select', {
    runId = here.run_id,
    step = step.stepName,
    response = index - 1,
    feedback = feedback,
  })
  say.info(('%s: answer %d chosen. %s'):format(step.stepName, index, what_next(run)))
end

--- `:WriteIt edit [number]`: the answer in her words; writing the buffer chooses it.
---@param call writeit.Call
function M.edit(call)
  local here, step, index, feedback = chosen(call, 'Reword for %s')
  compose.open(here, {
    title = ('%s, answer %d'):format(step.stepName, index),
    text = step.aiResponses[index] and step.aiResponses[index].processedContent or '',
    hint = ':w chooses it · q leaves it',
    submit = function(text)
      local run = client_of.execute(here.client, 'step.select', {
        runId = here.run_id,
        step = step.stepName,
        response = index - 1,
        content = text,
        feedback = feedback,
      })
      say.info(
        ('%s: answer %d chosen in your words. %s'):format(step.stepName, index, what_next(run))
      )
    end,
  })
end

--- `:WriteIt feedback [words]`
---@param call writeit.Call
function M.feedback(call)
  local here = here_of.find_run(call.buf)
  local words = call.words ~= '' and call.words or ask.input('What should later steps know? ')
  local step = client_of.execute(here.client, 'step.feedback', {
    runId = here.run_id,
    step = here.step,
    text = words,
  })
  say.info(('noted for what follows %s.'):format(step.stepName))
end

--- The answer that a line of a view or of a stream belongs to.
---@param buf integer
---@param row integer From 0.
---@return string? response_id
local function answer_at(buf, row)
  local streaming = require('writeit.stream').answer_at(buf, row)
  if streaming then
    return streaming
  end
  local section = require('writeit.view').section_at(buf, row)
  local is_answer = section and (section.kind == 'answer' or section.kind == 'coming')
  return section and is_answer and section.responseId or nil
end

--- `:'<,'>WriteIt take`, in a step's view or in a stream.
---@param call writeit.Call
function M.take(call)
  local row = call.place.start.row
  local range = call.range or { row + 1, row + 1 }
  local response = answer_at(call.buf, range[1] - 1)
  if not response or response ~= answer_at(call.buf, range[2] - 1) then
    error({
      message = 'select lines of one answer, in the view of a step.',
      hint = ':WriteIt open shows it.',
    }, 0)
  end
  local text = call.text or vim.api.nvim_buf_get_lines(call.buf, row, row + 1, false)[1]
  local here = here_of.find_run(call.buf)
  M.take_offered(
    here.client,
    { runId = here.run_id, step = here.step, response = response, text = text }
  )
end

function M.take_offered(client, params)
  local step = client_of.execute(client, 'step.take', params)
  local count = #step.passages
  say.info(
    ('%d passage%s taken. :WriteIt merge joins them.'):format(count, count == 1 and '' or 's')
  )
end

---@param step writeit.Step
---@return string
local function joined(step)
  if step.mergedContent then
    return step.mergedContent
  end
  local texts = vim.tbl_map(function(passage)
    return passage.text
  end, step.passages)
  return table.concat(texts, '\n\n')
end

--- `:WriteIt merge`: the passages as a text of hers; `:WriteIt merge WORDS`: a model
--- joins them as the words say.
---@param call writeit.Call
function M.merge(call)
  local here = here_of.find_run(call.buf)
  local step = here_of.step(here, here_of.run(here))
  if call.words ~= '' then
    local all = vim.fn.range(0, #step.aiResponses - 1)
    require('writeit.verbs.asking').ask_step(here.client, 'step.merge', {
      runId = here.run_id,
      step = step.stepName,
      instruction = call.words,
      responses = #step.passages == 0 and all or nil,
    })
    return
  end
  if #step.aiResponses == 0 then
    M.pick(step, nil, '') -- says that there are no answers yet
  elseif #step.passages == 0 and not step.mergedContent then
    say.info('nothing was taken yet: write the text yourself, or take lines of answers first.')
  end
  compose.open(here, {
    title = step.stepName .. ', the merge',
    text = joined(step),
    hint = ':w uses it · q leaves it',
    submit = function(text)
      M.merged(here.client, { runId = here.run_id, step = step.stepName, content = text })
    end,
  })
end

---@param client vim.lsp.Client
---@param params table
function M.merged(client, params)
  local run = client_of.execute(client, 'step.merge', params)
  say.info(('%s: completed with your merge. %s'):format(params.step or 'the step', what_next(run)))
end

function M.merge_offered(client, params)
  if params.instruction then
    require('writeit.verbs.asking').ask_step(client, 'step.merge', params)
  else
    M.merged(client, params)
  end
end

--- A decision that was offered with all it needs.
function M.decided_offered(client, params, name)
  local run = client_of.execute(client, name, params)
  local what = name == 'step.select' and ('answer %d chosen.'):format(params.response + 1)
    or name == 'step.skip' and ('%s is skipped.'):format(params.step)
    or 'resumed.'
  say.info(what .. ' ' .. what_next(run))
end

--- `:WriteIt skip`
---@param call writeit.Call
function M.skip(call)
  local here = here_of.find_run(call.buf)
  local step = here.step or here_of.run(here).currentStep
  M.decided_offered(here.client, { runId = here.run_id, step = step }, 'step.skip')
end

--- `:WriteIt pause`: at once, whatever waits.
---@param call writeit.Call
function M.pause(call)
  local stream = require('writeit.stream').meant(call.buf)
  if stream then
    M.pause_offered(stream.client, { runId = stream.run_id })
    return
  end
  local here = here_of.find_run(call.buf)
  M.pause_offered(here.client, { runId = here.run_id })
end

---@param run writeit.Run
---@return boolean
local function is_streaming(run)
  return vim.iter(vim.tbl_values(run.steps)):any(function(step)
    return #step.streaming > 0
  end)
end

--- Who streams here says herself what came; else it is said what became of the run.
function M.pause_offered(client, params)
  local about = { runId = params.runId }
  local ours = require('writeit.stream').is_of(params.runId)
  local before = not ours and client_of.execute(client, 'run.show', about)
  client_of.execute(client, 'run.pause', about)
  if before then
    say.info(
      is_streaming(before) and 'stopped; what came is kept and can be chosen.'
        or 'nothing was coming; the run is paused now. :WriteIt resume lets it go on.'
    )
  end
end

--- `:WriteIt resume`
---@param call writeit.Call
function M.resume(call)
  local here = here_of.find_run(call.buf)
  M.decided_offered(here.client, { runId = here.run_id }, 'run.resume')
end

return M
