-- `make check-lua` looks at neovim/ and at the Lua of the examples with this.
std = 'luajit' -- Neovim's Lua
max_line_length = 100 -- as StyLua has it
max_comment_line_length = 100
cache = false

-- Neovim's own module is there to be called. What may be set in it are variables and
-- options, of a buffer, a window or all: setting anything else would change Neovim.
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
