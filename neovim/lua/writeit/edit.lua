-- The server's edits: taken whole and in time, or refused with the reason.
--
-- Neovim's own handler says `applied` of edits it skipped, checks only the first
-- document's version and never version 0. And while she types, an edit becomes part of
-- her insertion, so that no undo takes back just that: such an edit waits until she
-- leaves insert mode, its text stays offered meanwhile.
local M = {}

---@alias writeit.Fate
---| 'came' It changed the document.
---| 'typing' She was in the middle of something.
---| 'locked' The buffer may not be changed.
---| 'late' It was for another version, or could not be made.

--- By URI: what became of the last edit of a document since somebody began to watch.
---@alias writeit.Fates table<string, writeit.Fate>

---@type table<writeit.Fates, true> Of those who watch; who stops is forgotten.
local watched = setmetatable({}, { __mode = 'k' })

--- See what becomes of the edits that come from now on.
---@return writeit.Fates
function M.watch()
  local fates = {}
  watched[fates] = true
  return fates
end

---@param uri string
---@param fate writeit.Fate
local function note(uri, fate)
  for fates in pairs(watched) do
    fates[uri] = fate
  end
end

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

--- Why an edit of a document cannot be made now; nothing if it can.
---@param document { uri: string, version?: integer }
---@return writeit.Fate? fate, string? reason
local function hindrance(document)
  local buf = vim.uri_to_bufnr(document.uri)
  if type(document.version) == 'number' then
    local now = vim.lsp.util.buf_versions[buf]
    if now ~= document.version then
      local why = 'the edit is for version %d, the document is at %s'
      return 'late', why:format(document.version, now)
    end
  end
  if vim.api.nvim_buf_is_loaded(buf) and not vim.bo[buf].modifiable then
    return 'locked', 'the buffer is not modifiable'
  elseif M.is_busy(buf) then
    return 'typing', 'the writer is typing in it'
  end
end

--- Begin an undo step of its own.
---@param buf integer
local function break_undo(buf)
  if vim.api.nvim_buf_is_loaded(buf) then
    vim.bo[buf].undolevels = vim.bo[buf].undolevels
  end
end

--- Make an edit of which nothing stands in the way.
---@param client vim.lsp.Client
---@param edit lsp.WorkspaceEdit
---@param uris string[] Of the documents it changes.
---@return lsp.ApplyWorkspaceEditResult
local function make(client, edit, uris)
  local bufs = vim.tbl_map(vim.uri_to_bufnr, uris)
  local before = vim.tbl_map(vim.api.nvim_buf_get_changedtick, bufs)
  vim.iter(bufs):each(break_undo)
  local well, failure = pcall(vim.lsp.util.apply_workspace_edit, edit, client.offset_encoding)
  vim.iter(bufs):each(break_undo)
  for index, buf in ipairs(bufs) do
    local changed = vim.api.nvim_buf_get_changedtick(buf) ~= before[index]
    note(uris[index], changed and 'came' or 'late')
  end
  return { applied = well, failureReason = not well and tostring(failure) or nil }
end

--- For `workspace/applyEdit`.
---@param params lsp.ApplyWorkspaceEditParams
---@param ctx lsp.HandlerContext
---@return lsp.ApplyWorkspaceEditResult
function M.handle(params, ctx)
  local client = vim.lsp.get_client_by_id(ctx.client_id)
  local touched = documents(params.edit)
  for _, document in ipairs(touched) do
    local fate, why = hindrance(document)
    if fate then
      note(document.uri, fate)
      return { applied = false, failureReason = why }
    end
  end
  if not client then
    return { applied = false, failureReason = 'the client is gone' }
  end
  local uris = vim.tbl_map(function(document)
    return document.uri
  end, touched)
  return make(client, params.edit, uris)
end

return M
