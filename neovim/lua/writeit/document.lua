-- The user's documents: how their path is shown, and saving them after an edit.
local M = {}

--- A document's path, relative to the working or the home directory if it is inside.
---@param uri string
---@return string
function M.display_path(uri)
  return vim.fn.fnamemodify(vim.uri_to_fname(uri), ':~:.')
end

--- Load a document. If another Neovim edits it, Neovim would ask in the middle of a
--- command; it is opened all the same, and Neovim warns when it is saved.
---@param buf integer
function M.load(buf)
  local autocmd = vim.api.nvim_create_autocmd('SwapExists', {
    callback = function()
      vim.cmd("let v:swapchoice = 'e'")
    end,
  })
  local ok, err = pcall(vim.fn.bufload, buf)
  vim.api.nvim_del_autocmd(autocmd)
  if not ok then
    error(err, 0)
  end
end

--- Delete the buffer of a file that was removed, unless it has changes.
---@param uri string
function M.forget(uri)
  local buf = vim.uri_to_bufnr(uri)
  if not vim.bo[buf].modified then
    vim.api.nvim_buf_delete(buf, {})
  end
end

--- Whether another program wrote to the file of a modified buffer. Neovim would otherwise
--- ask the user about it, whatever the user is doing.
---@param buf integer
---@return boolean
local function has_disk_conflict(buf)
  local conflict = false
  local autocmd = vim.api.nvim_create_autocmd('FileChangedShell', {
    buffer = buf,
    callback = function()
      conflict = vim.v.fcs_reason == 'conflict'
      vim.v.fcs_choice = conflict and '' or 'ask'
    end,
  })
  vim.cmd.checktime({ buf, mods = { silent = true } })
  vim.api.nvim_del_autocmd(autocmd)
  return conflict
end

--- Save a document that WriteIt has changed, unless the user has turned that off. Changes
--- of the user's own are left for the user to save.
---@param client vim.lsp.Client
---@param uri string
---@return writeit.Error? failure Why the document could not be saved.
function M.save(client, uri)
  local buf = vim.uri_to_bufnr(uri)
  local is_wanted = require('writeit.user_preferences').is_auto_save(client)
  if not is_wanted or not vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= '' then
    return nil
  elseif has_disk_conflict(buf) then
    return {
      message = ('Text inserted into %s, but not saved: the file has changed on disk.'):format(
        M.display_path(uri)
      ),
      hint = 'Keep this version with :write!, or load the file with :edit!.',
    }
  elseif not require('writeit.apply_edit').is_only_ours(buf) then
    return nil
  end
  local saved, err = pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd.update({ mods = { silent = true } })
  end)
  if not saved then
    local text = tostring(err)
    return {
      message = ('Text inserted into %s, but not saved: %s.'):format(
        M.display_path(uri),
        text:match('E%d+: [^\n]*') or text
      ),
      hint = 'Undo the change with u.',
    }
  end
end

return M
