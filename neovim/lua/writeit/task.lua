-- Work that waits for replies: coroutines, and a queue for each workspace.
--
-- A task yields a function that starts something and is handed `resume`. What is raised
-- as a table is a fault and is said to the writer; a string is a defect of ours.
local M = {}

---@alias writeit.Resume fun(...: any)

--- Say what went wrong, and tell of the end whatever becomes of the saying: somebody may
--- be waiting for it.
---@param fault? writeit.Fault|string
---@param ended? fun(fault?: writeit.Fault|string)
local function finish(fault, ended)
  local said, why = true, nil
  if fault then
    said, why = pcall(require('writeit.say').fault, fault)
  end
  if ended then
    ended(fault)
  end
  if not said then
    error(why, 0)
  end
end

--- Run `work` as a task; `ended` hears of its end.
---@param work fun()
---@param ended? fun(fault?: writeit.Fault|string)
function M.spawn(work, ended)
  local thread = coroutine.create(work)
  local function step(...)
    local well, what = coroutine.resume(thread, ...)
    if not well then
      finish(type(what) == 'string' and debug.traceback(thread, what) or what, ended)
      return
    elseif coroutine.status(thread) == 'dead' then
      finish(nil, ended)
      return
    end
    local resumed = false
    local begun, why = pcall(what, function(...)
      if not resumed then
        resumed = true
        step(...)
      end
    end)
    if not begun and resumed then
      error(why, 0)
    elseif not begun then
      resumed = true -- nothing will come, and what waits for this task is not to wait for ever
      finish(why, ended)
    end
  end
  step()
end

--- Wait, in a task, for what `start` begins; returns what its `resume` is given.
---@param start fun(resume: writeit.Resume)
---@return any ...
function M.await(start)
  return coroutine.yield(start)
end

--- Wait, in a task, for a while.
---@param milliseconds integer
function M.sleep(milliseconds)
  M.await(function(resume)
    vim.defer_fn(resume, milliseconds)
  end)
end

local UNREMARKED = 300 -- milliseconds that a command may wait without a word

---@class writeit.Job
---@field work fun()
---@field name string

---@class writeit.Lane
---@field jobs writeit.Job[] Those that wait.
---@field current? { name: string, dropped: boolean }

---@type table<string, writeit.Lane>
local lanes = {}

---@param key string
local function advance(key)
  local lane = lanes[key]
  if lane.current or #lane.jobs == 0 then
    return
  end
  local job = table.remove(lane.jobs, 1)
  local current = { name = job.name, dropped = false }
  lane.current = current
  M.spawn(job.work, function()
    if lane.current == current then
      lane.current = nil
      advance(key)
    end
  end)
end

--- Say that a command waits, if it does so for a while.
---@param lane writeit.Lane
---@param job writeit.Job
local function remark(lane, job)
  vim.defer_fn(function()
    if lane.current and vim.list_contains(lane.jobs, job) then
      require('writeit.say').info(
        ('%s waits until %s is done.'):format(job.name, lane.current.name)
      )
    end
  end, UNREMARKED)
end

--- Do `work` when everything that was asked for in this workspace before is done.
---@param key string The workspace's root.
---@param name string What it is, for who asks what is being waited for.
---@param work fun()
function M.enqueue(key, name, work)
  lanes[key] = lanes[key] or { jobs = {} }
  local job = { work = work, name = name }
  table.insert(lanes[key].jobs, job)
  advance(key)
  remark(lanes[key], job)
end

--- Forget what waits in a workspace; what is under way is no longer waited for.
---@param key string
---@return integer dropped How much was forgotten.
function M.drop(key)
  local lane = lanes[key]
  if not lane then
    return 0
  end
  local dropped = #lane.jobs + (lane.current and 1 or 0)
  lane.jobs, lane.current = {}, nil
  return dropped
end

--- What is under way in a workspace, and what waits behind it.
---@param key string
---@return string[]
function M.waiting(key)
  local lane = lanes[key]
  local names = {}
  if lane and lane.current then
    names[1] = lane.current.name
  end
  for _, job in ipairs(lane and lane.jobs or {}) do
    names[#names + 1] = job.name
  end
  return names
end

return M
