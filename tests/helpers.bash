# What every bats file here loads: where the build is, and how to run one program with and without the preload.
#
#   plain CMD…            runs CMD without airlock
#   enforced CMD…         runs CMD with the library preloaded (mode enforce; AIRLOCK_* of the caller are kept)
#   assert_same CMD…      CMD has the same exit status, stdout and stderr with and without the preload
#
# Both start CMD with descriptors 0, 1 and 2 alone, whatever the test runner itself leaks.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${AIRLOCK_BUILD:-$ROOT/build}
PRELOAD=${AIRLOCK_PRELOAD:-$BUILD/shim/libairlock-preload.so}
PROBES=$BUILD/tests/probes
AIRLOCK=$BUILD/tools/airlock
export ROOT BUILD PRELOAD PROBES AIRLOCK

# Every run ends, whatever hangs.
LIMIT=${AIRLOCK_TEST_LIMIT:-60}

# Becomes CMD with no descriptor above 2. Only in a subshell.
become_clean() {
    local entry number
    for entry in /proc/self/fd/*; do
        number=${entry##*/}
        if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then
            eval "exec $number>&-"
        fi
    done
    exec "$@"
}

plain() {
    (become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD "$@")
}

enforced() {
    (become_clean timeout -k 5 "$LIMIT" env LD_PRELOAD="$PRELOAD" "$@")
}

assert_same() {
    local without=0 with=0 directory
    # A program that is missing is missing in the same way twice.
    command -v -- "$1" >/dev/null || { echo "no such program: $1"; return 1; }
    directory=$(mktemp -d "$BATS_TEST_TMPDIR/same.XXXXXX")
    plain "$@" >"$directory/without.out" 2>"$directory/without.err" </dev/null || without=$?
    enforced "$@" >"$directory/with.out" 2>"$directory/with.err" </dev/null || with=$?
    if [ "$without" -ne "$with" ]; then
        echo "exit status $without without airlock, $with with: $*"
        cat "$directory"/with*.err
        return 1
    fi
    diff -u "$directory/without.out" "$directory/with.out" && diff -u "$directory/without.err" "$directory/with.err"
}

# The output of the last `run` is exactly these lines.
# shellcheck disable=SC2154 # bats sets output and status
assert_lines() {
    local difference
    difference=$(diff -u <(printf '%s\n' "$@") <(printf '%s\n' "$output")) || {
        cut -c 1-300 <<<"$difference"
        return 1
    }
}

# shellcheck disable=SC2154
# The last `run`, of CMD, printed EXPECTED and ended with 0.
assert_run() {
    local expected=$1 how=$2
    shift 2
    if ! assert_lines "$expected" || [ "$status" -ne 0 ]; then
        echo "^ $how, exit status $status: $*"
        return 1
    fi
}

# CMD prints exactly EXPECTED (both streams) and ends with 0, with and without the preload.
assert_both() {
    local expected=$1
    shift
    run plain "$@"
    assert_run "$expected" "without airlock" "$@" || return 1
    run enforced "$@"
    assert_run "$expected" "with airlock" "$@"
}

# CMD prints exactly EXPECTED with the preload, whatever it prints without.
assert_enforced() {
    local expected=$1
    shift
    run enforced "$@"
    assert_run "$expected" "with airlock" "$@"
}

# What CMD with the preload writes to one of its streams alone, for children that write while their parent does.
only_stdout() {
    enforced "$@" 2>/dev/null
}

only_stderr() {
    { enforced "$@" >/dev/null; } 2>&1
}

needs_root() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
}
