//! What the reader, the writer and the report need of voxels. Called as steps are, listed apart:
//! they have no command, no options page and no fit.

use crate::json::{FromJson, read};
use crate::step::{request, wrong};
use crate::{Buffer, Call, Error, Owned, Reply, Session};
use voxnorm_kernels::convert::{Stored, from_f32, to_f32};
use voxnorm_kernels::digest;
use voxnorm_kernels::histogram::{Range, range};
use voxnorm_kernels::select::{Select, Values};

type Service = fn(&Call, &Session) -> Result<Reply, Error>;

const SERVICES: &[(&str, Service)] = &[
    ("voxels.decode", decode),
    ("voxels.encode", encode),
    ("voxels.digest", digest_of),
    ("voxels.range", range_of),
    #[cfg(not(target_arch = "wasm32"))]
    ("deflate.pack", crate::deflate::pack),
    #[cfg(not(target_arch = "wasm32"))]
    ("deflate.unpack", crate::deflate::unpack),
    ("diagnostics.panic", panic),
];

pub(crate) fn find(name: &str) -> Option<Service> {
    SERVICES.iter().find(|(id, _)| *id == name).map(|(_, service)| *service)
}

/// What a service is asked for.
pub(crate) fn parse<T: FromJson>(call: &Call) -> Result<T, Error> {
    read(&request(call)?).map_err(|error| wrong(call.step, &error))
}

record! {
    struct Decode {
        stored: String,
        big_endian: bool,
        /// `[slope, intercept]`, or null for none.
        scale: Option<[f64; 2]>,
    }
}

/// `bytes` → `voxels`, with what `float32` could not hold: `{ rounded, overflowed }`.
fn decode(call: &Call, session: &Session) -> Result<Reply, Error> {
    let request: Decode = parse(call)?;
    let stored = Stored::named(&request.stored)
        .ok_or_else(|| Error::internal(format!("{}: type {}", call.step, request.stored)))?;
    let scale = request.scale.map(Into::into);
    let converted = to_f32(bytes(call)?, stored, request.big_endian, scale, &session.run)?;
    Ok(Reply {
        json: object! { rounded: converted.rounded, overflowed: converted.overflowed }.to_string(),
        buffers: vec![("voxels".into(), Owned::Floats(converted.voxels))],
    })
}

record! {
    struct Encode {
        stored: String,
        /// `[slope, intercept]`, or null for none.
        scale: Option<[f64; 2]>,
    }
}

/// `voxels` → `bytes`, with what the type could not hold: `{ changed, largestError, outside, notFinite }`.
fn encode(call: &Call, _: &Session) -> Result<Reply, Error> {
    let request: Encode = parse(call)?;
    let stored = Stored::named(&request.stored)
        .ok_or_else(|| Error::internal(format!("{}: type {}", call.step, request.stored)))?;
    let encoded = from_f32(voxels(call)?, stored, request.scale.map(Into::into));
    let json = object! {
        changed: encoded.changed,
        largest_error: encoded.largest_error,
        outside: encoded.outside,
        not_finite: encoded.not_finite,
    };
    Ok(Reply { json: json.to_string(), buffers: vec![("bytes".into(), Owned::Bytes(encoded.bytes))] })
}

record! {
    struct Digest {
        shape: [usize; 3],
        channels: usize,
        affine: [[f64; 4]; 3],
    }
}

/// `voxels` → `{ digest }`. A mask's bytes have the digest of the same mask in single precision.
fn digest_of(call: &Call, _: &Session) -> Result<Reply, Error> {
    let Digest { shape, channels, affine } = parse(call)?;
    let digest = digest::volume(shape, channels, &affine, values(call)?);
    Ok(Reply { json: object! { digest }.to_string(), buffers: Vec::new() })
}

/// `voxels` → `{ low, high, notFinite }`; low and high are null where no voxel is finite.
fn range_of(call: &Call, session: &Session) -> Result<Reply, Error> {
    let Range { low, high, not_finite } = range(voxels(call)?, Select::All, &session.run)?;
    // JSON has no infinity: serde writes it as null.
    let json = object! { low, high, not_finite };
    Ok(Reply { json: json.to_string(), buffers: Vec::new() })
}

pub(crate) fn bytes<'a>(call: &Call<'a>) -> Result<&'a [u8], Error> {
    match call.buffers.iter().find(|(name, _)| *name == "bytes") {
        Some((_, Buffer::Bytes(bytes))) => Ok(bytes),
        _ => Err(Error::internal(format!("{}: no buffer of bytes", call.step))),
    }
}

fn voxels<'a>(call: &Call<'a>) -> Result<&'a [f32], Error> {
    match values(call)? {
        Values::Floats(voxels) => Ok(voxels),
        Values::Bytes(_) => Err(Error::internal(format!("{}: voxels as bytes", call.step))),
    }
}

fn values<'a>(call: &Call<'a>) -> Result<Values<'a>, Error> {
    let found = call.buffers.iter().find(|(name, _)| *name == "voxels");
    let (_, values) = found.ok_or_else(|| Error::internal(format!("{}: no buffer of voxels", call.step)))?;
    Ok(*values)
}

/// Panics, so that an installed build can show that a defect becomes an error and the process lives on.
fn panic(_: &Call, _: &Session) -> Result<Reply, Error> {
    panic!("asked for")
}
