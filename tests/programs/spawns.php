<?php
// Prints what PHP's ways to run a program give back. The tests run it with and without the preload.

foreach (['true', 'exit 3', 'kill -KILL $$', 'no-such-program-anywhere 2>/dev/null', 'printf "a\nb"', 'echo complaint >&2',
          "printf '\\377\\200\\n'"] as $command) {
    echo "== $command\n";
    $lines = [];
    var_dump(exec($command, $lines, $status), $lines, $status);
    var_dump(system($command, $status), $status);
    var_dump(shell_exec($command));
    passthru($command, $status);
    var_dump($status);
}

$sorted = popen('sort', 'w');
fwrite($sorted, "zebra\nant\n");
var_dump(pclose($sorted));

$long = popen("head -c 1000000 /dev/zero | tr '\\0' x", 'r');
var_dump(strlen(stream_get_contents($long)), pclose($long));

$streams = [];
for ($i = 0; $i < 5; $i++) {
    $streams[$i] = popen("echo stream $i; exit $i", 'r');
}
foreach ([3, 1, 4, 2, 0] as $i) {
    var_dump(fgets($streams[$i]), pclose($streams[$i]));
}

var_dump(@popen('true', 'x'));

$process = proc_open(['/bin/sh', '-c', 'cat; echo complaint >&2; exit 4'],
                     [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], "given\n");
fclose($pipes[0]);
var_dump(stream_get_contents($pipes[1]), stream_get_contents($pipes[2]), proc_close($process));
