#!/usr/bin/env bats
# Descriptions of a child that are wrong. Each must end in an error with a place, and leave no child, no descriptor and
# no blocked signal behind: the probe looks for these after every case.

load helpers

probe=$PROBES/library_input

@test "a program that is not there to be named is refused before anything starts" {
    run plain "$probe" program
    diff -u - <(echo "$output") <<'END'
no program: exec: EINVAL
empty argv: exec: EINVAL
no candidate: exec: EINVAL
empty path: exec : ENOENT, said the child
unknown search: exec /bin/true: EINVAL
unknown seal: check: EINVAL
unknown flag: check: EINVAL
END
}

@test "an action that cannot be is refused with its index, one that the child finds wrong with the same place" {
    run plain "$probe" actions
    diff -u - <(echo "$output") <<'END'
unknown kind: action 0 (? 0): EINVAL
negative close: action 0 (close -1): EBADF
negative source: action 0 (dup2 -1 → 5): EBADF
negative target: action 0 (dup2 0 → -2147483648): EBADF
open without a path: action 0 (open 5 ): EINVAL
chdir without a path: action 0 (chdir ): EINVAL
negative closefrom: action 0 (closefrom -1): EBADF
closed source: action 0 (dup2 77 → 5): EBADF
source above every limit: action 0 (dup2 2147483647 → 5): EBADF
target above every limit: action 0 (dup2 0 → 2147483647): EBADF
closed directory: action 0 (fchdir 77): EBADF
no terminal: action 0 (tcsetpgrp 77): EBADF
no array: action: EINVAL
the third is wrong: action 2 (dup2 77 → 1): EBADF
END
}

@test "streams and kept descriptors out of range are refused with their place; numbers that are not open may be kept" {
    run plain "$probe" descriptors
    diff -u - <(echo "$output") <<'END'
keep of -1: keep 1: EINVAL
keep of INT_MAX: exited with 0
no keep: keep: EINVAL
inheritable INT_MAX: keep 2147483647: EBADF
range upside down: keep 0: EINVAL
negative range: keep 1: EINVAL
range to INT_MAX: exited with 0
closed stdio: stdio 1: EBADF
stdio of INT_MAX: stdio 2: EBADF
stdio of INT_MIN: stdio 2: EBADF
END
}

@test "a descriptor that is not open when its turn comes is an error before anything starts, or in order when asked" {
    run plain "$probe" order
    diff -u - <(echo "$output") <<'END'
made by dup2: exited with 0
made by open: exited with 0
made too late: action 0 (dup2 77 → 5): EBADF
closed again: action 2 (dup2 77 → 5): EBADF
closed with all above: action 1 (dup2 2 → 5): EBADF
closed below: exited with 0
made to be kept: exited with 0
closed stream: action 0 (dup2 1 → 5): EBADF
made by stdio: exited with 0
stdio is at once: stdio 2: EBADF
in order: action 0 (dup2 77 → 5): EBADF, said the child
in order, after the group: process group: EPERM, said the child
END
}

@test "ids, groups, signals, priorities, control groups and directories that cannot be are refused by name" {
    run plain "$probe" attributes
    diff -u - <(echo "$output") <<'END'
death signal 65: death signal: EINVAL
death signal -1: death signal: EINVAL
group -1: process group: EINVAL
foreign group: process group: EPERM, said the child
session and group: process group: EPERM
uid -1: uid: EINVAL
gid -1: gid: EINVAL
no groups: groups: EINVAL
too many groups: groups: EINVAL
the second group is -1: groups 1: EINVAL
priority 100: scheduling: EINVAL
priority 1 without real time: scheduling: EINVAL
unknown policy: scheduling: EINVAL
policy -1: scheduling: EINVAL
real time without a priority: scheduling: EINVAL
unknown policy, in order: scheduling: EINVAL, said the child
closed cgroup: clone: EBADF
cgroup -1: clone: EBADF
no directory: chdir /nowhere: ENOENT, said the child
empty directory: chdir : ENOENT, said the child
END
}

@test "limits that cannot be are refused with their index" {
    run plain "$probe" limits
    diff -u - <(echo "$output") <<'END'
unknown resource: limit 0: EINVAL
soft above hard: limit 1: EINVAL
no limits: limit: EINVAL
more than the system allows: limit 0: EPERM, said the child
END
}

@test "NULL where a pointer is needed is an error, and a handle of nothing is safe" {
    run plain "$probe" null
    diff -u - <(echo "$output") <<'END'
command: EINVAL
child: EINVAL
process: EINVAL
given -1: stdio 1: EBADF
unknown stream: stdio 2: EINVAL
streams and stdio: check: EINVAL
output: EINVAL
exec with a pidfd: EINVAL
handle of nothing: wait ECHILD, try_wait ECHILD, kill ESRCH, communicate EINVAL, its output freed
handle of zeros: communicate EINVAL, standard streams open
END
}

@test "a callback is not called for a description that is refused" {
    run plain "$probe" callback
    diff -u - <(echo "$output") <<'END'
with callback: death signal: EINVAL
calls: 0
END
}

@test "names and paths that are longer than any file's do not overflow anything" {
    run plain "$probe" long-names
    [ "$status" -eq 0 ]
    diff -u - <(sed -E 's/x{100,}(: [A-Z]+)?/…/' <<<"$output") <<'END'
long name: exec …
long path: exec …
long directory: chdir …
long file: action 1 (open 5 …
long PATH: exec no-such-program: ENOENT, said the child
END
}
