#!/usr/bin/env bats
# shellcheck disable=SC2016  # backquotes are of the page
# tools/promises.md names a test for each promise: every one of them exists, and the numbers are right.

load helpers

page=$ROOT/tools/promises.md

# One line for each test that the page names: FILE, a tab, NAME.
named_tests() {
    grep -oE '`[a-z_-]+\.bats`: [^|]*' "$page" | sed 's/<br>/\n/g' | sed -E 's/^`([a-z_-]+\.bats)`: (.*[^ ]) *$/\1\t\2/'
}

@test "every test that the page of promises names exists" {
    local file name missing=0 count=0
    while IFS=$'\t' read -r file name; do
        count=$((count + 1))
        if ! grep -qxF "@test \"$name\" {" "$ROOT/tests/$file"; then
            echo "tests/$file has no test: $name"
            missing=$((missing + 1))
        fi
    done < <(named_tests)
    [ "$count" -gt 50 ]
    [ "$missing" -eq 0 ]
}

@test "every command that the page of promises names exists" {
    local command count=0
    for command in $(grep -oE '`tools/[a-z]+`' "$page" | tr -d '`' | sort -u); do
        count=$((count + 1))
        [ -x "$ROOT/$command" ]
    done
    [ "$count" -ge 2 ]
}

@test "the number of cases behind each promise is the number of tests that are named for it" {
    local row cases named rows=0
    while IFS= read -r row; do
        rows=$((rows + 1))
        cases=$(sed -E 's/.*\| ([0-9]+) \|$/\1/' <<<"$row")
        named=$(grep -oE '`[a-z_-]+\.bats`: ' <<<"$row" | wc -l)
        [ "$cases" -eq "$named" ] || { echo "$row"; return 1; }
    done < <(grep -F '.bats`: ' "$page")
    [ "$rows" -gt 10 ]
}
