//! What crosses the boundary: a call in, a reply out.

/// A caller's array, borrowed for the duration of a call: voxels, or the bytes of a mask or a file.
pub use voxnorm_kernels::select::Values as Buffer;

/// An array that a reply hands over.
pub enum Owned {
    /// Voxels.
    Floats(Vec<f32>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Owned {
    /// The array as a call takes it.
    pub fn borrow(&self) -> Buffer<'_> {
        match self {
            Owned::Floats(floats) => Buffer::Floats(floats),
            Owned::Bytes(bytes) => Buffer::Bytes(bytes),
        }
    }
}

/// One call.
pub struct Call<'a> {
    /// The step's id.
    pub step: &'a str,
    /// `fit`, `apply`, or `run`, which is both with the boundary crossed once.
    pub phase: &'a str,
    /// JSON: `{ options, fitted?, inputs: { name: { shape, affine, itk? } | { rule } }, outputs: [name] }`.
    pub request: &'a str,
    /// The voxels of the inputs that have a shape, by name.
    pub buffers: &'a [(&'a str, Buffer<'a>)],
}

/// What a call gives back.
#[derive(Default)]
pub struct Reply {
    /// JSON: `{ fitted?, measures? }`.
    pub json: String,
    /// The outputs that were asked for, by name.
    pub buffers: Vec<(String, Owned)>,
}
