//! The WebAssembly module: the same calls for the browser, run in a worker. No method is named here.
//!
//! Built a second time with the `atomics` feature, it runs in several workers on one memory, each with its own instance
//! of the module: the first calls [`share`] and then [`run`], the others [`serve`]. A JavaScript function belongs to one
//! instance, so those that are called back are kept by thread.

use js_sys::{Array, Float32Array, Function, Uint8Array};
use std::cell::RefCell;
use voxnorm_kernels::memory::{array, recycle};
use voxnorm_steps::{Buffer, Call, Owned, Session};
use wasm_bindgen::prelude::*;

/// What this build can do, as JSON.
#[wasm_bindgen]
pub fn catalog() -> String {
    voxnorm_steps::catalog()
}

thread_local! {
    static ON_PANIC: RefCell<Option<Function>> = const { RefCell::new(None) };
    static ON_PROGRESS: RefCell<Option<Function>> = const { RefCell::new(None) };
    /// Of the call to come, for the host to fill.
    static INPUTS: RefCell<Vec<Owned>> = const { RefCell::new(Vec::new()) };
    /// Of the last call, for the host to read until the next.
    static OUTPUTS: RefCell<Vec<Owned>> = const { RefCell::new(Vec::new()) };
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

/// Room for the buffers of the call to come, `lengths` elements of `sizes` bytes (4: floats, 1: bytes): arrays in the
/// module's own memory, which the host fills before it calls [`run`]. Outputs of the last call are gone with it.
#[wasm_bindgen]
pub fn reserve(lengths: Vec<u32>, sizes: Vec<u32>) -> Array {
    [OUTPUTS.take(), INPUTS.take()].into_iter().flatten().for_each(put_back);
    let sized = lengths.into_iter().map(|length| length as usize).zip(sizes);
    let mut inputs: Vec<Owned> = sized
        .map(
            |(length, size)| {
                if size == 4 { Owned::Floats(array(length)) } else { Owned::Bytes(vec![0; length]) }
            },
        )
        .collect();
    // All are there before the first is shown: memory that grows takes its arrays from the host.
    let views = inputs.iter_mut().map(view).collect();
    INPUTS.set(inputs);
    views
}

fn put_back(buffer: Owned) {
    if let Owned::Floats(floats) = buffer {
        recycle(floats);
    }
}

fn view(buffer: &mut Owned) -> JsValue {
    // SAFETY: what is shown stays in its place until it is put back.
    unsafe {
        match buffer {
            Owned::Floats(floats) => Float32Array::view_mut_raw(floats.as_mut_ptr(), floats.len()).into(),
            Owned::Bytes(bytes) => Uint8Array::view_mut_raw(bytes.as_mut_ptr(), bytes.len()).into(),
        }
    }
}

/// Runs one call on the buffers that were reserved for it. Returns `[json, names, buffers]`, throws JSON. The buffers lie
/// in the module's memory until the next call.
///
/// `threads` is the number that was shared, or 1.
/// A panic traps: the instance is not to be used again.
#[wasm_bindgen]
pub fn run(
    step: &str,
    phase: &str,
    request: &str,
    names: Vec<String>,
    simd: &str,
    threads: usize,
    on_progress: Function,
) -> Result<Array, String> {
    let inputs = INPUTS.take();
    let borrowed: Vec<(&str, Buffer)> =
        names.iter().zip(&inputs).map(|(name, input)| (name.as_str(), input.borrow())).collect();
    let call = Call { step, phase, request, buffers: &borrowed };
    ON_PROGRESS.set(Some(on_progress));
    let tell = |progress: &str| {
        ON_PROGRESS.with_borrow(|listener| {
            tell(listener.as_ref().expect("told on the thread that was called"), progress)
        });
    };
    let session = Session::new(threads, simd, &|| false, &tell);
    let reply = session.and_then(|session| voxnorm_steps::run(&call, Vec::new(), &session));
    inputs.into_iter().for_each(put_back);
    let reply = reply.map_err(|error| error.to_json())?;
    let (names, mut outputs): (Vec<_>, Vec<_>) = reply.buffers.into_iter().unzip();
    let views: Array = outputs.iter_mut().map(view).collect();
    OUTPUTS.set(outputs);
    Ok(Array::of3(
        &JsValue::from_str(&reply.json),
        &names.iter().map(|name| JsValue::from_str(name)).collect::<Array>(),
        &views,
    ))
}
