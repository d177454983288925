-- The window beside the article, one for each tab page: streams and views appear in it.
local config = require('writeit.config')

local M = {}

local WIDE = 100 -- columns from which the window stands beside the article
local ENDLESS = 5000 -- bytes of a line from which Neovim takes seconds to break it between words

--- Our windows in this tab page; one that she opened something else in is hers.
---@return integer[]
local function of_this_tab()
  return vim.tbl_filter(function(win)
    local buf = vim.api.nvim_win_get_buf(win)
    return vim.w[win].writeit and (vim.w[win].writeit == buf or vim.b[buf].writeit_root)
  end, vim.api.nvim_tabpage_list_wins(0))
end

--- The one in which something can be shown: a text she has not written yet stays in sight.
---@param buf integer
---@return integer?
local function for_showing(buf)
  return M.showing(buf)
    or vim.iter(of_this_tab()):find(function(win)
      return not vim.bo[vim.api.nvim_win_get_buf(win)].modified
    end)
end

--- What a window's status line says of a buffer: the address of a view is for machines.
---@param buf integer
---@return string
local function title(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  local kind, rest = name:match('^writeit:/(%l+)/?(.*)%.md$')
  if vim.startswith(name, 'writeit-tree:') then
    return 'the family of the run'
  elseif not kind then
    return vim.startswith(name, 'writeit-') and (name:match('[^/]*$')) or '%f'
  end
  local step = rest:match('^[%x%-]+/([%w_%-]+)')
  return step and ('%s · %s'):format(kind, step) or kind
end

---@param win integer
---@param buf integer
local function furnish(win, buf)
  local ours = vim.b[buf].writeit_root ~= nil
  local hint = vim.b[buf].writeit_hint or 'q closes'
  local options = {
    statusline = ours and (' WriteIt: %s%%=%s '):format(title(buf), hint) or '',
    wrap = true,
    linebreak = not vim.b[buf].writeit_endless,
    breakindent = not vim.b[buf].writeit_endless,
    number = false,
    relativenumber = false,
    signcolumn = 'no',
    foldcolumn = '0',
    foldenable = false,
    list = false,
    spell = false,
    conceallevel = vim.bo[buf].buftype == 'nofile' and 2 or 0, -- her own text is shown as it is
    concealcursor = 'nc',
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { win = win, scope = 'local' })
  end
  if ours and vim.api.nvim_win_get_config(win).relative ~= '' then
    vim.api.nvim_win_set_config(win, {
      title = (' WriteIt: %s '):format(title(buf)),
      footer = (' %s '):format(hint),
      footer_pos = 'right',
    })
  end
end

---@return vim.api.keyset.win_config
local function float()
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
local function split()
  local columns, lines = vim.o.columns, vim.o.lines
  if columns >= WIDE then
    return { split = 'right', win = -1, width = math.floor(columns * config.get('width')) }
  end
  return { split = 'below', win = -1, height = math.floor(lines * config.get('height')) }
end

--- Show a buffer in the window beside the article; the article's cursor stays.
---@param buf integer
---@param focus? boolean
---@return integer win
function M.show(buf, focus)
  local win = for_showing(buf)
  if win then
    if vim.api.nvim_win_get_buf(win) ~= buf then
      vim.api.nvim_win_set_buf(win, buf)
    end
  else
    local shape = config.get('window') == 'float' and float() or split()
    win = vim.api.nvim_open_win(buf, false, shape)
  end
  vim.w[win].writeit = buf
  furnish(win, buf)
  if focus then
    vim.api.nvim_set_current_win(win)
  end
  return win
end

--- The buffer that the window beside the article shows, if there is one.
---@return integer?
function M.beside()
  local win = of_this_tab()[1]
  return win and vim.api.nvim_win_get_buf(win)
end

--- The window beside the article that shows `buf`, if one does.
---@param buf integer
---@return integer?
function M.showing(buf)
  return vim.iter(of_this_tab()):find(function(win)
    return vim.api.nvim_win_get_buf(win) == buf
  end)
end

--- A model may write without ever ending a line: such a text is broken anywhere, and
--- shown in time.
---@param buf integer
---@param longest integer Bytes of its longest line, or of one of them.
function M.heed_endless(buf, longest)
  if longest < ENDLESS then
    return
  end
  vim.b[buf].writeit_endless = true
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    vim.wo[win][0].linebreak, vim.wo[win][0].breakindent = false, false
  end
end

--- Make a buffer ours: nobody types in it, `q` closes its window, `<C-c>` stops.
---@param buf integer
function M.own(buf)
  local options = {
    buftype = 'nofile',
    bufhidden = 'hide',
    swapfile = false,
    buflisted = false,
    modifiable = false,
    undolevels = -1,
  }
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { buf = buf })
  end
  local function map(keys, action, what)
    vim.keymap.set('n', keys, action, { buffer = buf, nowait = true, desc = 'WriteIt: ' .. what })
  end
  map('q', M.close, 'close')
  map('<C-c>', '<Cmd>WriteIt pause<CR>', 'stop what streams; what came is kept')
  map('<CR>', function()
    require('writeit.lens').run_or_offer()
  end, 'what fits here')
end

--- Markdown, with Neovim's own parser where it has one: the old syntax marks every
--- underscore of a name as an error.
---@param buf integer
function M.as_markdown(buf)
  vim.bo[buf].filetype = 'markdown'
  pcall(vim.treesitter.start, buf, 'markdown')
end

--- Close the current window; if it is the last one, show another buffer in it.
function M.close()
  if not pcall(vim.api.nvim_win_close, 0, false) then
    vim.cmd.bprevious()
  end
end

--- What to change in a buffer: first line and count there, first line and count in `lines`.
---@param buf integer
---@param lines string[]
---@return integer[][]
local function hunks_of(buf, lines)
  local before = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n') .. '\n'
  if before == '\n' then
    -- Nothing stands there yet: its line is none of the blank lines of the text, or the
    -- cursor would begin in the middle.
    return { { 1, 1, 1, #lines } }
  end
  local after = table.concat(lines, '\n') .. '\n'
  local hunks = vim.diff(before, after, { result_type = 'indices' })
  ---@cast hunks integer[][]
  return hunks
end

--- Change a buffer of ours by as little as needed: cursors and folds stay.
---@param buf integer
---@param text string
function M.fill(buf, text)
  local lines = vim.split(text, '\n', { plain = true })
  if lines[#lines] == '' then
    lines[#lines] = nil
  end
  local hunks = hunks_of(buf, lines)
  vim.bo[buf].modifiable = true
  for i = #hunks, 1, -1 do
    local at, gone, from, come = unpack(hunks[i])
    local first = gone == 0 and at or at - 1
    local new = vim.list_slice(lines, from, from + come - 1)
    vim.api.nvim_buf_set_lines(buf, first, first + gone, false, new)
  end
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  local longest = 0
  for _, line in ipairs(lines) do
    longest = math.max(longest, #line)
  end
  M.heed_endless(buf, longest)
end

return M
