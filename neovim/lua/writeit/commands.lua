-- The server's commands, run from code actions and lenses. Commands in HANDLERS run as a
-- `:WriteIt` verb does: in the queue, streamed, reported, with a question where text is
-- needed. Other commands are sent to the server unchanged.
local M = {}

---@type table<string, string> Command to the function that runs it, in `writeit.verbs`.
local HANDLERS = {
  ['run.start'] = 'generate.start_command',
  ['step.run'] = 'generate.next_command',
  ['step.regenerate'] = 'generate.regenerate_command',
  ['step.continue'] = 'generate.continue_command',
  ['document.polish'] = 'generate.polish_command',
  ['step.select'] = 'decide.decision_command',
  ['step.merge'] = 'decide.merge_command',
  ['step.take'] = 'step.take_command',
  ['step.skip'] = 'decide.decision_command',
  ['run.resume'] = 'decide.decision_command',
  ['run.pause'] = 'step.pause_command',
  ['run.branch'] = 'runs.branch_command',
  ['run.rewind'] = 'runs.branch_command',
  ['run.refresh'] = 'runs.refresh_command',
  ['session.activate'] = 'runs.activate_command',
  ['step.apply'] = 'export.apply_command',
  ['edit.restore'] = 'export.restore_command',
  ['run.export'] = 'export.export_command',
  ['view.open'] = 'show.view_command',
}

local VERBS = {
  ['run.start'] = 'start',
  ['step.run'] = 'next',
  ['step.select'] = 'choose',
  ['step.regenerate'] = 'regenerate',
  ['step.continue'] = 'continue',
  ['step.feedback'] = 'feedback',
  ['step.take'] = 'take',
  ['step.merge'] = 'merge',
  ['step.skip'] = 'skip',
  ['step.apply'] = 'apply',
  ['step.preview'] = 'preview',
  ['document.keep'] = 'keep',
  ['document.revert'] = 'undo',
  ['edit.restore'] = 'restore',
  ['run.branch'] = 'branch',
  ['run.rewind'] = 'rewind',
  ['run.refresh'] = 'refresh',
  ['run.move'] = 'mv',
  ['run.tree'] = 'tree',
  ['run.list'] = 'history',
  ['run.diff'] = 'compare',
  ['run.export'] = 'export',
  ['run.pause'] = 'pause',
  ['run.resume'] = 'resume',
  ['document.polish'] = 'polish',
  ['usage.show'] = 'usage',
  search = 'search',
  ['view.read'] = 'open',
  ['view.open'] = 'open',
  ['model.install'] = 'model',
  ['model.add'] = 'model',
  ['model.list'] = 'model',
  ['keys.set'] = 'key',
  ['keys.list'] = 'key',
  ['primer.list'] = 'primer',
}

--- The verb of a command, nil if it has none.
---@param command string Without the prefix `writeit.`.
---@return string?
function M.verb_of(command)
  return VERBS[command]
end

--- Run a command of a code action or lens.
---@param command lsp.Command
---@param ctx lsp.HandlerContext
function M.run(command, ctx)
  require('writeit.notify').release()
  require('writeit.window').note_act()
  local name = command.command:gsub('^writeit%.', '')
  local module, handler = HANDLERS[name]:match('^(%l+)%.([%l_]+)$')
  local client = assert(vim.lsp.get_client_by_id(ctx.client_id))
  local params = vim.deepcopy((command.arguments or {})[1] or {})
  params.wait = nil
  local buf = ctx.bufnr or vim.api.nvim_get_current_buf()
  local function work()
    require('writeit.verbs.' .. module)[handler](client, params, name, buf)
  end
  if vim.api.nvim_get_mode().mode:match('^[vV\22]') then
    -- The command has the selection; an edit would wait for the end of visual mode.
    vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
  end
  local task = require('writeit.task')
  if name == 'run.pause' then
    task.spawn(work) -- it stops what the queue waits for
  else
    task.enqueue(client.root_dir, command.title or name, work)
  end
end

--- The `commands` of `vim.lsp.config`.
---@return table<string, fun(command: lsp.Command, ctx: lsp.HandlerContext)>
function M.client_commands()
  local commands = {}
  for name in pairs(HANDLERS) do
    commands['writeit.' .. name] = function(command, ctx)
      require('writeit.commands').run(command, ctx)
    end
  end
  return commands
end

return M
