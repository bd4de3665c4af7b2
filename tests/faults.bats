#!/usr/bin/env bats
# Each system call of a spawn fails once, and the caller has a right answer: a short run of tools/faults, and the table
# that the whole run left in tools/faults.md.

# shellcheck disable=SC2016  # awk has variables of its own

load helpers

page=$ROOT/tools/faults.md

setup_file() {
    local status=0
    "$ROOT/tools/faults" --short --table "$BATS_FILE_TMPDIR/page" --runs "$BATS_FILE_TMPDIR/runs" \
        >"$BATS_FILE_TMPDIR/out" 2>&1 || status=$?
    echo "$status" >"$BATS_FILE_TMPDIR/status"
}

setup() {
    runs=$BATS_FILE_TMPDIR/runs
    [ "$(cat "$BATS_FILE_TMPDIR/status")" -ne 3 ] || skip "the kernel does not allow to make calls fail"
}

# CALL, ERROR and the letters of each cell of a page's table.
cells() {
    awk -F'|' '
        $2 == " call " { for (i = 5; i < NF; i++) column[i] = $i; next }
        $2 ~ /^ [a-z0-9_]+ \((parent|child)\) $/ {
            for (i = 5; i < NF; i++) {
                gsub(/ /, "", $i)
                gsub(/ /, "", column[i])
                if ($i != "") print $2 "\t" column[i] "\t" $i
            }
        }' "$1"
}

@test "whichever call of a spawn fails, the caller has a right answer and everything is as before" {
    tail -n 45 "$BATS_FILE_TMPDIR/out"
    [ "$(cat "$BATS_FILE_TMPDIR/status")" -eq 0 ]
    tail -n 1 "$BATS_FILE_TMPDIR/out" | grep -E '; 0 wrong$'
}

@test "parent and child, the library and the functions of libc are among the calls that fail" {
    local who family call
    for who in parent child; do
        for family in core libc; do
            [ "$(awk -F'\t' -v who="$who" -v family="$family" '
                $2 == family && $6 == who && $8 > 0' "$runs" | wc -l)" -gt 200 ]
        done
    done
    for call in clone3 vfork fork pipe2 close_range execve dup2 openat rt_sigprocmask rt_sigaction wait4 fcntl; do
        grep -qP "\t$call\t1\tENOSYS\t" "$runs"
        grep -qP "\t$call\t1\tEPERM\t" "$runs"
    done
}

@test "a control group that refuses a child is told as the clone with its error, by the library and by a record" {
    local error
    ! grep -q 'no control group can be made here' "$BATS_FILE_TMPDIR/out" || skip "no control group can be made here"
    for error in EACCES EBUSY EOPNOTSUPP EAGAIN ENOENT EPERM; do
        grep -P "\tcore\tcgroup\tclone3\twarm\tparent\tclone3\t1\t$error\tclone$" "$runs"
        grep -P "^record in a file\tlibc\tSETCGROUP\tclone3\twarm\tparent\tclone3\t1\t$error\tclone$" "$runs"
    done
}

@test "the table that is kept has every call and error of a run, with the same outcome" {
    cells "$page" | sort >"$BATS_TEST_TMPDIR/kept"
    cells "$BATS_FILE_TMPDIR/page" | sort >"$BATS_TEST_TMPDIR/found"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/found")" -gt 250 ]
    output=$(awk -F'\t' '
        NR == FNR { kept[$1, $2] = $3; next }
        {
            for (i = 1; i <= length($3); i++)
                if (index(kept[$1, $2], substr($3, i, 1)) == 0) { print "not in the table:" $1 $2 ": " $3; next }
        }' "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/found")
    echo "$output"
    [ "$output" = "" ]
}

@test "nothing in the table that is kept went wrong" {
    [ "$(cells "$page" | wc -l)" -gt 300 ]
    [ "$(cells "$page" | awk -F'\t' '$3 ~ /X/' | wc -l)" -eq 0 ]
}

@test "children that are not sealed are noticed" {
    run env -u LD_PRELOAD -u AIRLOCK_LOG "$PROBES/library_fault" libc short posix_spawn
    [ "$status" -eq 1 ]
    grep -F 'control: the child found fault' <<<"$output"
}
