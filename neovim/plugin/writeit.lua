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
  range = true,
  desc = 'WriteIt: show the actions, or run a verb',
  complete = function(lead, line, position)
    return require('writeit.verbs').complete(lead, line, position)
  end,
})

for _, verb in ipairs(require('writeit.verb_names').names) do
  vim.keymap.set(
    { 'n', 'x' },
    ('<Plug>(writeit-%s)'):format(verb),
    (':WriteIt %s<CR>'):format(verb),
    {
      silent = true,
      desc = 'WriteIt: ' .. verb,
    }
  )
end
vim.keymap.set({ 'n', 'x' }, '<Plug>(writeit)', ':WriteIt<CR>', {
  silent = true,
  desc = 'WriteIt: show the actions',
})

local group = vim.api.nvim_create_augroup('writeit', {})
vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = 'writeit:/*',
  desc = 'WriteIt: read a view from the server',
  callback = function(event)
    require('writeit.view').read(event.buf)
  end,
})

local settings = vim.g.writeit
if not (type(settings) == 'table' and settings.enabled == false) then
  vim.lsp.enable('writeit')
end
