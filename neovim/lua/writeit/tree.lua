-- The family of a run as a buffer: <CR> opens a run, b branches it, d compares it with
-- the run it came from, a makes it the one that commands in the article are about.
local client_of = require('writeit.client')
local say = require('writeit.say')
local task = require('writeit.task')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.Row
---@field run_id string
---@field parent? string
---@field branch_point? string
---@field deleted boolean

---@param node writeit.Tree
---@return string
local function words(node)
  local parts = {}
  if node.branchPoint then
    parts[1] = 'from ' .. node.branchPoint .. (node.name and ': ' .. node.name or '')
  else
    parts[1] = node.name or node.title
  end
  parts[2] = node.deleted and 'deleted' or node.statusText
  return table.concat(parts, ' · ')
end

--- The lines of a family, and the run of each.
---@param root writeit.Tree
---@param here string The run that is marked.
---@return string[] lines, writeit.Row[] rows
function M.render(root, here)
  local lines, rows = {}, {}
  local function add(node, lead, branch, parent)
    local mark = node.runId == here and '  ← this run' or ''
    lines[#lines + 1] = lead .. branch .. words(node) .. mark
    rows[#rows + 1] = {
      run_id = node.runId,
      parent = parent,
      branch_point = node.branchPoint,
      deleted = node.deleted,
    }
    local below = lead .. (branch == '├─ ' and '│  ' or branch == '└─ ' and '   ' or '')
    for index, child in ipairs(node.children) do
      add(child, below, index == #node.children and '└─ ' or '├─ ', node.runId)
    end
  end
  add(root, '', '', nil)
  return lines, rows
end

---@param rows writeit.Row[]
---@return writeit.Row
local function row_here(rows)
  local row = rows[vim.api.nvim_win_get_cursor(0)[1] - 2]
  if not row or row.deleted then
    error({ message = 'there is no run on this line.' }, 0)
  end
  return row
end

---@type table<string, { what: string, act: fun(client: vim.lsp.Client, row: writeit.Row) }>
local keys = {
  ['<CR>'] = {
    what = 'open',
    act = function(client, row)
      view.show(client, ('writeit:/run/%s.md'):format(row.run_id))
    end,
  },
  b = {
    what = 'branch',
    act = function(client, row)
      local about = { client = client, run_id = row.run_id, buf = 0 }
      local step = require('writeit.verbs.family').branch_point(about)
      client_of.execute(client, 'run.branch', { runId = row.run_id, step = step })
      M.open({ client = client, run_id = row.run_id, buf = 0 })
      say.info(('branched at %s; it is the run of the article now.'):format(step))
    end,
  },
  d = {
    what = 'compare with where it came from',
    act = function(client, row)
      if not row.parent then
        error({ message = 'this run did not branch off another.' }, 0)
      end
      require('writeit.verbs.family').diff(
        client,
        { runId = row.parent, step = row.branch_point },
        { runId = row.run_id, step = row.branch_point }
      )
    end,
  },
  a = {
    what = 'go on with',
    act = function(client, row)
      client_of.execute(client, 'session.activate', { runId = row.run_id })
      M.open({ client = client, run_id = row.run_id, buf = 0 })
      say.info('commands in the article are about this run now.')
    end,
  },
}

---@param root string
---@return integer
local function buffer(root)
  local name = 'writeit-tree:/' .. root
  local buf = vim.fn.bufadd(name)
  if not vim.api.nvim_buf_is_loaded(buf) then
    vim.fn.bufload(buf)
    window.own(buf)
    vim.bo[buf].filetype = 'writeit-tree'
  end
  return buf
end

---@param here writeit.HereRun
function M.open(here)
  local client = here.client
  local root = client_of.execute(client, 'run.tree', { runId = here.run_id })
  local lines, rows = M.render(root, here.run_id)
  local buf = buffer(client.root_dir)
  vim.b[buf].writeit_root = client.root_dir
  vim.b[buf].writeit_about = { run_id = here.run_id }
  local help = '<CR> open · b branch · d compare · a go on with'
  window.fill(buf, table.concat(vim.list_extend({ help, '' }, lines), '\n') .. '\n')
  for key, what in pairs(keys) do
    vim.keymap.set('n', key, function()
      task.enqueue(client.root_dir, what.what, function()
        what.act(client, row_here(rows))
      end)
    end, { buffer = buf, nowait = true, desc = 'WriteIt: ' .. what.what })
  end
  local win = window.show(buf, true)
  for index, row in ipairs(rows) do
    if row.run_id == here.run_id then
      vim.api.nvim_win_set_cursor(win, { index + 2, 0 })
    end
  end
end

return M
