//! Which instruction set a kernel body is compiled for.
//!
//! A kernel is one plain body. [`at_levels!`] compiles it once per instruction set and picks at run
//! time, so a distributed build needs no `-C target-cpu`. The arithmetic of all levels is the same:
//! Rust never contracts `a * b + c`, and the bodies fix the shape of every sum, so the bits are too.

/// An instruction set this machine has. Only [`Level::named`] and [`Level::best`] make one, so
/// holding a `Level` proves that its instructions may run here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level(Set);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Set {
    Fallback,
    #[cfg(target_arch = "x86_64")]
    Sse42,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// What a [`at_levels!`] dispatcher branches on.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Dispatch {
    Fallback,
    Sse42,
    Avx2,
    Avx512,
}

impl Level {
    /// The names of the levels of this processor, widest last.
    pub fn supported() -> Vec<&'static str> {
        sets().into_iter().map(|set| Level(set).name()).collect()
    }

    /// The widest level of this processor.
    pub fn best() -> Level {
        Level(sets().pop().unwrap_or(Set::Fallback))
    }

    /// The level called `name`, or `None` where the processor lacks it or nobody calls one so.
    pub fn named(name: &str) -> Option<Level> {
        sets().into_iter().map(Level).find(|level| level.name() == name)
    }

    /// `fallback`, `sse4.2`, `avx2`, `avx512`; in a WebAssembly build `simd128` or `fallback`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Fallback if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) => "simd128",
            Set::Fallback => "fallback",
            #[cfg(target_arch = "x86_64")]
            Set::Sse42 => "sse4.2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    #[inline(always)]
    pub fn dispatch(self) -> Dispatch {
        match self.0 {
            Set::Fallback => Dispatch::Fallback,
            Set::Sse42 => Dispatch::Sse42,
            Set::Avx2 => Dispatch::Avx2,
            Set::Avx512 => Dispatch::Avx512,
        }
    }
}

fn sets() -> Vec<Set> {
    #[allow(unused_mut)]
    let mut sets = vec![Set::Fallback];
    #[cfg(target_arch = "x86_64")]
    {
        // All with SSE4.2 count bits as well.
        let counts_bits = is_x86_feature_detected!("popcnt");
        if counts_bits && is_x86_feature_detected!("sse4.2") {
            sets.push(Set::Sse42);
        }
        if counts_bits && is_x86_feature_detected!("avx2") {
            sets.push(Set::Avx2);
        }
        if counts_bits
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            sets.push(Set::Avx512);
        }
    }
    sets
}

/// Compiles one body for every instruction set.
///
/// `fn name(a: A, …) -> R { body }` becomes `fn name(level: Level, a: A, …) -> R`. The body must be
/// plain loops and `#[inline(always)]` helpers: a function that stays a call inside it is compiled
/// for the baseline only, and is many times slower. In `fn name<L>(…)`, L is the level's
/// [`Pack`](crate::pack::Pack).
#[macro_export]
macro_rules! at_levels {
    // A type that there is only where a kernel asks for it.
    (@ $set:ident $pack:ident) => { $crate::pack::$pack };
    ($($(#[$meta:meta])* $vis:vis fn $name:ident $(<$set:ident>)? ($($arg:ident : $type:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$meta])*
        // Inlined, it would be optimised as its caller is, and callers may be compiled for size.
        #[inline(never)]
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(level: $crate::level::Level, $($arg: $type),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body$(<$set: $crate::pack::Pack>)?($($arg: $type),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "sse4.2,popcnt")]
                #[allow(clippy::too_many_arguments)]
                fn sse42($($arg: $type),*) $(-> $ret)? {
                    body$(::<$crate::at_levels!(@ $set Sse)>)?($($arg),*)
                }
                #[target_feature(enable = "avx2,popcnt")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $type),*) $(-> $ret)? {
                    body$(::<$crate::at_levels!(@ $set Avx2)>)?($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,popcnt")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $type),*) $(-> $ret)? {
                    body$(::<$crate::at_levels!(@ $set Avx512)>)?($($arg),*)
                }

                // SAFETY: a `Level` is made only after the processor was asked for its features.
                match level.dispatch() {
                    $crate::level::Dispatch::Fallback => body$(::<$crate::at_levels!(@ $set Plain)>)?($($arg),*),
                    $crate::level::Dispatch::Sse42 => unsafe { sse42($($arg),*) },
                    $crate::level::Dispatch::Avx2 => unsafe { avx2($($arg),*) },
                    $crate::level::Dispatch::Avx512 => unsafe { avx512($($arg),*) },
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            {
                let _ = level;
                body$(::<$crate::at_levels!(@ $set Native)>)?($($arg),*)
            }
        }
    )*};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_by_the_name_it_prints() {
        for name in Level::supported() {
            assert_eq!(Level::named(name).unwrap().name(), name);
        }
        assert_eq!(Level::named("avx1024"), None);
        assert_eq!(Level::best().name(), *Level::supported().last().unwrap());
    }
}
