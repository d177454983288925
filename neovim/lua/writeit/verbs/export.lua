-- Verbs that write a text to a document or a file: apply, keep, undo, restore, export.
local apply_edit = require('writeit.apply_edit')
local apply_outcome = require('writeit.apply_outcome')
local document = require('writeit.document')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')

local M = {}

function M.apply_command(client, params)
  apply_outcome.apply(client, params)
end

--- `:WriteIt apply [new_file|replace|insert]`
---@param call writeit.Call
function M.apply(call)
  local mode = call.arguments[1]
  local offered_target, params = targets.find_offered(call.buf, 'step.apply')
  if params and not mode then -- a waiting text is applied where it was meant for
    M.apply_command(offered_target.client, params)
    return
  end
  local target = targets.find_run(call.buf)
  M.apply_command(target.client, {
    runId = target.run_id,
    step = target.step,
    mode = mode,
    ask = true, -- if the run is not finished
  })
end

--- `:WriteIt restore`
---@param call writeit.Call
function M.restore(call)
  local offered_target, params = targets.find_offered(call.buf, 'edit.restore')
  if params then
    M.restore_command(offered_target.client, params)
    return
  end
  local target = targets.find_run(call.buf)
  M.restore_command(target.client, { runId = target.run_id, step = target.step })
end

---@type table<writeit.EditOutcome, string> The server itself reports conflicts.
local REFUSALS = {
  read_only = 'it cannot be changed (nomodifiable).',
  busy = 'you were typing. Try again.',
}

function M.restore_command(client, params)
  local outcomes = apply_edit.track_outcomes()
  local result = rpc.execute(client, 'edit.restore', params)
  local path = document.display_path(result.uri)
  local refusal = REFUSALS[outcomes[result.uri]]
  if result.applied and not vim.uv.fs_stat(vim.uri_to_fname(result.uri)) then
    document.forget(result.uri)
    notify.info(('Removed %s. Its text is still in the run.'):format(path))
  elseif result.applied then
    local unsaved = document.save(client, result.uri)
    if unsaved then
      error(unsaved, 0)
    end
    notify.info(('Restored %s. Your later edits were kept.'):format(path))
  elseif refusal then
    notify.warn(('%s was not restored: %s'):format(path, refusal))
  end
end

--- Keep or undo the changed block at the cursor, or all that an apply changed.
---@param call writeit.Call
---@param command string
local function decide_change(call, command)
  local target = targets.find(call.buf)
  local found = rpc.execute(target.client, 'document.changes', { uri = target.uri })
  local row, id = call.cursor.start.row, nil
  for _, change in ipairs(found.changes) do
    if change.firstLine <= row and row < math.max(change.endLine, change.firstLine + 1) then
      id = change.change
    end
  end
  if #found.changes == 0 or (not id and call.arguments[1] ~= 'all') then
    error({
      message = 'There is no change to review here.',
      hint = 'Place the cursor in a changed block, or add `all`.',
    }, 0)
  end
  rpc.execute(target.client, command, {
    uri = target.uri,
    change = call.arguments[1] ~= 'all' and id or nil,
    wait = false, -- the server reports what it could not undo
  })
end

--- `:WriteIt keep [all]`
---@param call writeit.Call
function M.keep(call)
  decide_change(call, 'document.keep')
end

--- `:WriteIt undo [all]`
---@param call writeit.Call
function M.undo(call)
  decide_change(call, 'document.revert')
end

local EXTENSIONS = { markdown = 'md', yaml = 'yaml', json = 'json' }

--- `:WriteIt export [markdown|yaml|json] [path]`
---@param call writeit.Call
function M.export(call)
  local target = targets.find_run(call.buf)
  local format = call.arguments[1] or 'markdown'
  local path = call.words:match('^%S+%s+(.+)$') -- it may have blanks
  if not EXTENSIONS[format] then
    error({
      message = ('%s is not an export format.'):format(format),
      hint = 'The formats are markdown, yaml and json.',
    }, 0)
  end
  local stem = format == 'markdown' and 'article' or 'run'
  M.export_command(target.client, {
    runId = target.run_id,
    format = format,
    path = path or ('%s.%s'):format(stem, EXTENSIONS[format]),
  })
end

function M.export_command(client, params)
  local result = rpc.execute(client, 'run.export', params)
  notify.info(('Exported to %s.'):format(document.display_path(result.uri)))
end

return M
