-- Two texts side by side in Neovim's diff mode, in a tab page of their own. The user's
-- document is shown in its own buffer, so that changes can be taken into it.
local document = require('writeit.document')
local rpc = require('writeit.rpc')
local targets = require('writeit.targets')
local view = require('writeit.view')
local window = require('writeit.window')

local M = {}

---@class writeit.Side
---@field runId string
---@field step string
---@field response? integer|string An index from 0, an id, 'document' for the document as
--- it is now, 'proposed' for the document with the step's text applied, or nil for the
--- step's chosen text.

---@class writeit.SideText
---@field text string
---@field title string
---@field buf? integer Of the user's document, if that is what is compared.

--- What a run is called among its branches.
---@param run writeit.Run|writeit.RunTree
---@return string
function M.run_label(run)
  return run.name or run.branchPoint and 'run from ' .. run.branchPoint or 'first run'
end

---@param step writeit.Step
---@param response integer|string
---@return writeit.Answer?
local function find_answer(step, response)
  for index, answer in ipairs(step.aiResponses) do
    if response == index - 1 or response == answer.responseId then
      return answer
    end
  end
end

--- The view that compares a document with what a step's text makes of it.
---@param ref { runId: string, step: string }
---@return string uri
function M.document_uri(ref)
  local path = ('%s/%s'):format(ref.runId, ref.step)
  return ('writeit:/compare/%s/document/%s/proposed.md'):format(path, path)
end

--- The two sides in the URI of a comparison.
---@param uri string
---@return writeit.Side? left, writeit.Side? right
function M.parse_uri(uri)
  local parts = vim.split(uri:match('^writeit:/+compare/(.+)%.md$') or '', '/')
  local function side(first)
    return { runId = parts[first], step = parts[first + 1], response = parts[first + 2] }
  end
  if #parts == 6 then
    return side(1), side(4)
  end
end

--- The body of a document now, and with a step's text applied. Where the two conflict,
--- the second has the step's text.
---@param client vim.lsp.Client
---@param ref { runId: string, step: string }
---@return string current, string proposed
function M.document_texts(client, ref)
  local texts = {}
  for _, section in ipairs(view.read_sections(client, M.document_uri(ref))) do
    texts[section.kind] = section.text
  end
  return texts.left, texts.right
end

--- The text before a document's body: the server compares without front matter. Nil if
--- the buffer no longer ends with the body.
---@param buf integer
---@param body string
---@return string?
local function text_before(buf, body)
  local all = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n')
  all, body = all:gsub('%s+$', ''), body:gsub('%s+$', '')
  return vim.endswith(all, body) and all:sub(1, #all - #body) or nil
end

--- The text of a side that is a document, as it is now or with a step's text applied.
---@param client vim.lsp.Client
---@param side writeit.Side
---@param run writeit.Run
---@return writeit.SideText
local function document_side(client, side, run)
  local current, proposed = M.document_texts(client, side)
  local buf = vim.uri_to_bufnr(run.uri)
  document.load(buf)
  local front_matter = text_before(buf, current)
  if side.response == 'document' then
    return { text = current, title = 'your document', buf = front_matter and buf }
  end
  return {
    text = (front_matter or '') .. proposed,
    title = ('with the text of %s'):format(side.step),
  }
end

---@param client vim.lsp.Client
---@param side writeit.Side
---@return writeit.SideText
local function read_side(client, side)
  local run = rpc.execute(client, 'run.show', { runId = side.runId })
  local step = run.steps[side.step]
  if side.response == 'document' or side.response == 'proposed' then
    return document_side(client, side, run)
  elseif side.response == nil or side.response == 'content' then
    return { text = step.content or '', title = ('%s · %s'):format(side.step, M.run_label(run)) }
  end
  local answer = find_answer(step, side.response)
  if not answer then
    error({ message = ('%s has no such answer.'):format(side.step) }, 0)
  end
  local model = (', %s/%s'):format(answer.provider, answer.modelName)
  model = type(answer.letter) == 'string' and '' or model
  return {
    text = answer.processedContent,
    title = ('%s, answer %s%s'):format(side.step, targets.answer_name(answer), model),
  }
end

---@param text string
---@param title string
---@return integer
local function scratch_buffer(text, title)
  local buf = vim.api.nvim_create_buf(false, true)
  local name, count = 'writeit-compared:/' .. title:gsub(', [^ ]*/.*', ''), 1
  while not pcall(vim.api.nvim_buf_set_name, buf, count > 1 and name .. count or name) do
    count = count + 1 -- the same step of another run
  end
  window.set_up_buffer(buf)
  vim.bo[buf].bufhidden = 'wipe'
  window.set_markdown(buf)
  window.set_text(buf, text)
  vim.keymap.set(
    'n',
    'q',
    vim.cmd.tabclose,
    { buffer = buf, nowait = true, desc = 'WriteIt: close' }
  )
  return buf
end

--- Show a side in a new window.
---@param modifiers string Of the command that opens the window.
---@param side writeit.SideText
---@return integer win
local function open_window(modifiers, side)
  local switchbuf = vim.o.switchbuf
  vim.o.switchbuf = '' -- the user's document is shown in another window already
  vim.cmd(('%s sbuffer %d'):format(modifiers, side.buf or scratch_buffer(side.text, side.title)))
  vim.o.switchbuf = switchbuf
  return vim.api.nvim_get_current_win()
end

--- Reset the window of the user's document when the comparison is closed.
---@param win integer
---@param other integer
local function reset_when_closed(win, other)
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
---@param side writeit.SideText
---@param hint string
local function set_options(win, side, hint)
  vim.api.nvim_win_call(win, vim.cmd.diffthis)
  local options = vim.wo[win][0]
  options.wrap, options.linebreak, options.foldenable = true, true, false
  options.statusline = (' %s%%=%s '):format((side.title:gsub('%%', '%%%%')), hint)
  if not side.buf then
    options.number, options.relativenumber = false, false
  end
end

--- Show two sides as a diff. Waits in a task.
---@param client vim.lsp.Client
---@param left writeit.Side
---@param right writeit.Side
---@param hint? string The keys of the comparison, if it has any of its own.
---@return integer[] wins
function M.open(client, left, right, hint)
  local first, second = read_side(client, left), read_side(client, right)
  if first.title == second.title then -- two branches without a name
    first.title = ('%s · %s'):format(first.title, left.runId:sub(1, 18))
    second.title = ('%s · %s'):format(second.title, right.runId:sub(1, 18))
  end
  local first_win = open_window('tab', first)
  local second_win = open_window('rightbelow vertical', second)
  set_options(first_win, first, first.buf and 'do takes a change' or 'q closes')
  local keys = first.buf and 'dp inserts it · q closes' or hint or 'q closes'
  set_options(second_win, second, keys)
  if first.buf then
    reset_when_closed(first_win, second_win)
  end
  return { first_win, second_win }
end

return M
