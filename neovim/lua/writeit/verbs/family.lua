-- Verbs of the family: compare, branch, rewind, tree, history.
local ask = require('writeit.ask')
local choosing = require('writeit.verbs.choosing')
local client_of = require('writeit.client')
local diff = require('writeit.diff')
local disk = require('writeit.disk')
local here_of = require('writeit.here')
local say = require('writeit.say')
local settle = require('writeit.settle')
local view = require('writeit.view')

local M = {}

M.diff = diff.open

---@param step writeit.Step
---@param given string[]
---@return integer left, integer right From 1.
local function two(step, given)
  local count = #step.aiResponses
  if count < 2 then
    error({
      message = ('%s has %s; comparing needs two.'):format(
        step.stepName,
        count == 1 and 'one answer' or 'no answers'
      ),
      hint = ':WriteIt regenerate asks for another.',
    }, 0)
  end
  if count == 2 and not given[1] then
    return 1, 2
  end
  local left = choosing.pick(step, given[1], 'Compare')
  return left, choosing.pick(step, given[2], ('Compare answer %d with'):format(left))
end

---@param here writeit.Here
---@param about { runId: string, step: string }
local function compare_with_document(here, about)
  local hers, proposed = diff.texts_of(here.client, about)
  if hers == proposed then
    say.info('there is nothing left to settle: your document has all of the text, or its like.')
    settle.forget(about)
    return
  end
  local function side(response)
    return { runId = about.runId, step = about.step, response = response }
  end
  M.diff(here.client, side('document'), side('proposed'))
end

--- What a bare `compare` means before answers: the view of a comparison, or a text that
--- met words of hers in this document.
---@param call writeit.Call
---@return boolean done
local function compared_here(call)
  local here = here_of.find(call.buf)
  local left, right = diff.sides_of(vim.api.nvim_buf_get_name(here.buf))
  local contest = settle.contest_of(here.uri)
  if contest or (left and left.response == 'document') then
    compare_with_document(here, contest or left)
  elseif left and right then
    M.diff(here.client, left, right)
  end
  return left ~= nil or contest ~= nil
end

--- `:WriteIt compare [number number]`
---@param call writeit.Call
function M.compare(call)
  if #call.arguments == 0 and compared_here(call) then
    return
  end
  local here = here_of.find_run(call.buf)
  local step = here_of.step(here, here_of.run(here))
  local left, right = two(step, call.arguments)
  local function side(index)
    return { runId = here.run_id, step = step.stepName, response = index - 1 }
  end
  M.diff(here.client, side(left), side(right))
end

--- One of a run's steps to go back to: the only one, else she is asked.
---@param here writeit.HereRun
---@param wanted fun(step: writeit.Step): boolean
---@param prompt string
---@return string
local function step_of(here, wanted, prompt)
  local run = here_of.run(here)
  local names = vim.tbl_filter(function(name)
    return wanted(run.steps[name])
  end, here_of.steps(here.client, run))
  if #names == 0 then
    error({ message = 'there is nothing to go back to yet.' }, 0)
  end
  return #names == 1 and names[1] or ask.select(names, prompt)
end

--- The step to branch at, where none is named.
---@param here writeit.HereRun
---@return string
function M.branch_point(here)
  return step_of(here, function(state)
    return #state.aiResponses > 0
  end, 'Branch at')
end

---@param client vim.lsp.Client
---@param name 'run.branch'|'run.rewind'
---@param params table
local function branched(client, name, params)
  local child = client_of.execute(client, name, params)
  view.show(client, ('writeit:/run/%s.md'):format(child.pipelineRunId))
  local what = name == 'run.branch' and 'branched at' or 'back at'
  say.info(
    ('%s %s; nothing of the other run is lost. Go on with choose, regenerate or next.'):format(
      what,
      params.step
    )
  )
end

function M.branched_offered(client, params, name)
  branched(client, name, params)
end

--- `:WriteIt branch [step] [name]`
---@param call writeit.Call
function M.branch(call)
  local here = here_of.find_run(call.buf)
  local step = call.arguments[1] or M.branch_point(here)
  local name = call.words:match('^%S+%s+(.+)$')
  branched(here.client, 'run.branch', { runId = here.run_id, step = step, name = name })
end

--- `:WriteIt rewind [step]`
---@param call writeit.Call
function M.rewind(call)
  local here = here_of.find_run(call.buf)
  local step = call.arguments[1]
    or step_of(here, function(state)
      return state.isDone
    end, 'Rewind to')
  branched(here.client, 'run.rewind', { runId = here.run_id, step = step })
end

--- `:WriteIt tree`
---@param call writeit.Call
function M.tree(call)
  require('writeit.tree').open(here_of.find_run(call.buf))
end

---@param run table A summary.
---@return string
local function summary(run)
  local name = run.name or run.title
  local day = run.createdAt:sub(1, 10)
  return ('%s · %s · %s · %s'):format(name, run.pipeline, run.statusText, day)
end

function M.activated_offered(client, params)
  client_of.execute(client, 'session.activate', { runId = params.runId })
  local run = client_of.execute(client, 'run.show', { runId = params.runId })
  local where = run.uri and disk.short(run.uri) or 'its view'
  say.info(('commands in %s are about %s now.'):format(where, run.name or 'that run'))
end

--- What it means that a run was picked: it may be another document's.
---@param here writeit.Here
---@param run table A summary.
local function picked(here, run)
  local name = run.name or run.title
  if not run.uri then
    say.info(('%s has no document; commands in its view are about it.'):format(name))
    return
  end
  local path = disk.short(run.uri)
  if here.uri and vim.uri_to_fname(here.uri) == vim.uri_to_fname(run.uri) then
    say.info(('commands in %s are about %s now.'):format(path, name))
  else
    local there = ('%s is a run of %s: commands there and in its view are about it.'):format(
      name,
      path
    )
    say.info(there .. (' :edit %s goes there.'):format(vim.fn.fnameescape(path)))
  end
end

--- `:WriteIt history [words]`: earlier runs; the one she picks becomes its document's.
---@param call writeit.Call
function M.history(call)
  local here = here_of.find(call.buf)
  local text = call.words ~= '' and call.words or nil
  local runs = client_of.execute(here.client, 'run.list', { text = text }).runs
  if #runs == 0 then
    say.info('no runs yet. :WriteIt start begins one.')
    return
  end
  local run = ask.select(runs, 'Go on with', summary)
  -- Shown first: a run about a passage can be looked at, and is refused as the active one.
  view.show(here.client, ('writeit:/run/%s.md'):format(run.runId))
  client_of.execute(here.client, 'session.activate', { runId = run.runId })
  picked(here, run)
end

return M
