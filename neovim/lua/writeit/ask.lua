-- Questions to the writer, in a task. No answer means that she changed her mind: the
-- task ends without a word.
local picker = require('writeit.picker')
local task = require('writeit.task')

local M = {}

---@type writeit.Fault
local CHANGED_HER_MIND = { message = 'left', quiet = true }

--- Ask, in a task. <C-c> is raised as an error by Neovim's own list, and means no answer.
---@param question fun(resume: writeit.Resume)
---@return any answer
local function asked(question)
  local answer = task.await(function(resume)
    local well, why = pcall(question, resume)
    if not well and not tostring(why):find('Keyboard interrupt', 1, true) then
      error(why, 0)
    elseif not well then
      resume(nil)
    end
  end)
  if answer == nil then
    error(CHANGED_HER_MIND, 0)
  end
  return answer
end

--- One of `items`.
---@generic T
---@param items T[]
---@param prompt string
---@param format? fun(item: T): string
---@return T
function M.select(items, prompt, format)
  local lines = vim.tbl_map(function(item)
    return ((format or tostring)(item):gsub('\n', ' '))
  end, items)
  return asked(function(resume)
    if picker.is_needed(lines) then
      picker.open(lines, prompt, function(index)
        resume(index and items[index])
      end)
      return
    end
    vim.ui.select(items, { prompt = prompt, format_item = format, kind = 'writeit' }, resume)
  end)
end

--- A line of words.
---@param prompt string
---@param default? string
---@return string
function M.input(prompt, default)
  return asked(function(resume)
    vim.ui.input({ prompt = prompt, default = default }, resume)
  end)
end

--- A line that nobody may read over her shoulder.
---@param prompt string
---@return string
function M.secret(prompt)
  return asked(function(resume)
    local words = vim.fn.inputsecret(prompt)
    vim.cmd.redraw()
    resume(words ~= '' and words or nil)
  end)
end

return M
