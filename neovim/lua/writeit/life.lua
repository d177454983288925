-- A server's life as the writer sees it: it comes, it hangs, it goes.
local config = require('writeit.config')
local say = require('writeit.say')
local server = require('writeit.server')

local M = {}

local GRACE = 300 -- milliseconds in which a server may end by itself

---@type table<integer, true> Servers that were told to go.
local dismissed = {}

--- Tell the server the user's own configuration, and remark upon one that does not
--- answer `initialize`.
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
        say.warn('the server was started and does not answer. :WriteIt restart starts it anew.')
      end
    end
  end, config.get('patience'))
end

---@param client vim.lsp.Client
---@return boolean
local function is_too_old(client)
  local info = client.server_info or {}
  local version = vim.version.parse(info.version or '')
  return version == nil or vim.version.lt(version, server.OLDEST)
end

---@param client vim.lsp.Client
function M.on_init(client)
  if is_too_old(client) then
    local version = (client.server_info or {}).version or 'of no version'
    say.fault({
      message = ('the server is %s, and this plug-in needs %s.'):format(version, server.OLDEST),
      hint = 'Bring it up to date with `pip install --upgrade writeit`.',
    })
    M.dismiss(client)
    return
  end
  require('writeit.shortcuts').learn(client)
  M.watch(client)
end

---@param client vim.lsp.Client
---@param buf integer
function M.on_attach(client, buf)
  require('writeit.lens').refresh(client, buf)
  require('writeit.shortcuts').map(client, buf)
end

---@param code integer
---@param signal integer
---@param id integer
function M.on_exit(code, signal, id)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  vim.schedule(function()
    if not dismissed[id] then
      local how = signal ~= 0 and ('killed by signal %d'):format(signal)
        or ('exit code %d'):format(code)
      say.fault({
        message = ('the server has stopped (%s).'):format(how),
        hint = 'What it had received is kept; the next :WriteIt starts it again.',
      })
    end
    dismissed[id] = nil
    require('writeit.stream').abandon(id)
    require('writeit.client').abandon(id)
    require('writeit.settle').abandon(id)
  end)
end

--- End a server; it is no surprise then.
---@param client vim.lsp.Client
---@param force? boolean Even if it does not listen any more.
function M.dismiss(client, force)
  dismissed[client.id] = true
  client:stop(force)
  if force then
    vim.defer_fn(function()
      server.kill(client)
    end, GRACE)
  end
end

--- While a reply is waited for, ask now and then whether the server is still there. Any
--- answer will do, so the method need not exist.
---@param client vim.lsp.Client
function M.watch(client)
  local patience = config.get('patience')
  local timer = assert(vim.uv.new_timer())
  local asked, warned = false, false
  local function look()
    if client:is_stopped() then
      timer:close()
    elseif asked and not warned then
      warned = true
      say.warn(
        'the server does not answer any more. Your text and what came are safe;'
          .. ' :WriteIt restart starts it anew.'
      )
    elseif not asked and require('writeit.client').is_waited_for(client.id) then
      asked = true
      client:request('writeit/areYouThere', vim.empty_dict(), function()
        if warned then
          say.info('the server answers again.')
        end
        asked, warned = false, false
      end)
    end
  end
  timer:start(patience, patience, vim.schedule_wrap(look))
end

return M
