-- `workspace/applyEdit`: an edit is made as a whole or refused with the reason.
--
-- Neovim's own handler reports edits as applied that it skipped. It checks only the first
-- document's version, and never version 0. An edit made in insert mode becomes part of
-- the insertion, so that it cannot be undone alone. Such an edit is refused; its text
-- remains available and is applied when the user leaves insert mode.
local M = {}

---@alias writeit.EditOutcome
---| 'applied' It changed the document.
---| 'busy' The user was typing or selecting.
---| 'read_only' The buffer is not modifiable.
---| 'outdated' It was made for another version, changed nothing or failed.

--- By URI: the outcome of the document's last edit since `track_outcomes` was called.
---@alias writeit.EditOutcomes table<string, writeit.EditOutcome>

---@type table<writeit.EditOutcomes, true> Removed when nothing refers to the outcomes.
local tracked = setmetatable({}, { __mode = 'k' })

--- Record the outcome of every edit from now on.
---@return writeit.EditOutcomes
function M.track_outcomes()
  local outcomes = {}
  tracked[outcomes] = true
  return outcomes
end

---@param uri string
---@param outcome writeit.EditOutcome
local function record(uri, outcome)
  for outcomes in pairs(tracked) do
    outcomes[uri] = outcome
  end
end

--- Whether an edit of this buffer would become part of what the user is doing: typing,
--- replacing, selecting, or an operator that waits for its motion.
---@param buf integer
---@return boolean
function M.is_busy(buf)
  local mode = vim.api.nvim_get_mode().mode
  return buf == vim.api.nvim_get_current_buf() and not (mode == 'n' or mode:match('^[ct]'))
end

---@param edit lsp.WorkspaceEdit
---@return lsp.VersionedTextDocumentIdentifier[]
local function documents_of(edit)
  local documents = {}
  for uri in pairs(edit.changes or {}) do
    documents[#documents + 1] = { uri = uri }
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.textDocument then
      documents[#documents + 1] = change.textDocument
    end
  end
  return documents
end

--- Why a document cannot be edited now; nil if it can.
---@param document { uri: string, version?: integer }
---@return writeit.EditOutcome? outcome, string? reason
local function refusal(document)
  local buf = vim.uri_to_bufnr(document.uri)
  if type(document.version) == 'number' then
    local version = vim.lsp.util.buf_versions[buf]
    if version ~= document.version then
      local reason = 'the edit is for version %d, the document has version %s'
      return 'outdated', reason:format(document.version, version)
    end
  end
  if vim.api.nvim_buf_is_loaded(buf) and not vim.bo[buf].modifiable then
    return 'read_only', 'the buffer is not modifiable'
  elseif M.is_busy(buf) then
    return 'busy', 'the user is typing in the document'
  end
end

---@type table<integer, integer> By buffer without other unsaved changes: its change tick
--- after our last edit.
local our_ticks = {}

--- Whether all unsaved changes of a buffer are ours.
---@param buf integer
---@return boolean
function M.is_only_ours(buf)
  return not vim.bo[buf].modified or our_ticks[buf] == vim.api.nvim_buf_get_changedtick(buf)
end

---@param buf integer
local function start_undo_step(buf)
  if vim.api.nvim_buf_is_loaded(buf) then
    vim.bo[buf].undolevels = vim.bo[buf].undolevels
  end
end

--- Make an edit that nothing prevents.
---@param client vim.lsp.Client
---@param edit lsp.WorkspaceEdit
---@param uris string[] Of the documents it changes.
---@return lsp.ApplyWorkspaceEditResult
local function apply(client, edit, uris)
  local bufs = vim.tbl_map(vim.uri_to_bufnr, uris)
  local ticks = vim.tbl_map(vim.api.nvim_buf_get_changedtick, bufs)
  local only_ours = vim.tbl_map(M.is_only_ours, bufs)
  vim.iter(bufs):each(start_undo_step)
  local ok, err = pcall(vim.lsp.util.apply_workspace_edit, edit, client.offset_encoding)
  vim.iter(bufs):each(start_undo_step)
  for index, buf in ipairs(bufs) do
    local tick = vim.api.nvim_buf_get_changedtick(buf)
    local changed = tick ~= ticks[index]
    our_ticks[buf] = only_ours[index] and tick or nil
    record(uris[index], changed and 'applied' or 'outdated')
  end
  return { applied = ok, failureReason = not ok and tostring(err) or nil }
end

--- Handle `workspace/applyEdit`.
---@param params lsp.ApplyWorkspaceEditParams
---@param ctx lsp.HandlerContext
---@return lsp.ApplyWorkspaceEditResult
function M.handle(params, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  local documents = documents_of(params.edit)
  for _, document in ipairs(documents) do
    local outcome, reason = refusal(document)
    if outcome then
      record(document.uri, outcome)
      return { applied = false, failureReason = reason }
    end
  end
  if not client then
    return { applied = false, failureReason = 'the client has stopped' }
  end
  local uris = vim.tbl_map(function(document)
    return document.uri
  end, documents)
  return apply(client, params.edit, uris)
end

return M
