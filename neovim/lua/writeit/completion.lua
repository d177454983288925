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

---@return string[]
local function models()
  local ids = field_of((execute_sync('model.list') or {}).models, 'id')
  return vim.list_extend({ 'samples=' }, ids)
end

---@return string[]
local function providers()
  return field_of((execute_sync('keys.list') or {}).providers, 'provider')
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

---@return writeit.Run?
local function current_run()
  local run_id = current_run_id()
  return run_id and execute_sync('run.show', { runId = run_id })
end

--- The names of the answers of the step that a command is about.
---@param list? 'aiResponses'|'streaming'
---@return string[]
local function numbers(list)
  local run = current_run()
  local _, step = require('writeit.view').parse_uri(vim.api.nvim_buf_get_name(0))
  step = (vim.b.writeit_target or {}).step or step
  local shown = run and (run.steps[step] or run.steps[run.currentStep])[list or 'aiResponses']
  local found = vim.tbl_map(require('writeit.targets').answer_name, shown or {})
  table.sort(found, function(left, right)
    return ('%9s'):format(left) < ('%9s'):format(right)
  end)
  return found
end

---@return string[]
local function steps()
  local run = current_run()
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

--- A pipeline; after it its inputs and the models.
---@param before string[]
---@return string[]
local function start(before)
  local pipelines = document_pipelines()
  for _, pipeline in ipairs(pipelines) do
    if pipeline.name == before[1] then
      local inputs = vim.tbl_map(function(input)
        return input.name .. '='
      end, pipeline.inputs)
      return vim.list_extend(inputs, models())
    end
  end
  return before[1] and {} or field_of(pipelines, 'name')
end

---@param before string[]
---@return string[]
local function first_number(before)
  return before[1] and {} or numbers()
end

---@type table<string, fun(before: string[]): string[]>
local candidates_by_verb = {
  start = start,
  review = start,
  go = function(before)
    return current_run_id() and first_number(before) or start(before)
  end,
  choose = first_number,
  edit = first_number,
  continue = first_number,
  rate = function(before)
    return before[1] and numbers() or { '0', '1', '2', '3', '4', '5' }
  end,
  stop = function()
    return numbers('streaming')
  end,
  next = models,
  model = function(before)
    if before[1] == 'add' then
      return before[2] and {} or providers()
    end
    return vim.list_extend(before[1] and steps() or { 'add' }, models())
  end,
  preferences = function(before)
    return require('writeit.verbs.preferences').candidates(before[1])
  end,
  compare = function()
    return vim.list_extend(runs_and_steps(), numbers())
  end,
  mv = function()
    return vim.fn.getcompletion('', 'file')
  end,
  branch = steps,
  rewind = steps,
  key = providers,
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
