-- Handlers of the server's requests and notifications, for `vim.lsp.config`.
local M = {}

local LEVELS = { 'error', 'warn', 'info', 'info', 'info' } -- by LSP's MessageType

--- Our streams are handled here; Neovim handles the rest, so `vim.lsp.status()` stays short.
M['$/progress'] = function(err, params, ctx)
  if require('writeit.stream').handle_progress(params) then
    return
  end
  return vim.lsp.handlers['$/progress'](err, params, ctx)
end

M['workspace/applyEdit'] = function(_, params, ctx)
  return require('writeit.apply_edit').handle(params, ctx)
end

M['workspace/codeLens/refresh'] = function(_, _, ctx)
  require('writeit.code_lens').refresh_all(ctx.client_id)
  return vim.NIL
end

M['writeit/changed'] = function(_, params, ctx)
  require('writeit.view').on_changed(ctx.client_id, params)
  require('writeit.code_lens').refresh_all(ctx.client_id)
end

M['window/showDocument'] = function(err, params, ctx)
  if vim.startswith(params.uri, 'writeit:') then
    -- The comparison that follows a conflict is shown unasked.
    local left = require('writeit.diff').parse_uri(params.uri)
    local is_asked = not (left and left.response == 'document')
    local line = vim.tbl_get(params, 'selection', 'start', 'line')
    require('writeit.view').show(ctx.client_id, params.uri, params.takeFocus and is_asked, line)
    return { success = true }
  end
  return vim.lsp.handlers['window/showDocument'](err, params, ctx)
end

M['window/showMessage'] = function(_, params)
  local text = params.message:gsub('^WriteIt: ', '')
  require('writeit.notify')[LEVELS[params.type] or 'info'](text)
end

return M
