-- `:WriteIt mv`: rename the document with its runs.
local document = require('writeit.document')
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')

local M = {}

---@param uri string The new one of a document.
---@param runs string[]
local function say_moved(uri, runs)
  local count = #runs == 1 and '1 run' or ('%d runs'):format(#runs)
  notify.info(('Moved to %s, with %s.'):format(document.display_path(uri), count))
end

---@class writeit.RenamedBuffer
---@field client vim.lsp.Client
---@field uri string Its earlier name.

---@type table<integer, writeit.RenamedBuffer> Buffers with another name, not written since.
local renamed = {}

--- Let the runs of a buffer follow it if no file has its earlier name: `:saveas` copies.
---@param buf integer
local function carry_runs(buf)
  local earlier = renamed[buf]
  if not earlier or vim.uv.fs_lstat(vim.uri_to_fname(earlier.uri)) then
    return
  end
  renamed[buf] = nil
  require('writeit.task').spawn(function()
    local params = { from = earlier.uri, to = vim.uri_from_bufnr(buf) }
    local runs = rpc.execute(earlier.client, 'run.move', params).runs
    if #runs > 0 then
      say_moved(params.to, runs)
    end
  end)
end

--- `:file` and `:saveas` change the name under which the server has a document open.
function M.watch_names()
  local group = vim.api.nvim_create_augroup('writeit-names', {})
  vim.api.nvim_create_autocmd('BufFilePre', {
    group = group,
    desc = 'WriteIt: close a document that gets another name',
    callback = function(event)
      local client = vim.lsp.get_clients({ name = 'writeit', bufnr = event.buf })[1]
      renamed[event.buf] = nil
      if client and vim.startswith(vim.uri_from_bufnr(event.buf), 'file:') then
        renamed[event.buf] = { client = client, uri = vim.uri_from_bufnr(event.buf) }
        vim.lsp.buf_detach_client(event.buf, client.id)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufFilePost', {
    group = group,
    desc = 'WriteIt: open it again, and let its runs follow a renamed file',
    callback = function(event)
      local earlier = renamed[event.buf]
      if earlier then
        vim.lsp.buf_attach_client(event.buf, earlier.client.id)
        carry_runs(event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWritePost', {
    group = group,
    desc = 'WriteIt: let its runs follow a file that was renamed meanwhile',
    callback = function(event)
      carry_runs(event.buf)
      renamed[event.buf] = nil
    end,
  })
end

--- Give a buffer without changes the name of its renamed file, with its undo history.
---@param buf integer
---@param name string
local function rename_buffer(buf, name)
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
  local root = target.client.root_dir
  if root and not vim.startswith(new, vim.fs.normalize(root) .. '/') then
    error({
      message = ('%s is outside of %s. Nothing was moved.'):format(new, root),
      hint = 'The runs are in that folder. Give a name in it.',
    }, 0)
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
  rename_buffer(buf, new)
  say_moved(params.to, runs)
end

return M
