//! How a kernel runs: on which instructions, on which threads, and until when.

use crate::{level::Level, parallel::Pool};

/// What a kernel needs to know of its caller.
pub struct Run<'a> {
    /// The instruction set.
    pub level: Level,
    /// The threads.
    pub pool: Pool,
    /// Whether the caller has lost interest. Polled between chunks.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// The caller lost interest; whatever was computed is incomplete.
#[derive(Debug, PartialEq, Eq)]
pub struct Cancelled;

impl Run<'_> {
    /// An error once the caller has lost interest.
    pub fn check(&self) -> Result<(), Cancelled> {
        if (self.cancelled)() { Err(Cancelled) } else { Ok(()) }
    }

    /// `each(index, part)` over the parts, in parallel, unless the caller loses interest.
    pub fn map_parts<T: Send, R: Send>(
        &self,
        parts: Vec<T>,
        each: impl Fn(usize, T) -> R + Sync + Send,
    ) -> Result<Vec<R>, Cancelled> {
        let cancelled = self.cancelled;
        let guarded = |index: usize, part: T| if cancelled() { None } else { Some(each(index, part)) };
        self.pool.map_parts(parts, guarded).into_iter().collect::<Option<Vec<R>>>().ok_or(Cancelled)
    }
}
