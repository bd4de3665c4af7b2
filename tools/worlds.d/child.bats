#!/usr/bin/env bats
# What a compiler made of the child half: whatever was inlined and however it was optimised, nothing in it calls libc.

load ../../tests/helpers

# The functions of the built library that can be reached from the child's first one, and what each of them calls. The
# steps are called through a table, whose entries stand in the source.
reachable_calls() {
    local roots
    roots=$(sed -n '/^} steps\[\] = {/,/^};/s/.*, \([a-z_]*\)},$/\1/p' "$ROOT/core/child.c" | tr '\n' ' ')
    [ "$(wc -w <<<"$roots")" -gt 15 ] || return 1
    objdump -d --no-show-raw-insn "$1" | awk -v roots="child_main $roots" '
        # Functions by their address: two files may each have one of the same name.
        function base(name) { sub(/[.+@].*/, "", name); return name }
        /^[0-9a-f]+ <.*>:$/ {
            here = $1
            sub(/^0+/, "", here)
            name[here] = substr($2, 2, length($2) - 3)
            starts[base(name[here])] = starts[base(name[here])] " " here
            next
        }
        # A call, or a jump out of the function; without lazy binding libc is called through a slot.
        match($0, /(call|jmp|j[a-z]+) +[0-9a-f]+ <[^>+]*/) {
            split(substr($0, RSTART, RLENGTH), part, / +/)
            if (part[2] != here) calls[here] = calls[here] " " part[2]
            next
        }
        match($0, /(call|jmp) .*<[^>]*@[^>]*>/) {
            slot = substr($0, RSTART, RLENGTH)
            gsub(/.*<|>.*/, "", slot)
            calls[here] = calls[here] " " slot
        }
        END {
            count = 0
            size = split(roots, wanted, " ")
            for (i = 1; i <= size; i++) {
                print "found", wanted[i] ":", (wanted[i] in starts)
                for (j = split(starts[wanted[i]], at, " "); j > 0; j--) queue[++count] = at[j]
            }
            for (i = 1; i <= count; i++) {
                if (queue[i] in seen) continue
                seen[queue[i]] = 1
                size = split(calls[queue[i]], targets, " ")
                for (j = 1; j <= size; j++) {
                    to = targets[j] in name ? name[targets[j]] : targets[j]
                    print "calls", to, "from", name[queue[i]]
                    # What lies in the table of slots is not a function of ours.
                    if (to !~ /@/) queue[++count] = targets[j]
                }
            }
        }'
}

@test "nothing that the child can reach is a function of libc" {
    local calls
    calls=$(reachable_calls "$BUILD/shim/libairlock-preload.so")
    [[ $calls == *"found child_main: 1"* ]]
    # That the search sees calls at all.
    [[ $calls == *"calls child_"* || $calls == *"from child_main"* ]]
    # Filling memory is what a compiler may make of an initialiser; it takes no lock.
    run grep -E '@|_chk|__asan|__tsan|__ubsan' <<<"$(grep -vE 'calls (memset|memcpy|memmove)@' <<<"$calls")"
    echo "$output"
    [ "$status" -eq 1 ]
}

@test "the search for calls finds one that is there" {
    # The parent half waits, allocates and calls libc.
    run bash -c "objdump -d '$BUILD/shim/libairlock-preload.so' | grep -cE 'call.*@(plt|GLIBC)'"
    [ "$output" -gt 0 ]
}

@test "both versions of posix_spawn are exported under libc's own names" {
    local name version
    for name in posix_spawn posix_spawnp; do
        for version in GLIBC_2.2.5 GLIBC_2.15; do
            nm -D --defined-only "$BUILD/shim/libairlock-preload.so" | grep -qE " $name@@?$version\$"
        done
    done
}
