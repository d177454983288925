-- The client's configuration. Users change it with `vim.lsp.config('writeit', { … })`.
-- Modules are loaded when a function is called, so that Neovim starts quickly.

---@type vim.lsp.Config
return {
  cmd = function(dispatchers)
    return require('writeit.server').spawn(dispatchers)
  end,
  filetypes = { 'markdown', 'mdx', 'quarto', 'rmd' },
  root_dir = function(buf, on_dir)
    require('writeit.server').root_dir(buf, on_dir)
  end,
  -- The client opens `writeit:` documents and handles `writeit/changed`.
  init_options = { writeit = { views = 'uri', events = true } },
  capabilities = { workspace = { codeLens = { refreshSupport = true } } },
  -- The server edits documents, so it must have the newest text, not that of 150 ms ago.
  flags = { debounce_text_changes = 0 },
  settings = { writeit = vim.empty_dict() },
  commands = require('writeit.commands').client_commands(),
  handlers = require('writeit.handlers'),
  before_init = function(params, config)
    require('writeit.lifecycle').before_init(params, config)
  end,
  on_init = function(client)
    require('writeit.lifecycle').on_init(client)
  end,
  on_attach = function(client, buf)
    require('writeit.lifecycle').on_attach(client, buf)
  end,
  on_exit = function(code, signal, id)
    require('writeit.lifecycle').on_exit(code, signal, id)
  end,
}
