#!/usr/bin/env bats
# PostgreSQL, a real service: COPY … TO and FROM PROGRAM use popen, archive_command uses system. Its processes have
# dozens of table files open, none of which is any business of a child's.
#
# The server refuses to run as root, so that everything of it is in a folder of its own that belongs to another user,
# and reached through a socket there.

load helpers

find_programs() {
    local folder
    for folder in /usr/lib/postgresql/*/bin; do
        PROGRAMS=$folder
    done
    [ -x "$PROGRAMS/postgres" ]
}

# CMD as the user of the server, in its folder, with nothing open.
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        set -- setpriv --reuid "$OWNER" --regid "$OWNER" --clear-groups "$@"
    fi
    (cd "$SERVER" && become_clean timeout -k 5 "$LIMIT" env -u LD_PRELOAD -u AIRLOCK_MODE -u AIRLOCK_KEEP -u AIRLOCK_POLICY "$@")
}

setup_file() {
    find_programs
    OWNER=65534
    SERVER=$(mktemp -d /tmp/airlock-postgresql.XXXXXX)
    export PROGRAMS OWNER SERVER
    # Copies, because the other user may not come to where the originals are.
    cp "$PRELOAD" "$PROBES/fds" "$SERVER"
    chmod 755 "$SERVER"
    [ "$(id -u)" -ne 0 ] || chown "$OWNER:$OWNER" "$SERVER"
    as_user "$PROGRAMS/initdb" -D data -A trust -U tester --no-sync >/dev/null
    as_user sh -c 'cat >>data/postgresql.conf' <<END
listen_addresses = ''
unix_socket_directories = '$SERVER'
fsync = off
shared_buffers = 1MB
max_connections = 5
archive_mode = on
archive_command = '$SERVER/fds >$SERVER/archive.fds && cp %p $SERVER/archived.%f'
END
}

teardown_file() {
    rm -rf "$SERVER"
}

teardown() {
    as_user "$PROGRAMS/pg_ctl" -D data -m immediate stop >/dev/null 2>&1 || true
    rm -f "$SERVER"/*.fds "$SERVER"/archived.* "$SERVER"/copied
}

# start_server [VARIABLE=VALUE…]   pg_ctl waits until the server answers
start_server() {
    as_user env "$@" "$PROGRAMS/pg_ctl" -D data -l log -t 40 start >/dev/null </dev/null 3>&- || {
        cat "$SERVER/log"
        return 1
    }
}

with_airlock() {
    start_server LD_PRELOAD="$SERVER/libairlock-preload.so"
}

query() {
    as_user "$PROGRAMS/psql" -h "$SERVER" -U tester -qAt postgres -c "$1"
}

# Has the server archive a segment of its log, and waits until that is done.
archive_a_segment() {
    local tries
    query "CREATE TABLE IF NOT EXISTS something (x text); INSERT INTO something VALUES (1)"
    query "SELECT pg_switch_wal()" >/dev/null
    for ((tries = 0; tries < 200; tries++)); do
        if compgen -G "$SERVER/archived.*" >/dev/null; then
            return 0
        fi
        sleep 0.1
    done
    echo "nothing was archived"
    cat "$SERVER/log"
    return 1
}

numbers_in() {
    cut -d ' ' -f 1 "$SERVER/$1" | paste -sd ' '
}

@test "without airlock a program of COPY and the archive command hold what the server has open" {
    start_server
    query "COPY (SELECT 1) TO PROGRAM '$SERVER/fds >$SERVER/copy.fds; cat >/dev/null'"
    grep -q "/data/base/" "$SERVER/copy.fds"
    archive_a_segment
    [ "$(numbers_in archive.fds)" != "0 1 2" ]
}

@test "COPY TO PROGRAM writes what the query gives, to a program that holds 0 to 2 alone" {
    with_airlock
    query "COPY (SELECT generate_series(1, 3)) TO PROGRAM '$SERVER/fds >$SERVER/copy.fds; cat >$SERVER/copied'"
    [ "$(paste -sd ' ' "$SERVER/copied")" = "1 2 3" ]
    [ "$(numbers_in copy.fds)" = "0 1 2" ]
}

@test "COPY FROM PROGRAM reads what a program prints that holds 0 to 2 alone" {
    with_airlock
    query "CREATE TABLE read_from (x text)"
    query "COPY read_from FROM PROGRAM '$SERVER/fds >$SERVER/copy.fds; echo from; echo program'"
    [ "$(query "SELECT x FROM read_from" | paste -sd ' ')" = "from program" ]
    [ "$(numbers_in copy.fds)" = "0 1 2" ]
}

@test "a program of COPY that fails is reported by the server in the same words" {
    local without
    start_server
    without=$(query "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; exit 3'" 2>&1) && return 1
    teardown
    with_airlock
    run query "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; exit 3'"
    echo "$output"
    [ "$output" = "$without" ]
    [[ $output == *"exit code 3"* ]]
}

@test "the archive command gets the segment, and holds 0 to 2 alone" {
    with_airlock
    archive_a_segment
    [ "$(numbers_in archive.fds)" = "0 1 2" ]
}

@test "an archive command that fails is tried again by the server" {
    with_airlock
    query "ALTER SYSTEM SET archive_command = 'echo try >>$SERVER/tries.fds; test \$(wc -l <$SERVER/tries.fds) -gt 2 && cp %p $SERVER/archived.%f'"
    query "SELECT pg_reload_conf()" >/dev/null
    archive_a_segment
    [ "$(wc -l <"$SERVER/tries.fds")" -ge 3 ]
    query "ALTER SYSTEM RESET archive_command"
}
