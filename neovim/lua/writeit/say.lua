-- Words for the writer: one message, one line, never in the way of her typing.
local M = {}

local MARGIN = 14 -- columns that Neovim keeps on the message line, and some to spare

--- In insert mode a message longer than the line would ask her to press Enter.
---@param text string
---@return string
local function fitting(text)
  local room = vim.o.columns - MARGIN
  local typing = vim.api.nvim_get_mode().mode:match('^[iR]')
  if not typing or vim.fn.strdisplaywidth(text) <= room then
    return text
  end
  return vim.fn.strcharpart(text, 0, room - 12) .. '… :messages'
end

---@param text string
---@param level integer
local function tell(text, level)
  text = 'WriteIt: ' .. text:gsub('%s*\n%s*', ' ')
  local short = fitting(text)
  if short ~= text then
    vim.cmd.echomsg({ args = { vim.fn.string(text) }, mods = { silent = true } })
  end
  vim.notify(short, level, { title = 'WriteIt' })
end

---@param text string
function M.info(text)
  tell(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  tell(text, vim.log.levels.WARN)
end

---@param fault writeit.Fault|string
function M.fault(fault)
  if type(fault) == 'string' then
    tell(fault, vim.log.levels.ERROR)
  elseif not fault.quiet then
    local hint = fault.hint and fault.hint ~= '' and ' ' .. fault.hint or ''
    tell(fault.message .. hint, vim.log.levels.ERROR)
  end
end

return M
