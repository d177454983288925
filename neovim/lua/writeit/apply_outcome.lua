-- The outcome of an apply: reported to the user, and followed up. The text was inserted,
-- waits until the user stops typing, or conflicts with the user's changes.
local apply_edit = require('writeit.apply_edit')
local document = require('writeit.document')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local task = require('writeit.task')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.WaitingApply
---@field client vim.lsp.Client
---@field params table Of `step.apply`, which is repeated.
---@field is_passage? boolean Whether the text is that of a polished passage.

---@type table<string, writeit.WaitingApply> By run and step.
local waiting = {}

---@type table<string, writeit.Conflict> By URI: the last text that conflicted.
local conflicts = {}

local group = vim.api.nvim_create_augroup('writeit.apply_outcome', {})

---@param params table
---@return string
local function key_of(params)
  return params.runId .. (params.step or '')
end

local function retry_waiting()
  for key, entry in pairs(waiting) do
    waiting[key] = nil
    task.enqueue(entry.client.root_dir, 'apply', function()
      M.apply(entry.client, entry.params, entry.is_passage)
    end)
  end
end

--- Repeat an apply when the user is back in normal mode.
---@param client vim.lsp.Client
---@param params table
---@param is_passage? boolean
local function wait_for_normal_mode(client, params, is_passage)
  waiting[key_of(params)] = { client = client, params = params, is_passage = is_passage }
  vim.api.nvim_create_autocmd('ModeChanged', {
    group = group,
    pattern = '*:n',
    callback = function()
      if next(waiting) == nil then
        return true
      end
      vim.schedule(function()
        if vim.api.nvim_get_mode().mode == 'n' then
          retry_waiting()
        end
      end)
    end,
  })
  local is_inserting = vim.api.nvim_get_mode().mode:match('^[iR]')
  notify.info(
    ('The new text is ready. It is inserted when you %s.'):format(
      is_inserting and 'leave insert mode' or 'return to normal mode'
    )
  )
  vim.cmd.redrawstatus()
end

--- How many texts wait for normal mode.
---@return integer
function M.count_waiting()
  return vim.tbl_count(waiting)
end

--- Report a text that could not be inserted yet, and repeat the apply if that will help.
---@param client vim.lsp.Client
---@param params table
---@param uri string
---@param outcome? writeit.EditOutcome
---@param is_passage? boolean
local function on_pending(client, params, uri, outcome, is_passage)
  params.ask = nil -- the user has been asked
  local path = document.display_path(uri)
  if outcome == 'read_only' then
    notify.warn(
      ('%s cannot be changed (nomodifiable). The new text was kept.'):format(path)
        .. ' Apply it again with :WriteIt apply.'
    )
  elseif apply_edit.is_busy(vim.uri_to_bufnr(uri)) then
    wait_for_normal_mode(client, params, is_passage)
  elseif outcome == 'busy' then
    M.apply(client, params, is_passage) -- the user has stopped typing since the edit was refused
  else
    notify.warn(
      ('%s kept changing, so nothing was inserted. The new text was kept.'):format(path)
        .. ' Apply it again with :WriteIt apply.'
    )
  end
end

--- The last text that conflicted with a document.
---@param uri? string
---@return writeit.Conflict?
function M.conflict_of(uri)
  return uri and conflicts[uri]
end

--- Forget the conflicts of a step's text.
---@param ref { runId: string, step: string }
function M.clear_conflict(ref)
  for uri, conflict in pairs(conflicts) do
    if conflict.runId == ref.runId and conflict.step == ref.step then
      conflicts[uri] = nil
    end
  end
end

--- Show the conflict and keep it for `:WriteIt compare`.
---@param client vim.lsp.Client
---@param conflict writeit.Conflict
---@param message string
local function report_conflict(client, conflict, message)
  conflicts[conflict.uri] = conflict
  view.show(client, require('writeit.diff').document_uri(conflict))
  notify.warn(message .. ' Compare them with :WriteIt compare.')
end

--- The step that an apply without a step is about: the last that has a text.
---@param client vim.lsp.Client
---@param run_id string
---@return string
local function last_applicable_step(client, run_id)
  local run = rpc.execute(client, 'run.show', { runId = run_id })
  local last = run.currentStep
  for _, name in ipairs(targets.step_names(client, run)) do
    last = run.steps[name].can.apply and name or last
  end
  return last
end

--- Show a document that is in no window, such as a new article.
---@param uri string
local function show_document(uri)
  local buf = vim.uri_to_bufnr(uri)
  if #vim.fn.win_findbuf(buf) == 0 then
    document.load(buf)
    vim.bo[buf].buflisted = true
    window.show(buf)
  end
end

--- Report the result of an apply and show the document.
---@param client vim.lsp.Client
---@param params table Of `step.apply`.
---@param result writeit.ApplyResult
---@param outcome? writeit.EditOutcome
---@param is_passage? boolean
function M.report(client, params, result, outcome, is_passage)
  if result.pending then
    on_pending(client, params, result.uri, outcome, is_passage)
    return
  end
  local unsaved = result.applied and document.save(client, result.uri) or nil
  if result.applied then
    show_document(result.uri)
  end
  local count = #result.conflicts
  conflicts[result.uri] = nil
  local step = params.step or last_applicable_step(client, params.runId)
  if unsaved then
    notify.error(unsaved)
  elseif count > 0 then
    report_conflict(
      client,
      { uri = result.uri, runId = params.runId, step = step },
      count == 1 and 'Your version of 1 passage was kept; the new text has another.'
        or ('Your versions of %d passages were kept; the new text has others.'):format(count)
    )
  elseif result.applied and is_passage then
    notify.info(
      outcome == 'applied' and 'Passage rewritten. Undo with u.'
        or 'The answer has the same text as the passage. Nothing was changed.'
    )
  elseif result.applied then
    local merged = result.merged and ' and merged with your changes' or ''
    local undo = outcome == 'applied' and ' Undo with u.' or ''
    local path = document.display_path(result.uri)
    notify.info(('Text of %s inserted into %s%s.%s'):format(step, path, merged, undo))
  end
end

--- Apply a step's text, in a task, and report the outcome.
---@param client vim.lsp.Client
---@param params table
---@param is_passage? boolean Whether the text is that of a polished passage.
function M.apply(client, params, is_passage)
  local outcomes = apply_edit.track_outcomes()
  local result = rpc.execute(client, 'step.apply', params)
  M.report(client, params, result, outcomes[result.uri], is_passage)
end

--- Forget the texts of a server that has stopped; its runs keep them.
---@param id integer
function M.drop_client(id)
  for key, entry in pairs(waiting) do
    if entry.client.id == id then
      waiting[key] = nil
    end
  end
end

return M
