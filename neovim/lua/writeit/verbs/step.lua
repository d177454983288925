-- Verbs that decide about a step: choose, edit, feedback, take, merge, skip, pause, resume.
local editor = require('writeit.editor')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local stream = require('writeit.stream')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')

local M = {}

---@param run writeit.Run
---@return string
local function next_step(run)
  if run.isDone then
    return 'The run is finished. Apply the text with :WriteIt apply.'
  end
  local can_select = run.steps[run.currentStep].can.select
  local format = can_select and 'Choose an answer for %s with :WriteIt choose.'
    or 'Generate %s with :WriteIt next.'
  return format:format(run.currentStep)
end

---@param answer writeit.Answer
---@param index integer From 1.
---@return string
local function answer_line(answer, index)
  local text = vim.trim((answer.processedContent:gsub('%s+', ' ')))
  local width = math.max(20, vim.o.columns - 50)
  if vim.fn.strchars(text) > width then
    text = vim.fn.strcharpart(text, 0, width) .. '…'
  end
  local note = answer.partial and ', incomplete' or ''
  return ('answer %d · %s/%s%s: %s'):format(index, answer.provider, answer.modelName, note, text)
end

--- The number of one of a step's answers: the given number, the only answer's, else the
--- one that the user selects. Raises an error if the step has no such answer.
---@param step writeit.Step
---@param number? string
---@param prompt string
---@return integer index From 1.
function M.select_answer(step, number, prompt)
  local count = #step.aiResponses
  if count == 0 then
    error({
      message = ('%s has no answers yet.'):format(step.stepName),
      hint = 'Generate some with :WriteIt next.',
    }, 0)
  elseif number then
    local index = number:match('^%d+$') and math.floor(tonumber(number) or 0) or 0
    if index < 1 or index > count then
      error({
        message = ('%s has no answer %s.'):format(step.stepName, number),
        hint = count == 1 and 'It has answer 1.' or ('It has answers 1 to %d.'):format(count),
      }, 0)
    end
    return index
  elseif count == 1 then
    return 1
  end
  return user_input.select(vim.fn.range(1, count), prompt, function(index)
    return answer_line(step.aiResponses[index], index)
  end)
end

--- The answer that a command names by its number, and the feedback after it.
---@param call writeit.Call
---@param prompt string
---@return writeit.RunTarget, writeit.Step, integer index, string? feedback
local function parse_answer(call, prompt)
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  local first = call.arguments[1] or ''
  local number = first:match('^%-?[%d.]+$')
  local feedback = number and vim.trim(call.words:sub(#first + 1)) or call.words
  local index = M.select_answer(step, number, prompt:format(step.stepName))
  return target, step, index, feedback ~= '' and feedback or nil
end

--- `:WriteIt choose [number] [feedback]`
---@param call writeit.Call
function M.choose(call)
  local target, step, index, feedback = parse_answer(call, 'Choose for %s')
  local run = rpc.execute(target.client, 'step.select', {
    runId = target.run_id,
    step = step.stepName,
    response = index - 1,
    feedback = feedback,
  })
  notify.info(('Answer %d of %s chosen. %s'):format(index, step.stepName, next_step(run)))
end

--- `:WriteIt edit [number] [feedback]`: writing the buffer chooses the edited answer.
---@param call writeit.Call
function M.edit(call)
  local target, step, index, feedback = parse_answer(call, 'Edit for %s')
  editor.open(target, {
    title = ('%s, answer %d'):format(step.stepName, index),
    text = step.aiResponses[index].processedContent,
    hint = ':w chooses it · q closes',
    submit = function(text)
      local run = rpc.execute(target.client, 'step.select', {
        runId = target.run_id,
        step = step.stepName,
        response = index - 1,
        content = text,
        feedback = feedback,
      })
      notify.info(
        ('Edited answer %d of %s chosen. %s'):format(index, step.stepName, next_step(run))
      )
    end,
  })
end

--- `:WriteIt feedback [text]`
---@param call writeit.Call
function M.feedback(call)
  local target = targets.find_run(call.buf)
  local text = call.words ~= '' and call.words or user_input.input('Feedback for the next step: ')
  local step = rpc.execute(target.client, 'step.feedback', {
    runId = target.run_id,
    step = target.step,
    text = text,
  })
  notify.info(('Feedback on %s saved for the steps after it.'):format(step.stepName))
end

--- The answer that a row of a view or of a stream belongs to.
---@param buf integer
---@param row integer From 0.
---@return string? response_id
local function response_at(buf, row)
  local streamed = require('writeit.stream_buffer').response_at(buf, row)
  if streamed then
    return streamed
  end
  local section = require('writeit.view').section_at(buf, row)
  local is_answer = section and (section.kind == 'answer' or section.kind == 'coming')
  return section and is_answer and section.responseId or nil
end

--- `:'<,'>WriteIt take`, in a step's view or in a stream.
---@param call writeit.Call
function M.take(call)
  local row = call.cursor.start.row
  local range = call.range or { row + 1, row + 1 }
  local response = response_at(call.buf, range[1] - 1)
  if not response or response ~= response_at(call.buf, range[2] - 1) then
    error({
      message = 'Select lines of one answer, in the view of a step.',
      hint = 'Open the view with :WriteIt open.',
    }, 0)
  end
  local text = call.text or vim.api.nvim_buf_get_lines(call.buf, row, row + 1, false)[1]
  local target = targets.find_run(call.buf)
  M.take_command(
    target.client,
    { runId = target.run_id, step = target.step, response = response, text = text }
  )
end

function M.take_command(client, params)
  local step = rpc.execute(client, 'step.take', params)
  local count = #step.passages
  notify.info(
    ('Added to the merge (%d passage%s). Edit it with :WriteIt merge.'):format(
      count,
      count == 1 and '' or 's'
    )
  )
end

---@param step writeit.Step
---@return string
local function merge_text(step)
  if step.mergedContent then
    return step.mergedContent
  end
  local texts = vim.tbl_map(function(passage)
    return passage.text
  end, step.passages)
  return table.concat(texts, '\n\n')
end

--- Open the merge of a step in an editor.
---@param target writeit.RunTarget
---@param step writeit.Step
local function edit_merge(target, step)
  if #step.aiResponses == 0 then
    M.select_answer(step, nil, '') -- raises the error for a step without answers
  elseif #step.passages == 0 and not step.mergedContent then
    notify.info('The merge is empty. Write the text, or first add lines with :WriteIt take.')
  end
  editor.open(target, {
    title = step.stepName .. ', the merge',
    text = merge_text(step),
    hint = ':w uses it · q closes',
    submit = function(text)
      M.merge_command(
        target.client,
        { runId = target.run_id, step = step.stepName, content = text }
      )
    end,
  })
end

--- `:WriteIt merge`: edit the passages; `:WriteIt merge TEXT`: a model merges them as the
--- text says.
---@param call writeit.Call
function M.merge(call)
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  if call.words == '' then
    edit_merge(target, step)
    return
  end
  local all_answers = vim.fn.range(0, #step.aiResponses - 1)
  M.merge_command(target.client, {
    runId = target.run_id,
    step = step.stepName,
    instruction = call.words,
    responses = #step.passages == 0 and all_answers or nil,
  })
end

function M.merge_command(client, params)
  if params.instruction then
    require('writeit.verbs.generate').generate_step(client, 'step.merge', params)
    return
  end
  local run = rpc.execute(client, 'step.merge', params)
  local of_step = params.step and ' of ' .. params.step or ''
  notify.info(('Merge%s used. %s'):format(of_step, next_step(run)))
end

--- Run a command that decides and has all its parameters.
function M.decision_command(client, params, name)
  local run = rpc.execute(client, name, params)
  local decision = name == 'step.select' and ('Answer %d chosen.'):format(params.response + 1)
    or name == 'step.skip' and ('Skipped %s.'):format(params.step)
    or 'Run resumed.'
  notify.info(decision .. ' ' .. next_step(run))
end

--- `:WriteIt skip`
---@param call writeit.Call
function M.skip(call)
  local target = targets.find_run(call.buf)
  local step = target.step or targets.run(target).currentStep
  M.decision_command(target.client, { runId = target.run_id, step = step }, 'step.skip')
end

--- `:WriteIt pause`, which does not wait in the queue.
---@param call writeit.Call
function M.pause(call)
  local source = stream.find(call.buf) or targets.find_run(call.buf)
  M.pause_command(source.client, { runId = source.run_id })
end

--- Pause a run. If this Neovim streams its answers, the stream reports what was kept.
function M.pause_command(client, params)
  local run_params = { runId = params.runId }
  local run = not stream.has_run(params.runId) and rpc.execute(client, 'run.show', run_params)
  rpc.execute(client, 'run.pause', run_params)
  if run then
    notify.info(
      run.isStreaming and 'Stopped generating. What was received is kept and can be chosen.'
        or 'Nothing was being generated. The run is paused; resume it with :WriteIt resume.'
    )
  end
end

--- `:WriteIt resume`
---@param call writeit.Call
function M.resume(call)
  local target = targets.find_run(call.buf)
  M.decision_command(target.client, { runId = target.run_id }, 'run.resume')
end

return M
