-- Questions to the writer, in a task. No answer means that she changed her mind: the
-- task ends without a word.
local task = require('writeit.task')

local M = {}

---@type writeit.Fault
local CHANGED_HER_MIND = { message = 'left', quiet = true }

--- One of `items`.
---@generic T
---@param items T[]
---@param prompt string
---@param format? fun(item: T): string
---@return T
function M.select(items, prompt, format)
  local choice = task.await(function(resume)
    vim.ui.select(items, { prompt = prompt, format_item = format, kind = 'writeit' }, resume)
  end)
  if choice == nil then
    error(CHANGED_HER_MIND, 0)
  end
  return choice
end

--- A line of words.
---@param prompt string
---@param default? string
---@return string
function M.input(prompt, default)
  local words = task.await(function(resume)
    vim.ui.input({ prompt = prompt, default = default }, resume)
  end)
  if words == nil then
    error(CHANGED_HER_MIND, 0)
  end
  return words
end

--- A line that nobody may read over her shoulder.
---@param prompt string
---@return string
function M.secret(prompt)
  local words = vim.fn.inputsecret(prompt)
  vim.cmd.redraw()
  if words == '' then
    error(CHANGED_HER_MIND, 0)
  end
  return words
end

return M
