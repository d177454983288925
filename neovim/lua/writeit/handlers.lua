-- What the server asks and tells, for `vim.lsp.config`.
local M = {}

local LEVELS = { 'fault', 'warn', 'info', 'info', 'info' } -- by LSP's MessageType

--- Our streams are taken; everything else is Neovim's, so `vim.lsp.status()` stays sane.
M['$/progress'] = function(err, params, ctx)
  if require('writeit.stream').take(params) then
    return
  end
  return vim.lsp.handlers['$/progress'](err, params, ctx)
end

M['workspace/applyEdit'] = function(_, params, ctx)
  return require('writeit.edit').handle(params, ctx)
end

M['workspace/codeLens/refresh'] = function(_, _, ctx)
  require('writeit.lens').refresh_all(ctx.client_id)
  return vim.NIL
end

M['writeit/changed'] = function(_, params, ctx)
  require('writeit.view').changed(ctx.client_id, params)
  require('writeit.lens').refresh_all(ctx.client_id)
end

--- Whether a view may have her keys: not while she types, nor if nobody asked for it, as
--- for the comparison of a text that met words of hers.
---@param params lsp.ShowDocumentParams
---@return boolean?
local function takes_keys(params)
  local left = require('writeit.diff').sides_of(params.uri)
  local unasked = left and left.response == 'document'
  return params.takeFocus and not unasked and vim.api.nvim_get_mode().mode == 'n'
end

M['window/showDocument'] = function(err, params, ctx)
  if vim.startswith(params.uri, 'writeit:') then
    require('writeit.view').show(ctx.client_id, params.uri, takes_keys(params))
    return { success = true }
  end
  return vim.lsp.handlers['window/showDocument'](err, params, ctx)
end

M['window/showMessage'] = function(_, params)
  local text = params.message:gsub('^WriteIt: ', '')
  require('writeit.say')[LEVELS[params.type] or 'info'](text)
end

return M
