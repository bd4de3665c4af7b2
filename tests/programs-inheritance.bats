#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# Programs that hand descriptors on to their children on purpose do so under enforce as without airlock, while the file,
# the listening socket and the lock that the same process has open, and that nobody meant, do not reach the child.

bats_require_minimum_version 1.5.0
load programs/common.bash

setup_file() {
    cc -shared -fPIC -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/leaks.so" "$BATS_TEST_DIRNAME/programs/leaks.c"
    if command -v javac >/dev/null; then
        javac -d "$BATS_FILE_TMPDIR" "$BATS_TEST_DIRNAME/programs/Starts.java"
    fi
}

# assert_passes NUMBERS NAME CMD…   the children of the program NAME in CMD, which list themselves, hold these numbers with
# airlock; without it they also hold what the program had open by accident.
assert_passes() {
    local expected=$1 name=$2 listing held
    shift 2
    LOCK=$BATS_TEST_TMPDIR/lock
    export LOCK
    listing=$(LEAK_IN=$name plain env LD_PRELOAD="$BATS_FILE_TMPDIR/leaks.so" "$@" </dev/null) || { echo "$listing"; return 1; }
    for held in "$LEAK\$" "$LOCK\$" socket:; do
        grep -q "^[0-9]* $held" <<<"$listing" || {
            echo "even without airlock no child holds what was open: $*"
            echo "$listing"
            return 1
        }
    done
    PRELOAD=$PRELOAD:$BATS_FILE_TMPDIR/leaks.so LEAK_IN=$name assert_holds "$expected" enforced "$@"
}

needs() {
    command -v "$1" >/dev/null || skip "needs $1"
}

# A policy that switches conventions off: what the program would do if all were sealed.
without_conventions() {
    printf 'convention %s off\n' "$@" >"$BATS_TEST_TMPDIR/policy"
    echo "AIRLOCK_POLICY=$BATS_TEST_TMPDIR/policy"
}

# ---- make

run_recursive() {
    FOLDER=$(mktemp -d "$BATS_TEST_TMPDIR/meeting.XXXXXX")
    export FOLDER
    run -"${2:-0}" enforced env "$1" make -j4 -f "$INPUTS/recursive.mk"
    echo "$output"
}

@test "a recursive make -j4 has its jobserver, without a warning, and its jobs run in parallel" {
    run_recursive NONE=
    [ "$output" = "" ]
}

@test "a recursive make -j4 without what tells a jobserver from a leak complains and is alone" {
    run_recursive "$(without_conventions intent MAKEFLAGS MFLAGS)" 2
    [[ $output == *"jobserver unavailable"* && $output == *"is alone"* ]]
}

@test "a recipe that make gives the jobserver holds it and nothing else; one that it does not, nothing" {
    listing=$(enforced make -j4 -f "$INPUTS/recursive.mk" held </dev/null)
    [ "$(grep -c pipe: <<<"$(grep -v '^[012] ' <<<"$listing")")" -eq 2 ]
    assert_passes "0 1 2 3 4" make make -j4 -f "$INPUTS/recursive.mk" held
}

@test "a Python program between two makes hands the jobserver on" {
    FOLDER=$(mktemp -d "$BATS_TEST_TMPDIR/meeting.XXXXXX")
    export FOLDER
    cat >"$FOLDER/outer.mk" <<'END'
all:
	+@$(PYTHON) -c 'import os, subprocess; subprocess.run(["/usr/bin/make", "--no-print-directory", "-f", os.environ["INPUTS"] + "/recursive.mk", "inner"], close_fds=False, check=True)'
END
    run -0 enforced make -j4 -f "$FOLDER/outer.mk"
    [ "$output" = "" ]
}

# ---- Java

@test "a child of Java's ProcessBuilder gives the same output, exit code and working folder" {
    needs javac
    assert_same java -cp "$BATS_FILE_TMPDIR" Starts output
    assert_same java -cp "$BATS_FILE_TMPDIR" Starts surroundings
}

@test "a program that Java's ProcessBuilder cannot start is reported in the same words" {
    needs javac
    assert_same java -cp "$BATS_FILE_TMPDIR" Starts missing
}

@test "a child of Java's ProcessBuilder holds nothing that the virtual machine has open" {
    needs javac
    export LOCK=$BATS_TEST_TMPDIR/lock
    PRELOAD=$PRELOAD:$BATS_FILE_TMPDIR/leaks.so LEAK_IN=java assert_holds "0 1 2" enforced java -cp "$BATS_FILE_TMPDIR" Starts "$FDS"
}

# ---- Shells

@test "ksh93 gives a descriptor to a command by number and by path" {
    needs ksh
    cd "$BATS_TEST_TMPDIR"
    printf 'one\n' >one
    printf 'two\n' >two
    assert_same ksh -c 'cat /dev/fd/3 3<one'
    assert_same ksh -c 'diff <(cat one) <(cat two)'
    assert_same ksh -c 'exec 5<one; cat <&5; cat 6<two <&6; print -u2 done; exec 7>made; print -u7 text; cat made'
    [ "$(enforced ksh -c 'cat /dev/fd/3 3<one')" = one ]
    [[ $(enforced ksh -c 'diff <(cat one) <(cat two)') == *"< one"*"> two"* ]]
}

@test "a command of ksh93 gets what the line gives it and nothing that the shell has open" {
    needs ksh
    assert_passes "0 1 2 3" ksh ksh -c '$FDS 3</dev/null; true'
}

@test "fish gives the same with pipes, substitutions and redirections" {
    needs fish
    cd "$BATS_TEST_TMPDIR"
    assert_same env HOME="$BATS_TEST_TMPDIR" fish -c 'echo a | cat; cat (echo hi | psub); begin; echo x; echo y; end | tr xy ab
        set v (echo sub); echo $v; sh -c "exit 3"; echo $status; sh -c "echo err >&2" 2>&1 | tr a-z A-Z; cat <$LEAK'
}

@test "a command of fish holds nothing that the shell has open" {
    needs fish
    assert_passes "0 1 2" fish env HOME="$BATS_TEST_TMPDIR" fish -c '$FDS; true'
}

# ---- Numbers in shell strings

@test "a line of gawk's system reads a descriptor that it names" {
    assert_same "${HOLDING[@]}" "$LEAK" gawk 'BEGIN { exit system("cat <&9") }'
    [ "$(enforced "${HOLDING[@]}" "$LEAK" gawk 'BEGIN { exit system("cat <&9") }')" = "$(cat "$LEAK")" ]
    assert_passes "0 1 2 9" gawk "${HOLDING[@]}" /dev/null gawk 'BEGIN { exit system("cat <&9; " ENVIRON["FDS"]) }'
}

@test "a line of Lua's os.execute reads a descriptor that it names, and a file that it does not name stays closed" {
    assert_same lua5.4 -e 'a = io.open(os.getenv("LEAK")) os.execute("cat <&3")'
    [ "$(enforced lua5.4 -e 'a = io.open(os.getenv("LEAK")) os.execute("cat <&3")')" = "$(cat "$LEAK")" ]
    assert_passes "0 1 2 3" lua5.4 lua5.4 -e 'a = io.open("/dev/null") b = io.open("/dev/null") os.execute("cat <&3; " .. os.getenv("FDS"))'
}

# ---- Python

PYTHON_INHERITS='import ctypes, os, subprocess
fds = os.environ["FDS"]
meant = os.open("/dev/null", os.O_RDONLY)
os.set_inheritable(meant, True)
'

@test "a child of os.posix_spawn gets what os.set_inheritable has marked" {
    assert_passes "0 1 2 3" python3 "$PYTHON" -c "$PYTHON_INHERITS
os.waitpid(os.posix_spawn(fds, [fds], os.environ), 0)"
}

@test "a child of subprocess with close_fds=False gets what os.set_inheritable has marked" {
    assert_passes "0 1 2 3" python3 "$PYTHON" -c "$PYTHON_INHERITS
subprocess.run([fds], close_fds=False, check=True)"
}

@test "a child of os.system gets what os.dup2 has put there" {
    assert_passes "0 1 2 3 7" python3 "$PYTHON" -c "$PYTHON_INHERITS
os.dup2(meant, 7)
os.system(fds)"
}

# ---- Options that name a descriptor, in a shell string. Lua opens 3, which is not meant, and 4, which is.

# Lua that runs the line with 4 open as the file $BATS_TEST_TMPDIR/status.
with_status() {
    echo "a = io.open('/dev/null') b = io.open('$BATS_TEST_TMPDIR/status', 'w') os.execute([[$1]])"
}

@test "gpg reports on the descriptor of --status-fd" {
    needs gpg
    export GNUPGHOME=$BATS_TEST_TMPDIR/gpg
    mkdir -m 700 "$GNUPGHOME"
    line="gpg --batch --yes --status-fd 4 --pinentry-mode loopback --passphrase x -o $BATS_TEST_TMPDIR/out --symmetric $LEAK"
    enforced lua5.4 -e "$(with_status "$line 2>/dev/null")"
    grep -q '^\[GNUPG:\] END_ENCRYPTION' "$BATS_TEST_TMPDIR/status"
    assert_passes "0 1 2 4" lua5.4 lua5.4 -e "$(with_status "$FDS; $line 2>/dev/null")"
    gpgconf --kill all || true
}

@test "valgrind writes to the descriptor of --log-fd" {
    needs valgrind
    enforced lua5.4 -e "$(with_status "valgrind --log-fd=4 /bin/true")"
    grep -q 'ERROR SUMMARY: 0 errors' "$BATS_TEST_TMPDIR/status"
    assert_passes "0 1 2 4" lua5.4 lua5.4 -e "$(with_status "$FDS; valgrind --log-fd=4 /bin/true")"
}

@test "dpkg reports on the descriptor of --status-fd" {
    needs dpkg-deb
    cd "$BATS_TEST_TMPDIR"
    mkdir -p package/DEBIAN root/var/lib/dpkg/info root/var/lib/dpkg/updates
    touch root/var/lib/dpkg/status root/var/lib/dpkg/available
    printf '%s\n' 'Package: airlock-test' 'Version: 1' 'Architecture: all' 'Maintainer: nobody <nobody@example.org>' \
        'Description: empty' >package/DEBIAN/control
    dpkg-deb -b package package.deb >/dev/null
    line="dpkg --root=$PWD/root --force-not-root --log=/dev/null --no-act --status-fd 4 -i package.deb >/dev/null"
    enforced lua5.4 -e "$(with_status "$line")"
    grep -q '^processing: install: airlock-test' status
    assert_passes "0 1 2 4" lua5.4 lua5.4 -e "$(with_status "$FDS; $line")"
}

# ---- cargo

@test "cargo builds a crate whose build script calls make, and make has cargo's jobserver" {
    needs cargo
    cargo --version >/dev/null 2>&1 || skip "needs a cargo that runs"
    mkdir -p "$BATS_TEST_TMPDIR/crate/src"
    cd "$BATS_TEST_TMPDIR/crate"
    printf '%s\n' '[package]' 'name = "greets"' 'version = "0.1.0"' 'edition = "2021"' >Cargo.toml
    echo 'fn main() { println!("hello"); }' >src/main.rs
    cat >build.rs <<'END'
fn main() {
    let flags = std::env::var("CARGO_MAKEFLAGS").unwrap();
    let file = std::env::var("INPUTS").unwrap() + "/recursive.mk";
    let made = std::process::Command::new("make").env("MAKEFLAGS", flags).args(["-f", &file, "inner"]).output().unwrap();
    std::fs::write(std::env::var("FOLDER").unwrap() + "/said", [made.stdout, made.stderr].concat()).unwrap();
    assert!(made.status.success());
}
END
    for how in plain enforced; do
        FOLDER=$(mktemp -d "$BATS_TEST_TMPDIR/meeting.XXXXXX")
        export FOLDER
        rm -rf target
        AIRLOCK_TEST_LIMIT=120 "$how" cargo build -q --offline -j4
        if grep -v 'ing directory' "$FOLDER/said"; then
            return 1
        fi
    done
    [ "$(target/debug/greets)" = hello ]
}
