-- The client as `vim.lsp.config` knows it. Change any of it in your own
-- `vim.lsp.config('writeit', { … })`; each function loads its module when it is needed.

---@type vim.lsp.Config
return {
  cmd = function(dispatchers)
    return require('writeit.server').spawn(dispatchers)
  end,
  filetypes = { 'markdown' },
  root_dir = function(buf, on_dir)
    require('writeit.server').root_dir(buf, on_dir)
  end,
  -- `writeit:` documents are opened here, and we want to hear what changed.
  init_options = { writeit = { views = 'uri', events = true } },
  capabilities = { workspace = { codeLens = { refreshSupport = true } } },
  -- The server edits on its own: it has to know the newest text, not that of 150 ms ago.
  flags = { debounce_text_changes = 0 },
  settings = { writeit = vim.empty_dict() },
  commands = require('writeit.offers').commands(),
  handlers = require('writeit.handlers'),
  before_init = function(params, config)
    require('writeit.life').before_init(params, config)
  end,
  on_init = function(client)
    require('writeit.life').on_init(client)
  end,
  on_attach = function(client, buf)
    require('writeit.life').on_attach(client, buf)
  end,
  on_exit = function(code, signal, id)
    require('writeit.life').on_exit(code, signal, id)
  end,
}
