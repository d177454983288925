-- Verbs about other runs: branch, rewind, tree, history, delete.
local document = require('writeit.document')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')
local view = require('writeit.view')

local M = {}

--- One of a run's steps that pass the filter: the only one, else the user selects.
---@param target writeit.RunTarget
---@param filter fun(step: writeit.Step): boolean
---@param prompt string
---@return string
local function select_step(target, filter, prompt)
  local run = targets.run(target)
  local names = vim.tbl_filter(function(name)
    return filter(run.steps[name])
  end, targets.step_names(target.client, run))
  if #names == 0 then
    error({ message = 'No step has an answer to branch at or to start over from.' }, 0)
  end
  return #names == 1 and names[1] or user_input.select(names, prompt)
end

--- The step to branch at.
---@param target writeit.RunTarget
---@return string
function M.select_branch_point(target)
  return select_step(target, function(step)
    return #step.aiResponses > 0
  end, 'Branch at')
end

---@param client vim.lsp.Client
---@param params table
---@param name 'run.branch'|'run.rewind'
function M.branch_command(client, params, name)
  local branch = rpc.execute(client, name, params)
  view.show(client, ('writeit:/run/%s.md'):format(branch.pipelineRunId))
  local verb = name == 'run.branch' and 'Branched at' or 'Started over from'
  notify.info(
    ('%s %s. The original run is unchanged. Choose or generate an answer.'):format(
      verb,
      params.step
    )
  )
end

--- `:WriteIt branch [step] [name]`
---@param call writeit.Call
function M.branch(call)
  local target = targets.find_run(call.buf)
  local step = call.arguments[1] or M.select_branch_point(target)
  local name = call.words:match('^%S+%s+(.+)$')
  local params = { runId = target.run_id, step = step, name = name }
  M.branch_command(target.client, params, 'run.branch')
end

--- `:WriteIt rewind [step]`
---@param call writeit.Call
function M.rewind(call)
  local target = targets.find_run(call.buf)
  local step = call.arguments[1]
    or select_step(target, function(step)
      return step.isDone
    end, 'Start over from')
  M.branch_command(target.client, { runId = target.run_id, step = step }, 'run.rewind')
end

--- `:WriteIt refresh`: a branch with today's notes, pipeline and style.
---@param call writeit.Call
function M.refresh(call)
  local target = targets.find_run(call.buf)
  M.refresh_command(target.client, { runId = target.run_id })
end

function M.refresh_command(client, params)
  local run = rpc.execute(client, 'run.refresh', params)
  view.show(client, ('writeit:/run/%s.md'):format(run.pipelineRunId))
  notify.info("This branch has today's texts. Continue with :WriteIt next.")
end

--- `:WriteIt delete`: delete the run, alone or with its branches.
---@param call writeit.Call
function M.delete(call)
  local target = targets.find_run(call.buf)
  local run = targets.run(target)
  local KEEP, DELETE, ALL = 'Keep it', 'Delete this run', 'Delete this run and its branches'
  local prompt = ('Delete %s (%s)'):format(run.name or 'this run', run.statusText)
  local answer = user_input.select({ KEEP, DELETE, ALL }, prompt)
  if answer == KEEP then
    return
  end
  local params = { runId = target.run_id, descendants = answer == ALL or nil }
  local count = rpc.execute(target.client, 'run.delete', params).deletedRuns
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buf)
    local is_text = vim.startswith(name, 'writeit-text:') -- the user's own
    if name:match('^writeit') and not is_text and name:find(target.run_id, 1, true) then
      vim.api.nvim_buf_delete(buf, { force = true })
    end
  end
  notify.info(
    ('Deleted %d run%s. Your documents were not changed.'):format(count, count == 1 and '' or 's')
  )
end

--- `:WriteIt tree`
---@param call writeit.Call
function M.tree(call)
  require('writeit.run_tree').open(targets.find_run(call.buf))
end

--- Runs in their order, those about passages below the run of their document.
---@param runs writeit.RunSummary[]
---@return writeit.RunSummary[] sorted, table<string, boolean> is_below By run.
local function with_passages_below(runs)
  local documents, by_document, is_below, sorted = {}, {}, {}, {}
  for _, run in ipairs(runs) do
    by_document[run.runId] = {}
  end
  for _, run in ipairs(runs) do
    local passages = by_document[run.documentRunId or '']
    is_below[run.runId] = passages ~= nil
    table.insert(passages or documents, run)
  end
  for _, run in ipairs(documents) do
    sorted[#sorted + 1] = run
    vim.list_extend(sorted, by_document[run.runId])
  end
  return sorted, is_below
end

---@param run writeit.RunSummary
---@return string
local function summary_line(run)
  local cost = run.costUsd and not run.isBlind and (' · $%.2f'):format(run.costUsd) or ''
  local day = run.createdAt:sub(1, 10)
  return ('%s · %s · %s%s · %s'):format(run.label, run.pipeline, run.statusText, cost, day)
end

--- Report the active run of a document.
---@param path string
---@param name string
local function report_active(path, name)
  notify.info(('The active run of %s is now %s.'):format(path, name))
end

function M.activate_command(client, params)
  rpc.execute(client, 'session.activate', { runId = params.runId })
  local run = rpc.execute(client, 'run.show', { runId = params.runId })
  local path = run.uri and document.display_path(run.uri) or 'its view'
  report_active(path, run.name or 'the other run')
end

--- Report the run that was selected; it may belong to another document.
---@param target writeit.Target
---@param run writeit.RunSummary
local function report_selected(target, run)
  local name = run.label
  if not run.uri then
    notify.info(('%s has no document. Give commands about it in its view.'):format(name))
    return
  end
  local path = document.display_path(run.uri)
  if target.uri and vim.uri_to_fname(target.uri) == vim.uri_to_fname(run.uri) then
    report_active(path, name)
  else
    notify.info(
      ('%s is now the active run of %s. Open the document with :edit %s.'):format(
        name,
        path,
        vim.fn.fnameescape(path)
      )
    )
  end
end

--- `:WriteIt history [words]`: select an earlier run; it becomes its document's active run.
---@param call writeit.Call
function M.history(call)
  local target = targets.find(call.buf)
  local text = call.words ~= '' and call.words or nil
  local runs = rpc.execute(target.client, 'run.list', { text = text }).runs
  if #runs == 0 then
    notify.info(
      text and ('No run has the words "%s".'):format(text)
        or 'No runs yet. Start one with :WriteIt start.'
    )
    return
  end
  local sorted, is_below = with_passages_below(runs)
  local run = user_input.select(sorted, 'Resume', function(run)
    return (is_below[run.runId] and '└ ' or '') .. summary_line(run)
  end)
  -- Shown first: the run of a passage can be viewed, but cannot become active.
  view.show(target.client, ('writeit:/run/%s.md'):format(run.runId))
  rpc.execute(target.client, 'session.activate', { runId = run.runId })
  report_selected(target, run)
end

return M
