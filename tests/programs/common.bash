# shellcheck shell=bash disable=SC2016  # the programs that are started expand their own variables
# What the tests over real programs share: what a child of such a program holds, without and with the preload.

load "$BATS_TEST_DIRNAME/helpers.bash"

# A child that lists its own descriptors, one "number target" a line. Exported for the inputs under tests/programs.
FDS=$PROBES/fds
INPUTS=$ROOT/tests/programs
export FDS INPUTS

# Debian's, whatever else stands first in PATH: another build of it may spawn in another way.
PYTHON=/usr/bin/python3
export PYTHON

# "${HOLDING[@]}" FILE CMD… starts CMD with FILE open as descriptor 9: the heirloom of a careless parent.
HOLDING=(sh -c 'exec 9<"$0" && exec "$@"')
export HOLDING

# The default policy, whatever the caller of the tests has set; and a file that no child is meant to have.
setup() {
    unset AIRLOCK_MODE AIRLOCK_KEEP AIRLOCK_SIGNALS AIRLOCK_MASK MAKEFLAGS MFLAGS MAKELEVEL NINJA_STATUS
    LEAK=$(realpath "$BATS_TEST_TMPDIR")/leak
    echo "only the program itself may read this" >"$LEAK"
    export LEAK
}

# The descriptor numbers in a listing on stdin, ascending, in one line. Several listings give their union.
numbers() {
    cut -d ' ' -f 1 | sort -nu | paste -sd ' '
}

# assert_holds "0 1 2" enforced|plain CMD…   the children that CMD starts, and that list themselves, hold exactly these
assert_holds() {
    local expected=$1 listing held status=0
    shift
    listing=$("$@" </dev/null) || status=$?
    held=$(numbers <<<"$listing")
    if [ "$status" -ne 0 ] || [ "$held" != "$expected" ]; then
        echo "expected descriptors $expected, found $held (exit status $status): $*"
        echo "$listing"
        return 1
    fi
}

# assert_leaks TARGET CMD…   without airlock, a child of CMD holds TARGET (a file, or "pipe:", "socket:") above 2
assert_leaks() {
    local target=$1 listing
    shift
    listing=$(plain "$@" </dev/null) || return 1
    if ! awk -v target="$target" '$1 > 2 && index($2, target) == 1 { found = 1 } END { exit !found }' <<<"$listing"; then
        echo "no child holds $target even without airlock, so this test would show nothing: $*"
        echo "$listing"
        return 1
    fi
}

# assert_sealed TARGET CMD…   a child of CMD holds TARGET without airlock, and only 0, 1 and 2 with it
assert_sealed() {
    assert_leaks "$@" || return 1
    shift
    assert_holds "0 1 2" enforced "$@"
}
