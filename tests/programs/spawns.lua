-- Prints what os.execute and io.popen give back. The tests run it with and without the preload.

print("a shell is there:", os.execute())
io.stdout:flush()

for _, command in ipairs {"true", "exit 3", "kill -KILL $$", "kill -TERM $$", "no-such-program-anywhere 2>/dev/null",
                          "echo said by the child", "echo complaint >&2", "printf '\\377\\200\\n'", ""} do
    print(command, os.execute(command))
    io.stdout:flush()
end

for _, command in ipairs {"printf 'a\\nb'", "exit 7", "kill -KILL $$", "true", "echo $0"} do
    local stream = io.popen(command)
    print(command, (stream:read("a")), stream:close())
    io.stdout:flush()
end

local sorted = io.popen("sort", "w")
sorted:write("zebra\nant\n")
print("sort", sorted:close())

-- Bytes that are no UTF-8 reach the child and come back as they are.
local raw = io.popen("printf %s '\255\254' | od -An -tx1")
print("raw", raw:read("a"), raw:close())

-- More than a pipe holds.
local long = io.popen("head -c 1000000 /dev/zero | tr '\\0' x")
print("long", #long:read("a"), long:close())

-- Several at once, closed in another order than they were opened.
local streams = {}
for i = 1, 5 do streams[i] = io.popen("echo stream " .. i) end
for _, i in ipairs {3, 1, 5, 2, 4} do print(streams[i]:read("a"), streams[i]:close()) end

print("a wrong mode", pcall(io.popen, "true", "x"))
