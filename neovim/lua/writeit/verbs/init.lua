-- `:WriteIt VERB …`: each verb is a task that waits for its turn.
local here_of = require('writeit.here')
local names = require('writeit.names')
local say = require('writeit.say')
local server = require('writeit.server')
local task = require('writeit.task')

local M = {}

---@class writeit.Call
---@field buf integer
---@field arguments string[]
---@field words string The arguments as they were typed.
---@field range? integer[] First and last line, from 1, where a range was given.
---@field text? string What is selected.
---@field span? writeit.Span What is selected, in rows and bytes; a block of columns has none.
---@field place writeit.Span The cursor.

---@class writeit.Span
---@field start { row: integer, column: integer }
---@field end { row: integer, column: integer }

---@type table<string, string> Verb to the module that has a function of its name.
local MODULES = {
  start = 'asking',
  next = 'asking',
  regenerate = 'asking',
  polish = 'asking',
  choose = 'choosing',
  edit = 'choosing',
  feedback = 'choosing',
  take = 'choosing',
  merge = 'choosing',
  skip = 'choosing',
  pause = 'choosing',
  resume = 'choosing',
  compare = 'family',
  branch = 'family',
  rewind = 'family',
  tree = 'family',
  history = 'family',
  apply = 'handing',
  restore = 'handing',
  export = 'handing',
  open = 'looking',
  preview = 'looking',
  usage = 'looking',
  log = 'looking',
  info = 'looking',
  restart = 'looking',
  model = 'keeping',
  key = 'keeping',
  primer = 'keeping',
}

--- Verbs that do not wait for their turn: they stop what is waited for, or need no server.
local AT_ONCE = { pause = true, log = true, info = true, restart = true }

---@param verb string
---@return fun(call: writeit.Call)
local function doer(verb)
  local module = verb == 'offer' and 'looking' or MODULES[verb]
  return require('writeit.verbs.' .. module)[verb]
end

--- What is selected, as text and as a range; whole lines if lines were named.
---@param call writeit.Call
---@param from integer
---@param to integer
local function select(call, from, to)
  local kind = vim.fn.visualmode()
  local start, stop = vim.fn.getpos("'<"), vim.fn.getpos("'>")
  if kind == '' or start[2] ~= from or stop[2] ~= to then
    kind = 'V'
    start, stop = { call.buf, from, 1, 0 }, { call.buf, to, vim.v.maxcol, 0 }
  end
  local lines = vim.fn.getregion(start, stop, { type = kind })
  call.range = { from, to }
  call.text = table.concat(lines, '\n')
  if kind == '\22' then
    return
  end
  local last = vim.api.nvim_buf_get_lines(call.buf, to - 1, to, false)[1] or ''
  local finish = #last
  if kind == 'v' and stop[3] <= #last then
    finish = stop[3] + vim.str_utf_end(last, stop[3])
  end
  call.span = {
    start = { row = from - 1, column = kind == 'v' and start[3] - 1 or 0 },
    ['end'] = { row = to - 1, column = finish },
  }
end

---@param call vim.api.keyset.create_user_command.command_args
function M.call(call)
  local arguments = vim.list_slice(call.fargs)
  local verb = table.remove(arguments, 1) or 'offer'
  if verb ~= 'offer' and not MODULES[verb] then
    say.fault({
      message = ('there is no :WriteIt %s.'):format(verb),
      hint = 'Press <Tab> after :WriteIt to see what there is.',
    })
    return
  end
  local buf = vim.api.nvim_get_current_buf()
  local words = vim.trim((call.args:gsub('^%S+', '', 1)))
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local place = { row = row - 1, column = column }
  local this = {
    buf = buf,
    arguments = arguments,
    words = words,
    place = { start = place, ['end'] = place },
  }
  if call.range > 0 then
    select(this, call.line1, call.line2)
  end
  local root = server.root_of(here_of.subject(buf))
  if call.bang and root then
    task.drop(root)
  end
  local act = doer(verb)
  if AT_ONCE[verb] or not root then
    task.spawn(function()
      act(this)
    end)
  else
    task.enqueue(root, verb, function()
      act(this)
    end)
  end
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local given = vim.split(line, '%s+')
  while given[1] and not given[1]:match('WriteIt') do
    table.remove(given, 1)
  end
  local words = names.verbs
  if #given > 2 then
    words = require('writeit.complete').of(given[2], vim.list_slice(given, 3, #given - 1))
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, words)
end

return M
