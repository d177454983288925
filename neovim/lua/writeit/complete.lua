-- What can stand behind a verb. The server is asked, but not for long: a list that is
-- late is no list.
local M = {}

local PATIENCE = 1000

---@param command string
---@param params? table
---@return table?
local function ask(command, params)
  local here_of, client_of = require('writeit.here'), require('writeit.client')
  local buf = here_of.subject(vim.api.nvim_get_current_buf())
  local root = require('writeit.server').root_of(buf)
  local client = root and client_of.of_root(root)
  local reply = client
    and client:request_sync('workspace/executeCommand', {
      command = 'writeit.' .. command,
      arguments = { params or vim.empty_dict() },
    }, PATIENCE, buf)
  return reply and reply.result
end

---@param list? table[]
---@param field string
---@return string[]
local function field_of(list, field)
  return vim.tbl_map(function(item)
    return item[field]
  end, list or {})
end

local function pipelines(kind)
  local listed = (ask('pipeline.list') or {}).pipelines or {}
  return vim.tbl_filter(function(pipeline)
    return pipeline.appliesTo == kind
  end, listed)
end

local function models()
  return field_of((ask('model.list') or {}).models, 'id')
end

---@return string[]
local function steps()
  local about = vim.b.writeit_about
  local name = vim.api.nvim_buf_get_name(0)
  local run_id = about and about.run_id or require('writeit.view').about(name)
  if not run_id then
    local session = ask('session.show')
    run_id = session and session.activePipelineRunId
  end
  local run = run_id and ask('run.show', { runId = run_id })
  return run and vim.tbl_keys(run.steps) or {}
end

---@type table<string, fun(before: string[]): string[]>
local lists = {
  start = function(before)
    local known = pipelines('document')
    if not before[1] then
      return field_of(known, 'name')
    end
    for _, pipeline in ipairs(known) do
      if pipeline.name == before[1] then
        return vim.tbl_map(function(input)
          return input.name .. '='
        end, pipeline.inputs)
      end
    end
    return {}
  end,
  next = models,
  model = models,
  branch = steps,
  rewind = steps,
  key = function()
    return field_of((ask('keys.list') or {}).providers, 'provider')
  end,
  primer = function()
    return field_of((ask('primer.list') or {}).primers, 'primerId')
  end,
  export = function()
    return { 'markdown', 'yaml', 'json' }
  end,
  apply = function()
    return { 'new_file', 'replace', 'insert' }
  end,
}

---@param verb string
---@param before string[] The arguments in front of the one that is completed.
---@return string[]
function M.of(verb, before)
  return lists[verb] and lists[verb](before) or {}
end

return M
