-- What can stand behind a verb. The server is asked, but not for long: a list that is
-- late is no list.
local M = {}

local PATIENCE = 1000

---@return vim.lsp.Client?, integer buf
local function client_here()
  local here_of, client_of = require('writeit.here'), require('writeit.client')
  local buf = here_of.subject(vim.api.nvim_get_current_buf())
  local root = require('writeit.server').root_of(buf)
  return root and client_of.of_root(root), buf
end

---@param command string
---@param params? table
---@return table?
local function ask(command, params)
  local client, buf = client_here()
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

--- The run that a command given here is about.
---@return string? run_id
local function run_here()
  local about = vim.b.writeit_about
  local name = vim.api.nvim_buf_get_name(0)
  local shown = about and about.run_id or require('writeit.view').about(name)
  local client, buf = client_here()
  return shown or client and require('writeit.here').run_at_once(client, buf, PATIENCE)
end

---@return string[]
local function steps()
  local run_id = run_here()
  local run = run_id and ask('run.show', { runId = run_id })
  local pipeline = run and ask('pipeline.show', { pipeline = run.configurationId })
  return field_of(pipeline and pipeline.steps, 'name')
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
