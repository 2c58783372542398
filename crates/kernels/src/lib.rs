//! Pure number loops over voxels: no I/O, no serialisation, no knowledge of Node or the browser.
//!
//! What every kernel here promises:
//! - the same bits on every instruction set, thread count and target (see `docs/design/same-bytes.md`);
//! - no panic on any input that its documentation allows, and no allocation per voxel;
//! - voxels are `f32` with x fastest, accumulators are `f64`.

pub mod bspline;
pub mod convert;
pub mod digest;
pub mod distinct;
pub mod fcm;
pub mod fourier;
pub mod grid;
pub mod histogram;
pub mod kde;
pub mod level;
pub mod local;
pub mod lookup;
pub mod math;
pub mod memory;
pub mod moments;
pub mod n4;
pub mod order;
pub mod pack;
pub mod parallel;
pub mod pointwise;
pub mod quantile;
pub mod run;
pub mod select;
pub mod sharpen;
pub mod svd;
