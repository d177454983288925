-- `writeit:` documents: read from the server, refreshed when it reports a change.
local rpc = require('writeit.rpc')
local task = require('writeit.task')
local window = require('writeit.window')

local M = {}

local namespace = vim.api.nvim_create_namespace('writeit.view')

--- Whether answers can be chosen in a view, or the run be continued.
---@param uri string
---@return boolean
function M.has_answers(uri)
  local kind = uri:match('^writeit:/+(%l+)/')
  return vim.list_contains({ 'run', 'step', 'response' }, kind)
end

--- The run and step in a view's URI.
---@param uri string
---@return string? run_id, string? step
function M.parse_uri(uri)
  local run_id, step = uri:match('^writeit:/+%l+/([%x%-]+)/([%w_%-]+)')
  return run_id or uri:match('^writeit:/+run/([%x%-]+)%.md$'), step
end

---@param run_id string
---@param step string
---@return string uri
function M.step_uri(run_id, step)
  return ('writeit:/step/%s/%s.md'):format(run_id, step)
end

---@param uri string
---@return string
local function normalize(uri)
  return (uri:gsub('^writeit:/+', 'writeit:/'))
end

--- The workspace of a view that was opened by its name: that of the previous buffer, else
--- of any document or client, else the working directory's.
---@param buf integer
---@return string
local function find_root(buf)
  if vim.b[buf].writeit_root then
    return vim.b[buf].writeit_root
  end
  for _, other in ipairs({ vim.fn.bufnr('#'), unpack(vim.api.nvim_list_bufs()) }) do
    if other > 0 and rpc.is_document(other) and vim.api.nvim_buf_get_name(other) ~= '' then
      return require('writeit.server').root_of(other) --[[@as string]]
    end
  end
  local client = vim.lsp.get_clients({ name = 'writeit' })[1]
  return client and client.root_dir or require('writeit.server').working_root()
end

---@type table<integer, writeit.Section[]> By buffer: the sections of its present text.
local sections_by_buffer = {}

vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
  group = vim.api.nvim_create_augroup('writeit.view', {}),
  pattern = 'writeit:/*',
  callback = function(event)
    sections_by_buffer[event.buf] = nil
  end,
})

--- Set a view's text. Only this function changes it, so the sections match the text.
---@param buf integer
---@param text string
---@param sections writeit.Section[]
local function set_text(buf, text, sections)
  -- The server counts a lone CR as a line break, too.
  window.set_text(buf, (text:gsub('\r\n?', '\n')))
  sections_by_buffer[buf] = sections
end

--- The section that a row belongs to.
---@param buf integer
---@param row integer From 0.
---@param with_heading? boolean Whether the rows from its heading on belong to it, too.
---@return writeit.Section?
function M.section_at(buf, row, with_heading)
  for _, section in ipairs(sections_by_buffer[buf] or {}) do
    local first = with_heading and section.headingLine or section.firstLine
    if first <= row and row <= section.lastLine then
      return section
    end
  end
end

--- The sections of a view as the server has it now, each with its `text`.
---@param client vim.lsp.Client
---@param uri string
---@return writeit.Section[]
function M.read_sections(client, uri)
  local reply = rpc.execute(client, 'view.read', { uri = uri })
  local lines = vim.split(reply.text:gsub('\r\n?', '\n'), '\n', { plain = true })
  for _, section in ipairs(reply.sections) do
    local own = vim.list_slice(lines, section.firstLine + 1, section.lastLine + 1)
    section.text = table.concat(own, '\n')
  end
  return reply.sections
end

--- A link definition: <CR> follows it, a reader need not see it.
local LINK_DEFINITION = '^%[[%w_%-]+%]: writeit:%S+$'

---@param buf integer
local function hide_link_definitions(buf)
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  for row, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
    if line:match(LINK_DEFINITION) then
      vim.api.nvim_buf_set_extmark(buf, namespace, row - 1, 0, { conceal_lines = '' })
    end
  end
end

---@class writeit.Refresh
---@field is_outdated boolean Whether another refresh was requested meanwhile.
---@field callbacks fun()[]

---@type table<integer, writeit.Refresh> By buffer: the refresh under way.
local refreshes = {}

---@param buf integer
---@param client vim.lsp.Client
local function fetch(buf, client)
  local uri = vim.api.nvim_buf_get_name(buf)
  local ok, reply = pcall(rpc.execute, client, 'view.read', { uri = normalize(uri) })
  if not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  if ok then
    set_text(buf, reply.text, reply.sections)
    hide_link_definitions(buf)
    if vim.lsp.buf_is_attached(buf, client.id) then
      require('writeit.code_lens').refresh(client, buf) -- the old ones were for the old text
    end
  elseif
    type(reply) == 'table'
    and (reply.kind == 'not_found' or vim.api.nvim_buf_line_count(buf) == 1)
  then
    set_text(buf, ('# Nothing to show\n\n%s %s\n'):format(reply.message, reply.hint or ''), {})
  else
    error(reply, 0)
  end
end

---@param buf integer
---@param client vim.lsp.Client
local function run_refresh(buf, client)
  local refresh = refreshes[buf]
  task.spawn(function()
    fetch(buf, client)
  end, function()
    if refresh.is_outdated and vim.api.nvim_buf_is_valid(buf) and not client:is_stopped() then
      refresh.is_outdated = false
      run_refresh(buf, client)
      return
    end
    refreshes[buf] = nil
    for _, callback in ipairs(refresh.callbacks) do
      callback()
    end
  end)
end

--- Read a view's newest text. One refresh at a time runs; requests that come meanwhile are
--- answered by one more.
---@param buf integer
---@param client vim.lsp.Client
---@param on_done? fun()
function M.refresh(buf, client, on_done)
  local refresh = refreshes[buf]
  if refresh then
    refresh.is_outdated = true
  else
    refreshes[buf] = { is_outdated = false, callbacks = {} }
  end
  table.insert(refreshes[buf].callbacks, on_done)
  if not refresh then
    run_refresh(buf, client)
  end
end

--- Attach the client: the server learns that the view is open, and sends lenses and actions.
---@param buf integer
---@param client vim.lsp.Client
local function attach(buf, client)
  if vim.api.nvim_buf_is_valid(buf) and not client:is_stopped() then
    vim.lsp.buf_attach_client(buf, client.id)
  end
end

---@param buf integer
---@param client vim.lsp.Client
local function refresh_and_attach(buf, client)
  M.refresh(buf, client, function()
    attach(buf, client)
  end)
end

--- Show the view of what a session file names: a stream, an editor and the branches are
--- not there any more. A window without one is closed.
---@param buf integer
---@param name string
local function replace(buf, name)
  local run_id, step = name:match('^writeit%-%l+:/+([%x-]+)/?([%w_-]*)')
  local uri = step ~= '' and M.step_uri(run_id, step) or ('writeit:/run/%s.md'):format(run_id)
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    if run_id and #run_id > 8 then
      vim.api.nvim_win_call(win, function()
        vim.cmd.edit(uri)
      end)
    else
      pcall(vim.api.nvim_win_close, win, true)
    end
  end
  vim.api.nvim_buf_delete(buf, { force = true })
end

--- For BufReadCmd. Returns at once; the text follows when the server has sent it, which is
--- started if need be.
---@param buf integer
function M.read(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if not vim.startswith(name, 'writeit:') then
    vim.schedule(function()
      replace(buf, name)
    end)
    return
  end
  window.set_up_buffer(buf, M.has_answers(name))
  window.set_markdown(buf)
  vim.schedule(function()
    if not vim.api.nvim_buf_is_valid(buf) then
      return
    end
    vim.b[buf].writeit_root = find_root(buf)
    window.adopt(buf)
    task.spawn(function()
      local ok, client = pcall(rpc.ensure_client, buf)
      if ok then
        refresh_and_attach(buf, client)
      elseif vim.api.nvim_buf_is_valid(buf) then
        local failure = client --[[@as writeit.Error]]
        window.set_text(
          buf,
          ('# Nothing to show\n\n%s %s\n'):format(failure.message, failure.hint or '')
        )
      end
    end)
  end)
end

--- The buffer of a view; its text may not be there yet.
---@param client vim.lsp.Client
---@param uri string
---@return integer
function M.buffer(client, uri)
  local buf = vim.fn.bufadd(normalize(uri))
  vim.b[buf].writeit_root = client.root_dir
  vim.fn.bufload(buf)
  return buf
end

--- Show a view in the side window.
---@param client vim.lsp.Client|integer
---@param uri string
---@param focus? boolean
---@param line? integer Where the cursor goes once the view has been read; from 0.
---@return integer buf
function M.show(client, uri, focus, line)
  if type(client) == 'number' then
    client = assert(vim.lsp.get_client_by_id(client))
  end
  local buf = M.buffer(client, uri)
  window.show(buf, focus)
  if line then
    M.refresh(buf, client, function()
      local win = vim.fn.bufwinid(buf)
      if win > 0 and line < vim.api.nvim_buf_line_count(buf) then
        vim.api.nvim_win_set_cursor(win, { line + 1, 0 })
      end
    end)
  end
  return buf
end

--- The open views of a client's workspace.
---@param client vim.lsp.Client
---@return integer[]
local function open_views(client)
  return vim.tbl_filter(function(buf)
    return vim.api.nvim_buf_is_loaded(buf)
      and vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit:')
      and vim.b[buf].writeit_root == client.root_dir
  end, vim.api.nvim_list_bufs())
end

--- Handle `writeit/changed`: refresh the open views that it is about.
---@param id integer
---@param params { runIds: string[], views: string[] }
function M.on_changed(id, params)
  local client = vim.lsp.get_client_by_id(id)
  local uris = {}
  for _, uri in ipairs(params.views) do
    uris[normalize(uri)] = true
  end
  for _, buf in ipairs(client and open_views(client) or {}) do
    local name = vim.api.nvim_buf_get_name(buf)
    if uris[normalize(name)] or vim.list_contains(params.runIds, M.parse_uri(name)) then
      M.refresh(buf, client)
    end
  end
end

--- Refresh and attach the open views after a restart of the server.
---@param client vim.lsp.Client
function M.reattach(client)
  for _, buf in ipairs(open_views(client)) do
    refresh_and_attach(buf, client)
  end
end

return M
