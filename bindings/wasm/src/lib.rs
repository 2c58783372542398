//! The WebAssembly module: the same calls for the browser, run in a worker. No method is named here.

use js_sys::{Array, Float32Array, Function, Uint8Array};
use voxnorm_steps::{Buffer, Call, Owned, Session};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// What this build can do, as JSON.
#[wasm_bindgen]
pub fn catalog() -> String {
    voxnorm_steps::catalog()
}

/// Tells `listener` the message of a panic. The trap that follows has none of its own.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(listener: Function) {
    let listener = OnThisThread(listener);
    std::panic::set_hook(Box::new(move |panic| listener.tell(&panic.to_string())));
}

/// Runs one call; buffers are copied in and out. Returns `[json, names, buffers]`, throws JSON.
///
/// A panic traps: the instance is not to be used again.
#[wasm_bindgen]
pub fn run(
    step: &str,
    phase: &str,
    request: &str,
    names: Vec<String>,
    buffers: Array,
    simd: &str,
    on_progress: &Function,
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
    let listener = OnThisThread(on_progress.clone());
    let tell = |progress: &str| listener.tell(progress);
    let session = Session::new(1, simd, &|| false, &tell);
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

/// This build has one thread, so a JavaScript function may stand where one that is `Sync` is asked for.
struct OnThisThread(Function);

// SAFETY: without the `atomics` feature no other thread exists that could share it or take it.
#[cfg(not(target_feature = "atomics"))]
unsafe impl Sync for OnThisThread {}
#[cfg(not(target_feature = "atomics"))]
unsafe impl Send for OnThisThread {}

impl OnThisThread {
    fn tell(&self, progress: &str) {
        // A listener that throws must not stop the computation.
        let _ = self.0.call1(&JsValue::NULL, &JsValue::from_str(progress));
    }
}
