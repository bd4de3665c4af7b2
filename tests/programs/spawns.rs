//! Starts programs through std::process::Command: `spawns SECTION`. The tests run each with and without the preload.

use std::ffi::{CString, OsStr};
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

extern "C" {
    fn open(path: *const std::os::raw::c_char, flags: std::os::raw::c_int, ...) -> std::os::raw::c_int;
}

/// Opens the file that LEAK names as C code would: without close-on-exec, which Rust's own File always sets.
fn leak() {
    let path = CString::new(std::env::var_os("LEAK").expect("LEAK names a file").into_vec()).unwrap();
    assert!(unsafe { open(path.as_ptr(), 0) } > 2);
}

fn fds() -> Command {
    Command::new(std::env::var_os("FDS").expect("FDS names the listing child"))
}

fn report(name: &str, command: &mut Command) {
    match command.output() {
        Ok(done) => println!(
            "{name}: code {:?}, signal {:?}, out {:?}, err {:?}",
            done.status.code(),
            done.status.signal(),
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ),
        Err(error) => println!("{name}: {:?} {:?}", error.kind(), error.raw_os_error()),
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

fn results() {
    report("said", &mut shell("echo said; echo complaint >&2"));
    report("status", &mut shell("exit 3"));
    report("killed", &mut shell("kill -KILL $$"));
    report("absent", &mut Command::new("no-such-program-anywhere"));
    report("absent path", &mut Command::new("/no/such/program"));
    report("directory", &mut Command::new("/"));
    report("not executable", &mut Command::new("/etc/passwd"));
    report("folder", shell("pwd").current_dir("/usr"));
    report("no folder", shell("pwd").current_dir("/no/such/folder"));
    report("environment", Command::new("/usr/bin/env").env_clear().env("ONLY", "one"));
    report("child's PATH", shell("echo found").env("PATH", "/bin:/usr/bin"));
    report("no PATH", shell("echo found").env("PATH", "/nowhere"));
    report("bytes", shell("printf %s \"$0\" | od -An -tx1").arg(OsStr::from_bytes(b"\xff\xfe")));
    report("name", Command::new("sh").arg0("other").args(["-c", "echo $0"]));
    report("signals", &mut shell("kill -PIPE $$; echo survived"));
    let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    sort.stdin.take().unwrap().write_all(b"zebra\nant\n").unwrap();
    let mut sorted = String::new();
    sort.stdout.take().unwrap().read_to_string(&mut sorted).unwrap();
    println!("{sorted:?} {:?} {:?}", sort.wait().unwrap().code(), sort.try_wait().unwrap().map(|status| status.success()));
}

fn threads() {
    let threads: Vec<_> = (0..8)
        .map(|i| std::thread::spawn(move || (0..10).map(|j| shell(&format!("exit {}", i * 10 + j)).status().unwrap().code().unwrap()).sum::<i32>()))
        .collect();
    println!("{:?}", threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>());
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("status") => {
            leak();
            assert!(fds().status().unwrap().success());
        }
        Some("output") => {
            leak();
            std::io::stdout().write_all(&fds().output().unwrap().stdout).unwrap();
        }
        Some("folder") => {
            leak();
            assert!(fds().current_dir("/").status().unwrap().success());
        }
        // A callback before exec makes Rust fork by hand.
        Some("by-hand") => {
            leak();
            assert!(unsafe { fds().pre_exec(|| Ok(())) }.status().unwrap().success());
        }
        Some("results") => results(),
        Some("threads") => threads(),
        other => panic!("no such section: {other:?}"),
    }
}
