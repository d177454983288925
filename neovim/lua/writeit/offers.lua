-- Code actions and lenses are the server's commands as it offers them. Taken here they
-- get what a `:WriteIt` has: their turn, the stream, the reply, words where some are
-- wanted. A command that is not in this list goes to the server as it is.
local M = {}

---@type table<string, string> Command to the module's function that does it.
local DOERS = {
  ['run.start'] = 'asking.start_offered',
  ['step.run'] = 'asking.step_offered',
  ['step.regenerate'] = 'asking.regenerate_offered',
  ['document.polish'] = 'asking.polish_offered',
  ['step.select'] = 'choosing.decided_offered',
  ['step.merge'] = 'choosing.merge_offered',
  ['step.take'] = 'choosing.take_offered',
  ['step.skip'] = 'choosing.decided_offered',
  ['run.resume'] = 'choosing.decided_offered',
  ['run.pause'] = 'choosing.pause_offered',
  ['run.branch'] = 'family.branched_offered',
  ['run.rewind'] = 'family.branched_offered',
  ['session.activate'] = 'family.activated_offered',
  ['step.apply'] = 'handing.apply_offered',
  ['edit.restore'] = 'handing.restore_offered',
  ['run.export'] = 'handing.export_offered',
  ['view.open'] = 'looking.view_offered',
}

local VERBS = {
  ['run.start'] = 'start',
  ['step.run'] = 'next',
  ['step.select'] = 'choose',
  ['step.regenerate'] = 'regenerate',
  ['step.feedback'] = 'feedback',
  ['step.take'] = 'take',
  ['step.merge'] = 'merge',
  ['step.skip'] = 'skip',
  ['step.apply'] = 'apply',
  ['step.preview'] = 'preview',
  ['edit.restore'] = 'restore',
  ['run.branch'] = 'branch',
  ['run.rewind'] = 'rewind',
  ['run.tree'] = 'tree',
  ['run.list'] = 'history',
  ['run.diff'] = 'compare',
  ['run.export'] = 'export',
  ['run.pause'] = 'pause',
  ['run.resume'] = 'resume',
  ['document.polish'] = 'polish',
  ['usage.show'] = 'usage',
  ['view.read'] = 'open',
  ['view.open'] = 'open',
  ['model.install'] = 'model',
  ['model.list'] = 'model',
  ['keys.set'] = 'key',
  ['keys.list'] = 'key',
  ['primer.list'] = 'primer',
}

--- The verb of a command, without `writeit.` in front; nil if it has none.
---@param command string
---@return string?
function M.verb_of(command)
  return VERBS[command]
end

--- Do what was offered, when its turn comes.
---@param command lsp.Command
---@param ctx lsp.HandlerContext
function M.take(command, ctx)
  local name = command.command:gsub('^writeit%.', '')
  local module, doer = DOERS[name]:match('^(%l+)%.([%l_]+)$')
  local client = assert(vim.lsp.get_client_by_id(ctx.client_id))
  local params = vim.deepcopy((command.arguments or {})[1] or {})
  params.wait = nil
  local buf = ctx.bufnr or vim.api.nvim_get_current_buf()
  local function work()
    require('writeit.verbs.' .. module)[doer](client, params, name, buf)
  end
  if vim.api.nvim_get_mode().mode:match('^[vV\22]') then
    -- The selection is taken with the command; an edit waits while she selects.
    vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
  end
  local task = require('writeit.task')
  if name == 'run.pause' then
    task.spawn(work) -- what it stops is what the others wait for
  else
    task.enqueue(client.root_dir, command.title or name, work)
  end
end

--- The client's half of the commands, for `vim.lsp.config`.
---@return table<string, fun(command: lsp.Command, ctx: lsp.HandlerContext)>
function M.commands()
  local commands = {}
  for name in pairs(DOERS) do
    commands['writeit.' .. name] = function(command, ctx)
      require('writeit.offers').take(command, ctx)
    end
  end
  return commands
end

return M
