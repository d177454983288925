-- What a command is about: the run of the view she is in, else that of her document.
-- Which run a document means is the server's to say: its own offers name it.
local client_of = require('writeit.client')
local view = require('writeit.view')

local M = {}

---@type integer? The article she was in last.
local article

---@param buf integer
---@return boolean
local function is_article(buf)
  return vim.bo[buf].filetype == 'markdown' and vim.bo[buf].buftype == ''
end

--- The buffer a command given in `buf` is about.
---@param buf integer
---@return integer
function M.subject(buf)
  if is_article(buf) then
    article = buf
    return buf
  end
  local ours = vim.b[buf].writeit_root ~= nil or vim.b[buf].writeit_about ~= nil
  if ours or not (article and vim.api.nvim_buf_is_loaded(article)) then
    return buf
  end
  return article
end

--- What to ask for the code actions of a place.
---@param buf integer
---@param range? lsp.Range
---@return lsp.CodeActionParams
local function about_actions(buf, range)
  local nowhere = { line = 0, character = 0 }
  return {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    range = range or { start = nowhere, ['end'] = nowhere },
    context = { diagnostics = {} },
  }
end

--- The code actions of a place, WriteIt's only.
---@param here writeit.Here
---@param range? lsp.Range
---@return lsp.CodeAction[]
function M.actions(here, range)
  local params = about_actions(here.buf, range)
  return client_of.request(here.client, 'textDocument/codeAction', params, here.buf) or {}
end

--- What the first offer of a command would do, of those that fit.
---@param actions lsp.CodeAction[]
---@param command string Without `writeit.` in front.
---@param fits? fun(params: table): boolean
---@return table? params
local function offered(actions, command, fits)
  for _, action in ipairs(actions) do
    local params = action.command and action.command.arguments and action.command.arguments[1]
    local same = params and action.command.command == 'writeit.' .. command
    if same and (not fits or fits(params)) then
      params.wait = nil -- ours are waited for
      return params
    end
  end
end

--- Others may be about a polish; the one that opens the run is about the document's own.
---@param actions lsp.CodeAction[]
---@return string? run_id
local function run_among(actions)
  local opens = offered(actions, 'view.open', function(params)
    return params.view == 'run'
  end)
  return opens and opens.runId
end

--- The run that a document means, outside of a task: for as long as one waits for it.
---@param client vim.lsp.Client
---@param buf integer
---@param patience integer Milliseconds.
---@return string? run_id
function M.run_at_once(client, buf, patience)
  local params = about_actions(buf)
  local reply = client:request_sync('textDocument/codeAction', params, patience, buf)
  return run_among(reply and reply.result or {})
end

--- Find out where a command was given. Waits in a task until the server is ready.
---@param buf integer
---@return writeit.Here
function M.find(buf)
  buf = M.subject(buf)
  local here = { buf = buf, client = client_of.ready(buf) }
  local name = vim.api.nvim_buf_get_name(buf)
  local about = vim.b[buf].writeit_about
  if about then
    here.run_id, here.step = about.run_id, about.step
  elseif vim.startswith(name, 'writeit:') then
    here.run_id, here.step = view.about(name)
  end
  here.uri = is_article(buf) and name ~= '' and vim.uri_from_bufnr(buf) or nil
  return here
end

--- What to say of a buffer that is no article.
---@param buf integer
---@param message string
---@return writeit.Fault
function M.no_article(buf, message)
  local unnamed = is_article(buf) and vim.api.nvim_buf_get_name(buf) == ''
  return {
    message = unnamed and 'this text has no name yet.' or message,
    hint = unnamed and 'Write it first, as in :write notes.md' or 'Open your notes first.',
  }
end

--- As `find`, of a place that has a run.
---@param buf integer
---@return writeit.HereRun
function M.find_run(buf)
  local here = M.find(buf)
  if not here.run_id and not here.uri and article and vim.api.nvim_buf_is_loaded(article) then
    here = M.find(article) -- a view of no run, such as the usage
  end
  here.run_id = here.run_id or (here.uri and run_among(M.actions(here)))
  if not here.run_id and is_article(here.buf) and not here.uri then
    error(M.no_article(here.buf, ''), 0)
  elseif not here.run_id then
    error({
      message = 'no run has been started on this document.',
      hint = ':WriteIt start begins one.',
    }, 0)
  end
  ---@cast here writeit.HereRun
  return here
end

--- What a command would do that the server offers of a document: what waits and what was
--- polished stand before its run. In a view nothing but its run is meant.
---@param buf integer
---@param command string Without `writeit.` in front.
---@return writeit.Here here, table? params
function M.offered(buf, command)
  local here = M.find(buf)
  local params = here.uri and not here.run_id and offered(M.actions(here), command) or nil
  return here, params
end

--- The run in full.
---@param here writeit.HereRun
---@return writeit.Run
function M.run(here)
  return client_of.execute(here.client, 'run.show', { runId = here.run_id })
end

--- The names of a run's steps, in its order: a map of JSON has none.
---@param client vim.lsp.Client
---@param run writeit.Run
---@return string[]
function M.steps(client, run)
  local about = { pipeline = run.configurationId }
  local pipeline = client_of.execute(client, 'pipeline.show', about)
  return vim.tbl_map(function(step)
    return step.name
  end, pipeline.steps)
end

--- The step a command is about: the view's, else the run's current one.
---@param here writeit.Here
---@param run writeit.Run
---@return writeit.Step
function M.step(here, run)
  return run.steps[here.step or run.currentStep] or run.steps[run.currentStep]
end

return M
