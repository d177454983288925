-- Verbs about the server: log, info, restart.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local server = require('writeit.server')
local targets = require('writeit.targets')
local task = require('writeit.task')

local M = {}

local RESTART_DELAY = 500 -- milliseconds in which the old server releases its store

--- `:WriteIt log`: the log of server and client.
function M.log()
  vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path()))
  vim.cmd('normal! G')
end

--- `:WriteIt info`: the server, the workspace and the commands that wait.
---@param call writeit.Call
function M.info(call)
  local root = server.root_of(targets.target_buffer(call.buf))
  local client = root and rpc.find_client(root)
  local found, searched = server.find()
  local command = table.concat(found and found.cmd or {}, ' ')
  local sentences = {}
  if client then
    local version = (client.server_info or {}).version or '?'
    sentences = {
      ('Server %s, started with %s'):format(version, command),
      ('Workspace %s'):format(vim.fn.fnamemodify(root, ':~')),
    }
  elseif found then
    sentences[1] = ('No server runs here. The next command starts %s (%s)'):format(
      command,
      found.reason
    )
  else
    sentences[1] = 'No server found: ' .. table.concat(searched, '; ')
  end
  local names = root and task.pending_names(root) or {}
  if #names > 0 then
    sentences[#sentences + 1] = 'In the queue: ' .. table.concat(names, ', ')
  end
  notify.info(table.concat(sentences, '. ') .. '.')
end

--- `:WriteIt restart`: stop the server, by force if necessary, and start it again.
---@param call writeit.Call
function M.restart(call)
  local buf = targets.target_buffer(call.buf)
  local root = server.root_of(buf)
  if not root then
    error(server.NO_WORKSPACE, 0)
  end
  task.clear(root)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'writeit', _uninitialized = true })) do
    if client.root_dir == root then
      require('writeit.lifecycle').stop(client, true)
      rpc.fail_pending(client.id)
    end
  end
  task.sleep(RESTART_DELAY)
  require('writeit.view').reattach(rpc.ensure_client(buf))
  notify.info('The server has been restarted.')
end

return M
