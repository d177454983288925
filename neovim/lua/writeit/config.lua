-- The settings in `vim.g.writeit`. Those of the server are set with
-- `vim.lsp.config('writeit', { settings = { writeit = … } })`.
local M = {}

---@class writeit.Config
---@field enabled? boolean False: `vim.lsp.enable` is left to you.
---@field cmd? string[] The server's command; without it the server is searched for.
---@field window? 'split'|'float' The kind of window that shows streams and views.
---@field width? number Of a window at the side, as a share of the editor's columns.
---@field height? number Of a window below, as a share of the editor's lines.
---@field lenses? boolean Whether code lenses are shown.
---@field user? table Your own configuration, such as storeLocation and ollamaUrl.
---@field patience? integer Milliseconds without a reply after which the user is warned.

---@type writeit.Config
local defaults = {
  enabled = true,
  window = 'split',
  width = 0.5,
  height = 0.5,
  lenses = true,
  patience = 10000,
}

local types = {
  enabled = 'boolean',
  cmd = 'table',
  window = 'string',
  width = 'number',
  height = 'number',
  lenses = 'boolean',
  patience = 'number',
  user = 'table',
}

--- What is wrong with `vim.g.writeit`, one line for each problem.
---@return string[]
function M.problems()
  local given = vim.g.writeit
  if given == nil then
    return {}
  elseif type(given) ~= 'table' then
    return { 'vim.g.writeit is not a table' }
  end
  local problems = {}
  for key, value in pairs(given) do
    if not types[key] then
      problems[#problems + 1] = ('vim.g.writeit.%s is not a setting'):format(key)
    elseif type(value) ~= types[key] then
      problems[#problems + 1] = ('vim.g.writeit.%s should be a %s'):format(key, types[key])
    end
  end
  if given.window and given.window ~= 'split' and given.window ~= 'float' then
    problems[#problems + 1] = "vim.g.writeit.window should be 'split' or 'float'"
  end
  table.sort(problems)
  return problems
end

--- A setting, or its default if it is unset or of the wrong type.
---@param key string
function M.get(key)
  local given = vim.g.writeit
  local value = type(given) == 'table' and given[key] or nil
  if type(given) == 'table' and given[key] == false then
    value = false
  end
  if value == nil or type(value) ~= types[key] then
    return defaults[key]
  end
  return value
end

return M
