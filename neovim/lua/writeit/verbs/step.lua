-- Verbs about a step that decide nothing: feedback, take, rate, stop, pause.
local notify = require('writeit.notify')
local rpc = require('writeit.rpc')
local stream = require('writeit.stream')
local targets = require('writeit.targets')
local user_input = require('writeit.user_input')

local M = {}

--- `:WriteIt feedback [text]`
---@param call writeit.Call
function M.feedback(call)
  local target = targets.find_run(call.buf)
  local text = call.words ~= '' and call.words or user_input.input('Feedback for the next step: ')
  local step = rpc.execute(target.client, 'step.feedback', {
    runId = target.run_id,
    step = target.step,
    text = text,
  })
  notify.info(('Feedback on %s saved for the steps after it.'):format(step.stepName))
end

--- `:'<,'>WriteIt take`, in a step's view or in a stream.
---@param call writeit.Call
function M.take(call)
  local row = call.cursor.start.row
  call.range = call.range or { row + 1, row + 1 }
  local response = require('writeit.verbs.decide').answer_at(call)
  if not response then
    error(require('writeit.verbs.decide').NOT_ONE_ANSWER, 0)
  end
  local text = call.text or vim.api.nvim_buf_get_lines(call.buf, row, row + 1, false)[1]
  local target = targets.find_run(call.buf)
  M.take_command(
    target.client,
    { runId = target.run_id, step = target.step, response = response, text = text }
  )
end

function M.take_command(client, params)
  local step = rpc.execute(client, 'step.take', params)
  local count = #step.passages
  notify.info(
    ('Added to the merge (%d passage%s). Edit it with :WriteIt merge.'):format(
      count,
      count == 1 and '' or 's'
    )
  )
end

local MAX_SCORE = 5

--- `:WriteIt rate {0-5} [number]`
---@param call writeit.Call
function M.rate(call)
  local score = tonumber(call.arguments[1])
  if not score or score < 0 or score > MAX_SCORE then
    error({ message = ('A rating is a number from 0 to %d.'):format(MAX_SCORE) }, 0)
  end
  local target = targets.find_run(call.buf)
  local step = targets.step(target, targets.run(target))
  local decide = require('writeit.verbs.decide')
  local answer = decide.find_answer(target, step, call, call.arguments[2], 'Rate')
  rpc.execute(target.client, 'response.rate', {
    runId = target.run_id,
    step = step.stepName,
    response = answer.responseId,
    score = score / MAX_SCORE,
  })
  local name = targets.answer_name(answer)
  notify.info(('Answer %s of %s rated %s.'):format(name, step.stepName, score))
end

--- `:WriteIt stop [number]`, which does not wait in the queue: one answer, else all.
---@param call writeit.Call
function M.stop(call)
  local source = stream.find(call.buf) or targets.find_run(call.buf)
  local run = rpc.execute(source.client, 'run.show', { runId = source.run_id })
  local number = call.arguments[1]
  local id = not number and require('writeit.verbs.decide').answer_at(call)
  for _, answer in ipairs(targets.step(source, run).streaming) do
    if targets.is_answer(answer, number) or answer.responseId == id then
      local params = { runId = source.run_id, responseId = answer.responseId }
      rpc.execute(source.client, 'response.stop', params)
      local name = targets.answer_name(answer)
      notify.info(('Stopped answer %s. What was received is kept.'):format(name))
      return
    end
  end
  if number then
    error({ message = ('Answer %s is not being generated.'):format(number) }, 0)
  end
  M.pause_command(source.client, { runId = source.run_id })
end

--- `:WriteIt pause`, which does not wait in the queue.
---@param call writeit.Call
function M.pause(call)
  local source = stream.find(call.buf) or targets.find_run(call.buf)
  M.pause_command(source.client, { runId = source.run_id })
end

--- Pause a run. If this Neovim streams its answers, the stream reports what was kept.
function M.pause_command(client, params)
  local run_params = { runId = params.runId }
  local run = not stream.has_run(params.runId) and rpc.execute(client, 'run.show', run_params)
  rpc.execute(client, 'run.pause', run_params)
  if run then
    notify.info(
      run.isStreaming and 'Stopped generating. What was received is kept and can be chosen.'
        or 'Nothing was being generated. The run is stopped; resume it with :WriteIt resume.'
    )
  end
end

return M
