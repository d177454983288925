-- What a command is about: the run of the view it is given in, else that of the document.
-- The server decides which run that is; its code actions name it.
local rpc = require('writeit.rpc')
local view = require('writeit.view')

local M = {}

---@type integer? The document that was the target of the last command.
local last_document

--- The buffer that a command given in `buf` is about.
---@param buf integer
---@return integer
function M.target_buffer(buf)
  if rpc.is_document(buf) then
    last_document = buf
    return buf
  end
  local is_ours = vim.b[buf].writeit_root ~= nil or vim.b[buf].writeit_target ~= nil
  if is_ours or not (last_document and vim.api.nvim_buf_is_loaded(last_document)) then
    return buf
  end
  return last_document
end

---@param buf integer
---@param range? lsp.Range
---@return lsp.CodeActionParams
local function code_action_params(buf, range)
  local start = { line = 0, character = 0 }
  return {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    range = range or { start = start, ['end'] = start },
    context = { diagnostics = {} },
  }
end

--- The server's code actions for a range of a target's buffer.
---@param target writeit.Target
---@param range? lsp.Range
---@return lsp.CodeAction[]
function M.code_actions(target, range)
  local params = code_action_params(target.buf, range)
  return rpc.request(target.client, 'textDocument/codeAction', params, target.buf) or {}
end

--- The parameters of the first action that runs a command.
---@param actions lsp.CodeAction[]
---@param command string Without the prefix `writeit.`.
---@param filter? fun(params: table): boolean
---@return table? params
local function params_of(actions, command, filter)
  for _, action in ipairs(actions) do
    local params = action.command and action.command.arguments and action.command.arguments[1]
    local is_same = params and action.command.command == 'writeit.' .. command
    if is_same and (not filter or filter(params)) then
      params.wait = nil -- this client waits for the reply
      return params
    end
  end
end

--- The run of a document. Other actions may be about a rewritten passage; the one that
--- opens the run is not.
---@param actions lsp.CodeAction[]
---@return string? run_id
local function run_id_of(actions)
  local params = params_of(actions, 'view.open', function(params)
    return params.view == 'run'
  end)
  return params and params.runId
end

--- The run of a document, without a task.
---@param client vim.lsp.Client
---@param buf integer
---@param timeout integer Milliseconds.
---@return string? run_id
function M.run_id_sync(client, buf, timeout)
  local params = code_action_params(buf)
  local reply = client:request_sync('textDocument/codeAction', params, timeout, buf)
  return run_id_of(reply and reply.result or {})
end

--- The target of a command given in `buf`. Waits in a task until the server is ready.
---@param buf integer
---@return writeit.Target
function M.find(buf)
  buf = M.target_buffer(buf)
  local target = { buf = buf, client = rpc.ensure_client(buf) }
  local name = vim.api.nvim_buf_get_name(buf)
  local stored = vim.b[buf].writeit_target
  if stored then
    target.run_id, target.step = stored.run_id, stored.step
  elseif vim.startswith(name, 'writeit:') then
    target.run_id, target.step = view.parse_uri(name)
  end
  target.uri = rpc.is_document(buf) and name ~= '' and vim.uri_from_bufnr(buf) or nil
  return target
end

--- The error for a buffer that is not a markdown file.
---@param buf integer
---@param message string
---@return writeit.Error
function M.not_a_document_error(buf, message)
  local is_unnamed = rpc.is_document(buf) and vim.api.nvim_buf_get_name(buf) == ''
  return {
    message = is_unnamed and 'This document has no file name yet.' or message,
    hint = is_unnamed and 'Save it first, for example with :write notes.md'
      or 'Open your notes first.',
  }
end

--- The run that a target is about, if there is one.
---@param target writeit.Target
---@return string?
function M.run_id(target)
  return target.run_id or (target.uri and run_id_of(M.code_actions(target))) or nil
end

--- As `find`, of a target that has a run; raises an error if there is none.
---@param buf integer
---@return writeit.RunTarget
function M.find_run(buf)
  local target = M.find(buf)
  local has_document = last_document and vim.api.nvim_buf_is_loaded(last_document)
  if not target.run_id and not target.uri and has_document then
    target = M.find(last_document) -- the view belongs to no run, such as the usage
  end
  target.run_id = M.run_id(target)
  if not target.run_id and rpc.is_document(target.buf) and not target.uri then
    error(M.not_a_document_error(target.buf, ''), 0)
  elseif not target.run_id then
    error({
      message = 'This document has no run yet.',
      hint = 'Start one with :WriteIt start.',
    }, 0)
  end
  ---@cast target writeit.RunTarget
  return target
end

--- The parameters of a command that the server offers for a document: a waiting text and
--- a rewritten passage come before the document's run. A view is about its own run only.
---@param buf integer
---@param command string Without the prefix `writeit.`.
---@return writeit.Target target, table? params
function M.find_offered(buf, command)
  local target = M.find(buf)
  local is_plain = target.uri and not target.run_id
  return target, is_plain and params_of(M.code_actions(target), command) or nil
end

--- The run in full.
---@param target writeit.RunTarget
---@return writeit.Run
function M.run(target)
  return rpc.execute(target.client, 'run.show', { runId = target.run_id })
end

--- The names of a run's steps, in the pipeline's order: a JSON object has no order.
---@param client vim.lsp.Client
---@param run writeit.Run
---@return string[]
function M.step_names(client, run)
  local params = { pipeline = run.configurationId }
  local pipeline = rpc.execute(client, 'pipeline.show', params)
  return vim.tbl_map(function(step)
    return step.name
  end, pipeline.steps)
end

--- The step of a target, else the run's current step.
---@param target writeit.Target
---@param run writeit.Run
---@return writeit.Step
function M.step(target, run)
  return run.steps[target.step or run.currentStep] or run.steps[run.currentStep]
end

--- What people call an answer: its number, or its letter until a blind choice.
---@param answer { number: integer, letter?: string }
---@return string
function M.answer_name(answer)
  return type(answer.letter) == 'string' and answer.letter or tostring(answer.number)
end

--- Whether a typed word names an answer.
---@param answer { number: integer, letter?: string }
---@param word? string
---@return boolean
function M.is_answer(answer, word)
  return word == tostring(answer.number) or (word or ''):upper() == answer.letter
end

return M
