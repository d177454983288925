-- `:WriteIt compare`: two answers, a document and a text, or the texts of two runs.
local apply_outcome = require('writeit.apply_outcome')
local decide = require('writeit.verbs.decide')
local diff = require('writeit.diff')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local task = require('writeit.task')
local user_input = require('writeit.user_input')

local M = {}

---@class writeit.NamedRun
---@field run_id string
---@field name string No other run of the family has it.

--- The runs of a tree that can be compared, a run before its branches.
---@param tree writeit.RunTree
---@return writeit.NamedRun[]
function M.named_runs(tree)
  local runs, counts = {}, {}
  local function add(node)
    if not node.deleted then
      local name = diff.run_label(node)
      counts[name] = (counts[name] or 0) + 1
      runs[#runs + 1] = { run_id = node.runId, name = name }
    end
    vim.iter(node.children):each(add)
  end
  add(tree)
  for _, run in ipairs(runs) do
    run.name = counts[run.name] > 1 and run.run_id:sub(1, 18) or run.name
  end
  return runs
end

--- The run that a word names: `last`, its name, or the beginning of its id.
---@param client vim.lsp.Client
---@param family writeit.NamedRun[]
---@param word string
---@return string run_id
local function find_run(client, family, word)
  local listed = rpc.execute(client, 'run.list', { limit = 1000 }).runs
  if word == 'last' and listed[1] then
    return listed[1].runId
  end
  local all = vim.tbl_map(function(run)
    return { run_id = run.runId, name = run.label }
  end, listed)
  local name, found = vim.fn.tolower(word), {}
  for _, runs in ipairs({ family, all }) do
    for _, run in ipairs(#found == 0 and runs or {}) do
      if vim.fn.tolower(run.name) == name or vim.startswith(run.run_id, name) then
        found[#found + 1] = run.run_id
      end
    end
  end
  if #found ~= 1 then
    error({
      message = #found == 0 and ('No run is called %s.'):format(word)
        or ('%s names %d runs.'):format(word, #found),
      hint = '<Tab> after :WriteIt compare lists the branches; or write the beginning of an id.',
    }, 0)
  end
  return found[1]
end

---@class writeit.ComparedStep
---@field name string
---@field is_equal boolean

--- The steps with a text in both runs, from where the runs part.
---@param client vim.lsp.Client
---@param left writeit.Run
---@param right writeit.Run
---@return writeit.ComparedStep[]
local function compared_steps(client, left, right)
  local steps, first = {}, nil
  for _, name in ipairs(targets.step_names(client, right)) do
    local one, other = (left.steps[name] or {}).content, right.steps[name].content
    if one ~= other or name == left.branchPoint or name == right.branchPoint then
      first = first or #steps + 1
    end
    if one and other then
      steps[#steps + 1] = { name = name, is_equal = one == other }
    end
  end
  return vim.list_slice(steps, first or 1)
end

---@param step writeit.ComparedStep
---@return string
local function step_line(step)
  return ('%s: %s'):format(step.name, step.is_equal and 'equal' or 'differs')
end

--- Compare the texts that two runs have for a step; by default for the first that differs.
--- Waits in a task.
---@param client vim.lsp.Client
---@param left_id string
---@param right_id string
---@param name? string Of the step.
function M.open_runs(client, left_id, right_id, name)
  local left = rpc.execute(client, 'run.show', { runId = left_id })
  local right = rpc.execute(client, 'run.show', { runId = right_id })
  if left_id == right_id then
    error({ message = 'A run cannot be compared with itself.' }, 0)
  end
  local steps = compared_steps(client, left, right)
  local step = vim.iter(steps):find(function(other)
    return other.name == name or not name and not other.is_equal
  end) or not name and steps[1]
  local lines = vim.tbl_map(step_line, steps)
  if not step then
    error({
      message = ('%s has no text in both runs.'):format(name or 'No step'),
      hint = #steps > 0 and ('Steps to compare: %s.'):format(table.concat(lines, ', '))
        or 'Choose an answer in both runs first.',
    }, 0)
  end
  local wins = diff.open(
    client,
    { runId = left_id, step = step.name },
    { runId = right_id, step = step.name },
    '<CR> steps · ga articles'
  )
  notify.info(table.concat(lines, ' · '))
  local function go_to(other)
    vim.cmd.tabclose()
    M.open_runs(client, left_id, right_id, other.name)
  end
  for _, win in ipairs(wins) do
    local function map(key, find, description)
      local options = { buffer = vim.api.nvim_win_get_buf(win), nowait = true, desc = description }
      vim.keymap.set('n', key, function()
        task.spawn(function()
          go_to(find())
        end)
      end, options)
    end
    map('<CR>', function()
      return user_input.select(steps, 'Compare', step_line)
    end, 'WriteIt: compare another step')
    map('ga', function()
      return steps[#steps]
    end, 'WriteIt: compare the articles')
  end
end

--- Open a comparison; that of two runs leads to their other steps.
---@param client vim.lsp.Client
---@param left writeit.Side
---@param right writeit.Side
function M.open(client, left, right)
  local function is_content(side)
    return side.response == nil or side.response == 'content'
  end
  if left.runId ~= right.runId and is_content(left) and is_content(right) then
    M.open_runs(client, left.runId, right.runId, left.step)
  else
    diff.open(client, left, right)
  end
end

--- Compare two runs of a family; words name runs and a step. The run of the target and
--- its parent are the default.
---@param target writeit.RunTarget
---@param words string[]
local function compare_runs(target, words)
  local run = targets.run(target)
  local tree = rpc.execute(target.client, 'run.tree', { runId = target.run_id })
  local family = M.named_runs(tree)
  local ids, step = {}, nil
  for _, word in ipairs(words) do
    if run.steps[word] then
      step = word
    else
      ids[#ids + 1] = find_run(target.client, family, word)
    end
  end
  local others = vim.tbl_filter(function(other)
    return other.run_id ~= target.run_id
  end, family)
  if #ids == 0 and #others == 0 then
    error({
      message = 'This run has no branches to compare with.',
      hint = 'Create one with :WriteIt branch.',
    }, 0)
  elseif #ids == 0 then
    ids[1] = run.parentPipelineRunId
      or user_input.select(others, 'Compare with', function(other)
        return other.name
      end).run_id
  end
  ids[2] = ids[2] or target.run_id
  table.sort(ids) -- an id begins with the time: the older run is on the left
  M.open_runs(target.client, ids[1], ids[2], step)
end

---@param target writeit.RunTarget
---@param step writeit.Step
---@param numbers string[]
---@return string left, string right Ids of answers.
local function select_two(target, step, numbers)
  local answers = decide.by_name(step)
  if #answers < 2 then
    error({
      message = ('%s has %s. You need two to compare.'):format(
        step.stepName,
        #answers == 1 and 'one answer' or 'no answers'
      ),
      hint = 'Generate another with :WriteIt regenerate.',
    }, 0)
  end
  if #answers == 2 and not numbers[1] then
    numbers = vim.tbl_map(targets.answer_name, answers)
  end
  local left = decide.select_answer(target, step, numbers[1], 'Compare')
  local prompt = ('Compare answer %s with'):format(targets.answer_name(left))
  return left.responseId, decide.select_answer(target, step, numbers[2], prompt).responseId
end

---@param target writeit.Target
---@param ref { runId: string, step: string }
local function compare_with_document(target, ref)
  local current, proposed = diff.document_texts(target.client, ref)
  if current == proposed then
    notify.info('Nothing is left to compare: your document has all of the text.')
    apply_outcome.clear_conflict(ref)
    return
  end
  local function side(response)
    return { runId = ref.runId, step = ref.step, response = response }
  end
  diff.open(target.client, side('document'), side('proposed'))
end

--- A `compare` without numbers shows the comparison of the current view, or the conflict
--- of the document, before the answers of a step.
---@param call writeit.Call
---@return boolean done
local function compare_view_or_conflict(call)
  local target = targets.find(call.buf)
  local left, right = diff.parse_uri(vim.api.nvim_buf_get_name(target.buf))
  local conflict = apply_outcome.conflict_of(target.uri)
  if conflict or (left and left.response == 'document') then
    compare_with_document(target, conflict or left)
  elseif left and right then
    M.open(target.client, left, right)
  end
  return left ~= nil or conflict ~= nil
end

--- `:WriteIt compare [number number]` or `:WriteIt compare [run] [run] [step]`
---@param call writeit.Call
function M.compare(call)
  local first = call.arguments[1]
  if not first and compare_view_or_conflict(call) then
    return
  end
  local target = targets.find_run(call.buf)
  local is_run_page = vim.api.nvim_buf_get_name(call.buf):match('^writeit:/+run/') ~= nil
  if (first and not first:match('^[1-9]%d*$')) or (not first and is_run_page) then
    compare_runs(target, call.arguments)
    return
  end
  local step = targets.step(target, targets.run(target))
  local left, right = select_two(target, step, call.arguments)
  local function side(response)
    return { runId = target.run_id, step = step.stepName, response = response }
  end
  diff.open(target.client, side(left), side(right))
end

return M
