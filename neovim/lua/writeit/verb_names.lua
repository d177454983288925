-- The verbs of `:WriteIt`, loaded when Neovim starts: so it requires no other module.
local VERBS = { -- in the order of a run; each with the module that implements it
  { 'start', 'generate' },
  { 'next', 'generate' },
  { 'go', 'decide' },
  { 'choose', 'decide' },
  { 'edit', 'decide' },
  { 'regenerate', 'generate' },
  { 'continue', 'generate' },
  { 'feedback', 'step' },
  { 'take', 'step' },
  { 'merge', 'decide' },
  { 'skip', 'decide' },
  { 'rate', 'step' },
  { 'compare', 'compare' },
  { 'branch', 'runs' },
  { 'rewind', 'runs' },
  { 'refresh', 'runs' },
  { 'tree', 'runs' },
  { 'history', 'runs' },
  { 'search', 'show' },
  { 'delete', 'runs' },
  { 'mv', 'mv' },
  { 'open', 'show' },
  { 'polish', 'generate' },
  { 'review', 'generate' },
  { 'preview', 'show' },
  { 'apply', 'export' },
  { 'keep', 'export' },
  { 'undo', 'export' },
  { 'restore', 'export' },
  { 'export', 'export' },
  { 'stop', 'step' },
  { 'pause', 'step' },
  { 'resume', 'decide' },
  { 'usage', 'show' },
  { 'model', 'preferences' },
  { 'key', 'preferences' },
  { 'primer', 'preferences' },
  { 'preferences', 'preferences' },
  { 'log', 'server' },
  { 'info', 'server' },
  { 'restart', 'server' },
}

local M = {
  names = {}, ---@type string[]
  modules = {}, ---@type table<string, string> Each has a function of the verb's name.
}

for index, verb in ipairs(VERBS) do
  M.names[index] = verb[1]
  M.modules[verb[1]] = verb[2]
end

return M
