-- What the demo sets in Neovim: the embedded model for everything, and a hint of what to
-- do next above the text. Nothing of it is needed to use WriteIt.

vim.lsp.config('writeit', {
  settings = { writeit = { models = { default = 'embedded/smollm2-135m' } } },
})
vim.o.laststatus = 2
vim.o.linebreak = true
vim.o.ruler = false
vim.o.showtabline = 2
vim.o.tabline = '%#Title# %{v:lua.WriteItDemoHint()} '
vim.o.statusline = " %t %m%= %<%{v:lua.require'writeit'.statusline()} "

local HINTS = {
  { 'ready to run', 'Ask the model:  :WriteIt next' },
  { 'answers are coming', 'The answer streams in beside. Stop it:  :WriteIt pause' },
  {
    'to choose from',
    'Take it:  :WriteIt choose   Not right?  :WriteIt regenerate shorter, please',
  },
  { 'paused', 'Go on:  :WriteIt choose  or  :WriteIt next' },
  {
    'finished',
    'Into a file of its own:  :WriteIt apply   Every prompt and answer:  :WriteIt export yaml',
  },
}

function _G.WriteItDemoHint()
  local notes = vim.fn.bufnr('notes.md$')
  if #vim.lsp.get_clients({ name = 'writeit', bufnr = notes }) == 0 then
    return 'WriteIt demo: the server is starting …'
  end
  local state = require('writeit.lens').state(notes)
  for _, hint in ipairs(HINTS) do
    if state:find(hint[1], 1, true) then
      return hint[2]
    end
  end
  return 'WriteIt demo. Turn these notes into an article:  :WriteIt start   (leave: :qa)'
end

vim.api.nvim_create_autocmd('LspAttach', {
  callback = function()
    vim.schedule(vim.cmd.redrawtabline)
  end,
})
