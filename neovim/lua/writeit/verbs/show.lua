-- Verbs that show something: the bare command, open, search, preview, usage.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')
local view = require('writeit.view')

local M = {}

--- `:WriteIt` without a verb: select one of the server's code actions.
---@param call writeit.Call
function M.show_actions(call)
  local target = targets.find(call.buf)
  local span = call.span or target.buf == call.buf and call.cursor or nil
  local range = span and require('writeit.verbs.generate').to_lsp_range(target, span)
  local actions = targets.code_actions(target, range)
  if #actions == 0 then
    notify.info('No actions here. Start a run on a markdown file with :WriteIt start.')
    return
  end
  local action = user_input.select(actions, 'WriteIt', function(item)
    return (item.title:gsub('^WriteIt: ', ''))
  end)
  target.client:exec_cmd(action.command, { bufnr = target.buf })
end

--- `:WriteIt open`: the view of the current step, or of the run if the step has not
--- started.
---@param call writeit.Call
function M.open(call)
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  local has_started = step.startedAt or step.isDone
  local uri = has_started and view.step_uri(target.run_id, step.stepName)
    or ('writeit:/run/%s.md'):format(target.run_id)
  view.show(target.client, uri, true)
end

--- Open a view; a comparison is shown in Neovim's diff mode.
function M.view_command(client, params)
  if params.view == 'compare' then
    require('writeit.verbs.compare').open(client, params.left, params.right)
  else
    rpc.execute(client, 'view.open', params)
  end
end

---@param hit { title: string, step?: string, in: string, excerpt: string }
---@return string
local function format_hit(hit)
  local place = vim.fn.strcharpart(hit.title, 0, 24)
  return ('%s · %s  %s'):format(place, hit.step or hit['in'], hit.excerpt)
end

--- `:WriteIt search WORDS`: select a text, and open its page at the line.
---@param call writeit.Call
function M.search(call)
  local client = targets.find(call.buf).client
  local words = call.words ~= '' and call.words or user_input.input('Search all runs: ')
  local page = rpc.execute(client, 'search', { text = words })
  while #page.hits == 0 and type(page.next) == 'string' do
    page = rpc.execute(client, 'search', { text = words, cursor = page.next })
  end
  if #page.hits == 0 then
    local suffix = page.partial and ' yet: the runs are still being indexed.' or '.'
    notify.info('Nothing was found' .. suffix)
    return
  end
  local hit = user_input.select(page.hits, 'Search', format_hit)
  local position = { line = hit.line, character = 0 }
  if not vim.startswith(hit.uri, 'writeit:') then
    local location = { uri = hit.uri, range = { start = position, ['end'] = position } }
    vim.lsp.util.show_document(location, client.offset_encoding, { focus = true })
    return
  end
  view.show(client, hit.uri, true, hit.line)
end

--- `:WriteIt preview`
---@param call writeit.Call
function M.preview(call)
  local target = targets.find_run(call.buf)
  local step = target.step or targets.run(target).currentStep
  rpc.execute(target.client, 'view.open', { view = 'prompt', runId = target.run_id, step = step })
end

--- `:WriteIt usage`
---@param call writeit.Call
function M.usage(call)
  rpc.execute(targets.find(call.buf).client, 'view.open', { view = 'usage' })
end

return M
