-- A buffer in which the user edits a text; `:w` submits it.
local notify = require('writeit.notify')
local task = require('writeit.task')
local window = require('writeit.window')

local M = {}

---@class writeit.EditorOptions
---@field title string
---@field text string
---@field hint string For the status line.
---@field submit fun(text: string)

local counter = 0

---@type table<string, integer> The buffer of a text, by run and title.
local buffers = {}

---@type table<integer, true> Buffers whose text is being submitted.
local submitting = {}

--- Close the window of a buffer, or show in it the buffer that it showed before.
---@param buf integer
local function close(buf)
  local previous = vim.b[buf].writeit_previous_buffer
  local win = window.find(buf)
  local return_window = vim.b[buf].writeit_return_window
  if win == vim.api.nvim_get_current_win() and vim.api.nvim_win_is_valid(return_window) then
    vim.api.nvim_set_current_win(return_window)
  end
  if win and previous and vim.api.nvim_buf_is_valid(previous) and not window.find(previous) then
    vim.api.nvim_win_set_buf(win, previous)
  elseif win then
    pcall(vim.api.nvim_win_close, win, true)
  end
end

--- Submit a text. The buffer is deleted if that succeeded and nothing was typed meanwhile.
---@param buf integer
---@param options writeit.EditorOptions
---@param text string
---@param tick integer
local function submit(buf, options, text, tick)
  local ok, failure = pcall(options.submit, text)
  submitting[buf] = nil
  local is_valid = vim.api.nvim_buf_is_valid(buf)
  if is_valid and not ok then
    window.show(buf) -- `:wq` has closed its window
  elseif is_valid and vim.api.nvim_buf_get_changedtick(buf) == tick then
    vim.bo[buf].modified = false
    close(buf)
    vim.api.nvim_buf_delete(buf, { force = true })
  end
  if not ok then
    error(failure, 0)
  end
end

--- Keep a text that was not submitted, but do not let it hold up `:wall` or `:qall`.
---@param buf integer
---@param options writeit.EditorOptions
local function keep_when_closed(buf, options)
  vim.api.nvim_create_autocmd('BufWinLeave', {
    buffer = buf,
    callback = function()
      if vim.bo[buf].modified and not submitting[buf] then
        vim.schedule(function()
          if vim.api.nvim_buf_is_loaded(buf) and #vim.fn.win_findbuf(buf) == 0 then
            vim.bo[buf].modified = false
            vim.b[buf].writeit_was_modified = true
            notify.info(('Your text for %s is kept until you quit Neovim.'):format(options.title))
          end
        end)
      end
    end,
  })
end

---@param target writeit.RunTarget
---@param options writeit.EditorOptions
---@return integer buf
local function create(target, options)
  counter = counter + 1
  local buf = vim.api.nvim_create_buf(false, false)
  vim.api.nvim_buf_set_name(buf, ('writeit-text:/%d/%s'):format(counter, options.title))
  vim.bo[buf].buftype = 'acwrite'
  vim.bo[buf].bufhidden = 'hide'
  vim.bo[buf].swapfile = false
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(options.text, '\n', { plain = true }))
  vim.bo[buf].modified = false
  window.set_markdown(buf)
  vim.b[buf].writeit_root = target.client.root_dir
  vim.b[buf].writeit_target = { run_id = target.run_id, step = target.step }
  vim.b[buf].writeit_hint = options.hint
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = buf,
    callback = function()
      local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
      local tick = vim.api.nvim_buf_get_changedtick(buf)
      submitting[buf] = true
      task.enqueue(target.client.root_dir, options.title, function()
        submit(buf, options, text, tick)
      end)
    end,
  })
  vim.keymap.set('n', 'q', function()
    close(buf)
  end, { buffer = buf, nowait = true, desc = 'WriteIt: close' })
  keep_when_closed(buf, options)
  return buf
end

--- The buffer of a text that was edited before and has not been submitted.
---@param key string
---@return integer?
local function find_unsubmitted(key)
  local buf = buffers[key]
  if not buf or not vim.api.nvim_buf_is_loaded(buf) then
    return nil
  elseif vim.b[buf].writeit_was_modified then
    vim.b[buf].writeit_was_modified = nil
    vim.bo[buf].modified = true
  end
  return vim.bo[buf].modified and buf or nil
end

---@param target writeit.RunTarget
---@param options writeit.EditorOptions
function M.open(target, options)
  local key = target.run_id .. ' ' .. options.title
  local buf = find_unsubmitted(key) or create(target, options)
  buffers[key] = buf
  local previous = window.buffer()
  vim.b[buf].writeit_previous_buffer = previous ~= buf and previous or nil
  vim.b[buf].writeit_return_window = vim.api.nvim_get_current_win()
  window.show(buf, true)
end

return M
