-- The branches of a run as a buffer, then the runs about passages of its documents:
-- <CR> opens a run, b branches it, d compares it with
-- this run, or this run with the one it branched off; a makes it the document's active run.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local task = require('writeit.task')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

local HELP = '<CR> open · b branch · d compare with * · a make active'
local HEADER_LINES = 2 -- lines above the first run

---@class writeit.RunTreeRow
---@field run_id string
---@field parent? string
---@field deleted boolean
---@field is_passage boolean Whether it is about a passage of the tree's documents.

---@param node writeit.RunTree
---@return string
local function label(node)
  local title
  if node.branchPoint then
    title = 'from ' .. node.branchPoint .. (node.name and ': ' .. node.name or '')
  else
    title = node.label
  end
  local state = node.deleted and 'deleted' or node.statusText
  local cost = node.costUsd and not node.isBlind and (' · $%.2f'):format(node.costUsd) or ''
  return ('%s · %s · %s%s'):format(title, state, node.createdAt:sub(1, 10), cost)
end

--- The lines of a tree, and the run of each.
---@param root writeit.RunTree
---@param current string The run that is marked.
---@return string[] lines, writeit.RunTreeRow[] rows
local function render(root, current)
  local lines, rows = {}, {}
  local function add(node, indent, branch, parent, is_passage)
    local mark = node.runId == current and '* ' or '  '
    lines[#lines + 1] = mark .. indent .. branch .. label(node)
    rows[#rows + 1] = {
      run_id = node.runId,
      parent = parent,
      deleted = node.deleted,
      is_passage = is_passage,
    }
    local below = indent .. (branch == '├─ ' and '│  ' or branch == '└─ ' and '   ' or '')
    local count = #node.children + #node.passages
    for index, child in ipairs(vim.list_extend(vim.list_slice(node.children), node.passages)) do
      local is_branch = index <= #node.children
      local line = index == count and '└─ ' or '├─ '
      add(child, below, line, is_branch and node.runId or nil, is_passage or not is_branch)
    end
  end
  add(root, '', '', nil, false)
  return lines, rows
end

---@param rows writeit.RunTreeRow[]
---@return writeit.RunTreeRow
local function current_row(rows)
  local row = rows[vim.api.nvim_win_get_cursor(0)[1] - HEADER_LINES]
  if not row or row.deleted then
    error({ message = 'This line has no run that can be opened.' }, 0)
  end
  return row
end

---@class writeit.RunTreeKey
---@field name string
---@field run fun(client: vim.lsp.Client, row: writeit.RunTreeRow, shown: string)

---@type table<string, writeit.RunTreeKey>
local keys = {
  ['<CR>'] = {
    name = 'open',
    run = function(client, row)
      view.show(client, ('writeit:/run/%s.md'):format(row.run_id))
    end,
  },
  b = {
    name = 'branch',
    run = function(client, row)
      local target = { client = client, run_id = row.run_id, buf = 0 }
      local step = require('writeit.verbs.runs').select_branch_point(target)
      rpc.execute(client, 'run.branch', { runId = row.run_id, step = step })
      M.open(target)
      notify.info(("Branched at %s. The branch is now the document's active run."):format(step))
    end,
  },
  d = {
    name = 'compare',
    run = function(client, row, shown)
      local is_related = row.run_id ~= shown and not row.is_passage
      local other = is_related and shown or row.parent
      if not other then
        error({
          message = 'This is the original run.',
          hint = 'Press d on the branch to compare it with.',
        }, 0)
      end
      local ids = { row.run_id, other }
      table.sort(ids) -- the older run is on the left
      require('writeit.verbs.compare').open_runs(client, ids[1], ids[2])
    end,
  },
  a = {
    name = 'make active',
    run = function(client, row)
      rpc.execute(client, 'session.activate', { runId = row.run_id })
      M.open({ client = client, run_id = row.run_id, buf = 0 })
      notify.info("This is now the document's active run.")
    end,
  },
}

---@param run_id string
---@return integer
local function ensure_buffer(run_id)
  local name = 'writeit-tree:/' .. run_id
  local buf = vim.fn.bufnr(name)
  if buf == -1 then
    buf = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buf, name)
    window.set_up_buffer(buf)
    vim.bo[buf].filetype = 'writeit-tree'
    vim.b[buf].writeit_title = 'branches'
  end
  return buf
end

---@param target writeit.RunTarget
function M.open(target)
  local client = target.client
  local root = rpc.execute(client, 'run.tree', { runId = target.run_id })
  local lines, rows = render(root, target.run_id)
  local buf = ensure_buffer(target.run_id)
  vim.b[buf].writeit_root = client.root_dir
  vim.b[buf].writeit_target = { run_id = target.run_id }
  window.set_text(buf, table.concat(vim.list_extend({ HELP, '' }, lines), '\n') .. '\n')
  for key, action in pairs(keys) do
    vim.keymap.set('n', key, function()
      window.note_act()
      task.enqueue(client.root_dir, action.name, function()
        action.run(client, current_row(rows), target.run_id)
      end)
    end, { buffer = buf, nowait = true, desc = 'WriteIt: ' .. action.name })
  end
  local win = window.show(buf, true)
  for index, row in ipairs(rows) do
    if row.run_id == target.run_id then
      vim.api.nvim_win_set_cursor(win, { index + HEADER_LINES, 0 })
    end
  end
end

return M
