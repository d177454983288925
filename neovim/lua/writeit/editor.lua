-- A buffer in which the user edits a text. `:w` keeps the text as a draft, also when
-- another plug-in writes it; `ZZ`, `:wq` and the verbs `choose`, `go` and `merge` decide.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local task = require('writeit.task')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.EditorOptions
---@field name string Of the buffer, after the run and the step.
---@field title string
---@field text string As the models wrote it, or as its passages were added.
---@field draft { step: string, kind: 'answer'|'merge', response?: string }
---@field submit fun(text: string, words?: string, goes_on: boolean)

---@class writeit.Editor: writeit.EditorOptions
---@field target writeit.RunTarget
---@field is_submitted? boolean Whether its text is being submitted.

local EXIT_TIMEOUT = 2000 -- milliseconds
local HINT = 'ZZ chooses it · q closes'

---@type table<integer, writeit.Editor> By buffer.
local editors = {}

---@type table<integer, integer> By buffer: how many requests to keep its text are under way.
local keeping = {}

---@type string? The command line that runs now, if the user typed it.
local typed_line

vim.api.nvim_create_autocmd('CmdlineLeave', {
  group = vim.api.nvim_create_augroup('writeit.editor', {}),
  pattern = ':',
  callback = function()
    typed_line = vim.fn.getcmdline()
    vim.schedule(function()
      typed_line = nil
    end)
  end,
})

---@param buf integer
---@return boolean
local function is_being_kept(buf)
  return (keeping[buf] or 0) > 0
end

--- Whether a command line has `:x` or `:exit`, which write a modified buffer only.
---@param line? string
---@return boolean
local function is_exit(line)
  local ok, command = pcall(vim.api.nvim_parse_cmd, line or '', {})
  return ok and (vim.list_contains({ 'xit', 'exit' }, command.cmd) or is_exit(command.nextcmd))
end

--- Whether a buffer is one of these.
---@param buf integer
---@return boolean
function M.is_editor(buf)
  return editors[buf] ~= nil
end

---@param buf integer
---@return string
local function text_of(buf)
  return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
end

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
  elseif win and not pcall(vim.api.nvim_win_close, win, true) then
    vim.cmd.bprevious() -- it is the last window
  end
end

--- Keep the text of a buffer in the run, in a task.
---@param buf integer
local function keep(buf)
  local editor, text = editors[buf], text_of(buf)
  local draft = vim.tbl_extend('error', { runId = editor.target.run_id, text = text }, editor.draft)
  vim.bo[buf].modified = false
  keeping[buf] = (keeping[buf] or 0) + 1
  task.spawn(function()
    rpc.execute(rpc.ensure_client(buf), 'step.draft', draft)
  end, function(failure)
    keeping[buf] = keeping[buf] - 1
    if failure and vim.api.nvim_buf_is_valid(buf) then
      vim.bo[buf].modified = true
    end
  end)
end

--- Close a buffer and submit its text, in a task. It is shown again if that fails.
---@param buf integer
---@param words? string
---@param goes_on boolean
local function submit(buf, words, goes_on)
  local editor, text = editors[buf], text_of(buf)
  vim.bo[buf].modified = false
  editor.is_submitted = true
  close(buf)
  task.enqueue(editor.target.client.root_dir, editor.title, function()
    local ok, failure = pcall(function()
      editor.target.client = rpc.ensure_client(buf) -- the server may have been restarted
      editor.submit(text, words, goes_on)
    end)
    if ok and vim.api.nvim_buf_is_valid(buf) then
      vim.api.nvim_buf_delete(buf, { force = true })
    elseif not ok then
      editor.is_submitted = false
      vim.bo[buf].modified = true
      window.show(buf)
      error(failure, 0)
    end
  end)
end

--- Decide with the text of a buffer; returns false if it is not one of these.
---@param buf integer
---@param words string
---@param goes_on boolean
---@return boolean
function M.decide(buf, words, goes_on)
  if editors[buf] then
    submit(buf, words ~= '' and words or nil, goes_on)
  end
  return editors[buf] ~= nil
end

--- `:w` keeps the text. If the same command quits the window, such as `:wq`, it decides,
--- and so does `:x` that has nothing to write; a plug-in that writes when a window is quit
--- does not.
---@param buf integer
local function set_up_writing(buf)
  local is_written = false
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = buf,
    callback = function()
      local _, autocommands = vim.fn.expand('<stack>'):gsub('Autocommands for', '')
      is_written = autocommands == 1
      vim.schedule(function()
        if is_written and vim.api.nvim_buf_is_valid(buf) then
          local how = 'Kept, not used yet. ZZ uses it, or :WriteIt choose in its window.'
          notify.info(editors[buf].draft.kind == 'merge' and how:gsub('choose', 'merge') or how)
        end
        is_written = false
      end)
      keep(buf)
    end,
  })
  vim.api.nvim_create_autocmd('QuitPre', {
    buffer = buf,
    callback = function()
      if is_written or is_exit(typed_line) then
        is_written = false
        submit(buf, nil, false)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWinLeave', {
    buffer = buf,
    callback = function()
      local editor = editors[buf]
      if not editor.is_submitted and text_of(buf) ~= editor.text then
        notify.info(('Your text for %s is kept. The same command opens it.'):format(editor.title))
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buf,
    callback = function()
      editors[buf] = nil
    end,
  })
  -- A text that was not written is kept, too: it would hold up `:qall`.
  vim.api.nvim_create_autocmd(
    { 'InsertLeave', 'CursorHold', 'CursorHoldI', 'BufLeave', 'ExitPre' },
    {
      buffer = buf,
      callback = function(event)
        if vim.bo[buf].modified then
          keep(buf)
        end
        if event.event == 'ExitPre' then -- the server ends with Neovim
          vim.wait(EXIT_TIMEOUT, function()
            return not is_being_kept(buf)
          end)
        end
      end,
    }
  )
end

---@param buf integer
---@param text string
local function set_text(buf, text)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(text, '\n', { plain = true }))
  vim.bo[buf].modified = false
end

---@param target writeit.RunTarget
---@param options writeit.EditorOptions
---@param name string
---@return integer buf
local function create(target, options, name)
  local buf = vim.api.nvim_create_buf(false, false)
  vim.api.nvim_buf_set_name(buf, name)
  vim.bo[buf].bufhidden = 'hide'
  vim.bo[buf].swapfile = false
  vim.bo[buf].undolevels = -1 -- the first text cannot be undone
  set_text(buf, options.text)
  vim.bo[buf].undolevels = vim.go.undolevels
  vim.b[buf].writeit_root = target.client.root_dir
  vim.b[buf].writeit_target = { run_id = target.run_id, step = options.draft.step }
  vim.b[buf].writeit_hint = HINT
  vim.b[buf].writeit_title = options.title
  window.set_markdown(buf)
  set_up_writing(buf)
  local function map(key, action, description)
    vim.keymap.set('n', key, action, { buffer = buf, nowait = true, desc = description })
  end
  map('q', function()
    close(buf)
  end, 'WriteIt: close')
  map('ZZ', function()
    submit(buf, nil, false)
  end, 'WriteIt: decide')
  return buf
end

--- The buffer in which a text was edited before.
---@param name string
---@return integer?
local function find(name)
  return vim.iter(vim.tbl_keys(editors)):find(function(buf)
    return vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_name(buf) == name
  end)
end

--- Set the text of a buffer to what the step's page has: the user may have edited it there,
--- or before Neovim was started again.
---@param buf integer
---@param editor writeit.Editor
local function load_kept_text(buf, editor)
  while is_being_kept(buf) do
    task.sleep(10)
  end
  local draft = editor.draft
  local uri = view.step_uri(editor.target.run_id, draft.step)
  local section = vim.iter(view.read_sections(editor.target.client, uri)):find(function(other)
    return other.kind == draft.kind and other.responseId == draft.response
  end)
  if section and section.text ~= text_of(buf) and not vim.bo[buf].modified then
    set_text(buf, section.text)
  end
  local text = text_of(buf)
  if text ~= editor.text then
    local shown = 'Opened your text for %s. Undo (u) restores the original.'
    notify.info(shown:format(editor.title))
  elseif text == '' and draft.kind == 'merge' then
    notify.info('The merge is empty. Write the text, or first add lines with :WriteIt take.')
  end
end

---@param target writeit.RunTarget
---@param options writeit.EditorOptions
function M.open(target, options)
  local name = ('writeit-text:/%s/%s/%s'):format(target.run_id, options.draft.step, options.name)
  local buf = find(name) or create(target, options, name)
  editors[buf] = vim.tbl_extend('error', { target = target }, options)
  load_kept_text(buf, editors[buf])
  local previous = window.buffer()
  vim.b[buf].writeit_previous_buffer = previous ~= buf and previous or nil
  vim.b[buf].writeit_return_window = vim.api.nvim_get_current_win()
  window.show(buf, true)
end

return M
