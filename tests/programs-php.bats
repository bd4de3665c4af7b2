#!/usr/bin/env bats
# shellcheck disable=SC2016  # the programs that the tests start expand their own variables
# PHP runs system, exec, shell_exec, passthru and popen with libc's popen and pclose. What fopen and stream_socket_server
# open is not close-on-exec. proc_open forks by hand: there only the results are compared.

load programs/common.bash

OPEN='$file = fopen(getenv("LEAK"), "r"); $fds = getenv("FDS");'
LISTEN='$socket = stream_socket_server("tcp://127.0.0.1:0"); $fds = getenv("FDS");'

@test "a child of PHP's system does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' system($fds);'
}

@test "a child of PHP's exec does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' exec($fds, $lines); echo implode("\n", $lines), "\n";'
}

@test "a child of PHP's shell_exec does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' echo shell_exec($fds);'
}

@test "a child of PHP's passthru does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' passthru($fds);'
}

@test "a command that PHP reads from does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' $child = popen($fds, "r"); echo stream_get_contents($child); pclose($child);'
}

@test "a command that PHP writes to does not hold a file that PHP has open" {
    assert_sealed "$LEAK" php -r "$OPEN"' $child = popen("$fds && cat >/dev/null", "w"); fwrite($child, "x"); pclose($child);'
}

@test "a child of PHP's exec does not hold PHP's listening socket" {
    assert_sealed socket: php -r "$LISTEN"' exec($fds, $lines); echo implode("\n", $lines), "\n";'
}

@test "PHP still listens after a child has come and gone" {
    assert_same php -r "$LISTEN"' exec("true");
        $client = stream_socket_client("tcp://" . stream_socket_get_name($socket, false), $error, $text, 5);
        $server = stream_socket_accept($socket, 5);
        fwrite($server, "answered\n"); echo fgets($client);'
}

@test "a child of proc_open, out of airlock's reach, holds the same as without it" {
    list='proc_close(proc_open([$fds], [], $pipes));'
    assert_leaks "$LEAK" php -r "$OPEN $list"
    assert_holds "0 1 2 3" plain php -r "$OPEN $list"
    assert_holds "0 1 2 3" enforced php -r "$OPEN $list"
}

@test "what PHP's functions give back is the same" {
    assert_same php "$INPUTS/spawns.php"
}
