//! How a call runs.

use crate::Error;
use serde_json::Value;
use voxnorm_kernels::{level::Level, parallel::Pool, run::Run};

/// How a call runs.
pub struct Session<'a> {
    /// Instructions, threads, and the caller's wish to stop.
    pub run: Run<'a>,
    /// Told `{ fraction, … }` now and then.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Session<'a> {
    /// A session on `threads` threads (0: one per core) at the instruction set called `simd`
    /// (empty: the widest there is).
    // Inlined, it would be optimised as `voxnorm_steps::run` would.
    #[inline(never)]
    pub fn new(
        threads: usize,
        simd: &str,
        cancelled: &'a (dyn Fn() -> bool + Sync),
        progress: &'a (dyn Fn(&str) + Sync),
    ) -> Result<Session<'a>, Error> {
        let level = if simd.is_empty() { Some(Level::best()) } else { Level::named(simd) };
        let level = level.ok_or_else(|| {
            let supported = Level::supported();
            Error::new(
                "UnsupportedSimd",
                format!(
                    "simd: expected one of {} on this processor, got {}",
                    supported.join(", "),
                    Value::from(simd)
                ),
            )
            .with(object! { expected: supported, got: simd })
        })?;
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        let pool = Pool::new(threads).map_err(|error| {
            Error::new("NoThreads", format!("threads: the system refused to start {threads}: {error}"))
        })?;
        Ok(Session { run: Run { level, pool, cancelled }, progress })
    }

    /// Tells the caller how far the work is.
    pub fn report(&self, progress: Value) {
        (self.progress)(&progress.to_string());
    }
}
