-- Messages to the user that never interrupt typing. A text too long for the message line
-- would make Neovim ask for Enter; it is shown in a corner for a while instead.
-- `:messages` has all of them.
local M = {}

local MARGIN = 12 -- columns of the message line that Neovim needs for itself
local WIDTH = 56
local SECONDS_PER_WORD = 0.35 -- slow enough for slow readers
local MIN_SECONDS = 4

local HIGHLIGHTS = {
  [vim.log.levels.INFO] = 'NormalFloat',
  [vim.log.levels.WARN] = 'WarningMsg',
  [vim.log.levels.ERROR] = 'ErrorMsg',
}

---@type [string, integer][]? Messages from before the user's first command.
local held = {}

---@type integer?
local corner_window

local function close_corner()
  if corner_window and vim.api.nvim_win_is_valid(corner_window) then
    vim.api.nvim_win_close(corner_window, true)
  end
  corner_window = nil
end

--- Break a text into lines of at most `width` columns, between words.
---@param text string
---@param width integer
---@return string[]
local function wrap(text, width)
  local lines, line = {}, ''
  for word in text:gmatch('%S+') do
    local longer = line == '' and word or line .. ' ' .. word
    if line ~= '' and vim.fn.strdisplaywidth(longer) > width then
      lines[#lines + 1] = line
      line = word
    else
      line = longer
    end
  end
  lines[#lines + 1] = line
  return lines
end

--- Show a text in the corner for as long as it takes to read it.
---@param text string
---@param level integer
local function show_in_corner(text, level)
  local width = math.min(WIDTH, vim.o.columns - 6)
  local lines = wrap(text, width)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = 'wipe'
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  local win = vim.api.nvim_open_win(buf, false, {
    relative = 'editor',
    anchor = 'SE',
    row = vim.o.lines - vim.o.cmdheight - 1,
    col = vim.o.columns,
    width = width,
    height = #lines,
    style = 'minimal',
    border = 'rounded',
    focusable = false,
    noautocmd = true,
    zindex = 200,
  })
  vim.wo[win][0].winhighlight = 'NormalFloat:' .. HIGHLIGHTS[level]
  corner_window = win
  local _, words = text:gsub('%S+', '')
  vim.defer_fn(function()
    if corner_window == win then
      close_corner()
    end
  end, math.floor(1000 * math.max(MIN_SECONDS, words * SECONDS_PER_WORD)))
end

--- Whether another plug-in shows notifications; it can show long ones.
---@return boolean
local function is_replaced()
  return not debug.getinfo(vim.notify, 'S').source:match('vim/_editor')
end

--- Put a text into the message history, however long, without a prompt; once the user is in
--- normal mode, because it would move the cursor of one who types at the end of a line.
---@param text string
local function add_to_history(text)
  if vim.api.nvim_get_mode().mode ~= 'n' then
    vim.api.nvim_create_autocmd('ModeChanged', {
      pattern = '*:n',
      once = true,
      callback = vim.schedule_wrap(function()
        add_to_history(text)
      end),
    })
    return
  end
  local messagesopt = vim.o.messagesopt
  vim.o.messagesopt = 'wait:0,history:' .. (messagesopt:match('history:(%d+)') or '500')
  vim.api.nvim_echo({ { text } }, true, {})
  vim.cmd.redraw()
  vim.api.nvim_echo({ { '' } }, false, {}) -- clears the line that asks for Enter
  vim.o.messagesopt = messagesopt
end

---@param text string
---@param level integer
local function show(text, level)
  if held then
    table.insert(held, { text, level })
    return
  end
  close_corner()
  local line = 'WriteIt: ' .. text:gsub('%s*\n%s*', ' ')
  local fits = vim.fn.strdisplaywidth(line) <= vim.o.columns - MARGIN
  if is_replaced() or (fits and vim.o.cmdheight > 0) then
    vim.cmd.redraw() -- removes an answered question from the message line
    vim.notify(line, level, { title = 'WriteIt' })
    return
  end
  add_to_history(line)
  show_in_corner((line:gsub('^WriteIt: ', '')), level)
end

--- The user has given a command: show the messages held until now. Opening a file shows
--- none.
function M.release()
  local messages = held or {}
  held = nil
  close_corner()
  for index, message in ipairs(messages) do
    if not vim.deep_equal(message, messages[index + 1]) then
      show(unpack(message))
    end
  end
end

---@param text string
function M.info(text)
  show(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  show(text, vim.log.levels.WARN)
end

---@param command string
---@return string?
local function verb_of(command)
  local verb = require('writeit.commands').verb_of(command)
  return verb and ':WriteIt ' .. verb
end

--- Verbs that do what a command of the terminal does.
local TERMINAL = {
  ['writeit log'] = 'history',
  ['writeit keys set'] = 'key',
  ['writeit model add'] = 'model add',
  ['writeit model install'] = 'model',
  ['writeit model list'] = 'model',
  ['writeit usage'] = 'usage',
}

--- Replace the server's command names, with or without the prefix `writeit.`, and those of
--- the terminal by verbs.
---@param text string
---@return string
local function with_verbs(text)
  for command, verb in pairs(TERMINAL) do
    text = text:gsub('`?' .. command .. '`?', ':WriteIt ' .. verb)
  end
  local short = text:gsub('`?writeit%.(%l+%.%l+)`?', verb_of)
  return (short:gsub('%f[%w](%l+%.%l+)%f[^%w]', verb_of))
end

---@param failure writeit.Error|string
function M.error(failure)
  if type(failure) == 'string' then
    show(failure, vim.log.levels.ERROR)
  elseif not failure.quiet then
    local hint = failure.hint and failure.hint ~= '' and ' ' .. with_verbs(failure.hint) or ''
    show(with_verbs(failure.message) .. hint, vim.log.levels.ERROR)
  end
end

return M
