-- The public functions.
local M = {}

--- For a status line: where the document's run stands, "" if it has none.
---@return string
function M.statusline()
  local buf = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ name = 'writeit', bufnr = buf })[1]
  if not client then
    return ''
  end
  local state = require('writeit.code_lens').state(buf)
  if require('writeit.apply_outcome').count_waiting() > 0 then
    return state .. ' [text ready: leave insert mode]'
  end
  return state
end

return M
