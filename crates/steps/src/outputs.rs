//! The outputs of a call.

use crate::{Buffer, Error, Owned};
use voxnorm_kernels::memory::{Array, array};

/// The caller's arrays for some of the outputs, by name. An output may lie where the input of its name does, whose voxels the
/// caller then gives up.
pub type Into<'a> = Vec<(&'a str, &'a mut [f32])>;

/// Where an output goes that may take its input's place.
pub enum Place<'a> {
    /// Memory of its own.
    Apart(Array<'a>),
    /// That of the input of its name, which holds the voxels still and must be read here alone.
    Taken(&'a mut [f32]),
}

impl<'a> Place<'a> {
    /// The numbers.
    pub fn numbers(&mut self) -> &mut [f32] {
        match self {
            Place::Apart(array) => array.numbers(),
            Place::Taken(voxels) => voxels,
        }
    }

    /// The array to hand over; none where the caller has it already.
    pub fn own(self) -> Array<'a> {
        match self {
            Place::Apart(array) => array,
            Place::Taken(_) => Array::NONE,
        }
    }
}

/// The outputs of a call: only those that were asked for are worth computing.
pub struct Outputs<'a> {
    step: &'static str,
    wanted: Vec<String>,
    into: Into<'a>,
    given_up: Into<'a>,
    made: Vec<(String, Owned)>,
}

impl<'a> Outputs<'a> {
    /// Those that a request wants of a step, to whose inputs the `buffers` belong.
    pub(crate) fn of(
        step: &'static str,
        wanted: Vec<String>,
        into: Into<'a>,
        buffers: &[(&str, Buffer)],
    ) -> Outputs<'a> {
        let is_input = |(name, lent): &(&str, &mut [f32])| {
            buffers.iter().any(|(input, buffer)| match buffer {
                Buffer::Floats(voxels) => input == name && std::ptr::eq(voxels.as_ptr(), lent.as_ptr()),
                Buffer::Bytes(_) => false,
            })
        };
        let (given_up, into) = into.into_iter().partition(is_input);
        Outputs { step, wanted, into, given_up, made: Vec::new() }
    }

    /// What was made of them, but for what lies in the caller's arrays.
    pub(crate) fn made(self) -> Vec<(String, Owned)> {
        self.made
    }

    /// Whether an output besides `name` was asked for.
    pub fn want_more_than(&self, name: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted != name)
    }

    /// As [`Outputs::take`], but in the place of the input of its name where the caller gives that up.
    pub fn take_over(&mut self, name: &str, length: usize) -> Result<Place<'a>, Error> {
        let found =
            self.given_up.iter().position(|(given_up, lent)| *given_up == name && lent.len() == length);
        match found {
            Some(at) => Ok(Place::Taken(self.given_up.swap_remove(at).1)),
            None => Ok(Place::Apart(self.take(name, length)?)),
        }
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
