-- What the writer prefers, as the server keeps it: her key chords and whether an applied
-- text is saved. Nothing else is mapped.
local task = require('writeit.task')

local M = {}

---@class writeit.Preferences
---@field shortcuts table<string, string>
---@field auto_save boolean

---@type table<integer, writeit.Preferences>
local known = {}

local MODIFIERS = {
  ctrl = 'C',
  control = 'C',
  alt = 'M',
  option = 'M',
  opt = 'M',
  shift = 'S',
  cmd = 'D',
  command = 'D',
  meta = 'D',
  super = 'D',
  win = 'D',
}
local KEYS = {
  enter = 'CR',
  escape = 'Esc',
  backspace = 'BS',
  delete = 'Del',
  insert = 'Insert',
  pageup = 'PageUp',
  pagedown = 'PageDown',
  space = 'Space',
  tab = 'Tab',
}

--- One keystroke spelled as VS Code does, as Neovim does.
---@param stroke string
---@return string
local function keystroke(stroke)
  if stroke:match('^<.+>$') or not stroke:find('+', 2, true) then
    local key = KEYS[stroke:lower()]
    return key and ('<%s>'):format(key) or stroke
  end
  local parts = vim.split(stroke, '+', { plain = true })
  local key = table.remove(parts)
  local held = {}
  for _, part in ipairs(parts) do
    held[#held + 1] = MODIFIERS[part:lower()] or part
  end
  return ('<%s-%s>'):format(table.concat(held, '-'), KEYS[key:lower()] or key)
end

--- A chord in either editor's spelling, as Neovim maps it.
---@param chord string
---@return string
function M.keys(chord)
  local strokes = vim.split(vim.trim(chord), '%s+')
  return table.concat(vim.tbl_map(keystroke, strokes))
end

--- The verb that a shortcut is for: `next`, `writeit.next`, `writeit.step.run`.
---@param action string
---@return string?
local function verb_of(action)
  local name = action:gsub('^writeit%.', '')
  if vim.list_contains(require('writeit.names').verbs, name) then
    return name
  end
  return require('writeit.offers').verb_of(name)
end

---@param client vim.lsp.Client
---@param buf integer
function M.map(client, buf)
  local preferences = known[client.id]
  if not preferences or not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  for action, chord in pairs(preferences.shortcuts) do
    local verb = verb_of(action)
    if verb then
      vim.keymap.set({ 'n', 'x' }, M.keys(chord), ('<Plug>(writeit-%s)'):format(verb), {
        buffer = buf,
        remap = true,
        desc = 'WriteIt: ' .. verb,
      })
    end
  end
end

--- Ask once what she prefers, and map her chords wherever the client is attached.
---@param client vim.lsp.Client
function M.learn(client)
  task.spawn(function()
    local told = require('writeit.client').execute(client, 'preferences.get')
    known[client.id] = {
      shortcuts = told.keyboardShortcuts or {},
      auto_save = told.autoSaveEnabled ~= false,
    }
    for buf in pairs(client.attached_buffers) do
      M.map(client, buf)
    end
  end)
end

--- Whether an applied text is saved: the setting if it is set, else the preference.
---@param client vim.lsp.Client
---@return boolean
function M.saves(client)
  local setting = vim.tbl_get(client.settings or {}, 'writeit', 'autoSave')
  if type(setting) == 'boolean' then
    return setting
  end
  return known[client.id] == nil or known[client.id].auto_save
end

return M
