#!/usr/bin/env bats
# Lua runs os.execute with libc's system and io.popen with popen and pclose; io.open opens without close-on-exec.

load programs/common.bash

@test "a child of os.execute does not hold a file that Lua has open" {
    assert_sealed "$LEAK" lua5.4 -e 'file = io.open(os.getenv("LEAK")) os.execute(os.getenv("FDS"))'
}

@test "a command that Lua reads from does not hold a file that Lua has open" {
    assert_sealed "$LEAK" lua5.4 -e 'file = io.open(os.getenv("LEAK")) io.write(io.popen(os.getenv("FDS")):read("a"))'
}

@test "a command that Lua writes to does not hold a file that Lua has open" {
    assert_sealed "$LEAK" lua5.4 -e 'file = io.open(os.getenv("LEAK"), "a")
        child = io.popen(os.getenv("FDS") .. " && cat >/dev/null", "w") child:write("text") child:close()'
}

@test "a child of os.execute does not hold the pipe of a popen stream" {
    assert_sealed pipe: lua5.4 -e 'stream = io.popen("cat", "w") os.execute(os.getenv("FDS"))'
}

@test "a command that Lua reads from holds no earlier popen stream" {
    assert_holds "0 1 2" enforced lua5.4 -e 'first = io.popen("cat", "w") second = io.popen("cat", "w")
        io.write(io.popen(os.getenv("FDS")):read("a"))'
}

@test "Lua still has its files and pipes after its children have gone" {
    use='file = io.open(os.getenv("LEAK")) stream = io.popen("cat", "w") os.execute("true")
        io.popen("true"):close() print(file:read("a")) stream:write("to the end\n") print(stream:close())'
    assert_same lua5.4 -e "$use"
    [[ $(enforced lua5.4 -e "$use") == *"only the program itself may read this"*"to the end"* ]]
}

@test "what os.execute and io.popen give back is the same" {
    assert_same lua5.4 "$INPUTS/spawns.lua"
}

@test "a popen stream that Lua only collects gives the same" {
    assert_same lua5.4 -e 'for i = 1, 20 do io.popen("echo " .. i):read("a") collectgarbage() end print("done")'
}
