//! The outputs of a call.

use crate::{Error, Owned};
use voxnorm_kernels::memory::{Array, array};

/// The caller's arrays for some of the outputs, by name.
pub type Into<'a> = Vec<(&'a str, &'a mut [f32])>;

/// The outputs of a call: only those that were asked for are worth computing.
pub struct Outputs<'a> {
    step: &'static str,
    wanted: Vec<String>,
    into: Into<'a>,
    made: Vec<(String, Owned)>,
}

impl<'a> Outputs<'a> {
    /// Those that a request wants of a step.
    pub(crate) fn of(step: &'static str, wanted: Vec<String>, into: Into<'a>) -> Outputs<'a> {
        Outputs { step, wanted, into, made: Vec::new() }
    }

    /// What was made of them, but for what lies in the caller's arrays.
    pub(crate) fn made(self) -> Vec<(String, Owned)> {
        self.made
    }

    /// Whether an output besides `name` was asked for.
    pub fn want_more_than(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted != name)
    }

    /// Where the output `name` of `length` voxels goes: the caller's array, or one of our own; an empty one where the
    /// caller did not ask for it.
    pub fn take(&mut self, name: &str, length: usize) -> Result<Array<'a>, Error> {
        if !self.wanted.iter().any(|wanted| wanted == name) {
            return Ok(Array::NONE);
        }
        let Some(at) = self.into.iter().position(|(lent, _)| *lent == name) else {
            return Ok(Array::Own(array(length)));
        };
        let (_, lent) = self.into.swap_remove(at);
        if lent.len() == length {
            return Ok(Array::Lent(lent));
        }
        let message =
            format!("{}: into: {name}: expected room for {length} voxels, got {}", self.step, lent.len());
        Err(Error::new("BadVolume", message).with(object! { output: name, voxels: length, got: lent.len() }))
    }

    /// Hands over what `take` gave and a kernel has filled.
    pub fn put(&mut self, name: &str, voxels: Array) {
        if let Array::Own(voxels) = voxels
            && !voxels.is_empty()
        {
            self.made.push((name.to_owned(), Owned::Floats(voxels)));
        }
    }
}
