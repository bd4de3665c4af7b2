//! Rust: std::process::Command, called from the C worker.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::raw::{c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::FromRawFd;
use std::process::Command;

/// Starts a program without arguments; `output`, if not negative, is taken over and becomes its standard output.
/// Returns 0 or an errno value.
///
/// # Safety
/// `file` is a C string, `pid` can be written to, `output` is -1 or an open descriptor of the caller's.
#[no_mangle]
pub unsafe extern "C" fn bench_rust_start(file: *const c_char, output: c_int, pid: *mut c_int) -> c_int {
    let mut command = Command::new(OsStr::from_bytes(CStr::from_ptr(file).to_bytes()));
    if output >= 0 {
        command.stdout(File::from_raw_fd(output));
    }
    match command.spawn() {
        Ok(child) => {
            *pid = child.id() as c_int;
            0
        }
        Err(error) => error.raw_os_error().unwrap_or(5),
    }
}
