//! The native addon: translates calls between Node and the steps, off the main thread. No method is named here.
#![cfg(not(target_arch = "wasm32"))]

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use voxnorm_steps::{Buffer, Call, Error as StepError, Owned, Reply, Session, recycle};

type Progress = ThreadsafeFunction<String, (), String, Status, false, true>;

/// A panic is reported as an error of the call; printing it as well would only alarm.
#[napi_derive::module_init]
fn init() {
    std::panic::set_hook(Box::new(|_| ()));
}

/// What this build can do, as JSON.
#[napi]
pub fn catalog() -> String {
    voxnorm_steps::catalog()
}

/// Stops the computations it was given to.
#[napi]
#[derive(Default)]
pub struct CancelToken(Arc<AtomicBool>);

#[napi]
impl CancelToken {
    /// A token that has not been used.
    #[napi(constructor)]
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks the computation to stop; it does within milliseconds.
    #[napi]
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a call gives back; `names[i]` belongs to `buffers[i]`.
#[napi(object)]
pub struct NativeReply {
    /// JSON.
    pub json: String,
    /// The outputs' names.
    pub names: Vec<String>,
    /// The outputs.
    pub buffers: Vec<Either<Float32Array, Uint8Array>>,
}

/// Lets go of memory that nobody uses any more, at once rather than when the engine collects it.
#[napi]
pub fn release(buffer: ArrayBuffer) -> Result<()> {
    buffer.detach()
}

/// Runs one call on a thread of its own. The buffers are borrowed until the promise settles; outputs named in `into`
/// are written there.
#[napi(ts_return_type = "Promise<NativeReply>")]
pub fn run<'env>(
    env: &'env Env,
    step: String,
    phase: String,
    request: String,
    names: Vec<String>,
    buffers: Vec<Either<Float32Array, Uint8Array>>,
    into_names: Vec<String>,
    mut into: Vec<Float32Array>,
    threads: u32,
    simd: String,
    token: &CancelToken,
    on_progress: Option<Progress>,
) -> Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred::<NativeReply, _>()?;
    let cancelled = token.0.clone();
    // Not libuv's pool: its few threads also read files, and a correction may take seconds.
    let started = std::thread::Builder::new().name("voxnorm".into()).spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let voxels: Vec<(&str, Buffer)> = names
                .iter()
                .zip(&buffers)
                .map(|(name, buffer)| {
                    let buffer = match buffer {
                        Either::A(floats) => Buffer::Floats(floats),
                        Either::B(bytes) => Buffer::Bytes(bytes),
                    };
                    (name.as_str(), buffer)
                })
                .collect();
            let call = Call { step: &step, phase: &phase, request: &request, buffers: &voxels };
            let is_cancelled = || cancelled.load(Ordering::Relaxed);
            let tell = |progress: &str| {
                if let Some(listener) = &on_progress {
                    listener.call(progress.to_owned(), ThreadsafeFunctionCallMode::NonBlocking);
                }
            };
            let session = Session::new(threads as usize, &simd, &is_cancelled, &tell)?;
            // SAFETY: the caller neither reads nor changes the arrays meanwhile. They are none of the buffers; or the one of
            // the same name, which a step that writes there does not read from then on.
            let lent = into.iter_mut().map(|array| unsafe { array.as_mut() });
            voxnorm_steps::run(&call, into_names.iter().map(String::as_str).zip(lent).collect(), &session)
        }));
        let outcome = outcome.unwrap_or_else(|panic| Err(StepError::panic(panic.as_ref())));
        // The buffers travel back to the main thread: that is where their references may be dropped.
        deferred.resolve(move |_| {
            let _borrowed = (buffers, into);
            outcome.map(native).map_err(|error| Error::from_reason(error.to_json()))
        });
    });
    started.map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(promise)
}

fn native(reply: Reply) -> NativeReply {
    let (names, buffers) = reply
        .buffers
        .into_iter()
        .map(|(name, buffer)| match buffer {
            Owned::Floats(floats) => (name, Either::A(lent(floats))),
            Owned::Bytes(bytes) => (name, Either::B(Uint8Array::new(bytes))),
        })
        .unzip();
    NativeReply { json: reply.json, names, buffers }
}

/// The array in JavaScript's hands, which gives it back for further calls once it is collected.
fn lent(floats: Vec<f32>) -> Float32Array {
    let mut floats = std::mem::ManuallyDrop::new(floats);
    let capacity = floats.capacity();
    // SAFETY: the parts are those of a vector that nobody else frees; the callback is called once.
    unsafe {
        Float32Array::with_external_data(floats.as_mut_ptr(), floats.len(), move |start, length| {
            recycle(Vec::from_raw_parts(start, length, capacity));
        })
    }
}
