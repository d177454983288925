-- Two texts beside each other in Neovim's own diff mode, in a tab page of their own. Only
-- the texts: where each came from is in its view.
local client_of = require('writeit.client')
local window = require('writeit.window')

local M = {}

---@class writeit.Side
---@field runId string
---@field step string
---@field response? integer|string An index from 0, an id, or nil for what was handed on.

---@param step writeit.Step
---@param response integer|string
---@return integer? index From 1.
local function index_of(step, response)
  for index, answer in ipairs(step.aiResponses) do
    if response == index - 1 or response == answer.responseId then
      return index
    end
  end
end

--- The text of a side, and what to call it.
---@param client vim.lsp.Client
---@param side writeit.Side
---@return string text, string title
local function text_of(client, side)
  local run = client_of.execute(client, 'run.show', { runId = side.runId })
  local step = run.steps[side.step]
  if side.response == nil then
    return step.content or '', ('%s, as it was handed on'):format(side.step)
  end
  local index = index_of(step, side.response)
  if not index then
    error({ message = ('%s has no such answer.'):format(side.step) }, 0)
  end
  local answer = step.aiResponses[index]
  local model = ('%s/%s'):format(answer.provider, answer.modelName)
  return answer.processedContent, ('%s, answer %d, %s'):format(side.step, index, model)
end

---@param text string
---@param title string
---@return integer
local function buffer(text, title)
  local buf = vim.api.nvim_create_buf(false, true)
  local name = 'writeit-compared:/' .. title:gsub(', [^ ]*/.*', '')
  if not pcall(vim.api.nvim_buf_set_name, buf, name) then
    vim.api.nvim_buf_set_name(buf, name .. ', too') -- the same step of another run
  end
  window.own(buf)
  vim.bo[buf].bufhidden = 'wipe'
  window.as_markdown(buf)
  window.fill(buf, text)
  vim.keymap.set(
    'n',
    'q',
    vim.cmd.tabclose,
    { buffer = buf, nowait = true, desc = 'WriteIt: close' }
  )
  return buf
end

---@param win integer
---@param title string
local function furnish(win, title)
  vim.api.nvim_win_call(win, vim.cmd.diffthis)
  local options = vim.wo[win][0]
  options.wrap, options.linebreak, options.foldenable = true, true, false
  options.number, options.relativenumber = false, false
  options.statusline = (' %s%%=q closes '):format((title:gsub('%%', '%%%%')))
end

--- Compare, in a task.
---@param client vim.lsp.Client
---@param left writeit.Side
---@param right writeit.Side
function M.open(client, left, right)
  local texts, titles = {}, {}
  for index, side in ipairs({ left, right }) do
    texts[index], titles[index] = text_of(client, side)
  end
  vim.cmd('tab sbuffer ' .. buffer(texts[1], titles[1]))
  vim.cmd('rightbelow vertical sbuffer ' .. buffer(texts[2], titles[2]))
  for index, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    furnish(win, titles[index])
  end
end

return M
