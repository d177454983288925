-- Words for the writer, never in the way of her typing: what does not fit on the message
-- line would ask her to press Enter, so it stands for a while in a corner instead.
-- `:messages` has all of it.
local M = {}

local MARGIN = 12 -- columns of the message line that Neovim needs for itself
local WIDTH = 56
local SECONDS_A_WORD = 0.35 -- slow readers have time, too

local GROUPS = {
  [vim.log.levels.INFO] = 'NormalFloat',
  [vim.log.levels.WARN] = 'WarningMsg',
  [vim.log.levels.ERROR] = 'ErrorMsg',
}

---@type integer? The window in the corner.
local corner

local function clear_corner()
  if corner and vim.api.nvim_win_is_valid(corner) then
    vim.api.nvim_win_close(corner, true)
  end
  corner = nil
end

--- Break a text into lines of at most `width` columns, between words.
---@param text string
---@param width integer
---@return string[]
local function wrapped(text, width)
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
  clear_corner()
  local width = math.min(WIDTH, vim.o.columns - 6)
  local lines = wrapped(text, width)
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
  vim.wo[win][0].winhighlight = 'NormalFloat:' .. GROUPS[level]
  corner = win
  local _, words = text:gsub('%S+', '')
  vim.defer_fn(function()
    if corner == win then
      clear_corner()
    end
  end, math.floor(1000 * math.max(4, words * SECONDS_A_WORD)))
end

--- Whether somebody else shows notifications: they know what to do with long ones.
---@return boolean
local function is_taken_over()
  return not debug.getinfo(vim.notify, 'S').source:match('vim/_editor')
end

--- Put a text into the history of messages, however long, without a question.
---@param text string
local function remember(text)
  local before = vim.o.messagesopt
  vim.o.messagesopt = 'wait:0,history:' .. (before:match('history:(%d+)') or '500')
  vim.api.nvim_echo({ { text } }, true, {})
  vim.cmd.redraw()
  vim.api.nvim_echo({ { '' } }, false, {}) -- the line that asked to press Enter
  vim.o.messagesopt = before
end

---@param text string
---@param level integer
local function tell(text, level)
  text = 'WriteIt: ' .. text:gsub('%s*\n%s*', ' ')
  local fits = vim.fn.strdisplaywidth(text) <= vim.o.columns - MARGIN
  if is_taken_over() or (fits and vim.o.cmdheight > 0) then
    vim.cmd.redraw() -- what was asked before is answered, and not part of this
    vim.notify(text, level, { title = 'WriteIt' })
    return
  end
  remember(text)
  show_in_corner((text:gsub('^WriteIt: ', '')), level)
end

---@param text string
function M.info(text)
  tell(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  tell(text, vim.log.levels.WARN)
end

---@param command string
---@return string?
local function verb_of(command)
  local verb = require('writeit.offers').verb_of(command)
  return verb and ':WriteIt ' .. verb
end

--- The server names its commands, in full or without `writeit.` in front; here they have
--- shorter names.
---@param text string
---@return string
local function in_verbs(text)
  local short = text:gsub('`?writeit%.(%l+%.%l+)`?', verb_of)
  return (short:gsub('%f[%w](%l+%.%l+)%f[^%w]', verb_of))
end

---@param fault writeit.Fault|string
function M.fault(fault)
  if type(fault) == 'string' then
    tell(fault, vim.log.levels.ERROR)
  elseif not fault.quiet then
    local hint = fault.hint and fault.hint ~= '' and ' ' .. in_verbs(fault.hint) or ''
    tell(in_verbs(fault.message) .. hint, vim.log.levels.ERROR)
  end
end

return M
