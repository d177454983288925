-- Answers as they are generated: a buffer with a heading for each, in the side window. The
-- document's buffer, cursor, undo tree and registers are not touched.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local stream_buffer = require('writeit.stream_buffer')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.Stream
---@field token string
---@field client vim.lsp.Client
---@field output? writeit.StreamBuffer Created when the first answers are requested.
---@field is_quiet boolean Whether a single answer opens no window.
---@field is_chosen? boolean Whether a choice ended it, which is reported.
---@field run_id? string
---@field step? string
---@field stop_listening? fun() Ends `on_interrupt`.

local TOKEN_PREFIX = 'writeit-neovim-'
local INTERRUPT = vim.keycode('<C-c>')

---@type table<string, writeit.Stream> By token.
local streams = {}
local counter = 0

--- Stop the stream on <C-c> also while Neovim draws: it then skips the mapping.
---@param buf integer
---@return fun() stop_listening
local function on_interrupt(buf)
  local namespace = vim.api.nvim_create_namespace('')
  vim.on_key(function(key)
    if key == INTERRUPT and vim.api.nvim_get_current_buf() == buf then
      vim.schedule(function()
        vim.cmd.WriteIt('pause')
      end)
    end
  end, namespace)
  return function()
    vim.on_key(nil, namespace)
  end
end

---@param stream writeit.Stream
local function open_output(stream)
  stream.output = stream_buffer.new(stream.run_id, stream.step)
  local buf = stream.output.buf
  vim.b[buf].writeit_root = stream.client.root_dir
  vim.b[buf].writeit_target = { run_id = stream.run_id, step = stream.step }
  vim.keymap.set('n', '<CR>', function()
    M.show_answers(stream)
  end, { buffer = buf, desc = 'WriteIt: show the answers' })
  stream.stop_listening = on_interrupt(buf)
  window.show(buf)
end

---@type table<string, fun(stream: writeit.Stream, value: table)>
local handlers = {
  started = function(stream, value)
    stream.run_id, stream.step = value.runId, value.step
    if stream.is_quiet and #value.responses == 1 then
      return
    elseif not stream.output then
      open_output(stream)
    end
    for _, response in ipairs(value.responses) do
      stream.output:add(response)
    end
  end,
  delta = function(stream, value)
    if not value.thinking then
      stream.output:append(value.responseId, value.text)
    end
  end,
  thinking = function(stream, value)
    local tokens = type(value.tokens) == 'number' and value.tokens
    local text = ('thinking: %d s'):format(value.seconds)
    text = tokens and ('%s, about %d tokens'):format(text, tokens) or text
    stream.output:show_thinking(value.responseId, text)
  end,
  thought = function(stream, value)
    stream.output:clear(value.responseId)
  end,
  notice = function(stream, value)
    if stream.output then
      stream.output:show_notice(value.responseId, value.title)
    end
    notify.info(value.title .. '. ' .. value.message)
  end,
  finished = function(stream, value)
    stream.output:finish(value.responseId, value)
  end,
}

--- Handle `$/progress` of our streams; returns false for any other.
---@param params { token: any, value: table }
---@return boolean
function M.handle_progress(params)
  local stream = streams[params.token]
  if not stream then
    return type(params.token) == 'string' and vim.startswith(params.token, TOKEN_PREFIX)
  end
  local kind = params.value.kind
  local needs_output = kind ~= 'started' and kind ~= 'notice' -- there is none if it is quiet
  if handlers[kind] and (stream.output or not needs_output) then
    handlers[kind](stream, params.value)
  end
  return true
end

--- Run a command that generates answers, in a task, and show them as they arrive.
---@param client vim.lsp.Client
---@param command string
---@param params table
---@param is_quiet? boolean
---@return any result, writeit.Stream stream
function M.generate(client, command, params, is_quiet)
  counter = counter + 1
  local token = ('%s%d-%d'):format(TOKEN_PREFIX, vim.uv.os_getpid(), counter)
  local stream = { token = token, client = client, is_quiet = is_quiet or false }
  streams[token] = stream
  notify.info('Generating…')
  local with_token = vim.tbl_extend('force', params, { streamToken = token, wait = true })
  local ok, reply = pcall(rpc.execute, client, command, with_token)
  streams[token] = nil
  if stream.output then
    stream.stop_listening()
    stream.output:close(not ok and reply or nil)
  end
  if not ok then
    error(reply, 0)
  end
  return reply, stream
end

--- Replace the stream by the step's view, unless the user reads in it.
---@param stream writeit.Stream
function M.show_answers_if_unread(stream)
  local is_current = stream.output and vim.api.nvim_get_current_buf() == stream.output.buf
  if stream.output and not (is_current and vim.api.nvim_win_get_cursor(0)[1] > 1) then
    M.show_answers(stream)
  end
end

--- Replace the stream by the step's view, once its text is there.
---@param stream writeit.Stream
function M.show_answers(stream)
  local buf = view.buffer(stream.client, view.step_uri(stream.run_id, stream.step))
  view.refresh(buf, stream.client, function()
    local win = window.find(stream.output.buf)
    if win and vim.fn.bufwinid(buf) ~= -1 then
      pcall(vim.api.nvim_win_close, win, false) -- the view is open elsewhere
    elseif win then
      window.show(buf)
    end
  end)
end

--- The stream that `pause` in a buffer stops: that of the buffer's run, else the only one.
---@param buf integer
---@return writeit.Stream?
function M.find(buf)
  local target = vim.b[buf].writeit_target or {}
  local run_id = target.run_id or view.parse_uri(vim.api.nvim_buf_get_name(buf))
  local started = vim.tbl_filter(function(stream)
    return stream.run_id ~= nil
  end, vim.tbl_values(streams))
  for _, stream in ipairs(started) do
    if stream.run_id == run_id then
      return stream
    end
  end
  return #started == 1 and started[1] or nil
end

--- Whether this Neovim streams answers of a run.
---@param run_id string
---@return boolean
function M.has_run(run_id)
  return vim.iter(vim.tbl_values(streams)):any(function(stream)
    return stream.run_id == run_id
  end)
end

--- Note that a choice ends the streams of a run; returns whether there are any.
---@param run_id string
---@return boolean
function M.end_by_choice(run_id)
  for _, stream in pairs(streams) do
    stream.is_chosen = stream.is_chosen or stream.run_id == run_id
  end
  return M.has_run(run_id)
end

--- Forget the streams of a server that has stopped.
---@param id integer
function M.drop_client(id)
  for token, stream in pairs(streams) do
    if stream.client.id == id then
      streams[token] = nil
    end
  end
end

return M
