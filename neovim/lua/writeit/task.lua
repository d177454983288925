-- Tasks: coroutines that wait for replies, and a queue of them for each workspace.
--
-- A task yields a function that starts something and calls `resume` when it is done. An
-- error raised as a table is an expected one, with a message for the user; a string is a
-- defect of this plug-in.
local M = {}

---@alias writeit.Resume fun(...: any)

--- Report a failure, then call `on_done` even if the report itself fails: another task may
--- wait for it.
---@param failure? writeit.Error|string
---@param on_done? fun(failure?: writeit.Error|string)
local function finish(failure, on_done)
  local ok, err = true, nil
  if failure then
    ok, err = pcall(require('writeit.notify').error, failure)
  end
  if on_done then
    on_done(failure)
  end
  if not ok then
    error(err, 0)
  end
end

--- Run `work` as a task; `on_done` is called when it ends.
---@param work fun()
---@param on_done? fun(failure?: writeit.Error|string)
function M.spawn(work, on_done)
  local thread = coroutine.create(work)
  local function step(...)
    local ok, yielded = coroutine.resume(thread, ...)
    if not ok then
      local failure = type(yielded) == 'string' and debug.traceback(thread, yielded) or yielded
      finish(failure, on_done)
      return
    elseif coroutine.status(thread) == 'dead' then
      finish(nil, on_done)
      return
    end
    local resumed = false
    local started, err = pcall(yielded, function(...)
      if not resumed then
        resumed = true
        step(...)
      end
    end)
    if not started and resumed then
      error(err, 0)
    elseif not started then
      resumed = true -- it will never be resumed, so that the queue must not wait for it
      finish(err, on_done)
    end
  end
  step()
end

--- Wait, in a task, for what `start` starts; returns the arguments of its `resume`.
---@param start fun(resume: writeit.Resume)
---@return any ...
function M.await(start)
  return coroutine.yield(start)
end

--- Wait for some time, in a task.
---@param milliseconds integer
function M.sleep(milliseconds)
  M.await(function(resume)
    vim.defer_fn(resume, milliseconds)
  end)
end

local NOTICE_DELAY = 300 -- milliseconds that a command may wait before the user is told

---@class writeit.Job
---@field work fun()
---@field name string

---@class writeit.Queue
---@field jobs writeit.Job[] The jobs that wait.
---@field current? { name: string }

---@type table<string, writeit.Queue> By workspace.
local queues = {}

---@param root string
local function run_next(root)
  local queue = queues[root]
  if queue.current or #queue.jobs == 0 then
    return
  end
  local job = table.remove(queue.jobs, 1)
  local current = { name = job.name }
  queue.current = current
  M.spawn(job.work, function()
    if queue.current == current then
      queue.current = nil
      run_next(root)
    end
  end)
end

--- Tell the user if a job still waits after a moment.
---@param queue writeit.Queue
---@param job writeit.Job
local function notify_if_waiting(queue, job)
  vim.defer_fn(function()
    if queue.current and vim.list_contains(queue.jobs, job) then
      require('writeit.notify').info(
        ('%s runs when %s is done.'):format(job.name, queue.current.name)
      )
    end
  end, NOTICE_DELAY)
end

--- Run `work` when all earlier jobs of the workspace are done.
---@param root string Of the workspace.
---@param name string Shown to the user.
---@param work fun()
function M.enqueue(root, name, work)
  queues[root] = queues[root] or { jobs = {} }
  local job = { work = work, name = name }
  table.insert(queues[root].jobs, job)
  run_next(root)
  notify_if_waiting(queues[root], job)
end

--- Remove the jobs of a workspace; later jobs do not wait for the current one.
---@param root string
function M.clear(root)
  local queue = queues[root]
  if queue then
    queue.jobs, queue.current = {}, nil
  end
end

--- The names of the current job of a workspace and of those that wait.
---@param root string
---@return string[]
function M.pending_names(root)
  local queue = queues[root]
  local names = {}
  if queue and queue.current then
    names[1] = queue.current.name
  end
  for _, job in ipairs(queue and queue.jobs or {}) do
    names[#names + 1] = job.name
  end
  return names
end

return M
