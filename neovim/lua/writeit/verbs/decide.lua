-- Verbs that decide about a step: choose, go, edit, merge, skip, resume. `go` decides and
-- continues: the next answers are generated, or the article is written.
local editor = require('writeit.editor')
local generate = require('writeit.verbs.generate')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local stream = require('writeit.stream')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')
local view = require('writeit.view')

local M = {}

---@type writeit.Error
M.NOT_ONE_ANSWER = {
  message = 'Select lines of one answer, in the view of a step.',
  hint = 'Open the view with :WriteIt open.',
}

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

--- Run a decision; with `goOn` show what follows it.
---@param client vim.lsp.Client
---@param command string
---@param params table
---@param decision string What was decided, for the user.
local function decide(client, command, params, decision)
  if params.goOn then
    generate.go_on(client, command, params, decision)
  else
    notify.info(decision .. ' ' .. next_step(rpc.execute(client, command, params)))
  end
end

---@param answer writeit.Answer
---@return string
local function answer_line(answer)
  local text = vim.trim((answer.processedContent:gsub('%s+', ' ')))
  local width = math.max(20, vim.o.columns - 50)
  if vim.fn.strchars(text) > width then
    text = vim.fn.strcharpart(text, 0, width) .. '…'
  end
  local note = answer.partial and ', incomplete' or ''
  local name = targets.answer_name(answer)
  if name == tostring(answer.number) then
    name = ('%s · %s/%s'):format(name, answer.provider, answer.modelName)
  end
  return ('answer %s%s: %s'):format(name, note, text)
end

--- A step's answers in the order of their numbers, or of their letters.
---@param step writeit.Step
---@return writeit.Answer[]
function M.by_name(step)
  local answers = vim.list_slice(step.aiResponses)
  table.sort(answers, function(left, right)
    return ('%9s'):format(targets.answer_name(left)) < ('%9s'):format(targets.answer_name(right))
  end)
  return answers
end

--- A step's answers in the order of its view: the newest round first.
---@param target writeit.RunTarget
---@param step writeit.Step
---@return writeit.Answer[]
local function in_view_order(target, step)
  local places = {}
  local uri = view.step_uri(target.run_id, step.stepName)
  for place, section in ipairs(view.read_sections(target.client, uri)) do
    places[section.responseId or ''] = place
  end
  local answers = M.by_name(step)
  table.sort(answers, function(left, right)
    return (places[left.responseId] or 0) < (places[right.responseId] or 0)
  end)
  return answers
end

--- One of a step's answers: that with the given name, the only one, else the one that
--- the user selects. Raises an error if the step has no such answer.
---@param target writeit.RunTarget
---@param step writeit.Step
---@param number? string
---@param prompt string
---@return writeit.Answer
function M.select_answer(target, step, number, prompt)
  local answers = M.by_name(step)
  if #answers == 0 then
    error({
      message = ('%s has no answers yet.'):format(step.stepName),
      hint = 'Generate some with :WriteIt next.',
    }, 0)
  elseif number then
    for _, answer in ipairs(answers) do
      if targets.is_answer(answer, number) then
        return answer
      end
    end
    local names = vim.tbl_map(targets.answer_name, answers)
    error({
      message = ('%s has no answer %s.'):format(step.stepName, number),
      hint = ('Its answers are: %s.'):format(table.concat(names, ', ')),
    }, 0)
  elseif #answers == 1 then
    return answers[1]
  end
  return user_input.select(in_view_order(target, step), prompt, answer_line)
end

--- The answer whose lines a command was given for, in a view or in a stream.
---@param call writeit.Call
---@return string? response_id
function M.answer_at(call)
  local row = call.cursor.start.row
  local range = call.range or { row + 1, row + 1 }
  local found = {}
  for index, line in ipairs(range) do
    found[index] = require('writeit.stream_buffer').response_at(call.buf, line - 1)
    local section = view.section_at(call.buf, line - 1, not call.range)
    if section and (section.kind == 'answer' or section.kind == 'coming') then
      found[index] = section.responseId
    end
  end
  local name = vim.api.nvim_buf_get_name(call.buf)
  return found[1] == found[2] and found[1] or name:match('^writeit:/+response/.*/([%x-]+)%.md$')
end

--- The answer that a command is about: that with the number, else the one in its lines,
--- else the only one or the one that the user selects.
---@param target writeit.RunTarget
---@param step writeit.Step
---@param call writeit.Call
---@param number? string
---@param prompt string
---@return writeit.Answer
function M.find_answer(target, step, call, number, prompt)
  local id = not number and M.answer_at(call)
  if call.range and not id and not number and vim.b[call.buf].writeit_root then
    error(M.NOT_ONE_ANSWER, 0)
  end
  return vim.iter(step.aiResponses):find(function(answer)
    return answer.responseId == id
  end) or M.select_answer(target, step, number, prompt)
end

--- Whether a word is the letter of an answer; `a` may begin feedback.
---@param step writeit.Step
---@param word string
---@return boolean
local function has_letter(step, word)
  return vim.iter(step.aiResponses):any(function(answer)
    return answer.letter == word
  end)
end

--- The answer that a command is about, and the words after its number or letter.
---@param call writeit.Call
---@param prompt string
---@return writeit.RunTarget, writeit.Step, writeit.Answer, string? feedback
local function parse_answer(call, prompt)
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  local first = call.arguments[1] or ''
  local number = first:match('^%-?[%d.]+$') or (has_letter(step, first) and first) or nil
  local words = number and vim.trim(call.words:sub(#first + 1)) or call.words
  local answer = M.find_answer(target, step, call, number, prompt:format(step.stepName))
  return target, step, answer, words ~= '' and words or nil
end

--- Choose an answer, or the selected lines of one.
---@param call writeit.Call
---@param goes_on boolean
local function choose(call, goes_on)
  if editor.decide(call.buf, call.words, goes_on) then
    return
  end
  local section = view.section_at(call.buf, call.cursor.start.row, true)
  if section and section.kind == 'merge' and not call.range and call.words == '' then
    local target = targets.find_run(call.buf)
    local params = { runId = target.run_id, step = target.step, goOn = goes_on or nil }
    M.merge_command(target.client, params)
    return
  end
  local target, step, answer, feedback = parse_answer(call, 'Choose for %s')
  local is_part = call.range and M.answer_at(call) == answer.responseId
  local format = is_part and 'Lines of answer %s of %s chosen.' or 'Answer %s of %s chosen.'
  decide(target.client, 'step.select', {
    runId = target.run_id,
    step = step.stepName,
    response = answer.responseId,
    part = is_part and { text = call.text } or nil,
    feedback = feedback,
    stopOthers = stream.end_by_choice(target.run_id) or nil,
    goOn = goes_on or nil,
  }, format:format(targets.answer_name(answer), step.stepName))
end

--- `:WriteIt choose [number] [feedback]`
---@param call writeit.Call
function M.choose(call)
  choose(call, false)
end

--- Whether a choice need not wait for the answers that still stream: its own is there.
---@param call writeit.Call
---@return boolean
function M.is_ready(call)
  local source = stream.find(call.buf)
  local output = source and source.output
  return output ~= nil and output:has_text(call.arguments[1], M.answer_at(call))
end

--- `:WriteIt go`: what continues the document. `go [pipeline] …` starts a run and
--- generates its first step; `go [number] [feedback]` chooses and continues.
---@param call writeit.Call
function M.go(call)
  local target = not editor.is_editor(call.buf) and targets.find(call.buf)
  local run_id = target and targets.run_id(target)
  if target and (not run_id or generate.names_pipeline(target, call.arguments[1])) then
    generate.start_run(target, call.arguments, true)
    return
  end
  local run = run_id and rpc.execute(target.client, 'run.show', { runId = run_id })
  local step = run and targets.step(target, run)
  local is_last = step and (target.step == nil or target.step == run.currentStep)
  if run and run.isDone and is_last and call.words == '' then
    require('writeit.apply_outcome').apply(target.client, { runId = run_id })
  elseif step and #step.aiResponses == 0 and step.can.run then
    generate.next(call)
  else
    choose(call, true)
  end
end

--- `:WriteIt edit [number] [feedback]`: the text is chosen by `ZZ` or a verb.
---@param call writeit.Call
function M.edit(call)
  local target, step, answer, feedback = parse_answer(call, 'Edit for %s')
  editor.open(target, {
    name = ('answer-%s'):format(targets.answer_name(answer)),
    title = ('%s, answer %s'):format(step.stepName, targets.answer_name(answer)),
    text = answer.processedContent,
    draft = { step = step.stepName, kind = 'answer', response = answer.responseId },
    submit = function(text, words, goes_on)
      decide(target.client, 'step.select', {
        runId = target.run_id,
        step = step.stepName,
        response = answer.responseId,
        content = text,
        feedback = words or feedback,
        goOn = goes_on or nil,
      }, ('Edited answer %s of %s chosen.'):format(targets.answer_name(answer), step.stepName))
    end,
  })
end

---@param step writeit.Step
---@return string
local function merge_text(step)
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
    M.select_answer(target, step, nil, '') -- raises the error for a step without answers
  end
  editor.open(target, {
    name = 'merge',
    title = step.stepName .. ', the merge',
    text = merge_text(step),
    draft = { step = step.stepName, kind = 'merge' },
    submit = function(text, words, goes_on)
      M.merge_command(target.client, {
        runId = target.run_id,
        step = step.stepName,
        content = text,
        feedback = words,
        goOn = goes_on or nil,
      })
    end,
  })
end

--- `:WriteIt merge`: edit the passages; `:WriteIt merge TEXT`: a model merges them as the
--- text says.
---@param call writeit.Call
function M.merge(call)
  if editor.decide(call.buf, call.words, false) then
    return
  end
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  if call.words == '' then
    edit_merge(target, step)
    return
  end
  local all_answers = vim.tbl_map(function(answer)
    return answer.responseId
  end, step.aiResponses)
  M.merge_command(target.client, {
    runId = target.run_id,
    step = step.stepName,
    instruction = call.words,
    responses = #step.passages == 0 and all_answers or nil,
  })
end

function M.merge_command(client, params)
  if params.instruction then
    generate.generate_step(client, 'step.merge', params)
    return
  end
  local of_step = params.step and ' of ' .. params.step or ''
  decide(client, 'step.merge', params, ('Merge%s used.'):format(of_step))
end

--- The number of an answer, for the user.
---@param client vim.lsp.Client
---@param params table Of `step.select`.
---@return string
local function name_of(client, params)
  local run = rpc.execute(client, 'run.show', { runId = params.runId })
  local step = targets.step({ step = params.step }, run)
  for index, answer in ipairs(step.aiResponses) do
    if params.response == answer.responseId or params.response == index - 1 then
      return ('Answer %s of %s chosen.'):format(targets.answer_name(answer), step.stepName)
    end
  end
  return ('Answer of %s chosen.'):format(step.stepName)
end

--- Run a command that decides and has all its parameters.
function M.decision_command(client, params, name)
  local decision = name == 'step.select' and name_of(client, params)
    or name == 'step.skip' and ('Skipped %s.'):format(params.step)
    or 'Run resumed.'
  decide(client, name, params, decision)
end

--- `:WriteIt skip`
---@param call writeit.Call
function M.skip(call)
  local target = targets.find_run(call.buf)
  local step = target.step or targets.run(target).currentStep
  M.decision_command(target.client, { runId = target.run_id, step = step }, 'step.skip')
end

--- `:WriteIt resume`
---@param call writeit.Call
function M.resume(call)
  local target = targets.find_run(call.buf)
  M.decision_command(target.client, { runId = target.run_id }, 'run.resume')
end

return M
