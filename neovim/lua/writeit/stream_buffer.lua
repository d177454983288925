-- The buffer of a stream: a heading and a text for each answer. Text is only ever added,
-- at the end of its answer; the state of an answer is shown beside its heading.
local targets = require('writeit.targets')
local window = require('writeit.window')

local M = {}

local namespace = vim.api.nvim_create_namespace('writeit.stream_buffer')
local counter = 0
--- Why a provider ended an answer before it was whole.
M.CUT = { length = true, context = true, content_filter = true, refused = true }

---@class writeit.StreamedAnswer
---@field number integer
---@field letter? string Of a blind choice.
---@field head integer Extmark of the heading.
---@field tail integer Extmark of the end of the text.
---@field words integer
---@field in_word boolean Whether the text so far ends in a word.
---@field ended boolean
---@field has_text? boolean True if it ended with a text, which can be chosen.

---@class writeit.StreamBuffer
---@field buf integer
---@field answers table<string, writeit.StreamedAnswer>
---@field order string[]
---@field top? integer Extmark of the state beside the first line.
local StreamBuffer = {}
StreamBuffer.__index = StreamBuffer

---@type table<integer, writeit.StreamBuffer>
local stream_buffers = {}

--- Create the buffer for a step's answers.
---@param run_id string
---@param step string
---@return writeit.StreamBuffer
function M.new(run_id, step)
  counter = counter + 1
  -- The last one stays while it is hidden: a command that was given in it may still wait.
  for other in pairs(stream_buffers) do
    if #vim.fn.win_findbuf(other) == 0 then
      vim.api.nvim_buf_delete(other, { force = true })
    end
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, ('writeit-stream:/%s/%s/%d'):format(run_id, step, counter))
  vim.b[buf].writeit_title = step
  window.set_up_buffer(buf, true)
  window.set_markdown(buf)
  local self = setmetatable({ buf = buf, answers = {}, order = {} }, StreamBuffer)
  stream_buffers[buf] = self
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buf,
    callback = function()
      stream_buffers[buf] = nil
    end,
  })
  self:insert(0, 0, { '# ' .. step })
  self:show_state(0, 'generating · <C-c> stops', nil)
  return self
end

--- Whether the buffer still exists: the user may have closed it.
---@return boolean
function StreamBuffer:is_valid()
  return vim.api.nvim_buf_is_valid(self.buf)
end

---@param row integer
---@param column integer
---@param lines string[]
function StreamBuffer:insert(row, column, lines)
  vim.bo[self.buf].modifiable = true
  vim.api.nvim_buf_set_text(self.buf, row, column, row, column, lines)
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
end

--- Show a text beside a line.
---@param row integer
---@param text string
---@param extmark? integer The extmark to change.
---@param highlight? string
---@return integer extmark
function StreamBuffer:show_state(row, text, extmark, highlight)
  local id = vim.api.nvim_buf_set_extmark(self.buf, namespace, row, 0, {
    id = extmark or (row == 0 and self.top or nil),
    virt_text = { { '  ' .. text, highlight or 'Comment' } },
    virt_text_pos = 'eol',
  })
  if row == 0 then
    self.top = id
  end
  return id
end

--- Add a heading for a requested answer.
---@param response { responseId: string, model: string, number: integer }
function StreamBuffer:add(response)
  local id = response.responseId
  if not self:is_valid() or self.answers[id] then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.buf)
  -- Whole lines are added, so that the tail of the previous answer does not move.
  vim.bo[self.buf].modifiable = true
  local name = targets.answer_name(response)
  local is_blind = name == response.letter
  local heading = '## Answer ' .. (is_blind and name or ('%s · %s'):format(name, response.model))
  vim.api.nvim_buf_set_lines(self.buf, last, last, false, { '', heading, '', '' })
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
  local head = self:show_state(last + 1, 'waiting for text')
  local tail = vim.api.nvim_buf_set_extmark(self.buf, namespace, last + 3, 0, {})
  self.answers[id] = {
    number = response.number,
    letter = is_blind and name or nil,
    head = head,
    tail = tail,
    words = 0,
    in_word = false,
    ended = false,
  }
  self.order[#self.order + 1] = id
end

---@param extmark integer
---@return integer row, integer column
function StreamBuffer:position(extmark)
  local position = vim.api.nvim_buf_get_extmark_by_id(self.buf, namespace, extmark, {})
  return position[1], position[2]
end

---@param words integer
---@return string
local function word_count(words)
  return words == 1 and '1 word' or ('%d words'):format(words)
end

--- Add a piece of text to an answer.
---@param id string
---@param text string
function StreamBuffer:append(id, text)
  local answer = self.answers[id]
  if not answer or not self:is_valid() then
    return
  end
  local row, column = self:position(answer.tail)
  local followers = self:followers()
  self:insert(row, column, vim.split(text, '\n', { plain = true }))
  window.wrap_long_lines(self.buf, column)
  local _, words = text:gsub('%S+', '')
  local continues = answer.in_word and text:match('^%S') ~= nil
  answer.words = answer.words + words - (continues and 1 or 0)
  answer.in_word = text:match('%S$') ~= nil or (text == '' and answer.in_word)
  local head = self:position(answer.head)
  self:show_state(head, 'generating · ' .. word_count(answer.words), answer.head)
  self:scroll_to_end(followers)
end

--- Show that the model of an answer thinks.
---@param id string
---@param text string
function StreamBuffer:show_thinking(id, text)
  local answer = self.answers[id]
  if answer and self:is_valid() then
    local shown = answer.letter and 'thinking' or text
    self:show_state(self:position(answer.head), shown, answer.head)
  end
end

--- Remove the text of an answer: it was a thought.
---@param id string
function StreamBuffer:clear(id)
  local answer = self.answers[id]
  if not answer or not self:is_valid() then
    return
  end
  local first = self:position(answer.head) + 2
  local row, column = self:position(answer.tail)
  vim.bo[self.buf].modifiable = true
  vim.api.nvim_buf_set_text(self.buf, first, 0, row, column, {})
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
  answer.words, answer.in_word = 0, false
end

--- The windows that keep the end of the text in sight, if there is one answer: those
--- whose cursor is on the last line, and those without the focus.
---@return integer[]
function StreamBuffer:followers()
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
function StreamBuffer:scroll_to_end(wins)
  local last = vim.api.nvim_buf_line_count(self.buf)
  local line = vim.api.nvim_buf_get_lines(self.buf, last - 1, last, false)[1]
  for _, win in ipairs(wins) do
    vim.api.nvim_win_set_cursor(win, { last, #line })
  end
end

--- Show a notice beside an answer's heading, or beside the first line: the call waits, or
--- is repeated.
---@param id? string
---@param text string
function StreamBuffer:show_notice(id, text)
  if not self:is_valid() then
    return
  end
  local answer = id and self.answers[id]
  if answer then
    self:show_state(self:position(answer.head), text, answer.head, 'WarningMsg')
  else
    self:show_state(0, text, self.top, 'WarningMsg')
  end
end

--- Show how an answer ended.
---@param id string
---@param value table The event `finished` of docs/protocol.md.
function StreamBuffer:finish(id, value)
  local answer = self.answers[id]
  if not answer or not self:is_valid() then
    return
  end
  answer.ended = true
  answer.has_text = value.status ~= 'failed' or nil
  local is_complete = value.status == 'complete'
  local is_cut = is_complete and M.CUT[value.finishReason]
  local state = 'nothing received'
  if is_complete then
    state = word_count(answer.words) .. (is_cut and ', incomplete' or '')
  elseif value.status == 'partial' then
    state = ('incomplete, %s kept'):format(word_count(answer.words))
  end
  local highlight = (is_cut or not is_complete) and 'WarningMsg' or nil
  self:show_state(self:position(answer.head), state, answer.head, highlight)
  if not is_complete and value.error then
    local row, column = self:position(answer.tail)
    local blank = answer.words > 0 and { '', '' } or {}
    local shown = answer.letter and 'More is shown after your choice.' or value.error.message
    local message = ('> %s'):format(shown:gsub('\n', ' '))
    self:insert(row, column, vim.list_extend(blank, { message }))
  end
end

--- Show that the stream has ended.
---@param failure? writeit.Error
function StreamBuffer:close(failure)
  if not self:is_valid() then
    return
  end
  for _, answer in pairs(self.answers) do
    if not answer.ended then
      self:show_state(self:position(answer.head), 'stopped', answer.head, 'WarningMsg')
    end
  end
  local state = failure and 'stopped by an error' or 'finished · <CR> shows the answers'
  self:show_state(0, state, self.top, failure and 'WarningMsg' or nil)
end

--- Whether an answer, given by its number or its id, has ended with a text.
---@param number? string
---@param id? string
---@return boolean
function StreamBuffer:has_text(number, id)
  for response_id, answer in pairs(self.answers) do
    if answer.has_text and (targets.is_answer(answer, number) or response_id == id) then
      return true
    end
  end
  return false
end

--- The answer that a row belongs to.
---@param buf integer
---@param row integer From 0.
---@return string? response_id
function M.response_at(buf, row)
  local self = stream_buffers[buf]
  local response_id
  for _, id in ipairs(self and self.order or {}) do
    if self:position(self.answers[id].head) <= row then
      response_id = id
    end
  end
  return response_id
end

return M
