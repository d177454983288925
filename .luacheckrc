-- For `make check-lua`, which checks neovim/ and the Lua of the examples.
std = 'luajit' -- Neovim's Lua
max_line_length = 100 -- as StyLua has it
max_comment_line_length = 100
cache = false

-- Only variables and options may be set in Neovim's own module: setting anything else
-- would change Neovim.
local settable = { read_only = false, other_fields = true }
read_globals = {
  vim = {
    other_fields = true,
    fields = {
      b = settable,
      bo = settable,
      g = settable,
      o = settable,
      v = { other_fields = true, fields = { fcs_choice = { read_only = false } } },
      w = settable,
      wo = settable,
    },
  },
}
