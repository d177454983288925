-- Code lenses: where the run stands and the likeliest next commands.
-- They are kept and drawn here: a line of six lenses would not fit the window, and
-- Neovim no longer keeps lenses of others since 0.12.
local config = require('writeit.config')
local task = require('writeit.task')
local user_input = require('writeit.user_input')

local M = {}

---@class writeit.Lenses
---@field client vim.lsp.Client
---@field list lsp.CodeLens[]

---@type table<integer, writeit.Lenses>
local lenses_by_buffer = {}

vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
  group = vim.api.nvim_create_augroup('writeit.code_lens', {}),
  callback = function(event)
    lenses_by_buffer[event.buf] = nil
  end,
})

local namespace = vim.api.nvim_create_namespace('writeit.code_lens')

---@param buf integer
---@return boolean
local function is_view(buf)
  return vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit:')
end

--- The width of a buffer's window in columns.
---@param buf integer
---@return integer
local function width_of(buf)
  local win = vim.fn.win_findbuf(buf)[1]
  return win and vim.api.nvim_win_get_width(win) or 80
end

--- Titles as virtual lines of at most `width` columns: Neovim does not wrap these.
---@param titles string[]
---@param width integer
---@return [string, string][][]
local function wrap_titles(titles, width)
  local lines, line = {}, '▸ ' .. titles[1]
  for index = 2, #titles do
    local longer = line .. ' · ' .. titles[index]
    if vim.fn.strdisplaywidth(longer) > width then
      lines[#lines + 1] = { { line, 'LspCodeLens' } }
      line = '▸ ' .. titles[index]
    else
      line = longer
    end
  end
  lines[#lines + 1] = { { line, 'LspCodeLens' } }
  return lines
end

--- The extmark of a line's lenses. In the document it shows only the state, at the end of
--- the line; in a view it shows all commands below the heading.
---@param buf integer
---@param lenses lsp.CodeLens[]
---@return vim.api.keyset.set_extmark?
local function extmark_of(buf, lenses)
  if not is_view(buf) then
    return {
      virt_text = { { '  ' .. lenses[1].command.title, 'LspCodeLens' } },
      virt_text_pos = 'eol',
      hl_mode = 'combine',
    }
  end
  local titles = {}
  for _, lens in ipairs(lenses) do
    if not vim.startswith(lens.command.title, 'WriteIt: ') then -- the page shows the state
      titles[#titles + 1] = lens.command.title
    end
  end
  return #titles > 0 and { virt_lines = wrap_titles(titles, width_of(buf)) } or nil
end

---@param buf integer
---@param lenses lsp.CodeLens[]
local function draw(buf, lenses)
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  local by_row = {} ---@type table<integer, lsp.CodeLens[]>
  for _, lens in ipairs(lenses) do
    local row = lens.range.start.line
    if lens.command and row < vim.api.nvim_buf_line_count(buf) then
      by_row[row] = by_row[row] or {}
      table.insert(by_row[row], lens)
    end
  end
  for row, row_lenses in pairs(by_row) do
    local extmark = extmark_of(buf, row_lenses)
    if extmark then
      vim.api.nvim_buf_set_extmark(buf, namespace, row, 0, extmark)
    end
  end
end

--- Keep a buffer's lenses. Before 0.12 they are also saved in Neovim, so that
--- `vim.lsp.codelens.run()` knows them.
---@param client vim.lsp.Client
---@param buf integer
---@param list lsp.CodeLens[]
local function store(client, buf, list)
  lenses_by_buffer[buf] = { client = client, list = list }
  if not vim.lsp.codelens.enable then
    vim.lsp.codelens.save(list, buf, client.id)
  end
end

--- Request a buffer's lenses and draw them.
---@param client vim.lsp.Client
---@param buf integer
function M.refresh(client, buf)
  if not config.get('lenses') or not vim.api.nvim_buf_is_loaded(buf) then
    return
  end
  local params = { textDocument = vim.lsp.util.make_text_document_params(buf) }
  client:request('textDocument/codeLens', params, function(err, lenses)
    if err or not vim.api.nvim_buf_is_loaded(buf) then
      return
    end
    store(client, buf, lenses or {})
    draw(buf, lenses or {})
    vim.cmd.redrawstatus({ bang = true })
    vim.cmd.redrawtabline()
  end, buf)
end

--- Refresh the lenses of every buffer of a client.
---@param id integer
function M.refresh_all(id)
  local client = vim.lsp.get_client_by_id(id)
  for buf in pairs(client and client.attached_buffers or {}) do
    M.refresh(client, buf)
  end
end

--- The title of the lens that says where a document's run stands, "" if there is none.
---@param buf integer
---@return string
function M.state(buf)
  for _, lens in ipairs(lenses_by_buffer[buf] and lenses_by_buffer[buf].list or {}) do
    if lens.command and lens.command.title:match('^WriteIt: ') then
      return lens.command.title
    end
  end
  return ''
end

--- The URI of a link reference like `[draft]` in a line of a view.
---@param line string
---@return string?
local function link_uri(line)
  local name = line:match('%[([%w_%-]+)%]')
  for _, other in ipairs(name and vim.api.nvim_buf_get_lines(0, 0, -1, false) or {}) do
    local uri = other:match('^%[' .. vim.pesc(name) .. '%]: (writeit:.*)$')
    if uri then
      return uri
    end
  end
end

--- The lenses of a row that run a command.
---@param buf integer
---@param row integer From 0.
---@return lsp.CodeLens[]
local function lenses_at(buf, row)
  return vim.tbl_filter(function(lens)
    return lens.command ~= nil and lens.range.start.line == row
  end, lenses_by_buffer[buf] and lenses_by_buffer[buf].list or {})
end

--- Run the only lens of a row, or the one that the user selects.
---@param buf integer
---@param lenses lsp.CodeLens[]
local function run(buf, lenses)
  local client = lenses_by_buffer[buf].client
  task.spawn(function()
    local lens = #lenses == 1 and lenses[1]
      or user_input.select(lenses, 'Code lenses', function(item)
        return item.command.title
      end)
    client:exec_cmd(lens.command, { bufnr = buf })
  end)
end

--- Follow the link of the current line, or run its lens; else list the actions.
function M.follow_line()
  require('writeit.window').note_act()
  local uri = link_uri(vim.api.nvim_get_current_line())
  local client = vim.lsp.get_clients({ name = 'writeit', bufnr = 0 })[1]
  if uri and client then
    require('writeit.view').show(client, uri, true)
    return
  end
  local buf = vim.api.nvim_get_current_buf()
  local lenses = lenses_at(buf, vim.api.nvim_win_get_cursor(0)[1] - 1)
  if #lenses > 0 then
    run(buf, lenses)
  else
    vim.cmd.WriteIt()
  end
end

return M
