-- Verbs that hand over: apply, restore, export.
local client_of = require('writeit.client')
local disk = require('writeit.disk')
local edit = require('writeit.edit')
local here_of = require('writeit.here')
local say = require('writeit.say')
local settle = require('writeit.settle')
local window = require('writeit.window')

local M = {}

--- Show a file that was made, beside the article.
---@param uri string
local function show(uri)
  local buf = vim.uri_to_bufnr(uri)
  if #vim.fn.win_findbuf(buf) == 0 then
    vim.fn.bufload(buf)
    vim.bo[buf].buflisted = true
    window.show(buf)
  end
end

---@param client vim.lsp.Client
---@param params table
local function apply(client, params)
  local result = settle.apply(client, params)
  if result.applied then
    show(result.uri)
  end
end

--- `:WriteIt apply [new_file|replace|insert]`
---@param call writeit.Call
function M.apply(call)
  local mode = call.arguments[1]
  local of, offer = here_of.offered(call.buf, 'step.apply')
  if offer and not mode then -- a text that waits knows where it was to go
    apply(of.client, offer)
    return
  end
  local here = here_of.find_run(call.buf)
  apply(here.client, { runId = here.run_id, step = here.step, mode = mode })
end

function M.apply_offered(client, params)
  apply(client, params)
end

--- `:WriteIt restore`
---@param call writeit.Call
function M.restore(call)
  local of, offer = here_of.offered(call.buf, 'edit.restore')
  if offer then
    M.restore_offered(of.client, offer)
    return
  end
  local here = here_of.find_run(call.buf)
  M.restore_offered(here.client, { runId = here.run_id, step = here.step })
end

---@type table<writeit.Fate, string> Where she wrote over it, the server has said so.
local HINDRANCES = {
  locked = 'it may not be changed (nomodifiable).',
  typing = 'you were typing. Try again.',
}

function M.restore_offered(client, params)
  local fates = edit.watch()
  local result = client_of.execute(client, 'edit.restore', params)
  local path = disk.short(result.uri)
  if result.applied then
    local unsaved = disk.save(client, result.uri)
    if unsaved then
      error(unsaved, 0)
    end
    say.info(('%s is as it was before, with what you wrote since.'):format(path))
  elseif HINDRANCES[fates[result.uri]] then
    say.warn(('%s was not restored: %s'):format(path, HINDRANCES[fates[result.uri]]))
  end
end

local SUFFIX = { markdown = 'md', yaml = 'yaml', json = 'json' }

--- `:WriteIt export [markdown|yaml|json] [path]`
---@param call writeit.Call
function M.export(call)
  local here = here_of.find_run(call.buf)
  local format = call.arguments[1]
  local path = call.words:match('^%S+%s+(.+)$') -- it may have blanks
  if format and not SUFFIX[format] then
    error({
      message = ('%s is no format.'):format(format),
      hint = 'There are markdown, yaml and json.',
    }, 0)
  end
  format = format or 'markdown'
  M.export_offered(here.client, {
    runId = here.run_id,
    format = format,
    path = path or ('%s.%s'):format(format == 'markdown' and 'article' or 'run', SUFFIX[format]),
  })
end

function M.export_offered(client, params)
  local result = client_of.execute(client, 'run.export', params)
  say.info(('exported to %s.'):format(disk.short(result.uri)))
end

return M
