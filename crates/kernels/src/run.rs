//! How a kernel runs: on which instructions, on which threads, and until when.

use crate::{level::Level, parallel::Pool};
use std::sync::{Mutex, PoisonError};

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

    /// As [`Run::map_parts`], with states that parts one after the other add to: at most one a thread.
    ///
    /// Which parts share a state is left to chance, so only exact sums, whose order does not matter,
    /// may be kept in one.
    pub fn map_parts_with<T: Send, S: Send, R: Send>(
        &self,
        parts: Vec<T>,
        state: impl Fn() -> S + Sync + Send,
        each: impl Fn(&mut S, T) -> R + Sync + Send,
    ) -> Result<(Vec<R>, Vec<S>), Cancelled> {
        let states = Mutex::new(Vec::new());
        let idle = || states.lock().unwrap_or_else(PoisonError::into_inner);
        let results = self.map_parts(parts, |_, part| {
            let taken = idle().pop();
            let mut state = taken.unwrap_or_else(&state);
            let result = each(&mut state, part);
            idle().push(state);
            result
        })?;
        Ok((results, states.into_inner().unwrap_or_else(PoisonError::into_inner)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_hold_every_part_once() {
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads).unwrap();
            let run = Run { level: Level::best(), pool, cancelled: &|| false };
            let add = |sum: &mut usize, part: usize| {
                *sum += part;
                part * 2
            };
            let (results, states) = run.map_parts_with((0..1000).collect(), || 0, add).unwrap();
            assert_eq!(results, (0..1000).map(|i| i * 2).collect::<Vec<_>>());
            assert_eq!(states.iter().sum::<usize>(), 999 * 500);
            assert!(states.len() <= threads);
        }
    }

    #[test]
    fn nothing_comes_of_a_cancelled_run() {
        let run = Run { level: Level::best(), pool: Pool::new(1).unwrap(), cancelled: &|| true };
        assert_eq!(run.check(), Err(Cancelled));
        assert_eq!(run.map_parts(vec![1, 2], |_, part| part), Err(Cancelled));
    }
}
