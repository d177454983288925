-- A list that does not fit the screen, where Neovim's own would stop at "-- More --": a
-- buffer at the bottom, in which everything that moves and finds works as ever.
local M = {}

local HINT = '<CR> takes it · / finds · q leaves'
local ASKED = 2 -- lines that Neovim's own list needs besides the items

--- Whether Neovim's own list would have to be paged. One that she put in its place knows
--- what to do with a long list.
---@param lines string[]
---@return boolean
function M.is_needed(lines)
  if not debug.getinfo(vim.ui.select, 'S').source:match('vim/ui%.lua$') then
    return false
  end
  local rows = ASKED
  for index, line in ipairs(lines) do
    local width = vim.fn.strdisplaywidth(('%d: %s'):format(index, line))
    rows = rows + math.max(1, math.ceil(width / vim.o.columns))
  end
  return rows > vim.o.lines
end

---@param lines string[]
---@return integer
local function buffer(lines)
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
local function window(buf, prompt)
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

--- Let her pick a line. To leave the window is to pick none.
---@param lines string[]
---@param prompt string
---@param done fun(index?: integer)
function M.open(lines, prompt, done)
  vim.cmd.stopinsert() -- a command that waited may ask while she types
  local came_from = vim.api.nvim_get_current_win()
  local buf = buffer(lines)
  local win = window(buf, prompt)
  local picked ---@type integer?
  local function close()
    if vim.api.nvim_win_is_valid(win) then
      vim.api.nvim_win_close(win, true)
    end
  end
  vim.api.nvim_create_autocmd('WinLeave', { buffer = buf, callback = vim.schedule_wrap(close) })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buf,
    callback = vim.schedule_wrap(function()
      done(picked)
    end),
  })
  local function map(keys, action, what)
    vim.keymap.set('n', keys, action, { buffer = buf, nowait = true, desc = 'WriteIt: ' .. what })
  end
  local function leave()
    if vim.api.nvim_win_is_valid(came_from) then
      vim.api.nvim_set_current_win(came_from)
    end
    close()
  end
  map('<CR>', function()
    picked = vim.api.nvim_win_get_cursor(win)[1]
    leave()
  end, 'take it')
  map('q', leave, 'leave')
  map('<Esc>', leave, 'leave')
  map('<C-c>', leave, 'leave')
end

return M
