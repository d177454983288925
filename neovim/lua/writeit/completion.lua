-- Completion of the arguments of a verb. The server is asked, but only for a second.
local M = {}

local TIMEOUT = 1000 -- milliseconds

---@return vim.lsp.Client?, integer buf
local function current_client()
  local buf = require('writeit.targets').target_buffer(vim.api.nvim_get_current_buf())
  local root = require('writeit.server').root_of(buf)
  return root and require('writeit.rpc').find_client(root), buf
end

---@param command string
---@param params? table
---@return table?
local function execute_sync(command, params)
  local client, buf = current_client()
  local reply = client
    and client:request_sync('workspace/executeCommand', {
      command = 'writeit.' .. command,
      arguments = { params or vim.empty_dict() },
    }, TIMEOUT, buf)
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

---@return writeit.Pipeline[]
local function document_pipelines()
  local listed = (execute_sync('pipeline.list') or {}).pipelines or {}
  return vim.tbl_filter(function(pipeline)
    return pipeline.usable and pipeline.appliesTo == 'document'
  end, listed)
end

local function models()
  return field_of((execute_sync('model.list') or {}).models, 'id')
end

--- The run that a command given in the current buffer is about.
---@return string? run_id
local function current_run_id()
  local target = vim.b.writeit_target
  local name = vim.api.nvim_buf_get_name(0)
  local shown = target and target.run_id or require('writeit.view').parse_uri(name)
  local client, buf = current_client()
  return shown or client and require('writeit.targets').run_id_sync(client, buf, TIMEOUT)
end

---@return string[]
local function steps()
  local run_id = current_run_id()
  local run = run_id and execute_sync('run.show', { runId = run_id })
  local pipeline = run and execute_sync('pipeline.show', { pipeline = run.configurationId })
  return field_of(pipeline and pipeline.steps, 'name')
end

--- The branches and the steps of the current run.
---@return string[]
local function runs_and_steps()
  local run_id = current_run_id()
  local tree = run_id and execute_sync('run.tree', { runId = run_id })
  local runs = tree and require('writeit.verbs.compare').named_runs(tree) or {}
  local names = vim.tbl_map(function(run)
    return (run.name:gsub('[ |"\\]', '\\%0'))
  end, runs)
  return vim.list_extend(vim.list_extend(names, { 'last' }), steps())
end

---@type table<string, fun(before: string[]): string[]>
local candidates_by_verb = {
  start = function(before)
    local pipelines = document_pipelines()
    if not before[1] then
      return field_of(pipelines, 'name')
    end
    for _, pipeline in ipairs(pipelines) do
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
  compare = runs_and_steps,
  branch = steps,
  rewind = steps,
  key = function()
    return field_of((execute_sync('keys.list') or {}).providers, 'provider')
  end,
  primer = function()
    local usable = vim.tbl_filter(function(primer)
      return primer.usable
    end, (execute_sync('primer.list') or {}).primers or {})
    return vim.list_extend(field_of(usable, 'primerId'), { 'none' })
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
function M.candidates(verb, before)
  return candidates_by_verb[verb] and candidates_by_verb[verb](before) or {}
end

return M
