#!/usr/bin/env bats
# shellcheck disable=SC2154 # bats assigns stderr and stderr_lines
# shellcheck disable=SC2016 # a dollar sign means itself
#
# airlock unit: the drop-in that it prints is one that systemd accepts, and says what was asked for.

bats_require_minimum_version 1.8.0
load helpers

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

unit() {
    plain "$AIRLOCK" unit "$@"
}

# The drop-in has these lines, whatever else it has.
has_lines() {
    local line
    for line in "$@"; do
        grep -qxF -e "$line" <<<"$output" || { echo "no line: $line" && echo "$output" && return 1; }
    done
}

# The lines that are no comments.
settings() {
    grep -v '^#' <<<"$output"
}

# systemd reads the drop-in of demo.service without a complaint.
is_accepted() {
    mkdir -p units/demo.service.d
    printf '[Service]\nExecStart=/bin/true\n' >units/demo.service
    printf '%s\n' "$output" >units/demo.service.d/airlock.conf
    SYSTEMD_UNIT_PATH=$PWD/units: timeout 60 systemd-analyze verify --man=no "$PWD/units/demo.service" >verified 2>&1 || true
    # It complains of other units of the machine, too.
    ! grep -iE 'airlock|demo' verified
}

@test "without options the service is put under enforce" {
    run -0 --separate-stderr unit demo
    [ -z "$stderr" ]
    [ "$(settings)" = "[Service]
Environment=\"LD_PRELOAD=$(realpath "$PRELOAD")\"
Environment=\"AIRLOCK_MODE=enforce\"" ]
}

@test "every setting becomes a variable" {
    echo "keep 7" >my.policy
    run -0 unit demo --mode off --keep 3,7-9 --signals all --mask clear --policy my.policy
    has_lines 'Environment="AIRLOCK_MODE=off"' 'Environment="AIRLOCK_KEEP=3,7-9"' 'Environment="AIRLOCK_SIGNALS=all"' \
        'Environment="AIRLOCK_MASK=clear"' "Environment=\"AIRLOCK_POLICY=$(realpath my.policy)\""
}

@test "a policy decides about the mode when none was given" {
    echo "mode audit" >my.policy
    run -0 unit demo --policy my.policy
    [[ $(settings) != *AIRLOCK_MODE* ]]
}

@test "mode audit writes a log into a folder of the service's own" {
    run -0 unit demo --mode audit
    has_lines 'Environment="AIRLOCK_MODE=audit"' 'Environment="AIRLOCK_LOG=%L/airlock/%N/spawns.jsonl"' \
        'LogsDirectory=airlock/%N'
    [[ $output == *"airlock audit --log /var/log/airlock/demo/spawns.jsonl"* ]]
    run -0 unit demo --mode enforce
    [[ $output != *AIRLOCK_LOG* ]]
}

@test "the comment says how to install and how to remove it, with the whole name" {
    for name in demo demo.service; do
        run -0 unit "$name"
        [[ $output == *"systemctl edit demo.service "* ]]
        [[ $output == *"systemctl restart demo.service"* ]]
        [[ $output == *"systemctl revert demo.service"* ]]
    done
}

@test "systemd accepts what is printed" {
    command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
    echo "keep 7" >my.policy
    for options in "" "--mode audit" "--mode off --keep all" "--policy my.policy --signals all --mask clear"; do
        # shellcheck disable=SC2086 # words
        run -0 unit demo $options
        is_accepted
    done
    # It would have said something.
    output=${output/Environment=/Enviroment=}
    run is_accepted
    [ "$status" -ne 0 ]
}

@test "a path with a percent sign, a quote, a backslash or a dollar sign means itself" {
    command -v systemd-analyze >/dev/null || skip "needs systemd-analyze"
    echo "keep 7" >'100%n "odd" \name $LIB'
    run -0 unit demo --policy '100%n "odd" \name $LIB'
    [[ $output == *'/100%%n \"odd\" \\name $LIB"'* ]]
    is_accepted
}

@test "a template and a name with every accepted character are taken" {
    run -0 unit demo@
    [[ $output == *"demo@.service"* ]]
    run -0 unit --mode audit demo@
    [[ $output == *"/var/log/airlock/demo@INSTANCE/spawns.jsonl"* ]]
    run -0 unit 'a-B:c_d.e\x2d@1'
    [[ $output == *'a-B:c_d.e\x2d@1.service'* ]]
}

@test "what is no name of a service is refused" {
    for name in "" "a b" "a/b" "../a" ".a" "@a" $'a\n[Service]' "a%n" "ä" "$(printf '%300s' '' | tr ' ' a)" demo.socket demo.timer; do
        run -125 --separate-stderr unit -- "$name"
        [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: unit: '"*"accepted"* ]]
    done
}

@test "a wrong setting is refused as by run" {
    run -125 --separate-stderr unit demo --mode loud
    [ "$stderr" = "airlock: --mode 'loud' is unknown; accepted are enforce, audit or off" ]
    run -125 --separate-stderr unit demo --keep x
    [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ]
    run -125 --separate-stderr unit demo --policy nothing
    [ "$stderr" = "airlock: the policy 'nothing' does not exist" ]
    run -125 --separate-stderr unit demo --mode
    [[ $stderr == "airlock: unit: the option --mode needs a value"* ]]
}

@test "unit says how it is used" {
    for words in "" "a b" "--moed off a"; do
        # shellcheck disable=SC2086 # words
        run -125 --separate-stderr unit $words
        [ -z "$output" ] && [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == "airlock: unit: "* ]]
    done
    run -0 unit --help
    [[ $output == "Usage: airlock unit NAME "* ]]
}
