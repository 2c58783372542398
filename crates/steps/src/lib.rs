//! The methods, one a file, and the one way to call them.
//!
//! A caller names a step and a phase, hands over its options as JSON and its voxels as named buffers,
//! and gets JSON and named buffers back. The bindings translate exactly this and know no method.
//!
//! To add a method: write its file, then its line in `steps!`.

#[macro_use]
mod json;

mod call;
#[cfg(not(target_arch = "wasm32"))]
mod deflate;
mod error;
#[cfg(not(target_arch = "wasm32"))]
mod huffman;
mod inputs;
mod outputs;
mod pointwise;
mod region;
#[cfg(not(target_arch = "wasm32"))]
mod repeats;
mod services;
mod session;
mod step;
mod tissue_mode;

pub use call::{Buffer, Call, Owned, Reply};
pub use error::Error;
pub use inputs::Inputs;
pub use outputs::{Into, Outputs, Place};
pub use session::Session;
pub use step::Step;
pub use voxnorm_kernels::memory::recycle;

use serde_json::Value;

/// Declares the modules of the methods and lists them, so that each stands once.
macro_rules! steps {
    ($($file:ident::$step:ident,)*) => {
        $(mod $file;)*
        const STEPS: &[&dyn Step] = &[$(&$file::$step),*];
    };
}

steps! {
    clip::Clip,
    clip_percentiles::ClipPercentiles,
    exact_histogram_matching::ExactHistogramMatching,
    fcm::Fcm,
    gamma::Gamma,
    histogram_equalisation::HistogramEqualisation,
    histogram_matching::HistogramMatching,
    kde_mode::KdeMode,
    local_normalisation::LocalNormalisation,
    log::Log,
    mean_subtraction::MeanSubtraction,
    min_max::MinMax,
    n4::N4,
    nnunet::NnUnet,
    percentile_range::PercentileRange,
    rescale::Rescale,
    robust::Robust,
    standardise::Standardise,
    suv::Suv,
    unit_variance::UnitVariance,
    white_stripe::WhiteStripe,
    zscore::ZScore,
}

/// Runs one call. Never panics on bad input; a failure names what was found and what was expected, and may leave
/// anything in the arrays of `into`. What was written there is not in the reply.
// Inlined, it would be optimised as the binding is, which in WebAssembly is for speed.
#[inline(never)]
pub fn run(call: &Call, into: Into, session: &Session) -> Result<Reply, Error> {
    if let Some(step) = STEPS.iter().find(|step| step.id() == call.step) {
        return session.run.pool.enter(|| step::call(*step, call, into, session));
    }
    match services::find(call.step) {
        Some(service) => service(call, session),
        None => Err(Error::new(
            "UnknownStep",
            format!("expected the name of a step, got {}", Value::from(call.step)),
        )),
    }
}

/// What this build can do, as JSON: its version, its steps, the instruction sets of this processor.
#[inline(never)]
pub fn catalog() -> String {
    object! {
        version: env!("CARGO_PKG_VERSION"),
        steps: STEPS.iter().map(|step| step.id()).collect::<Vec<_>>(),
        simd: voxnorm_kernels::level::Level::supported(),
    }
    .to_string()
}
