//! Fixed-size chunks, folded in index order. The only file that names rayon.
//!
//! Work is cut by the data's shape, never by the number of threads, and results come back in index
//! order; a fold over them is therefore the same on one thread and on many.

use std::mem::ManuallyDrop;

/// Threads that run chunks. One thread means the caller's own.
pub struct Pool {
    threads: usize,
    #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
    inner: Option<std::sync::Arc<rayon::ThreadPool>>,
}

#[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
mod shared {
    use rayon::prelude::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    /// Pools are kept by their number of threads: starting threads costs more than correcting a slice.
    pub fn pool(threads: usize) -> Result<Arc<rayon::ThreadPool>, String> {
        static POOLS: Mutex<Vec<Arc<rayon::ThreadPool>>> = Mutex::new(Vec::new());
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|pool| pool.current_num_threads() == threads) {
            return Ok(pool.clone());
        }
        let pool = Arc::new(start(threads).map_err(|error| error.to_string())?);
        pools.push(pool.clone());
        Ok(pool)
    }

    /// Does `work`, while the pool's other threads wait for it without falling asleep.
    pub fn awake<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
        let is_done = AtomicBool::new(false);
        rayon::in_place_scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|_| {
                    let mut patience = PATIENCE;
                    while patience > 0 && !is_done.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                        patience -= 1;
                    }
                });
            }
            let result = work();
            is_done.store(true, Ordering::Relaxed);
            result
        })
    }

    /// How often a waiting thread looks: for a tenth of a millisecond or so. Others may want the core.
    const PATIENCE: usize = 10_000;

    /// Of no type of its own, so that rayon's machinery is compiled once and not for every kernel.
    pub fn for_each(pool: &rayon::ThreadPool, count: usize, each: &(dyn Fn(usize) + Sync)) {
        pool.install(|| (0..count).into_par_iter().with_max_len(1).for_each(each));
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn start(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        builder.thread_name(|index| format!("voxnorm-{index}")).build()
    }

    /// The caller's thread is the first, for only there can it be spoken to from outside.
    #[cfg(target_arch = "wasm32")]
    fn start(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
        let wait = |thread| {
            super::workers::waiting().push(thread);
            Ok(())
        };
        builder.spawn_handler(wait).build()
    }
}

/// WebAssembly cannot start a thread: its host starts workers on the same memory, and each comes here to be one.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
pub mod workers {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static WAITING: Mutex<Vec<rayon::ThreadBuilder>> = Mutex::new(Vec::new());

    pub(super) fn waiting() -> MutexGuard<'static, Vec<rayon::ThreadBuilder>> {
        WAITING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the work of a thread that a pool wants, for as long as the pool lives; returns at once where none is wanted.
    pub fn serve() {
        let thread = waiting().pop();
        if let Some(thread) = thread {
            thread.run();
        }
    }
}

impl Pool {
    /// A pool of `threads` threads (at least 1). Fails where the system grants no more threads.
    #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
    pub fn new(threads: usize) -> Result<Pool, String> {
        let threads = threads.max(1);
        let inner = if threads == 1 { None } else { Some(shared::pool(threads)?) };
        Ok(Pool { threads, inner })
    }

    /// This build runs on one thread, however many are asked for.
    #[cfg(not(any(not(target_arch = "wasm32"), target_feature = "atomics")))]
    pub fn new(_threads: usize) -> Result<Pool, String> {
        Ok(Pool { threads: 1 })
    }

    /// How many threads run.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` inside the pool, so that the calls below start without handing over each time.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
        if let Some(pool) = &self.inner {
            return pool.install(work);
        }
        work()
    }

    /// Does `work`, which is short and no other thread can share. The others wait for it awake: a thread that has
    /// fallen asleep takes longer to wake than such work does. To be called inside [`Pool::enter`].
    pub fn awake<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
        if self.inner.is_some() {
            return shared::awake(self.threads, work);
        }
        work()
    }

    /// `each(0) … each(count - 1)`, results in index order.
    pub fn map<R: Send>(&self, count: usize, each: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
        self.map_parts((0..count).collect(), |index, _: usize| each(index))
    }

    /// `each(index, part)` over the given parts, results in index order.
    pub fn map_parts<T: Send, R: Send>(
        &self,
        parts: Vec<T>,
        each: impl Fn(usize, T) -> R + Sync + Send,
    ) -> Vec<R> {
        let count = parts.len();
        let mut parts = parts.into_iter().map(ManuallyDrop::new).collect::<Vec<_>>();
        let mut results = Vec::<R>::with_capacity(count);
        let (from, to) = (Places(parts.as_mut_ptr()), Places(results.as_mut_ptr()));
        self.for_each(count, &|index| {
            // SAFETY: every index below the count comes once, so that a part is taken once, and a result has a place that
            // no other thread writes. A panic leaves parts and results behind that nobody drops.
            unsafe { to.at(index).write(each(index, ManuallyDrop::into_inner(from.at(index).read()))) };
        });
        // SAFETY: all were written, or a panic went by here.
        unsafe { results.set_len(count) };
        results
    }

    /// `each(0) … each(count - 1)`, on any thread.
    fn for_each(&self, count: usize, each: &(dyn Fn(usize) + Sync)) {
        #[cfg(any(not(target_arch = "wasm32"), target_feature = "atomics"))]
        if let Some(pool) = &self.inner {
            return shared::for_each(pool, count, each);
        }
        (0..count).for_each(each);
    }
}

/// Places of a list that threads share, each of which one thread uses.
struct Places<T>(*mut T);

impl<T> Places<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

// SAFETY: who uses a place answers for it.
unsafe impl<T: Send> Sync for Places<T> {}

/// The chunks that a pass over an image is cut into: enough for many cores, few enough to fold.
pub const CHUNKS: usize = 64;

/// `0..length` cut into at most `count` ranges of equal size (the last may be shorter).
///
/// The cut depends on `length` and `count` alone, so chunks are the same on every machine.
pub fn ranges(length: usize, count: usize) -> Vec<std::ops::Range<usize>> {
    let size = length.div_ceil(count.max(1)).max(1);
    (0..length.div_ceil(size)).map(|i| i * size..((i + 1) * size).min(length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_index_order_on_any_number_of_threads() {
        let expected: Vec<usize> = (0..1000).map(|i| i * i).collect();
        for threads in [1, 2, 8] {
            let pool = Pool::new(threads).unwrap();
            assert_eq!(pool.map(1000, |i| i * i), expected);
            assert_eq!(pool.map_parts((0..1000).collect(), |i, part: usize| i * part), expected);
        }
    }

    #[test]
    fn ranges_cover_everything_once() {
        for length in [0, 1, 2, 31, 32, 33, 1000] {
            let ranges = ranges(length, 32);
            assert!(ranges.len() <= 32);
            let flat: Vec<usize> = ranges.into_iter().flatten().collect();
            assert_eq!(flat, (0..length).collect::<Vec<_>>());
        }
    }
}
