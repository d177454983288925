-- Two texts beside each other in Neovim's own diff mode, in a tab page of their own. Only
-- the texts: where each came from is in its view. Her document is shown itself, so that
-- she can take from the other side what she likes.
local client_of = require('writeit.client')
local window = require('writeit.window')

local M = {}

---@class writeit.Side
---@field runId string
---@field step string
---@field response? integer|string An index from 0, an id, 'document' as it is now,
--- 'proposed' as the text makes it, or nil for what was handed on.

---@class writeit.Compared
---@field text string
---@field title string
---@field buf? integer Of her document, if that is what is compared.

---@param step writeit.Step
---@param response integer|string
---@return integer? index From 1.
local function index_of(step, response)
  for index, answer in ipairs(step.aiResponses) do
    if response == index - 1 or response == answer.responseId then
      return index
    end
  end
end

--- The view of a document and of what a step's text makes of it.
---@param about { runId: string, step: string }
---@return string uri
function M.page_of(about)
  local place = ('%s/%s'):format(about.runId, about.step)
  return ('writeit:/compare/%s/document/%s/proposed.md'):format(place, place)
end

--- The two sides that a view of a comparison names.
---@param name string
---@return writeit.Side? left, writeit.Side? right
function M.sides_of(name)
  local parts = vim.split(name:match('^writeit:/+compare/(.+)%.md$') or '', '/')
  local function side(first)
    return { runId = parts[first], step = parts[first + 1], response = parts[first + 2] }
  end
  if #parts == 6 then
    return side(1), side(4)
  end
end

--- The body of a document as it is now, and as a step's text makes it: that has its words
--- wherever the two contradict each other.
---@param client vim.lsp.Client
---@param about { runId: string, step: string }
---@return string hers, string proposed
function M.texts_of(client, about)
  local reply = client_of.execute(client, 'view.read', { uri = M.page_of(about) })
  local lines = vim.split(reply.text:gsub('\r\n?', '\n'), '\n', { plain = true })
  local texts = {}
  for _, section in ipairs(reply.sections) do
    local those = vim.list_slice(lines, section.firstLine + 1, section.lastLine + 1)
    texts[section.kind] = table.concat(those, '\n')
  end
  return texts.left, texts.right
end

--- What stands before a text in a buffer: the server compares without front matter. None
--- if she has typed on, and the text is no longer there.
---@param buf integer
---@param body string
---@return string?
local function ahead_of(buf, body)
  local all = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
  all, body = all:gsub('%s+$', ''), body:gsub('%s+$', '')
  return vim.endswith(all, body) and all:sub(1, #all - #body) or nil
end

--- A side that is her document, or what a step's text makes of it.
---@param client vim.lsp.Client
---@param side writeit.Side
---@param run writeit.Run
---@return writeit.Compared
local function of_document(client, side, run)
  local hers, proposed = M.texts_of(client, side)
  local buf = vim.uri_to_bufnr(run.uri)
  vim.fn.bufload(buf)
  local ahead = ahead_of(buf, hers)
  if side.response == 'document' then
    return { text = hers, title = 'your text', buf = ahead and buf }
  end
  return { text = (ahead or '') .. proposed, title = ('with the text of %s'):format(side.step) }
end

--- The text of a side, and what to call it.
---@param client vim.lsp.Client
---@param side writeit.Side
---@return writeit.Compared
local function compared(client, side)
  local run = client_of.execute(client, 'run.show', { runId = side.runId })
  local step = run.steps[side.step]
  if side.response == 'document' or side.response == 'proposed' then
    return of_document(client, side, run)
  elseif side.response == nil or side.response == 'content' then
    return { text = step.content or '', title = ('%s, as it was handed on'):format(side.step) }
  end
  local index = index_of(step, side.response)
  if not index then
    error({ message = ('%s has no such answer.'):format(side.step) }, 0)
  end
  local answer = step.aiResponses[index]
  local model = ('%s/%s'):format(answer.provider, answer.modelName)
  return {
    text = answer.processedContent,
    title = ('%s, answer %d, %s'):format(side.step, index, model),
  }
end

---@param text string
---@param title string
---@return integer
local function buffer(text, title)
  local buf = vim.api.nvim_create_buf(false, true)
  local name = 'writeit-compared:/' .. title:gsub(', [^ ]*/.*', '')
  if not pcall(vim.api.nvim_buf_set_name, buf, name) then
    vim.api.nvim_buf_set_name(buf, name .. ', too') -- the same step of another run
  end
  window.own(buf)
  vim.bo[buf].bufhidden = 'wipe'
  window.as_markdown(buf)
  window.fill(buf, text)
  vim.keymap.set(
    'n',
    'q',
    vim.cmd.tabclose,
    { buffer = buf, nowait = true, desc = 'WriteIt: close' }
  )
  return buf
end

--- Show a text, or her own buffer, in a window that is split off.
---@param how string The command's modifiers.
---@param one writeit.Compared
---@return integer win
local function show(how, one)
  local kept = vim.o.switchbuf
  vim.o.switchbuf = '' -- her document is shown in another window already
  vim.cmd(('%s sbuffer %d'):format(how, one.buf or buffer(one.text, one.title)))
  vim.o.switchbuf = kept
  return vim.api.nvim_get_current_win()
end

--- A window of her own document is hers again when the comparison is closed.
---@param win integer
---@param other integer
local function give_back(win, other)
  vim.api.nvim_create_autocmd('WinClosed', {
    pattern = { tostring(win), tostring(other) },
    once = true,
    callback = function()
      if vim.api.nvim_win_is_valid(win) then
        vim.api.nvim_win_call(win, vim.cmd.diffoff)
        vim.wo[win][0].statusline = ''
      end
    end,
  })
end

---@param win integer
---@param one writeit.Compared
---@param hint string
local function furnish(win, one, hint)
  vim.api.nvim_win_call(win, vim.cmd.diffthis)
  local options = vim.wo[win][0]
  options.wrap, options.linebreak, options.foldenable = true, true, false
  options.statusline = (' %s%%=%s '):format((one.title:gsub('%%', '%%%%')), hint)
  if not one.buf then
    options.number, options.relativenumber = false, false
  end
end

--- Compare, in a task.
---@param client vim.lsp.Client
---@param left writeit.Side
---@param right writeit.Side
function M.open(client, left, right)
  local one, other = compared(client, left), compared(client, right)
  local first = show('tab', one)
  local second = show('rightbelow vertical', other)
  furnish(first, one, one.buf and 'do takes a place over' or 'q closes')
  furnish(second, other, one.buf and 'dp puts a place in · q closes' or 'q closes')
  if one.buf then
    give_back(first, second)
  end
end

return M
