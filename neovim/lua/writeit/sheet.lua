-- The scratch buffer of a stream: a heading and a text for each answer. Text is only
-- ever added, each piece where its answer ends; states stand beside the headings.
local window = require('writeit.window')

local M = {}

local marks = vim.api.nvim_create_namespace('writeit.sheet')
local counter = 0

---@class writeit.Coming
---@field head integer Extmark of the heading.
---@field tail integer Extmark of the text's end.
---@field words integer
---@field seq integer The number of the next piece.
---@field ended boolean

---@class writeit.Sheet
---@field buf integer
---@field sections table<string, writeit.Coming>
---@field order string[]
---@field top? integer Extmark of the words beside the first line.
local Sheet = {}
Sheet.__index = Sheet

---@type table<integer, writeit.Sheet>
local sheets = {}

--- A sheet for a step's answers.
---@param step string
---@return writeit.Sheet
function M.new(step)
  counter = counter + 1
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, ('writeit-stream:/%d/%s'):format(counter, step))
  window.own(buf)
  vim.bo[buf].bufhidden = 'wipe'
  window.as_markdown(buf)
  local self = setmetatable({ buf = buf, sections = {}, order = {} }, Sheet)
  sheets[buf] = self
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buf,
    callback = function()
      sheets[buf] = nil
    end,
  })
  self:write(0, 0, { '# ' .. step })
  self:state(0, 'coming · <C-c> stops', nil)
  return self
end

--- Whether there is still something to write into: she may have closed it.
---@return boolean
function Sheet:is_there()
  return vim.api.nvim_buf_is_valid(self.buf)
end

---@param row integer
---@param column integer
---@param lines string[]
function Sheet:write(row, column, lines)
  vim.bo[self.buf].modifiable = true
  vim.api.nvim_buf_set_text(self.buf, row, column, row, column, lines)
  vim.bo[self.buf].modifiable = false
end

--- Say something beside a line.
---@param row integer
---@param words string
---@param mark? integer The extmark to change.
---@param group? string
---@return integer mark
function Sheet:state(row, words, mark, group)
  local id = vim.api.nvim_buf_set_extmark(self.buf, marks, row, 0, {
    id = mark or (row == 0 and self.top or nil),
    virt_text = { { '  ' .. words, group or 'Comment' } },
    virt_text_pos = 'eol',
  })
  if row == 0 then
    self.top = id
  end
  return id
end

--- A section for an answer that was asked for.
---@param id string
---@param model string
function Sheet:add(id, model)
  if not self:is_there() or self.sections[id] then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buf)
  -- Whole lines are added: the end of the answer before is not pushed along.
  vim.bo[self.buf].modifiable = true
  vim.api.nvim_buf_set_lines(self.buf, last, last, false, { '', '## ' .. model, '', '' })
  vim.bo[self.buf].modifiable = false
  local head = self:state(last + 1, 'waiting for the first words')
  local tail = vim.api.nvim_buf_set_extmark(self.buf, marks, last + 3, 0, {})
  self.sections[id] = { head = head, tail = tail, words = 0, seq = 0, ended = false }
  self.order[#self.order + 1] = id
end

---@param mark integer
---@return integer row, integer column
function Sheet:place(mark)
  local at = vim.api.nvim_buf_get_extmark_by_id(self.buf, marks, mark, {})
  return at[1], at[2]
end

---@param words integer
---@return string
local function counted(words)
  return words == 1 and '1 word' or ('%d words'):format(words)
end

--- Add a piece of an answer where that answer ends.
---@param id string
---@param seq integer
---@param text string
function Sheet:append(id, seq, text)
  local section = self.sections[id]
  if not section or not self:is_there() then
    return
  end
  local row, column = self:place(section.tail)
  local following = self:followers()
  self:write(row, column, vim.split(text, '\n', { plain = true }))
  window.heed_endless(self.buf, column)
  local _, words = text:gsub('%S+', '')
  section.words = section.words + words
  section.seq = seq + 1
  local head = self:place(section.head)
  self:state(head, 'coming · ' .. counted(section.words), section.head)
  self:follow(following)
end

--- The windows in which the end of the text stays in sight: with one answer, those
--- whose cursor stands there, and any that she is not in.
---@return integer[]
function Sheet:followers()
  if #self.order ~= 1 then
    return {}
  end
  local last = vim.api.nvim_buf_line_count(self.buf)
  local current = vim.api.nvim_get_current_win()
  return vim.tbl_filter(function(win)
    return win ~= current or vim.api.nvim_win_get_cursor(win)[1] == last
  end, vim.fn.win_findbuf(self.buf))
end

---@param wins integer[]
function Sheet:follow(wins)
  local last = vim.api.nvim_buf_line_count(self.buf)
  local line = vim.api.nvim_buf_get_lines(self.buf, last - 1, last, false)[1]
  for _, win in ipairs(wins) do
    vim.api.nvim_win_set_cursor(win, { last, #line })
  end
end

--- Remark on an answer, or on all: it waits, or is tried again.
---@param id? string
---@param words string
function Sheet:remark(id, words)
  if not self:is_there() then
    return
  end
  local section = id and self.sections[id]
  if section then
    self:state(self:place(section.head), words, section.head, 'WarningMsg')
  else
    self:state(0, words, self.top, 'WarningMsg')
  end
end

--- An answer ended: say how.
---@param id string
---@param how { index?: integer, status: string, error?: { message: string } }
function Sheet:finish(id, how)
  local section = self.sections[id]
  if not section or not self:is_there() then
    return
  end
  section.ended = true
  local number = how.index and ('answer %d'):format(how.index + 1) or 'nothing came'
  local come = counted(section.words)
  local words = how.status == 'complete' and ('%s · %s'):format(number, come)
    or how.status == 'partial' and ('%s · cut short, %s kept'):format(number, come)
    or number
  local group = how.status ~= 'complete' and 'WarningMsg' or nil
  self:state(self:place(section.head), words, section.head, group)
  if how.status ~= 'complete' and how.error then
    local row, column = self:place(section.tail)
    local blank = section.words > 0 and { '', '' } or {}
    self:write(
      row,
      column,
      vim.list_extend(blank, { ('> %s'):format(how.error.message:gsub('\n', ' ')) })
    )
  end
end

--- Nothing more will come.
---@param fault? writeit.Fault
function Sheet:close(fault)
  if not self:is_there() then
    return
  end
  for _, section in pairs(self.sections) do
    if not section.ended then
      self:state(self:place(section.head), 'stopped', section.head, 'WarningMsg')
    end
  end
  local words = fault and 'ended with an error' or 'finished · <CR> shows what to choose from'
  self:state(0, words, self.top, fault and 'WarningMsg' or nil)
end

--- The answer whose section a row is in.
---@param buf integer
---@param row integer From 0.
---@return string? id
function M.answer_at(buf, row)
  local self = sheets[buf]
  local found
  for _, id in ipairs(self and self.order or {}) do
    if self:place(self.sections[id].head) <= row then
      found = id
    end
  end
  return found
end

return M
