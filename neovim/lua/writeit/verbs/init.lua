-- `:WriteIt VERB …`: each verb is a task in the queue of its workspace.
local notify = require('writeit.notify')
local server = require('writeit.server')
local targets = require('writeit.targets')
local task = require('writeit.task')
local verb_names = require('writeit.verb_names')
local window = require('writeit.window')

local M = {}

---@class writeit.Call
---@field buf integer
---@field arguments string[]
---@field words string The arguments as one string.
---@field range? integer[] First and last line, from 1, if a range was given.
---@field text? string The selected text.
---@field span? writeit.Span The selection; nil for a block selection.
---@field cursor writeit.Span

---@class writeit.Span
---@field start { row: integer, column: integer }
---@field end { row: integer, column: integer }

--- Verbs that skip the queue: they stop what it waits for, or need no server.
local IMMEDIATE = { pause = true, stop = true, log = true, info = true, restart = true }

---@param verb? string
---@return fun(call: writeit.Call)
local function implementation(verb)
  if not verb then
    return require('writeit.verbs.show').show_actions
  end
  return require('writeit.verbs.' .. verb_names.modules[verb])[verb]
end

--- Add the selection to a call: whole lines, unless the range is the visual selection.
---@param call writeit.Call
---@param first integer
---@param last integer
local function add_selection(call, first, last)
  local mode = vim.fn.visualmode()
  local start, stop = vim.fn.getpos("'<"), vim.fn.getpos("'>")
  if mode == '' or start[2] ~= first or stop[2] ~= last then
    mode = 'V'
    start, stop = { call.buf, first, 1, 0 }, { call.buf, last, vim.v.maxcol, 0 }
  end
  local lines = vim.fn.getregion(start, stop, { type = mode })
  call.range = { first, last }
  call.text = table.concat(lines, '\n')
  if mode == '\22' then
    return
  end
  local last_line = vim.api.nvim_buf_get_lines(call.buf, last - 1, last, false)[1] or ''
  local end_column = #last_line
  if mode == 'v' and stop[3] <= #last_line then
    end_column = stop[3] + vim.str_utf_end(last_line, stop[3])
  end
  call.span = {
    start = { row = first - 1, column = mode == 'v' and start[3] - 1 or 0 },
    ['end'] = { row = last - 1, column = end_column },
  }
end

---@param command vim.api.keyset.create_user_command.command_args
---@param arguments string[] Without the verb.
---@return writeit.Call
local function to_call(command, arguments)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local position = { row = row - 1, column = column }
  local call = {
    buf = vim.api.nvim_get_current_buf(),
    arguments = arguments,
    words = vim.trim((command.args:gsub('^%S+', '', 1))),
    cursor = { start = position, ['end'] = position },
  }
  if command.range > 0 then
    add_selection(call, command.line1, command.line2)
  end
  return call
end

---@type integer The number of the typed line that was refused last.
local refused_line = 0

--- Refuse a typed line with a `"` that is not the mark of a comment: Vim takes it for one,
--- and the words after it would be lost. A mark has a blank on both sides.
---@param command vim.api.keyset.create_user_command.command_args
---@return boolean
local function has_lost_words(command)
  local number = vim.fn.histnr(':')
  local typed = vim.fn.histget(':', -1):match('WriteIt!?%s+(.*)$')
  typed = typed and typed:gsub('\\(["|])', '%1')
  local given = vim.trim(command.args)
  if not typed or number == refused_line or not vim.startswith(typed, given) then
    return false
  end
  local rest = typed:sub(#given + 1)
  if rest:match('^"') or rest:match('^%s+"%S') then
    refused_line = number
    return true
  end
  return false
end

---@param command vim.api.keyset.create_user_command.command_args
function M.run(command)
  notify.release()
  window.note_act()
  if has_lost_words(command) then
    notify.error({
      message = 'Nothing was done: Vim reads the words after " as a comment.',
      hint = [[Type \" for a quotation mark and \| for a bar.]],
    })
    return
  end
  local arguments = vim.list_slice(command.fargs)
  local verb = table.remove(arguments, 1)
  if verb and not verb_names.modules[verb] then
    notify.error({
      message = ('There is no command :WriteIt %s.'):format(verb),
      hint = 'Press <Tab> after :WriteIt for a list.',
    })
    return
  end
  local call = to_call(command, arguments)
  local root = server.root_of(targets.target_buffer(call.buf))
  if command.bang and root then
    task.clear(root)
  end
  local run = implementation(verb)
  local is_choice = verb == 'choose' or verb == 'go'
  local is_ready = is_choice and require('writeit.verbs.decide').is_ready(call)
  if (verb and IMMEDIATE[verb]) or is_ready or not root then
    task.spawn(function()
      run(call)
    end)
  else
    task.enqueue(root, verb or 'actions', function()
      run(call)
    end)
  end
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local words = vim.split(line, '%s+')
  while words[1] and not words[1]:match('WriteIt') do
    table.remove(words, 1)
  end
  local candidates = verb_names.names
  if #words > 2 then
    local before = vim.list_slice(words, 3, #words - 1)
    candidates = require('writeit.completion').candidates(words[2], before)
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, candidates)
end

return M
