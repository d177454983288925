-- A text in her words: a buffer in the window beside the article; `:w` hands it in.
local say = require('writeit.say')
local task = require('writeit.task')
local window = require('writeit.window')

local M = {}

local counter = 0

---@class writeit.Draft
---@field title string
---@field text string
---@field hint string
---@field submit fun(text: string)

---@type table<string, integer> The buffer of a draft, by run and title.
local drafts = {}

---@type table<integer, true> Buffers whose text is on its way.
local handing_in = {}

--- Close its window, or show in it the view that the text took the place of.
---@param buf integer
local function close(buf)
  local before = vim.b[buf].writeit_before
  local win = window.showing(buf)
  local came_from = vim.b[buf].writeit_came_from
  if win == vim.api.nvim_get_current_win() and vim.api.nvim_win_is_valid(came_from) then
    vim.api.nvim_set_current_win(came_from)
  end
  if win and before and vim.api.nvim_buf_is_valid(before) and not window.showing(before) then
    vim.api.nvim_win_set_buf(win, before)
  elseif win then
    pcall(vim.api.nvim_win_close, win, true)
  end
end

--- Hand in what she wrote; the buffer goes when that was taken and she typed no more.
---@param buf integer
---@param draft writeit.Draft
---@param text string
---@param tick integer
local function hand_in(buf, draft, text, tick)
  local well, fault = pcall(draft.submit, text)
  handing_in[buf] = nil
  local there = vim.api.nvim_buf_is_valid(buf)
  if there and not well then
    window.show(buf) -- `:wq` has closed its window
  elseif there and vim.api.nvim_buf_get_changedtick(buf) == tick then
    vim.bo[buf].modified = false
    close(buf)
    vim.api.nvim_buf_delete(buf, { force = true })
  end
  if not well then
    error(fault, 0)
  end
end

--- Words that were not handed in are kept, but neither `:wall` nor `:qall` is about them.
---@param buf integer
---@param draft writeit.Draft
local function keep_when_left(buf, draft)
  vim.api.nvim_create_autocmd('BufWinLeave', {
    buffer = buf,
    callback = function()
      if vim.bo[buf].modified and not handing_in[buf] then
        vim.schedule(function()
          if vim.api.nvim_buf_is_loaded(buf) and #vim.fn.win_findbuf(buf) == 0 then
            vim.bo[buf].modified = false
            vim.b[buf].writeit_kept = true
            say.info(('your text for %s is kept until you quit.'):format(draft.title))
          end
        end)
      end
    end,
  })
end

---@param here writeit.HereRun
---@param draft writeit.Draft
---@return integer buf
local function new(here, draft)
  counter = counter + 1
  local buf = vim.api.nvim_create_buf(false, false)
  vim.api.nvim_buf_set_name(buf, ('writeit-text:/%d/%s'):format(counter, draft.title))
  vim.bo[buf].buftype = 'acwrite'
  vim.bo[buf].bufhidden = 'hide'
  vim.bo[buf].swapfile = false
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(draft.text, '\n', { plain = true }))
  vim.bo[buf].modified = false
  window.as_markdown(buf)
  vim.b[buf].writeit_root = here.client.root_dir
  vim.b[buf].writeit_about = { run_id = here.run_id, step = here.step }
  vim.b[buf].writeit_hint = draft.hint
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = buf,
    callback = function()
      local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
      local tick = vim.api.nvim_buf_get_changedtick(buf)
      handing_in[buf] = true
      task.enqueue(here.client.root_dir, draft.title, function()
        hand_in(buf, draft, text, tick)
      end)
    end,
  })
  vim.keymap.set('n', 'q', function()
    close(buf)
  end, { buffer = buf, nowait = true, desc = 'WriteIt: leave it' })
  keep_when_left(buf, draft)
  return buf
end

--- The buffer of a draft that she began before and has not handed in.
---@param key string
---@return integer?
local function begun(key)
  local buf = drafts[key]
  if not buf or not vim.api.nvim_buf_is_loaded(buf) then
    return nil
  elseif vim.b[buf].writeit_kept then
    vim.b[buf].writeit_kept = nil
    vim.bo[buf].modified = true
  end
  return vim.bo[buf].modified and buf or nil
end

---@param here writeit.HereRun
---@param draft writeit.Draft
function M.open(here, draft)
  local key = here.run_id .. ' ' .. draft.title
  local buf = begun(key) or new(here, draft)
  drafts[key] = buf
  local before = window.beside()
  vim.b[buf].writeit_before = before ~= buf and before or nil
  vim.b[buf].writeit_came_from = vim.api.nvim_get_current_win()
  window.show(buf, true)
end

return M
