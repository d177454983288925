-- Documents that we changed, on their way to the disk.
local M = {}

--- A document's path as she would write it.
---@param uri string
---@return string
function M.short(uri)
  return vim.fn.fnamemodify(vim.uri_to_fname(uri), ':~:.')
end

--- Whether somebody else wrote to the file of a buffer that she changed. Neovim would ask
--- what to do about it, in the middle of whatever she does.
---@param buf integer
---@return boolean
local function was_written_by_others(buf)
  local conflict = false
  local watch = vim.api.nvim_create_autocmd('FileChangedShell', {
    buffer = buf,
    callback = function()
      conflict = vim.v.fcs_reason == 'conflict'
      vim.v.fcs_choice = conflict and '' or 'ask'
    end,
  })
  vim.cmd.checktime({ buf, mods = { silent = true } })
  vim.api.nvim_del_autocmd(watch)
  return conflict
end

--- Save a document that we changed, if that is her wish.
---@param client vim.lsp.Client
---@param uri string
---@return writeit.Fault? fault Why it is not saved although it should be.
function M.save(client, uri)
  local buf = vim.uri_to_bufnr(uri)
  local wished = require('writeit.shortcuts').saves(client)
  if not wished or not vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= '' then
    return nil
  elseif was_written_by_others(buf) then
    return {
      message = ('the text is in %s, and not saved: the file has changed on the disk.'):format(
        M.short(uri)
      ),
      hint = ':write! keeps what you see, :edit! takes the file.',
    }
  end
  local saved, why = pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd.update({ mods = { silent = true } })
  end)
  if not saved then
    local words = tostring(why)
    return {
      message = ('the text is in %s, and that could not be saved: %s.'):format(
        M.short(uri),
        words:match('E%d+: [^\n]*') or words
      ),
      hint = 'u takes it back.',
    }
  end
end

return M
