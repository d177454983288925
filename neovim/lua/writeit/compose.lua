-- A text in her words: a buffer in the window beside the article; `:w` hands it in.
local task = require('writeit.task')
local window = require('writeit.window')

local M = {}

local counter = 0

---@class writeit.Draft
---@field title string
---@field text string
---@field hint string
---@field submit fun(text: string)

---@param buf integer
---@param draft writeit.Draft
---@param root string
local function hand_in(buf, draft, root)
  local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
  task.enqueue(root, draft.title, function()
    draft.submit(text)
    if vim.api.nvim_buf_is_valid(buf) then
      vim.bo[buf].modified = false
      M.leave(buf)
    end
  end)
end

--- Close the buffer; the view it stood in the place of comes back.
---@param buf integer
function M.leave(buf)
  local before = vim.b[buf].writeit_before
  local win = window.showing(buf)
  local came_from = vim.b[buf].writeit_came_from
  if win == vim.api.nvim_get_current_win() and vim.api.nvim_win_is_valid(came_from) then
    vim.api.nvim_set_current_win(came_from)
  end
  if win and before and vim.api.nvim_buf_is_valid(before) then
    vim.api.nvim_win_set_buf(win, before)
  elseif win then
    pcall(vim.api.nvim_win_close, win, true)
  end
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_delete(buf, { force = true })
  end
end

---@param here writeit.Here
---@param draft writeit.Draft
function M.open(here, draft)
  counter = counter + 1
  local before = window.beside()
  local buf = vim.api.nvim_create_buf(false, false)
  vim.api.nvim_buf_set_name(buf, ('writeit-text:/%d/%s'):format(counter, draft.title))
  vim.bo[buf].buftype = 'acwrite'
  vim.bo[buf].swapfile = false
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(draft.text, '\n', { plain = true }))
  vim.bo[buf].modified = false
  window.as_markdown(buf)
  vim.b[buf].writeit_root = here.client.root_dir
  vim.b[buf].writeit_about = { run_id = here.run_id, step = here.step }
  vim.b[buf].writeit_before = before
  vim.b[buf].writeit_hint = draft.hint
  vim.b[buf].writeit_came_from = vim.api.nvim_get_current_win()
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = buf,
    callback = function()
      hand_in(buf, draft, here.client.root_dir)
    end,
  })
  vim.keymap.set('n', 'q', function()
    M.leave(buf)
  end, { buffer = buf, nowait = true, desc = 'WriteIt: leave it' })
  window.show(buf, true)
end

return M
