//! SIGTERM and SIGINT: a program that comes to its end by itself is left to it; one that does not is
//! flushed, and then ends by the signal, as it would have without us.

use std::sync::Once;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// From now on the first signal starts the clock; the second one ends the program at once.
pub(super) fn watch(patience: Duration) {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let spawned = Signals::new([SIGTERM, SIGINT]).and_then(|signals| {
            let name = "spandrel-signals".to_owned();
            thread::Builder::new().name(name).spawn(move || listen(signals, patience))
        });
        if let Err(error) = spawned {
            eprintln!("spandrel: SIGTERM and SIGINT will not flush: {error}");
        }
    });
}

fn listen(mut signals: Signals, patience: Duration) {
    let mut stopping = false;
    for signal in &mut signals {
        if stopping {
            let _ = emulate_default_handler(signal);
        }
        stopping = true;
        thread::spawn(move || {
            if super::shut_down_after(patience) {
                let _ = emulate_default_handler(signal);
            }
        });
    }
}
