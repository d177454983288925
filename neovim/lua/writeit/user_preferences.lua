-- The user's preferences that the server keeps: key chords, the only keys that are mapped,
-- and whether an applied text is saved.
local task = require('writeit.task')

local M = {}

---@class writeit.Preferences
---@field shortcuts table<string, string>
---@field auto_save boolean

---@type table<integer, writeit.Preferences>
local by_client = {}

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

--- Convert one keystroke from VS Code's notation to Neovim's.
---@param stroke string
---@return string
local function to_neovim_key(stroke)
  if stroke:match('^<.+>$') or not stroke:find('+', 2, true) then
    local key = KEYS[stroke:lower()]
    return key and ('<%s>'):format(key) or stroke
  end
  local parts = vim.split(stroke, '+', { plain = true })
  local key = table.remove(parts)
  local modifiers = {}
  for _, part in ipairs(parts) do
    modifiers[#modifiers + 1] = MODIFIERS[part:lower()] or part
  end
  return ('<%s-%s>'):format(table.concat(modifiers, '-'), KEYS[key:lower()] or key)
end

--- A chord in Neovim's notation; it may be in that of VS Code.
---@param chord string
---@return string
function M.to_neovim_keys(chord)
  local strokes = vim.split(vim.trim(chord), '%s+')
  return table.concat(vim.tbl_map(to_neovim_key, strokes))
end

--- The verb of a shortcut's action: `next`, `writeit.next`, `writeit.step.run`.
---@param action string
---@return string?
local function verb_of(action)
  local name = action:gsub('^writeit%.', '')
  if vim.list_contains(require('writeit.verb_names').names, name) then
    return name
  end
  return require('writeit.commands').verb_of(name)
end

---@param client vim.lsp.Client
---@param buf integer
function M.map_shortcuts(client, buf)
  local preferences = by_client[client.id]
  if not preferences or not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  for action, chord in pairs(preferences.shortcuts) do
    local verb = verb_of(action)
    if verb then
      vim.keymap.set({ 'n', 'x' }, M.to_neovim_keys(chord), ('<Plug>(writeit-%s)'):format(verb), {
        buffer = buf,
        remap = true,
        desc = 'WriteIt: ' .. verb,
      })
    end
  end
end

--- Load the preferences and map the chords in the client's buffers.
---@param client vim.lsp.Client
function M.load(client)
  task.spawn(function()
    local reply = require('writeit.rpc').execute(client, 'preferences.get')
    by_client[client.id] = {
      shortcuts = reply.keyboardShortcuts or {},
      auto_save = reply.autoSaveEnabled ~= false,
    }
    for buf in pairs(client.attached_buffers) do
      M.map_shortcuts(client, buf)
    end
  end)
end

--- Whether an applied text is saved: by the setting, else by the preference.
---@param client vim.lsp.Client
---@return boolean
function M.is_auto_save(client)
  local setting = vim.tbl_get(client.settings or {}, 'writeit', 'autoSave')
  if type(setting) == 'boolean' then
    return setting
  end
  return by_client[client.id] == nil or by_client[client.id].auto_save
end

return M
