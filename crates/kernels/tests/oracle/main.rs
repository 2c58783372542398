//! Every kernel against its definition, written plainly and in `f64`, on awkward sizes and values.
//!
//! Each is run at every instruction set of this processor on 1, 2, 3 and 8 threads, whose bits must agree.

mod bspline;
mod histogram;
mod math;
mod moments;
mod runs;
mod select;
mod sharpen;
