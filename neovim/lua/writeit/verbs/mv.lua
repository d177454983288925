-- `:WriteIt mv`: rename the document with its runs.
local document = require('writeit.document')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')

local M = {}

--- Give a buffer without changes the name of its renamed file, with its undo history.
---@param client vim.lsp.Client
---@param buf integer
---@param name string
local function rename_buffer(client, buf, name)
  vim.lsp.buf_detach_client(buf, client.id) -- the server has the old name open
  vim.api.nvim_buf_call(buf, function()
    local old = vim.api.nvim_buf_get_name(buf)
    vim.cmd.file({ vim.fn.fnameescape(name), mods = { keepalt = true, silent = true } })
    -- The same text: without it, a later write would ask for `!`.
    vim.cmd.write({ bang = true, mods = { keepalt = true, noautocmd = true, silent = true } })
    local alternate = vim.fn.bufnr('^' .. vim.fn.escape(old, '*?,{}[]\\') .. '$')
    if alternate > 0 and alternate ~= buf then
      vim.api.nvim_buf_delete(alternate, {})
    end
  end)
  vim.lsp.buf_attach_client(buf, client.id)
end

--- `:WriteIt mv {file}`
---@param call writeit.Call
function M.mv(call)
  local target = targets.find(call.buf)
  local buf = target.buf
  if not target.uri or call.words == '' then
    error({ message = 'Name the new file of your document.', hint = ':WriteIt mv new.md' }, 0)
  end
  if vim.bo[buf].modified then
    error({ message = 'The document has changes. Nothing was moved.', hint = 'Save it first.' }, 0)
  end
  local old = vim.uri_to_fname(target.uri)
  local new = vim.fs.normalize(vim.fn.fnamemodify(vim.fn.expand(call.words), ':p'))
  if vim.fn.isdirectory(new) == 1 then
    new = vim.fs.joinpath(new, vim.fs.basename(old))
  end
  if vim.uv.fs_lstat(new) then
    error({
      message = ('%s exists already. Nothing was moved.'):format(new),
      hint = 'Give another name.',
    }, 0)
  end
  local moved, why = vim.uv.fs_rename(old, new)
  if not moved then
    error({ message = ('The file was not moved: %s.'):format(why), hint = 'Check the name.' }, 0)
  end
  local params = { from = target.uri, to = vim.uri_from_fname(new) }
  local runs = rpc.execute(target.client, 'run.move', params).runs
  rename_buffer(target.client, buf, new)
  local count = #runs == 1 and '1 run' or ('%d runs'):format(#runs)
  notify.info(('Moved to %s, with %s.'):format(document.display_path(params.to), count))
end

return M
