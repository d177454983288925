-- The demo's settings for Neovim: the embedded model for every step, and a hint above the
-- text that says what to do next. You need none of them to use WriteIt.

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
  { 'not generated yet', 'Generate the answers:  :WriteIt next' },
  { 'being generated', 'Generating. Stop it:  :WriteIt pause' },
  {
    'to choose from',
    'Choose it:  :WriteIt choose   Change it:  :WriteIt regenerate shorter, please',
  },
  { 'stopped', 'Continue:  :WriteIt choose  or  :WriteIt next' },
  {
    'finished',
    'Write the article:  :WriteIt apply   Export the run:  :WriteIt export yaml',
  },
}

function _G.WriteItDemoHint()
  local notes = vim.fn.bufnr('notes.md$')
  if #vim.lsp.get_clients({ name = 'writeit', bufnr = notes }) == 0 then
    return 'WriteIt demo: the server is starting …'
  end
  local state = require('writeit.code_lens').state(notes)
  for _, hint in ipairs(HINTS) do
    if state:find(hint[1], 1, true) then
      return hint[2]
    end
  end
  return 'WriteIt demo. Turn these notes into an article:  :WriteIt start   (quit: :qa)'
end

vim.api.nvim_create_autocmd('LspAttach', {
  callback = function()
    vim.schedule(vim.cmd.redrawtabline)
  end,
})
