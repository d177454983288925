-- Answers as they come: a scratch buffer with a section for each, in the window beside
-- the article. The article's buffer, cursor, undo tree and registers are not touched.
local client_of = require('writeit.client')
local sheet = require('writeit.sheet')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.Stream
---@field token string
---@field client vim.lsp.Client
---@field title string
---@field sheet? writeit.Sheet Made when the first answers are asked for.
---@field before? integer The buffer whose place it took.
---@field run_id? string
---@field step? string
---@field deaf? fun() Ends the watch for <C-c>.

local INTERRUPT = vim.keycode('<C-c>')

---@type table<string, writeit.Stream>
local streams = {}
local counter = 0

--- While Neovim is busy drawing, <C-c> interrupts that and passes its mapping by: it is
--- meant for the stream all the same.
---@param buf integer
---@return fun() stop
local function heed_interrupts(buf)
  local space = vim.api.nvim_create_namespace('')
  vim.on_key(function(key)
    if key == INTERRUPT and vim.api.nvim_get_current_buf() == buf then
      vim.schedule(function()
        vim.cmd.WriteIt('pause')
      end)
    end
  end, space)
  return function()
    vim.on_key(nil, space)
  end
end

---@param stream writeit.Stream
---@param value table
local function started(stream, value)
  stream.run_id, stream.step = value.runId, value.step
  if not stream.sheet then
    stream.sheet = sheet.new(value.step)
    local buf = stream.sheet.buf
    vim.b[buf].writeit_root = stream.client.root_dir
    vim.b[buf].writeit_about = { run_id = value.runId, step = value.step }
    vim.keymap.set('n', '<CR>', function()
      M.to_answers(stream)
    end, { buffer = buf, desc = 'WriteIt: the answers to choose from' })
    stream.deaf = heed_interrupts(buf)
    stream.before = window.beside()
    window.show(buf)
  end
  for _, response in ipairs(value.responses) do
    stream.sheet:add(response.responseId, response.model)
  end
end

---@type table<string, fun(stream: writeit.Stream, value: table)>
local kinds = {
  started = started,
  delta = function(stream, value)
    stream.sheet:append(value.responseId, value.seq, value.text)
  end,
  notice = function(stream, value)
    if stream.sheet then
      stream.sheet:remark(value.responseId, value.title)
    end
    require('writeit.say').info(value.title .. '. ' .. value.message)
  end,
  finished = function(stream, value)
    stream.sheet:finish(value.responseId, value)
  end,
  ended = function() end,
}

--- For `$/progress`: take what is ours; false if it is not.
---@param params { token: any, value: table }
---@return boolean
function M.take(params)
  local stream = streams[params.token]
  if not stream then
    return type(params.token) == 'string' and vim.startswith(params.token, 'writeit-neovim-')
  end
  local act = kinds[params.value.kind]
  if act then
    act(stream, params.value)
  end
  return true
end

--- Ask models, in a task, and show what comes. Returns the command's result.
---@param client vim.lsp.Client
---@param command string
---@param params table
---@return any result, writeit.Stream stream
function M.ask(client, command, params)
  counter = counter + 1
  local token = ('writeit-neovim-%d-%d'):format(vim.uv.os_getpid(), counter)
  local stream = { token = token, client = client, title = command }
  streams[token] = stream
  require('writeit.say').info('asking…')
  local asked = vim.tbl_extend('force', params, { streamToken = token, wait = true })
  local well, reply = pcall(client_of.execute, client, command, asked)
  streams[token] = nil
  if stream.sheet then
    stream.deaf()
    stream.sheet:close(not well and reply or nil)
  end
  if not well then
    error(reply, 0)
  end
  return reply, stream
end

--- Let the step's view take the stream's place, unless she is reading there.
---@param stream writeit.Stream
function M.hand_over(stream)
  if stream.sheet and vim.api.nvim_get_current_buf() ~= stream.sheet.buf then
    M.to_answers(stream)
  end
end

--- The step's view in the stream's place, once its text is there.
---@param stream writeit.Stream
function M.to_answers(stream)
  local uri = ('writeit:/step/%s/%s.md'):format(stream.run_id, stream.step)
  local buf = view.buffer(stream.client, uri)
  view.refresh(buf, stream.client, function()
    if window.showing(stream.sheet.buf) then
      window.show(buf) -- the stream's buffer goes with its window
    end
  end)
end

--- Put back what the stream's window showed before, or close it: it is done with.
---@param stream writeit.Stream
function M.clear_away(stream)
  local win = stream.sheet and window.showing(stream.sheet.buf)
  if not win or win == vim.api.nvim_get_current_win() then
    return
  end
  if stream.before and vim.api.nvim_buf_is_valid(stream.before) then
    vim.api.nvim_win_set_buf(win, stream.before)
  else
    pcall(vim.api.nvim_win_close, win, false)
  end
end

--- What `pause` means in a buffer: the stream of the run it shows, else the only one.
---@param buf integer
---@return writeit.Stream?
function M.meant(buf)
  local about = vim.b[buf].writeit_about or {}
  local run_id = about.run_id or view.about(vim.api.nvim_buf_get_name(buf))
  local under_way = vim.tbl_filter(function(stream)
    return stream.run_id ~= nil
  end, vim.tbl_values(streams))
  for _, stream in ipairs(under_way) do
    if stream.run_id == run_id then
      return stream
    end
  end
  return #under_way == 1 and under_way[1] or nil
end

--- Whether answers of a run stream here.
---@param run_id string
---@return boolean
function M.is_of(run_id)
  return vim.iter(vim.tbl_values(streams)):any(function(stream)
    return stream.run_id == run_id
  end)
end

--- The answer whose section a row of a buffer is in, while or after it streams.
---@param buf integer
---@param row integer From 0.
---@return string? response_id
function M.answer_at(buf, row)
  return sheet.answer_at(buf, row)
end

--- Forget the streams of a server that is gone.
---@param id integer
function M.abandon(id)
  for token, stream in pairs(streams) do
    if stream.client.id == id then
      streams[token] = nil
    end
  end
end

return M
