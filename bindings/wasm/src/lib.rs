//! The WebAssembly module: the same calls for the browser, run in a worker. No method is named here.
//!
//! Built a second time with the `atomics` feature, it runs in several workers on one memory, each with its own instance
//! of the module: the first calls [`share`] and then [`run`], the others [`serve`]. A JavaScript function belongs to one
//! instance, so those that are called back are kept by thread.

use js_sys::{Array, Float32Array, Function, Uint8Array};
use std::cell::RefCell;
use voxnorm_steps::{Buffer, Call, Owned, Session};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// What this build can do, as JSON.
#[wasm_bindgen]
pub fn catalog() -> String {
    voxnorm_steps::catalog()
}

thread_local! {
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
    static ON_PROGRESS: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Tells `listener` the message of a panic on this thread. The trap that follows has none of its own.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(listener: Function) {
    ON_PANIC.set(Some(listener));
    std::panic::set_hook(Box::new(|panic| {
        ON_PANIC
            .with_borrow(|listener| listener.iter().for_each(|listener| tell(listener, &panic.to_string())));
    }));
}

fn tell(listener: &Function, text: &str) {
    // A listener that throws must not stop the computation.
    let _ = listener.call1(&JsValue::NULL, &JsValue::from_str(text));
}

/// Makes this thread the first of `threads`, and returns the memory for the workers of the others.
#[cfg(target_feature = "atomics")]
#[wasm_bindgen]
pub fn share(threads: usize) -> Result<JsValue, String> {
    voxnorm_kernels::parallel::Pool::new(threads)?;
    Ok(wasm_bindgen::memory())
}

/// Makes this thread one of those that the first asked for; returns only where none is wanted.
#[cfg(target_feature = "atomics")]
#[wasm_bindgen]
pub fn serve() {
    voxnorm_kernels::parallel::workers::serve();
}

/// Runs one call; buffers are copied in and out. Returns `[json, names, buffers]`, throws JSON.
///
/// `threads` is the number that was shared, or 1.
/// A panic traps: the instance is not to be used again.
#[wasm_bindgen]
pub fn run(
    step: &str,
    phase: &str,
    request: &str,
    names: Vec<String>,
    buffers: Array,
    simd: &str,
    threads: usize,
    on_progress: Function,
) -> Result<Array, String> {
    let copies: Vec<Owned> = buffers
        .iter()
        .map(|buffer| match buffer.dyn_into::<Float32Array>() {
            Ok(floats) => Owned::Floats(floats.to_vec()),
            Err(other) => Owned::Bytes(Uint8Array::new(&other).to_vec()),
        })
        .collect();
    let borrowed: Vec<(&str, Buffer)> =
        names.iter().zip(&copies).map(|(name, copy)| (name.as_str(), copy.borrow())).collect();
    let call = Call { step, phase, request, buffers: &borrowed };
    ON_PROGRESS.set(Some(on_progress));
    let tell = |progress: &str| {
        ON_PROGRESS.with_borrow(|listener| {
            tell(listener.as_ref().expect("told on the thread that was called"), progress)
        });
    };
    let session = Session::new(threads, simd, &|| false, &tell);
    let reply = session.and_then(|session| voxnorm_steps::run(&call, &session));
    let reply = reply.map_err(|error| error.to_json())?;
    let (names, buffers): (Array, Array) = (Array::new(), Array::new());
    for (name, buffer) in &reply.buffers {
        names.push(&JsValue::from_str(name));
        buffers.push(&match buffer {
            Owned::Floats(floats) => Float32Array::from(floats.as_slice()).into(),
            Owned::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        });
    }
    Ok(Array::of3(&JsValue::from_str(&reply.json), &names, &buffers))
}
