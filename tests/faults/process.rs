//! Programs to be run.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_program");
pub(crate) const GRACEFUL: &str = env!("CARGO_BIN_EXE_graceful");
pub(crate) const TOKIO_ABOVE: &str = env!("CARGO_BIN_EXE_tokio-above");
pub(crate) const TOKIO_BELOW: &str = env!("CARGO_BIN_EXE_tokio-below");
pub(crate) const KEEP: &str = env!("CARGO_BIN_EXE_keep");
pub(crate) const CONSISTENT: &str = env!("CARGO_BIN_EXE_consistent");
pub(crate) const RENEWS: &str = env!("CARGO_BIN_EXE_renews");
pub(crate) const RULES: &str = env!("CARGO_BIN_EXE_rules");
pub(crate) const LOCATED: &str = env!("CARGO_BIN_EXE_located");
pub(crate) const REDACTS: &str = env!("CARGO_BIN_EXE_redacts");
pub(crate) const TICKS: &str = env!("CARGO_BIN_EXE_ticks");
pub(crate) const DEVICE: &str = env!("CARGO_BIN_EXE_device");
pub(crate) const OWN_SDK: &str = env!("CARGO_BIN_EXE_own-sdk");
pub(crate) const OWN_EXPORTER: &str = env!("CARGO_BIN_EXE_own-exporter");
pub(crate) const OWN_PROCESSOR: &str = env!("CARGO_BIN_EXE_own-processor");
pub(crate) const TOLD_TO_STOP: &str = env!("CARGO_BIN_EXE_told-to-stop");
pub(crate) const FORKS: &str = env!("CARGO_BIN_EXE_forks");
pub(crate) const BURST: &str = env!("CARGO_BIN_EXE_burst");
pub(crate) const FLUSHES: &str = env!("CARGO_BIN_EXE_flushes");
pub(crate) const SIGNALS: &str = env!("CARGO_BIN_EXE_signals");
pub(crate) const TOOL: &str = env!("CARGO_BIN_EXE_tool");
pub(crate) const HOP: &str = env!("CARGO_BIN_EXE_hop");
pub(crate) const DOUBLES: &str = env!("CARGO_BIN_EXE_doubles");
pub(crate) const APP_TYPE: &str = env!("CARGO_BIN_EXE_app-type");
pub(crate) const ASYNC_APP_TYPE: &str = env!("CARGO_BIN_EXE_async-app-type");
pub(crate) const LOGS: &str = env!("CARGO_BIN_EXE_logs");
pub(crate) const NESTING: &str = env!("CARGO_BIN_EXE_nesting");

/// One protocol for each of the two transports, HTTP and gRPC.
pub(crate) const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

/// The program with these variables and none of ours.
pub(crate) fn command(path: &str, argument: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path);
    let is_ours = |name: &str| name.starts_with("OTEL_") || name.starts_with("SPANDREL_");
    for (name, _) in std::env::vars().filter(|(name, _)| is_ours(name)) {
        command.env_remove(name);
    }
    #[cfg(unix)]
    independent(&mut command);
    command
        .arg(argument)
        .env_remove("ENABLE_TRACING")
        .env_remove("HTTP_PROXY")
        .env_remove("HTTPS_PROXY")
        .env_remove("ALL_PROXY")
        .env_remove("NO_PROXY")
        .env_remove("RUST_LOG")
        .env("RUST_BACKTRACE", "0")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program ends by the signals that end programs, whatever this process ignores or blocks, as one that a
/// shell starts in the background ignores SIGINT. And it ends by SIGALRM when it has hung for too long.
#[cfg(unix)]
#[allow(unsafe_code, reason = "there is no safe way to set these for another process")]
fn independent(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    // As long as a soak is told to take, and what any other test may take.
    let soak = std::env::var("SOAK").ok().and_then(|seconds| seconds.parse().ok());
    let longest = 240 + soak.unwrap_or(0_u32);
    // SAFETY: all of these are safe to call between `fork` and `exec`.
    unsafe {
        command.pre_exec(move || {
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGALRM]
            {
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            // SIGQUIT is to leave no core file behind.
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            libc::alarm(longest);
            Ok(())
        });
    }
}

/// Runs a program that sends its spans to this endpoint.
pub(crate) fn run(path: &str, argument: &str, endpoint: &str) -> Output {
    command(path, argument, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)])
        .output()
        .expect("the program runs")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn kill(program: &Child, signal: i32) {
    let status =
        Command::new("kill").args([format!("-{signal}"), program.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// A program that has started, and waits or works.
pub(crate) fn started(command: &mut Command) -> Child {
    let mut program = command.spawn().expect("it runs");
    let mut line = String::new();
    let stdout = program.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("it writes");
    assert_eq!(line, "waiting\n");
    program
}
