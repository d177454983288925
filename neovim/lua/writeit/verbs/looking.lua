-- Verbs that show: the bare command, open, preview, usage, log, info; and restart.
local ask = require('writeit.ask')
local client_of = require('writeit.client')
local here_of = require('writeit.here')
local say = require('writeit.say')
local server = require('writeit.server')
local task = require('writeit.task')
local view = require('writeit.view')

local M = {}

--- Bare `:WriteIt`: what the server offers here and now.
---@param call writeit.Call
function M.offer(call)
  local here = here_of.find(call.buf)
  local span = call.span or here.buf == call.buf and call.place or nil
  local range = span and require('writeit.verbs.asking').range(here, span)
  local actions = here_of.actions(here, range)
  if #actions == 0 then
    say.info('there is nothing to offer here. :WriteIt start begins a run on a markdown file.')
    return
  end
  local action = ask.select(actions, 'WriteIt', function(one)
    return (one.title:gsub('^WriteIt: ', ''))
  end)
  here.client:exec_cmd(action.command, { bufnr = here.buf })
end

--- `:WriteIt open`: the current step, or the run where no step was asked yet.
---@param call writeit.Call
function M.open(call)
  local here = here_of.find_run(call.buf)
  local run = here_of.run(here)
  local step = here_of.step(here, run)
  local asked = step.startedAt or step.isDone
  local uri = asked and ('writeit:/step/%s/%s.md'):format(here.run_id, step.stepName)
    or ('writeit:/run/%s.md'):format(here.run_id)
  view.show(here.client, uri, true)
end

--- A view that was offered. Two texts are shown as the editor's own diff.
function M.view_offered(client, params)
  if params.view == 'compare' then
    require('writeit.verbs.family').diff(client, params.left, params.right)
  else
    client_of.execute(client, 'view.open', params)
  end
end

--- `:WriteIt preview`
---@param call writeit.Call
function M.preview(call)
  local here = here_of.find_run(call.buf)
  local step = here.step or here_of.run(here).currentStep
  client_of.execute(here.client, 'view.open', { view = 'prompt', runId = here.run_id, step = step })
end

--- `:WriteIt usage`
---@param call writeit.Call
function M.usage(call)
  local here = here_of.find(call.buf)
  client_of.execute(here.client, 'view.open', { view = 'usage' })
end

--- `:WriteIt log`: what server and client said.
function M.log()
  vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path()))
  vim.cmd('normal! G')
end

--- `:WriteIt info`: which server, for which workspace, and what it is busy with.
---@param call writeit.Call
function M.info(call)
  local root = server.root_of(here_of.subject(call.buf))
  local client = root and client_of.of_root(root)
  local found, looked = server.find()
  local words = {}
  if client then
    local version = (client.server_info or {}).version or '?'
    words[#words + 1] = ('server %s, started by %s'):format(
      version,
      table.concat(found and found.cmd or {}, ' ')
    )
    words[#words + 1] = ('workspace %s'):format(vim.fn.fnamemodify(root, ':~'))
  elseif found then
    words[#words + 1] = ('no server runs here; %s would be started, because %s'):format(
      table.concat(found.cmd, ' '),
      found.why
    )
  else
    words[#words + 1] = 'no server found: ' .. table.concat(looked, '; ')
  end
  local waits = root and task.waiting(root) or {}
  if #waits > 0 then
    words[#words + 1] = 'waiting: ' .. table.concat(waits, ', ')
  end
  say.info(table.concat(words, '. ') .. '.')
end

--- `:WriteIt restart`: end the server, politely if it listens, and start it anew.
---@param call writeit.Call
function M.restart(call)
  local buf = here_of.subject(call.buf)
  local root = server.root_of(buf)
  if not root then
    error({ message = 'this buffer belongs to no workspace.' }, 0)
  end
  task.drop(root)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'writeit', _uninitialized = true })) do
    if client.root_dir == root then
      require('writeit.life').dismiss(client, true)
      client_of.abandon(client.id)
    end
  end
  task.sleep(500)
  local client = client_of.ready(buf)
  view.revive(client)
  say.info('the server was started anew.')
end

return M
