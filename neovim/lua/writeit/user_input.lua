-- Questions to the user, asked in a task. Without an answer the task ends in silence.
local picker = require('writeit.picker')
local task = require('writeit.task')

local M = {}

---@type writeit.Error
local CANCELLED = { message = 'cancelled', quiet = true }

--- Wait until the keys that the user types would not go into a question.
local function wait_for_normal_mode()
  local is_told = false
  while vim.api.nvim_get_mode().mode:match('^[iRvVsSc\22\19]') do
    if not is_told then
      require('writeit.notify').info('A question waits until you return to normal mode.')
    end
    is_told = true
    task.sleep(50)
  end
end

--- Ask, in a task. Neovim's own list raises <C-c> as an error; it counts as no answer.
---@param start fun(resume: writeit.Resume)
---@return any answer
local function await_answer(start)
  wait_for_normal_mode()
  local answer = task.await(function(resume)
    local ok, err = pcall(start, resume)
    if not ok and not tostring(err):find('Keyboard interrupt', 1, true) then
      error(err, 0)
    elseif not ok then
      resume(nil)
    end
  end)
  if answer == nil then
    error(CANCELLED, 0)
  end
  require('writeit.window').note_act()
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
  return await_answer(function(resume)
    if picker.is_needed(lines) then
      picker.open(lines, prompt, function(index)
        resume(index and items[index])
      end)
      return
    end
    vim.ui.select(items, { prompt = prompt, format_item = format, kind = 'writeit' }, resume)
  end)
end

--- A line of text.
---@param prompt string
---@param default? string
---@return string
function M.input(prompt, default)
  return await_answer(function(resume)
    vim.ui.input({ prompt = prompt, default = default }, resume)
  end)
end

--- A line of text that is not shown on the screen.
---@param prompt string
---@param may_be_empty? boolean
---@return string
function M.secret(prompt, may_be_empty)
  return await_answer(function(resume)
    local text = vim.fn.inputsecret(prompt)
    vim.cmd.redraw()
    resume((text ~= '' or may_be_empty) and text or nil)
  end)
end

return M
