-- What became of a text that was to go into her document, in words, and what is left to
-- do: it came in, it waits until she stops typing, or it met words of hers.
local client_of = require('writeit.client')
local disk = require('writeit.disk')
local edit = require('writeit.edit')
local here_of = require('writeit.here')
local say = require('writeit.say')
local task = require('writeit.task')
local view = require('writeit.view')

local M = {}

---@class writeit.Waiting
---@field client vim.lsp.Client
---@field params table Of the apply that is tried again.

---@type table<string, writeit.Waiting> By run and step.
local waiting = {}

---@type table<string, writeit.Contest> By URI: the last text that met words of hers.
local contested = {}

local group = vim.api.nvim_create_augroup('writeit.settle', {})

---@param params table
---@return string
local function key_of(params)
  return params.runId .. (params.step or '')
end

--- Try what waits, now that nobody types.
local function retry()
  for key, one in pairs(waiting) do
    waiting[key] = nil
    task.enqueue(one.client.root_dir, 'apply', function()
      M.apply(one.client, one.params)
    end)
  end
end

---@param client vim.lsp.Client
---@param params table
local function wait(client, params)
  waiting[key_of(params)] = { client = client, params = params }
  vim.api.nvim_create_autocmd('ModeChanged', {
    group = group,
    pattern = '*:n',
    callback = function()
      if next(waiting) == nil then
        return true
      end
      vim.schedule(function()
        if vim.api.nvim_get_mode().mode == 'n' then
          retry()
        end
      end)
    end,
  })
  local inserting = vim.api.nvim_get_mode().mode:match('^[iR]')
  say.info(
    ('the text is ready; it goes in when you %s.'):format(
      inserting and 'leave insert mode' or 'are back in normal mode'
    )
  )
  vim.cmd.redrawstatus()
end

--- How many texts wait for her to stop typing.
---@return integer
function M.count_waiting()
  return vim.tbl_count(waiting)
end

--- A text that is not in yet: why, and what becomes of it.
---@param client vim.lsp.Client
---@param params table
---@param uri string
---@param fate? writeit.Fate
local function pending(client, params, uri, fate)
  if fate == 'locked' then
    say.warn(
      ('%s may not be changed (nomodifiable); the text is kept.'):format(disk.short(uri))
        .. ' :WriteIt apply tries again.'
    )
  elseif edit.is_busy(vim.uri_to_bufnr(uri)) then
    wait(client, params)
  elseif fate == 'typing' then
    M.apply(client, params) -- she has stopped since it was refused
  else
    say.warn(
      ('%s changed too quickly; the text is kept.'):format(disk.short(uri))
        .. ' :WriteIt apply tries again.'
    )
  end
end

--- The last text that met words of hers in a document.
---@param uri? string
---@return writeit.Contest?
function M.contest_of(uri)
  return uri and contested[uri]
end

--- Nothing is left to settle of a step's text.
---@param about { runId: string, step: string }
function M.forget(about)
  for uri, contest in pairs(contested) do
    if contest.runId == about.runId and contest.step == about.step then
      contested[uri] = nil
    end
  end
end

--- Words of hers stayed where a text has others: say so, and keep it at hand.
---@param client vim.lsp.Client
---@param about writeit.Contest
---@param stayed string
local function meet(client, about, stayed)
  contested[about.uri] = about
  view.show(client, require('writeit.diff').page_of(about))
  say.warn(stayed .. ' :WriteIt compare shows the difference.')
end

--- The step whose text an apply brings in that names none: the last that is completed.
---@param client vim.lsp.Client
---@param run_id string
---@return string
local function last_completed(client, run_id)
  local run = client_of.execute(client, 'run.show', { runId = run_id })
  local last = run.currentStep
  for _, name in ipairs(here_of.steps(client, run)) do
    last = run.steps[name].can.apply and name or last
  end
  return last
end

--- Say what became of an apply, and see to what is left to do.
---@param client vim.lsp.Client
---@param params table
---@param result writeit.Applied
---@param fate? writeit.Fate
local function settle(client, params, result, fate)
  if result.pending then
    pending(client, params, result.uri, fate)
    return
  end
  local unsaved = result.applied and disk.save(client, result.uri) or nil
  local count = #result.conflicts
  contested[result.uri] = nil
  if unsaved then
    say.fault(unsaved)
  elseif count > 0 then
    local step = params.step or last_completed(client, params.runId)
    meet(
      client,
      { uri = result.uri, runId = params.runId, step = step },
      count == 1 and '1 passage you changed yourself stayed as you have it.'
        or ('%d passages you changed yourself stayed as you have them.'):format(count)
    )
  elseif result.applied then
    local with = result.merged and ', with what you changed meanwhile' or ''
    local undo = fate == 'came' and ' u takes it back.' or ''
    say.info(('the text is in %s%s.%s'):format(disk.short(result.uri), with, undo))
  end
end

--- Apply a step's text, in a task, and say what became of it.
---@param client vim.lsp.Client
---@param params table
---@return writeit.Applied
function M.apply(client, params)
  local fates = edit.watch()
  local result = client_of.execute(client, 'step.apply', params)
  settle(client, params, result, fates[result.uri])
  return result
end

--- After a polish, whose reply does not say whether its text came in.
---@param client vim.lsp.Client
---@param run writeit.Run
---@param uri string
---@param fate? writeit.Fate
function M.after_polish(client, run, uri, fate)
  local came = fate == 'came'
  local params = { runId = run.pipelineRunId }
  if fate == 'late' then
    M.apply(client, params) -- the server knows by now whether it goes in, and says so
    return
  elseif fate and not came then
    pending(client, params, uri, fate)
    return
  end
  local unsaved = came and disk.save(client, uri) or nil
  local about = { uri = uri, runId = run.pipelineRunId, step = run.currentStep }
  local hers, proposed = require('writeit.diff').texts_of(client, about)
  contested[uri] = nil
  if unsaved then
    say.fault(unsaved)
  elseif hers ~= proposed then
    local what = came and 'part of the passage is rewritten; ' or ''
    meet(client, about, what .. 'what you changed yourself stayed as you have it.')
  elseif came then
    say.info('the passage is rewritten. u takes it back.')
  else
    say.info('the answer has the same words; nothing was changed.')
  end
end

--- Forget what waits with a server that is gone; its run keeps the text.
---@param id integer
function M.abandon(id)
  for key, one in pairs(waiting) do
    if one.client.id == id then
      waiting[key] = nil
    end
  end
end

return M
