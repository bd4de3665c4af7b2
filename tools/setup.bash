# shellcheck shell=bash
# What tools/try, tools/test and tools/bench begin with: the packages that are missing, and a build. Sourced, never run.
#
# Every package has a line and a reason. Package names are Debian's.

# shellcheck disable=SC2034  # read by both
BUILD_PACKAGES=(
    gcc         # the compiler
    dpkg-dev    # tells meson in which folder Debian keeps libraries
    libc6-dev   # libc's headers, which gcc only recommends
    libelf-dev  # airlock looks into a program before it runs it
    libyajl-dev # airlock reads records
    meson       # describes the build
    ninja-build # carries it out
    pkg-config  # how meson finds libelf
)

# shellcheck disable=SC2034  # read by tools/try
TRY_PACKAGES=(
    lua5.4 # the unmodified program of the picture
)

# shellcheck disable=SC2034  # read by tools/test
TEST_PACKAGES=(
    bats       # runs the tests
    binutils   # readelf and nm: what a library exports and needs
    cmake      # a program under test, with a spawn of its own
    g++        # the header of the library is read by C++ programs, too
    default-jdk-headless # Java 17, a program under test: posix_spawn of a helper that takes everything
    fish       # a program under test: posix_spawn
    gawk       # a program under test: system and popen
    gnupg      # a program under test: --status-fd
    ksh93u+m   # a program under test: posix_spawn, and redirections of its own
    graphviz   # reads the graph of airlock report
    libpython3.11-dev       # CPython's subprocess helper is built on the library
    libpython3.11-testsuite # CPython's own tests of it
    lua5.4     # a program under test: system and popen
    make       # a program under test: posix_spawn
    musl-tools # programs of another C library
    patchelf   # programs with another loader, and with search paths
    mawk       # a program under test: system
    php-cli    # a program under test: popen
    postgresql # a service under test: popen and system
    procps     # ps and pgrep: what is left after a test
    python3    # a program under test: posix_spawn, posix_spawnp and system
    python3-jsonschema        # checks records against their schema
    python3-prometheus-client # reads the metrics of airlock report
    rsyslog    # a collector of records
    sqlite3    # a program under test: system and popen
    strace     # shows, and injects errors into, the system calls of a spawn
    valgrind   # a program under test: --log-fd
)

# shellcheck disable=SC2034  # read by tools/fuzz
FUZZ_PACKAGES=(
    clang # its fuzzer and its sanitizers
    libclang-rt-14-dev # their runtimes, which clang only recommends
)

# shellcheck disable=SC2034  # read by tools/analyse
ANALYSIS_PACKAGES=(
    clang-format # whether the sources are laid out as .clang-format says
    clang-tidy   # looks for mistakes in C
    cppcheck     # looks for others
    shellcheck   # looks for mistakes in shell
)

# shellcheck disable=SC2034  # read by tools/bench
BENCH_PACKAGES=(
    libglib2.0-dev # a peer: GLib
    libuv1-dev     # a peer: libuv
    make           # the build that is timed with and without the preload
    python3        # drives the benchmark, and is a peer
)

# The names among the arguments that are not installed.
missing_packages() {
    local installed name
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        grep -qxF "$name installed" <<<"$installed" || echo "$name"
    done
}

# Runs apt-get in silence; shows what it said when it fails.
run_apt_get() {
    local as_root=() said
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
    fi
    if ! said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null); then
        tail -n 20 <<<"$said" >&2
        return 1
    fi
}

# Whether packages can be installed at all: as root, or with a sudo that works or may still ask for a password.
can_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }
}

# Installs what is missing of the packages named, and is silent when nothing is.
install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian system, nothing is installed; needed: $*" >&2
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    if ! can_install; then
        echo "please install as root: apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}" >&2
    run_apt_get update && run_apt_get install --no-install-recommends "${missing[@]}"
}

# build_airlock FOLDER [TARGET…]: configures, or configures again (a new test may have come), and builds everything or
# the targets named; silent when all goes well.
build_airlock() {
    local folder=$1 said setup=(meson setup)
    shift
    case $folder in
    *[\ :]*)
        echo "the dynamic loader preloads nothing from a path with a space or a colon, please move: $folder" >&2
        return 1
        ;;
    esac
    if [ -e "$folder/build.ninja" ]; then
        setup+=(--reconfigure)
    fi
    if ! said=$("${setup[@]}" "$folder" "$ROOT" 2>&1 </dev/null); then
        echo "$said" >&2
        return 1
    fi
    if ! said=$(ninja -C "$folder" "$@" 2>&1 </dev/null); then
        echo "$said" >&2
        return 1
    fi
    # A warning is no failure, but it is shown.
    grep -A 5 'warning:' <<<"$said" >&2 || true
}
