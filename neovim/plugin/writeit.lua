-- Sourced at every start of Neovim: it defines the command and loads nothing. The rest is
-- loaded with the first markdown file, view or command.
if vim.g.loaded_writeit then
  return
end
vim.g.loaded_writeit = true

if vim.fn.has('nvim-0.11') == 0 then
  vim.api.nvim_echo({ { 'WriteIt needs Neovim 0.11 or newer.', 'WarningMsg' } }, true, {})
  return
end

vim.api.nvim_create_user_command('WriteIt', function(command)
  require('writeit.verbs').run(command)
end, {
  nargs = '*',
  bang = true,
  bar = true,
  range = true,
  desc = 'WriteIt: show the actions, or run a verb',
  complete = function(lead, line, position)
    return require('writeit.verbs').complete(lead, line, position)
  end,
})

local function map(name, command, description)
  for _, mode in ipairs({ 'n', 'x' }) do
    vim.api.nvim_set_keymap(mode, name, command, {
      noremap = true,
      silent = true,
      desc = 'WriteIt: ' .. description,
    })
  end
end
map('<Plug>(writeit)', ':WriteIt<CR>', 'show the actions')
for _, verb in ipairs(require('writeit.verb_names').names) do
  map(('<Plug>(writeit-%s)'):format(verb), (':WriteIt %s<CR>'):format(verb), verb)
end

local group = vim.api.nvim_create_augroup('writeit', {})
vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile', 'LspAttach' }, {
  group = group,
  desc = 'WriteIt: let the server see which pipelines and primers the user writes',
  callback = function()
    if package.loaded['writeit.server'] then -- else no client runs
      require('writeit.rpc').attach_library_files()
    end
  end,
})
vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = { 'writeit:/*', 'writeit-*:/*' },
  desc = 'WriteIt: read a view from the server',
  callback = function(event)
    require('writeit.view').read(event.buf)
  end,
})

--- `vim.lsp` takes milliseconds to load, so the client is enabled with the first file.
vim.api.nvim_create_autocmd('FileType', {
  group = group,
  pattern = { 'markdown', 'mdx', 'quarto', 'rmd' },
  once = true,
  desc = 'WriteIt: enable the language client',
  callback = function()
    local settings = vim.g.writeit
    if type(settings) == 'table' and settings.enabled == false then
      return
    end
    vim.lsp.enable('writeit')
    if vim.v.vim_did_enter == 0 then -- this event is already under way
      vim.schedule(function()
        vim.cmd.doautoall('nvim.lsp.enable FileType')
      end)
    end
  end,
})
