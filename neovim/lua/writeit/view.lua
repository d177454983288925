-- `writeit:` documents: read from the server, refreshed when it says they changed.
local client_of = require('writeit.client')
local task = require('writeit.task')
local window = require('writeit.window')

local M = {}

local marks = vim.api.nvim_create_namespace('writeit.view')

--- The run and step a view's URI names.
---@param uri string
---@return string? run_id, string? step
function M.about(uri)
  local run_id, step = uri:match('^writeit:/+%l+/([%x%-]+)/([%w_%-]+)')
  return run_id or uri:match('^writeit:/+run/([%x%-]+)%.md$'), step
end

---@param uri string
---@return string
local function normal(uri)
  return (uri:gsub('^writeit:/+', 'writeit:/'))
end

--- The client that can read a view that was opened by its name: that of the buffer she
--- came from, else the only one.
---@param buf integer
---@return vim.lsp.Client?
local function guess(buf)
  local root = vim.b[buf].writeit_root
  if root then
    return client_of.of_root(root)
  end
  local before = vim.fn.bufnr('#')
  local near = before > 0 and vim.lsp.get_clients({ name = 'writeit', bufnr = before }) or {}
  return near[1] or vim.lsp.get_clients({ name = 'writeit' })[1]
end

---@type table<integer, writeit.Section[]> By buffer: of the text that stands in it.
local sections = {}

vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
  group = vim.api.nvim_create_augroup('writeit.view', {}),
  pattern = 'writeit:/*',
  callback = function(event)
    sections[event.buf] = nil
  end,
})

--- Put a text into a view's buffer. Nobody else changes that buffer, so the sections are
--- those of its text until the next one comes.
---@param buf integer
---@param text string
---@param its_sections writeit.Section[]
local function put(buf, text, its_sections)
  -- A lone CR is a line break to the server as well.
  window.fill(buf, (text:gsub('\r\n?', '\n')))
  sections[buf] = its_sections
end

--- The section of a view whose text a row is in.
---@param buf integer
---@param row integer From 0.
---@return writeit.Section?
function M.section_at(buf, row)
  for _, section in ipairs(sections[buf] or {}) do
    if section.firstLine <= row and row <= section.lastLine then
      return section
    end
  end
end

--- Where the names of a page lead: for <CR>, not for her eyes.
local ADDRESS = '^%[[%w_%-]+%]: writeit:%S+$'

---@param buf integer
local function hide_addresses(buf)
  vim.api.nvim_buf_clear_namespace(buf, marks, 0, -1)
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
    if line:match(ADDRESS) then
      vim.api.nvim_buf_set_extmark(buf, marks, row - 1, 0, { conceal_lines = '' })
    end
  end
end

---@class writeit.Reading
---@field again boolean Whether something changed since it began.
---@field done fun()[]

---@type table<integer, writeit.Reading>
local under_way = {}

---@param buf integer
---@param client vim.lsp.Client
local function fetch(buf, client)
  local uri = vim.api.nvim_buf_get_name(buf)
  local well, reply = pcall(client_of.execute, client, 'view.read', { uri = normal(uri) })
  if not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  if well then
    put(buf, reply.text, reply.sections)
    hide_addresses(buf)
    if vim.lsp.buf_is_attached(buf, client.id) then
      require('writeit.lens').refresh(client, buf) -- those there are were for the text before
    end
  elseif type(reply) == 'table' and vim.api.nvim_buf_line_count(buf) == 1 then
    put(buf, ('# Nothing to show\n\n%s %s\n'):format(reply.message, reply.hint or ''), {})
  else
    error(reply, 0)
  end
end

---@param buf integer
---@param client vim.lsp.Client
local function read_again(buf, client)
  local reading = under_way[buf]
  task.spawn(function()
    fetch(buf, client)
  end, function()
    if reading.again and vim.api.nvim_buf_is_valid(buf) and not client:is_stopped() then
      reading.again = false
      read_again(buf, client)
      return
    end
    under_way[buf] = nil
    for _, done in ipairs(reading.done) do
      done()
    end
  end)
end

--- Read a view's newest text. At most one reading is under way; a wish for another
--- meanwhile is one more reading after it.
---@param buf integer
---@param client vim.lsp.Client
---@param done? fun()
function M.refresh(buf, client, done)
  local reading = under_way[buf]
  if reading then
    reading.again = true
  else
    under_way[buf] = { again = false, done = {} }
  end
  table.insert(under_way[buf].done, done)
  if not reading then
    read_again(buf, client)
  end
end

--- Attached, the server knows that the view is open, and lenses and actions work in it.
---@param buf integer
---@param client vim.lsp.Client
local function attach(buf, client)
  if vim.api.nvim_buf_is_valid(buf) and not client:is_stopped() then
    vim.lsp.buf_attach_client(buf, client.id)
  end
end

--- For BufReadCmd: returns at once, the text comes when the server has sent it.
---@param buf integer
function M.read(buf)
  window.own(buf)
  window.as_markdown(buf)
  local client = guess(buf)
  if not client then
    local text = '# Nothing to show\n\nOpen a markdown file of the workspace first.\n'
    window.fill(buf, text)
    return
  end
  vim.b[buf].writeit_root = client.root_dir
  M.refresh(buf, client, function()
    attach(buf, client)
  end)
end

--- The buffer of a view, of a workspace's client; its text may still be on its way.
---@param client vim.lsp.Client
---@param uri string
---@return integer
function M.buffer(client, uri)
  local buf = vim.fn.bufadd(normal(uri))
  vim.b[buf].writeit_root = client.root_dir
  vim.fn.bufload(buf)
  return buf
end

--- Show a view in the window beside the article.
---@param client vim.lsp.Client|integer
---@param uri string
---@param focus? boolean
---@return integer buf
function M.show(client, uri, focus)
  if type(client) == 'number' then
    client = assert(vim.lsp.get_client_by_id(client))
  end
  local buf = M.buffer(client, uri)
  window.show(buf, focus)
  return buf
end

--- Something changed: read again what is open of it.
---@param id integer
---@param params { runIds: string[], views: string[] }
function M.changed(id, params)
  local client = vim.lsp.get_client_by_id(id)
  local changed = {}
  for _, uri in ipairs(params.views) do
    changed[normal(uri)] = true
  end
  for _, buf in ipairs(client and vim.api.nvim_list_bufs() or {}) do
    local name = vim.api.nvim_buf_get_name(buf)
    local ours = vim.api.nvim_buf_is_loaded(buf) and vim.startswith(name, 'writeit:')
    local about = ours
      and (changed[normal(name)] or vim.list_contains(params.runIds, M.about(name)))
    if about and vim.b[buf].writeit_root == client.root_dir then
      M.refresh(buf, client)
    end
  end
end

--- Bring the views of a workspace up to date after its server was started anew.
---@param client vim.lsp.Client
function M.revive(client)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buf)
    if
      vim.api.nvim_buf_is_loaded(buf)
      and vim.startswith(name, 'writeit:')
      and vim.b[buf].writeit_root == client.root_dir
    then
      M.refresh(buf, client, function()
        attach(buf, client)
      end)
    end
  end
end

return M
