//! A program that gets a signal, and handles it in the way that its first argument names: it goes on for a
//! second, longer than its grace period, and returns. Its spans are numbered.
//!
//! The second argument is an ending for those that handle nothing: `none` records for ever.

#![allow(unsafe_code, reason = "signals are handled by hand here")]

use std::mem::MaybeUninit;
use std::process::ExitCode;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use spandrel::{AppGuard, Config, ShutdownSignal, span};
use tokio::signal::unix::{Signal, SignalKind, signal};

static TOLD: AtomicBool = AtomicBool::new(false);

// Long: one arm for each way to handle a signal.
fn main() -> ExitCode {
    let how = std::env::args().nth(1).unwrap_or_default();
    match how.as_str() {
        "none" | "none-without-threads" => {
            let app = install();
            (0..10).for_each(step);
            if how != "none" {
                limit(libc::RLIMIT_AS, 0);
            }
            println!("waiting");
            for number in 10.. {
                step(number);
            }
            drop(app);
        }
        "without-threads" => {
            limit(libc::RLIMIT_AS, 0);
            let app = install();
            let mut stop = Box::pin(spandrel::shutdown_signal());
            let mut task = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(stop.as_mut().poll(&mut task).is_pending());
            println!("waiting");
            thread::sleep(Duration::from_secs(30));
            drop(app);
        }
        "without-descriptors" => {
            limit(libc::RLIMIT_NOFILE, 3);
            drop(install());
        }
        "sigwait" => {
            let app = install();
            wait_for_sighup();
            step(0);
            drop(app);
        }
        "reloads" => {
            let app = install();
            // SAFETY: the handler only sets a flag.
            unsafe {
                libc::signal(SIGHUP, on_signal as *const () as usize);
                libc::signal(libc::SIGQUIT, on_signal as *const () as usize);
            }
            let stop = spandrel::shutdown_signal();
            step(0);
            println!("waiting");
            futures::executor::block_on(stop);
            step(1);
            drop(app);
        }
        "try-ctrlc" => {
            let app = install();
            let refused = ctrlc::try_set_handler(|| {}).is_err();
            println!("{}", if refused { "refused" } else { "set" });
            drop(app);
        }
        // The signal comes while `main` works; the flush for it takes longer than that.
        "returns" => {
            let config = Config::new("signals").flush(Duration::from_millis(500));
            let app = spandrel::install(config);
            step(0);
            println!("waiting");
            thread::sleep(Duration::from_millis(200));
            drop(app);
        }
        "after-shutdown" => {
            drop(install());
            println!("waiting");
            thread::sleep(Duration::from_secs(30));
        }
        "named-main" => {
            let thread = thread::Builder::new().name("main".to_owned());
            let app = thread.spawn(install).expect("it starts").join().expect("no panic");
            step(0);
            drop(app);
        }
        _ => drains(&how),
    }
    ExitCode::from(7)
}

/// Works until it is told to stop, and a second longer.
fn drains(how: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let (kind, order) = how.split_once('-').unwrap_or((how, ""));
    let mut handler = (order == "before").then(|| Handler::set(kind));
    let mut app = install();
    let handler = handler.take().unwrap_or_else(|| Handler::set(kind));
    if order == "between" {
        drop(app);
        app = install();
    }
    (0..10).for_each(step);
    println!("waiting");
    handler.wait(&runtime);
    (10..60).for_each(|number| {
        step(number);
        thread::sleep(Duration::from_millis(20));
    });
    drop(app);
}

fn install() -> AppGuard {
    spandrel::install(Config::new("signals").grace(Duration::from_millis(300)))
}

enum Handler {
    Awaited(ShutdownSignal),
    Tokio(Signal, Signal),
    Flag(Arc<AtomicBool>),
    Static,
}

impl Handler {
    fn set(kind: &str) -> Self {
        match kind {
            "awaited" => Self::Awaited(spandrel::shutdown_signal()),
            "tokio" => {
                let stream = |kind| signal(kind).expect("a handler");
                Self::Tokio(stream(SignalKind::terminate()), stream(SignalKind::interrupt()))
            }
            "hook" => {
                let flag = Arc::<AtomicBool>::default();
                for signal in [SIGTERM, SIGINT] {
                    signal_hook::flag::register(signal, flag.clone()).expect("a handler");
                }
                Self::Flag(flag)
            }
            "ctrlc" => {
                let told = || TOLD.store(true, Ordering::SeqCst);
                ctrlc::set_handler(told).expect("a handler");
                Self::Static
            }
            "raw" => {
                for signal in [SIGTERM, SIGINT] {
                    // SAFETY: the handler only sets a flag.
                    unsafe { libc::signal(signal, on_signal as *const () as usize) };
                }
                Self::Static
            }
            "siginfo" => {
                let mut action = MaybeUninit::<libc::sigaction>::zeroed();
                // SAFETY: all zeros is a valid action, and the handler only sets a flag.
                unsafe {
                    (*action.as_mut_ptr()).sa_sigaction = on_siginfo as *const () as usize;
                    (*action.as_mut_ptr()).sa_flags = libc::SA_SIGINFO;
                    for signal in [SIGTERM, SIGINT] {
                        libc::sigaction(signal, action.as_ptr(), ptr::null_mut());
                    }
                }
                Self::Static
            }
            other => panic!("unknown: {other}"),
        }
    }

    fn wait(self, runtime: &tokio::runtime::Runtime) {
        let until = |told: &dyn Fn() -> bool| {
            while !told() {
                thread::sleep(Duration::from_millis(5));
            }
        };
        match self {
            Self::Awaited(stop) => runtime.block_on(stop),
            Self::Tokio(mut terminate, mut interrupt) => runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }),
            Self::Flag(flag) => until(&|| flag.load(Ordering::SeqCst)),
            Self::Static => until(&|| TOLD.load(Ordering::SeqCst)),
        }
    }
}

extern "C" fn on_signal(_: libc::c_int) {
    TOLD.store(true, Ordering::SeqCst);
}

extern "C" fn on_siginfo(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    TOLD.store(!info.is_null(), Ordering::SeqCst);
}

/// Blocks SIGHUP in this thread, sends it to the process and waits for it.
fn wait_for_sighup() {
    let mut set = MaybeUninit::uninit();
    let mut signal = 0;
    // SAFETY: `sigemptyset` initialises the set, and all pointers are valid.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), SIGHUP);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut());
        libc::kill(libc::getpid(), SIGHUP);
        libc::sigwait(set.as_ptr(), &raw mut signal);
    }
    println!("got {signal}");
}

/// Leaves this much of a resource, beyond what is used of memory.
fn limit(resource: libc::__rlimit_resource_t, left: u64) {
    let used = if resource == libc::RLIMIT_AS {
        let status = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
        let pages: u64 = status.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
        // Room for what is allocated meanwhile, and not for a stack.
        pages * 4096 + (1 << 20)
    } else {
        0
    };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are valid.
    unsafe {
        assert_eq!(libc::getrlimit(resource, &raw mut limit), 0);
        limit.rlim_cur = used + left;
        assert_eq!(libc::setrlimit(resource, &raw const limit), 0);
    }
}

#[span("step", number = number)]
fn step(number: u64) {
    thread::sleep(Duration::from_millis(1));
}
