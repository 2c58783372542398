//! Pure number loops over voxels: no I/O, no serialisation, no knowledge of Node or the browser.
//!
//! What every kernel here promises:
//! - the same bits on every instruction set, thread count and target (see `docs/design/same-bytes.md`);
//! - no panic on any input that its documentation allows, and no allocation per voxel;
//! - voxels are `f32` with x fastest, accumulators are `f64`.

pub mod convert;
pub mod digest;
pub mod grid;
pub mod level;
pub mod math;
pub mod parallel;
