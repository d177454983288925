-- A list that does not fit the screen: a buffer at the bottom, to be searched in. Neovim's
-- own list would stop at "-- More --".
local M = {}

local HINT = '<CR> selects · / searches · q closes'
local PROMPT_LINES = 2 -- lines that Neovim's own list needs besides the items

--- Whether Neovim's own list would have to be paged. A replaced `vim.ui.select` gets lists
--- of any length.
---@param lines string[]
---@return boolean
function M.is_needed(lines)
  if not debug.getinfo(vim.ui.select, 'S').source:match('vim/ui%.lua$') then
    return false
  end
  local rows = PROMPT_LINES
  for index, line in ipairs(lines) do
    local width = vim.fn.strdisplaywidth(('%d: %s'):format(index, line))
    rows = rows + math.max(1, math.ceil(width / vim.o.columns))
  end
  return rows > vim.o.lines
end

---@param lines string[]
---@return integer
local function create_buffer(lines)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].filetype = 'writeit-list'
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  return buf
end

---@param buf integer
---@param prompt string
---@return integer win
local function open_window(buf, prompt)
  local height = math.min(vim.api.nvim_buf_line_count(buf), math.floor(vim.o.lines / 2))
  local win = vim.api.nvim_open_win(buf, true, { split = 'below', win = -1, height = height })
  local title = prompt == 'WriteIt' and prompt or 'WriteIt: ' .. prompt
  local options = {
    statusline = (' %s%%=%s '):format(title:gsub('%%', '%%%%'), HINT),
    cursorline = true,
    wrap = false,
    number = false,
    relativenumber = false,
    winfixheight = true,
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { win = win, scope = 'local' })
  end
  return win
end

--- Let the user select a line. Leaving the window selects none.
---@param lines string[]
---@param prompt string
---@param on_done fun(index?: integer)
function M.open(lines, prompt, on_done)
  local return_window = vim.api.nvim_get_current_win()
  local buf = create_buffer(lines)
  local win = open_window(buf, prompt)
  vim.api.nvim_echo({ { '' } }, false, {}) -- the typed command does not ask anything
  local selected ---@type integer?
  local function close()
    if vim.api.nvim_win_is_valid(win) then
      vim.api.nvim_win_close(win, true)
    end
  end
  vim.api.nvim_create_autocmd('WinLeave', { buffer = buf, callback = vim.schedule_wrap(close) })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buf,
    callback = vim.schedule_wrap(function()
      on_done(selected)
    end),
  })
  local function map(key, action, description)
    local options = { buffer = buf, nowait = true, desc = 'WriteIt: ' .. description }
    vim.keymap.set('n', key, action, options)
  end
  local function leave()
    if vim.api.nvim_win_is_valid(return_window) then
      vim.api.nvim_set_current_win(return_window)
    end
    close()
  end
  map('<CR>', function()
    selected = vim.api.nvim_win_get_cursor(win)[1]
    leave()
  end, 'select')
  for _, key in ipairs({ 'q', '<Esc>', '<C-c>' }) do
    map(key, leave, 'close')
  end
end

return M
