-- What `vim.g.writeit` may hold. What the server is to know goes into
-- `vim.lsp.config('writeit', { settings = { writeit = … } })` instead.
local M = {}

---@class writeit.Config
---@field enabled? boolean False: `vim.lsp.enable` is left to you.
---@field cmd? string[] The server; found by itself if unset.
---@field window? 'split'|'float' Where streams and views appear.
---@field width? number Of the window, as a share of the editor's columns.
---@field height? number Of a window below, as a share of the editor's lines.
---@field lenses? boolean Whether the state of the run stands beside the first line.
---@field user? table Your own configuration, which no workspace may set: storeLocation, ollamaUrl.
---@field patience? integer Milliseconds after which a silent server is remarked upon.

---@type writeit.Config
local defaults = {
  enabled = true,
  window = 'split',
  width = 0.5,
  height = 0.5,
  lenses = true,
  patience = 10000,
}

local kinds = {
  enabled = 'boolean',
  cmd = 'table',
  window = 'string',
  width = 'number',
  height = 'number',
  lenses = 'boolean',
  patience = 'number',
  user = 'table',
}

--- What is wrong with the writer's settings, a line each.
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
    if not kinds[key] then
      problems[#problems + 1] = ('vim.g.writeit.%s is not known'):format(key)
    elseif type(value) ~= kinds[key] then
      problems[#problems + 1] = ('vim.g.writeit.%s should be a %s'):format(key, kinds[key])
    end
  end
  if given.window and given.window ~= 'split' and given.window ~= 'float' then
    problems[#problems + 1] = "vim.g.writeit.window is 'split' or 'float'"
  end
  table.sort(problems)
  return problems
end

--- A setting, or its default if it is unset or of the wrong kind.
---@param key string
function M.get(key)
  local given = vim.g.writeit
  local value = type(given) == 'table' and given[key] or nil
  if type(given) == 'table' and given[key] == false then
    value = false
  end
  if value == nil or type(value) ~= kinds[key] then
    return defaults[key]
  end
  return value
end

return M
