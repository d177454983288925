-- What may be called from outside.
local M = {}

--- For a status line: where the document's run stands, "" where there is none.
---@return string
function M.statusline()
  local buf = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ name = 'writeit', bufnr = buf })[1]
  if not client then
    return ''
  end
  local state = require('writeit.lens').state(buf)
  local waits = require('writeit.settle').count_waiting()
  if waits > 0 then
    return state .. ' [a text waits for normal mode]'
  end
  return state
end

return M
