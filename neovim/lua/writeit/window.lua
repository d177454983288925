-- The side window, one for each tab page: it shows streams and views.
local config = require('writeit.config')

local M = {}

local MIN_COLUMNS = 100 -- with fewer, the window is opened below
local LONG_LINE = 5000 -- bytes from which Neovim takes seconds to break a line at words

local FRESH = 1500 -- milliseconds in which a window answers the act that it follows

--- The current window, its cursor and the state of its text.
---@return integer[]
local function user_position()
  local win = vim.api.nvim_get_current_win()
  local row, column = unpack(vim.api.nvim_win_get_cursor(win))
  return { win, row, column, vim.b.changedtick }
end

---@type { at: integer, position: integer[] }?
local last_act

--- Remember the user's last act: a command, a key of ours, an item of a list.
function M.note_act()
  last_act = { at = vim.uv.now(), position = user_position() }
end

--- Whether a window may take the focus: it answers an act of this moment. After long work
--- the keys of a user who types on would go into it.
---@return boolean
local function may_take_focus()
  local mode = vim.api.nvim_get_mode()
  return last_act ~= nil
    and vim.uv.now() - last_act.at < FRESH
    and mode.mode == 'n'
    and not mode.blocking
    and vim.deep_equal(user_position(), last_act.position)
end

--- Our windows in this tab page, without those that show another buffer now.
---@return integer[]
local function side_windows()
  return vim.tbl_filter(function(win)
    local buf = vim.api.nvim_win_get_buf(win)
    return vim.w[win].writeit and (vim.w[win].writeit == buf or vim.b[buf].writeit_root)
  end, vim.api.nvim_tabpage_list_wins(0))
end

--- Whether a window shows a text of the user's: one that was not submitted yet, or a
--- document in which the user writes.
---@param win integer
---@return boolean
local function has_user_text(win)
  local buf = vim.api.nvim_win_get_buf(win)
  local is_current = win == vim.api.nvim_get_current_win()
  local is_document = vim.b[buf].writeit_root == nil
  return vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit-text:')
    or (is_document and (is_current or vim.bo[buf].modified))
end

--- The window to show a buffer in: the one that has it, else one of ours without a text of
--- the user's.
---@param buf integer
---@return integer?
local function available_window(buf)
  local shown = vim.fn.bufwinid(buf)
  return shown ~= -1 and shown
    or vim.iter(side_windows()):find(function(win)
      return not has_user_text(win)
    end)
end

--- The title of a buffer in the status line.
---@param buf integer
---@return string
local function title(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  local kind, rest = name:match('^writeit:/(%l+)/?(.*)%.md$')
  if not kind then
    return vim.b[buf].writeit_title or '%f'
  end
  local step = rest:match('^[%x%-]+/([%w_%-]+)')
  return step and ('%s · %s'):format(kind, step) or kind
end

---@param win integer
---@param buf integer
local function set_options(win, buf)
  local is_ours = vim.b[buf].writeit_root ~= nil
  local hint = vim.b[buf].writeit_hint or 'g? keys · q closes'
  local options = {
    statusline = is_ours and (' WriteIt: %s %%=%s '):format(title(buf), hint) or '',
    wrap = true,
    linebreak = not vim.b[buf].writeit_long_lines,
    breakindent = not vim.b[buf].writeit_long_lines,
    number = false,
    relativenumber = false,
    signcolumn = 'no',
    foldcolumn = '0',
    foldenable = false,
    list = false,
    spell = false,
    conceallevel = vim.bo[buf].buftype == 'nowrite' and 2 or 0, -- not where text is edited
    concealcursor = 'nc',
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { win = win, scope = 'local' })
  end
  if is_ours and vim.api.nvim_win_get_config(win).relative ~= '' then
    vim.api.nvim_win_set_config(win, {
      title = (' WriteIt: %s '):format(title(buf)),
      footer = (' %s '):format(hint),
      footer_pos = 'right',
    })
  end
end

---@return vim.api.keyset.win_config
local function float_config()
  local columns, lines = vim.o.columns, vim.o.lines
  local width = math.max(40, math.floor(columns * config.get('width')))
  local height = math.max(8, lines - 6)
  return {
    relative = 'editor',
    width = math.min(width, columns - 4),
    height = height,
    row = 1,
    col = columns - math.min(width, columns - 4) - 3,
    border = 'rounded',
    title = ' WriteIt ',
  }
end

---@return vim.api.keyset.win_config
local function split_config()
  local columns, lines = vim.o.columns, vim.o.lines
  if columns >= MIN_COLUMNS then
    return { split = 'right', win = -1, width = math.floor(columns * config.get('width')) }
  end
  return { split = 'below', win = -1, height = math.floor(lines * config.get('height')) }
end

--- Show a buffer in the side window, or where it is already shown; the document's cursor
--- does not move.
---@param buf integer
---@param focus? boolean Whether it takes the focus, if it answers an act of this moment.
---@return integer win
function M.show(buf, focus)
  local win = available_window(buf)
  if win then
    if vim.api.nvim_win_get_buf(win) ~= buf then
      vim.api.nvim_win_set_buf(win, buf)
    end
  else
    local is_float = config.get('window') == 'float'
    win = vim.api.nvim_open_win(buf, false, is_float and float_config() or split_config())
    vim.w[win].writeit = buf
  end
  if vim.w[win].writeit ~= nil then
    vim.w[win].writeit = buf
    set_options(win, buf)
  end
  if focus and may_take_focus() then
    vim.api.nvim_set_current_win(win)
  end
  return win
end

--- Make the windows that show a buffer side windows: a session file or `:edit` opened it.
---@param buf integer
function M.adopt(buf)
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    vim.w[win].writeit = buf
    set_options(win, buf)
  end
end

--- The buffer in the side window, if there is one.
---@return integer?
function M.buffer()
  local win = side_windows()[1]
  return win and vim.api.nvim_win_get_buf(win)
end

--- The side window that shows `buf`, if one does.
---@param buf integer
---@return integer?
function M.find(buf)
  return vim.iter(side_windows()):find(function(win)
    return vim.api.nvim_win_get_buf(win) == buf
  end)
end

--- Break very long lines anywhere, so that a text without line ends is drawn in time.
---@param buf integer
---@param longest integer Bytes of the buffer's longest line, or of one of the longest.
function M.wrap_long_lines(buf, longest)
  if longest < LONG_LINE then
    return
  end
  vim.b[buf].writeit_long_lines = true
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    vim.wo[win][0].linebreak, vim.wo[win][0].breakindent = false, false
  end
end

--- Map `go`, which chooses and continues; a count is the answer's number.
---@param buf integer
local function map_go(buf)
  local options = { buffer = buf, nowait = true, desc = 'WriteIt: choose and continue' }
  vim.keymap.set('n', 'go', function()
    local number = vim.v.count > 0 and { tostring(vim.v.count) } or {}
    vim.cmd.WriteIt({ args = { 'go', unpack(number) } })
  end, options)
  vim.keymap.set('x', 'go', ':WriteIt go<CR>', options)
end

--- Make a buffer read-only, with the keys of streams and views.
---@param buf integer
---@param has_answers? boolean Whether answers can be chosen in it.
function M.set_up_buffer(buf, has_answers)
  local options = {
    buftype = 'nowrite', -- a session file keeps the names of these, not of nofile
    bufhidden = 'hide',
    swapfile = false,
    buflisted = false,
    modifiable = false,
    undolevels = -1,
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { buf = buf })
  end
  local function map(key, action, description)
    local map_options = { buffer = buf, nowait = true, desc = 'WriteIt: ' .. description }
    vim.keymap.set('n', key, action, map_options)
  end
  if has_answers then
    map_go(buf)
    vim.b[buf].writeit_hint = 'go continues · g? keys'
  end
  map('g?', function()
    local go = 'go chooses the answer and continues (3go: answer 3; V: selected lines) · '
    local keys = '<CR> opens a link or lists actions · <C-c> stops generating · q closes'
    require('writeit.notify').info((has_answers and go or '') .. keys)
  end, 'keys')
  map('q', M.close, 'close')
  map('<C-c>', '<Cmd>WriteIt pause<CR>', 'stop generating; the text received is kept')
  map('<CR>', function()
    require('writeit.code_lens').follow_line()
  end, 'follow the link or show the actions')
end

--- Set the file type, with Neovim's markdown parser where it has one: the old syntax
--- marks every underscore in a name as an error.
---@param buf integer
function M.set_markdown(buf)
  vim.bo[buf].filetype = 'markdown'
  pcall(vim.treesitter.start, buf, 'markdown')
end

--- Close the current window; if it is the last one, show another buffer in it.
function M.close()
  if not pcall(vim.api.nvim_win_close, 0, false) then
    vim.cmd.bprevious()
  end
end

--- The differences between a buffer and `lines`: for each, the first line and the count
--- in the buffer, then in `lines`.
---@param buf integer
---@param lines string[]
---@return integer[][]
local function diff_hunks(buf, lines)
  local before = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n') .. '\n'
  if before == '\n' then
    -- The buffer is empty. Its line must not match a blank line of the text, or the cursor
    -- would move to the middle.
    return { { 1, 1, 1, #lines } }
  end
  local after = table.concat(lines, '\n') .. '\n'
  local hunks = vim.diff(before, after, { result_type = 'indices' })
  ---@cast hunks integer[][]
  return hunks
end

--- Set the text of a read-only buffer with the smallest change, so that cursors and folds
--- stay.
---@param buf integer
---@param text string
function M.set_text(buf, text)
  local lines = vim.split(text, '\n', { plain = true })
  if lines[#lines] == '' then
    lines[#lines] = nil
  end
  local hunks = diff_hunks(buf, lines)
  vim.bo[buf].modifiable = true
  for i = #hunks, 1, -1 do
    local old_line, old_count, new_line, new_count = unpack(hunks[i])
    local first = old_count == 0 and old_line or old_line - 1
    local new = vim.list_slice(lines, new_line, new_line + new_count - 1)
    vim.api.nvim_buf_set_lines(buf, first, first + old_count, false, new)
  end
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  local longest = 0
  for _, line in ipairs(lines) do
    longest = math.max(longest, #line)
  end
  M.wrap_long_lines(buf, longest)
end

return M
