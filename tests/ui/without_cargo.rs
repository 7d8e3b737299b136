//! Builds that call `rustc` themselves, as Bazel and Buck do: there are none of Cargo's variables, and the
//! runtime has the name that the build gives it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs};

const SOURCE: &str = "
    #[spandrel::traced_app(\"service\")]
    fn main() {
        load(&Vec::new());
    }

    #[spandrel::span(\"load\", size = headers.len())]
    #[spandrel::propagate(headers)]
    fn load(headers: &Vec<(String, String)>) {
        #[spandrel::span(\"block\")]
        let _ = headers.len();
    }
";

/// The folder of the libraries that this test is linked with.
fn libraries() -> PathBuf {
    let mut folder = env::current_exe().expect("the test's path");
    folder.pop();
    folder
}

/// The newest build of the runtime there.
fn runtime() -> PathBuf {
    let entries = fs::read_dir(libraries()).expect("the libraries");
    let paths = entries.map(|entry| entry.expect("a library").path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libspandrel-") && name.ends_with(".rlib")
    });
    let changed = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    paths.max_by_key(changed).expect("the runtime")
}

/// Compiles a program for which the runtime has this name.
fn compile(name: &str, source: &str) -> Output {
    let out = env::temp_dir().join(format!("spandrel-{name}-{}", std::process::id()));
    fs::create_dir_all(&out).expect("a folder");
    fs::write(out.join("main.rs"), source).expect("a file");
    let mut rustc = Command::new("rustc");
    for (variable, _) in env::vars_os() {
        if variable.to_string_lossy().starts_with("CARGO_") {
            rustc.env_remove(variable);
        }
    }
    rustc.args(["--edition=2024", "--emit=metadata", "--deny=warnings", "main.rs", "-L"]);
    rustc.arg(format!("dependency={}", libraries().display()));
    rustc.arg("--extern").arg(format!("{name}={}", runtime().display()));
    let output = rustc.current_dir(&out).output().expect("rustc runs");
    fs::remove_dir_all(out).expect("a folder");
    output
}

#[test]
fn expansions_compile_without_cargo() {
    let output = compile("spandrel", SOURCE);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_renamed_runtime_is_found_by_extern_crate() {
    let output = compile("telemetry", SOURCE);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("cannot find module or crate `spandrel`"), "{message}");
    let output = compile("telemetry", &format!("extern crate telemetry as spandrel; {SOURCE}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
