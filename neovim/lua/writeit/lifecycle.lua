-- The server's lifecycle: it starts, stops, crashes or hangs.
local config = require('writeit.config')
local notify = require('writeit.notify')
local server = require('writeit.server')

local M = {}

local GRACE = 300 -- milliseconds in which a server may end by itself

---@type table<integer, true> Clients that we stopped: their exit is expected.
local stopped = {}

--- Add the user's own configuration to the request, and warn if it is not answered.
---@param params lsp.InitializeParams
function M.before_init(params, settings)
  local user = config.get('user')
  if user then
    params.initializationOptions = vim.tbl_deep_extend(
      'force',
      params.initializationOptions or {},
      { writeit = { user = user } }
    )
  end
  local root = settings.root_dir
  vim.defer_fn(function()
    local clients = vim.lsp.get_clients({ name = 'writeit', _uninitialized = true })
    for _, client in ipairs(clients) do
      if client.root_dir == root and not client.initialized and not client:is_stopped() then
        notify.warn('The server has not answered yet. Restart it with :WriteIt restart.')
      end
    end
  end, config.get('patience'))
end

---@param client vim.lsp.Client
---@return boolean
local function is_too_old(client)
  local info = client.server_info or {}
  local version = vim.version.parse(info.version or '')
  return version == nil or vim.version.lt(version, server.MIN_VERSION)
end

---@param client vim.lsp.Client
function M.on_init(client)
  if is_too_old(client) then
    local version = (client.server_info or {}).version or 'unknown'
    notify.error({
      message = ('The server is too old: version %s, this plug-in needs %s.'):format(
        version,
        server.MIN_VERSION
      ),
      hint = 'Update it with `pip install --upgrade writeit`.',
    })
    M.stop(client)
    return
  end
  require('writeit.user_preferences').load(client)
  require('writeit.verbs.mv').watch_names()
  M.monitor(client)
end

---@param client vim.lsp.Client
---@param buf integer
function M.on_attach(client, buf)
  if vim.bo[buf].filetype == 'yaml' then
    return
  end
  require('writeit.code_lens').refresh(client, buf)
  require('writeit.user_preferences').map_shortcuts(client, buf)
end

---@param code integer
---@param signal integer
---@param id integer
function M.on_exit(code, signal, id)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  vim.schedule(function()
    if not stopped[id] then
      local cause = signal ~= 0 and ('killed by signal %d'):format(signal)
        or ('exit code %d'):format(code)
      notify.error({
        message = ('The server has stopped (%s).'):format(cause),
        hint = 'What it received was kept; the next :WriteIt command starts it again.',
      })
    end
    stopped[id] = nil
    require('writeit.stream').drop_client(id)
    require('writeit.rpc').fail_pending(id)
    require('writeit.apply_outcome').drop_client(id)
  end)
end

--- Stop a server on purpose.
---@param client vim.lsp.Client
---@param force? boolean Kill it if it does not end by itself.
function M.stop(client, force)
  stopped[client.id] = true
  client:stop(force)
  if force then
    vim.defer_fn(function()
      server.kill(client)
    end, GRACE)
  end
end

--- While a request is under way, check now and then whether the server still answers. Any
--- answer will do, so the method need not exist.
---@param client vim.lsp.Client
function M.monitor(client)
  local interval = config.get('patience')
  local timer = assert(vim.uv.new_timer())
  local is_asked, is_warned = false, false
  local function check()
    if client:is_stopped() then
      timer:close()
    elseif is_asked and not is_warned then
      is_warned = true
      notify.warn(
        'The server has stopped answering. Your text and what was received are safe.'
          .. ' Restart it with :WriteIt restart.'
      )
    elseif not is_asked and require('writeit.rpc').has_pending(client.id) then
      is_asked = true
      client:request('writeit/areYouThere', vim.empty_dict(), function()
        if is_warned then
          notify.info('The server answers again.')
        end
        is_asked, is_warned = false, false
      end)
    end
  end
  timer:start(interval, interval, vim.schedule_wrap(check))
end

return M
