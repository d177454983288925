-- Code lenses: where the run stands and what is likeliest next, at the end of the line.
-- We keep and draw them ourselves: a line of six lenses would run out of the window, and
-- Neovim keeps no lenses of others since 0.12.
local ask = require('writeit.ask')
local config = require('writeit.config')
local task = require('writeit.task')

local M = {}

---@class writeit.Lenses
---@field client vim.lsp.Client
---@field list lsp.CodeLens[]

---@type table<integer, writeit.Lenses> By buffer.
local known = {}

vim.api.nvim_create_autocmd({ 'BufUnload', 'BufWipeout' }, {
  group = vim.api.nvim_create_augroup('writeit.lens', {}),
  callback = function(event)
    known[event.buf] = nil
  end,
})

local drawn = vim.api.nvim_create_namespace('writeit.lens')

---@param buf integer
---@return boolean
local function is_view(buf)
  return vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit:')
end

--- The columns that a line of a buffer has on the screen.
---@param buf integer
---@return integer
local function width_of(buf)
  local win = vim.fn.win_findbuf(buf)[1]
  return win and vim.api.nvim_win_get_width(win) or 80
end

--- Titles in as many virtual lines as they need: these do not wrap by themselves.
---@param titles string[]
---@param width integer
---@return [string, string][][]
local function lines_of(titles, width)
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

--- What is drawn for a line: in the article the state alone, beside it; in a view what
--- can be done, below the heading, where there is room for it.
---@param buf integer
---@param lenses lsp.CodeLens[]
---@return vim.api.keyset.set_extmark?
local function drawing(buf, lenses)
  if not is_view(buf) then
    return {
      virt_text = { { '  ' .. lenses[1].command.title, 'LspCodeLens' } },
      virt_text_pos = 'eol',
      hl_mode = 'combine',
    }
  end
  local titles = {}
  for _, lens in ipairs(lenses) do
    if not vim.startswith(lens.command.title, 'WriteIt: ') then -- the page itself says it
      titles[#titles + 1] = lens.command.title
    end
  end
  return #titles > 0 and { virt_lines = lines_of(titles, width_of(buf)) } or nil
end

---@param buf integer
---@param lenses lsp.CodeLens[]
local function draw(buf, lenses)
  vim.api.nvim_buf_clear_namespace(buf, drawn, 0, -1)
  local by_line = {} ---@type table<integer, lsp.CodeLens[]>
  for _, lens in ipairs(lenses) do
    local row = lens.range.start.line
    if lens.command and row < vim.api.nvim_buf_line_count(buf) then
      by_line[row] = by_line[row] or {}
      table.insert(by_line[row], lens)
    end
  end
  for row, some in pairs(by_line) do
    local options = drawing(buf, some)
    if options then
      vim.api.nvim_buf_set_extmark(buf, drawn, row, 0, options)
    end
  end
end

--- Keep a buffer's lenses. Before 0.12 Neovim is told, so that `vim.lsp.codelens.run()`
--- knows them, too.
---@param client vim.lsp.Client
---@param buf integer
---@param list lsp.CodeLens[]
local function keep(client, buf, list)
  known[buf] = { client = client, list = list }
  if not vim.lsp.codelens.enable then
    vim.lsp.codelens.save(list, buf, client.id)
  end
end

--- Ask for a buffer's lenses and draw them.
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
    keep(client, buf, lenses or {})
    draw(buf, lenses or {})
    vim.cmd.redrawstatus({ bang = true })
    vim.cmd.redrawtabline()
  end, buf)
end

--- Ask anew for the lenses of every buffer of a client.
---@param id integer
function M.refresh_all(id)
  local client = vim.lsp.get_client_by_id(id)
  for buf in pairs(client and client.attached_buffers or {}) do
    M.refresh(client, buf)
  end
end

--- The lens of a document's first line: the state of its run in words.
---@param buf integer
---@return string
function M.state(buf)
  for _, lens in ipairs(known[buf] and known[buf].list or {}) do
    if lens.command and lens.command.title:match('^WriteIt: ') then
      return lens.command.title
    end
  end
  return ''
end

--- The address behind a reference like `[draft]` in a line of a view.
---@param line string
---@return string?
local function address(line)
  local name = line:match('%[([%w_%-]+)%]')
  for _, other in ipairs(name and vim.api.nvim_buf_get_lines(0, 0, -1, false) or {}) do
    local uri = other:match('^%[' .. vim.pesc(name) .. '%]: (writeit:.*)$')
    if uri then
      return uri
    end
  end
end

--- The lenses of a row that do something.
---@param buf integer
---@param row integer From 0.
---@return lsp.CodeLens[]
local function on_row(buf, row)
  return vim.tbl_filter(function(lens)
    return lens.command ~= nil and lens.range.start.line == row
  end, known[buf] and known[buf].list or {})
end

--- Do what the lenses of a row say: the only one, else the one she picks.
---@param buf integer
---@param lenses lsp.CodeLens[]
local function run(buf, lenses)
  local client = known[buf].client
  task.spawn(function()
    local lens = #lenses == 1 and lenses[1]
      or ask.select(lenses, 'Code lenses', function(one)
        return one.command.title
      end)
    client:exec_cmd(lens.command, { bufnr = buf })
  end)
end

--- In a view: what the line leads to, or its lens, else everything that fits.
function M.run_or_offer()
  local uri = address(vim.api.nvim_get_current_line())
  local client = vim.lsp.get_clients({ name = 'writeit', bufnr = 0 })[1]
  if uri and client then
    require('writeit.view').show(client, uri, true)
    return
  end
  local buf = vim.api.nvim_get_current_buf()
  local lenses = on_row(buf, vim.api.nvim_win_get_cursor(0)[1] - 1)
  if #lenses > 0 then
    run(buf, lenses)
  else
    vim.cmd.WriteIt()
  end
end

return M
