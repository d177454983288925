-- The server's edits: taken whole and in time, or refused with the reason.
--
-- Neovim's own handler says `applied` of edits it skipped, checks only the first
-- document's version and never version 0. And while she types, an edit becomes part of
-- her insertion, so that no undo takes back just that: such an edit waits until she
-- leaves insert mode, its text stays offered meanwhile.
local client_of = require('writeit.client')
local disk = require('writeit.disk')
local say = require('writeit.say')
local task = require('writeit.task')

local M = {}

---@class writeit.Waiting
---@field client vim.lsp.Client
---@field params table Of the apply that is tried again.

---@type table<string, writeit.Waiting> By run and step.
local waiting = {}

---@type table<string, boolean> By URI: whether the last edit of it was refused because she typed.
local kept_out = {}

---@type table<string, boolean> By URI: whether it was refused because nothing may change it.
local locked = {}

local group = vim.api.nvim_create_augroup('writeit.edit', {})

--- Whether she is in the middle of something in this buffer that an edit would become
--- part of: typing, replacing, selecting, an operator that waits for its motion.
---@param buf integer
---@return boolean
function M.is_busy(buf)
  local mode = vim.api.nvim_get_mode().mode
  return buf == vim.api.nvim_get_current_buf() and not (mode == 'n' or mode:match('^[ct]'))
end

---@param edit lsp.WorkspaceEdit
---@return lsp.VersionedTextDocumentIdentifier[]
local function documents(edit)
  local found = {}
  for uri in pairs(edit.changes or {}) do
    found[#found + 1] = { uri = uri }
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.textDocument then
      found[#found + 1] = change.textDocument
    end
  end
  return found
end

--- Why an edit of a document cannot be made now; nil if it can.
---@param document { uri: string, version?: integer }
---@return string?
local function reason(document)
  local buf = vim.uri_to_bufnr(document.uri)
  if type(document.version) == 'number' then
    local now = vim.lsp.util.buf_versions[buf]
    if now ~= document.version then
      return ('the edit is for version %d, the document is at %s'):format(document.version, now)
    end
  end
  locked[document.uri] = vim.api.nvim_buf_is_loaded(buf) and not vim.bo[buf].modifiable or nil
  if locked[document.uri] then
    return 'the buffer is not modifiable'
  end
  if M.is_busy(buf) then
    kept_out[document.uri] = true
    return 'the writer is typing in it'
  end
  kept_out[document.uri] = nil
end

--- Begin an undo step of its own.
---@param buf integer
local function break_undo(buf)
  if vim.api.nvim_buf_is_loaded(buf) then
    vim.bo[buf].undolevels = vim.bo[buf].undolevels
  end
end

--- For `workspace/applyEdit`.
---@param params lsp.ApplyWorkspaceEditParams
---@param ctx lsp.HandlerContext
---@return lsp.ApplyWorkspaceEditResult
function M.handle(params, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  local touched = documents(params.edit)
  for _, document in ipairs(touched) do
    local why = reason(document)
    if why then
      return { applied = false, failureReason = why }
    end
  end
  if not client then
    return { applied = false, failureReason = 'the client is gone' }
  end
  local bufs = vim.tbl_map(function(document)
    return vim.uri_to_bufnr(document.uri)
  end, touched)
  vim.iter(bufs):each(break_undo)
  local well, failure =
    pcall(vim.lsp.util.apply_workspace_edit, params.edit, client.offset_encoding)
  vim.iter(bufs):each(break_undo)
  return { applied = well, failureReason = not well and tostring(failure) or nil }
end

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
      M.settle(one.client, one.params, client_of.execute(one.client, 'step.apply', one.params))
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
local function pending(client, params, uri)
  if locked[uri] then
    say.warn(
      ('%s may not be changed (nomodifiable); the text is kept.'):format(disk.short(uri))
        .. ' :WriteIt apply tries again.'
    )
  elseif M.is_busy(vim.uri_to_bufnr(uri)) then
    wait(client, params)
  elseif kept_out[uri] then
    kept_out[uri] = nil -- she has stopped since it was refused
    M.settle(client, params, client_of.execute(client, 'step.apply', params))
  else
    say.warn(
      ('%s changed too quickly; the text is kept.'):format(disk.short(uri))
        .. ' :WriteIt apply tries again.'
    )
  end
end

--- Say what became of an apply, and see to what is left to do.
---@param client vim.lsp.Client
---@param params table
---@param result writeit.Applied
function M.settle(client, params, result)
  if result.pending then
    pending(client, params, result.uri)
    return
  end
  local unsaved = result.applied and disk.save(client, result.uri) or nil
  local count = #result.conflicts
  if unsaved then
    say.fault(unsaved)
  elseif count > 0 then
    local kept = count == 1 and '1 passage you changed yourself stayed as you have it.'
      or ('%d passages you changed yourself stayed as you have them.'):format(count)
    say.warn(kept .. ' :WriteIt compare shows the difference.')
  elseif result.applied then
    local with = result.merged and ', with what you changed meanwhile' or ''
    say.info(('the text is in %s%s. u takes it back.'):format(disk.short(result.uri), with))
  end
end

--- Why a text could not be taken out of a document, if that is for us to say: where she
--- wrote over it, the server has said so.
---@param uri string
---@return string?
function M.hindrance(uri)
  return locked[uri] and 'it may not be changed (nomodifiable).'
    or kept_out[uri] and 'you were typing. Try again.'
    or nil
end

--- After a polish: its text was kept out while she typed, so it waits.
---@param client vim.lsp.Client
---@param run writeit.Run
---@param uri string
---@return boolean waits
function M.after_polish(client, run, uri)
  if not kept_out[uri] then
    local unsaved = disk.save(client, uri)
    if unsaved then
      error(unsaved, 0)
    end
    return false
  end
  pending(client, { runId = run.pipelineRunId }, uri)
  return true
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
