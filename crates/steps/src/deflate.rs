//! Deflate streams (RFC 1951), packed and unpacked by zlib-rs, or packed by an encoder of our own. Native only: a page has its own in
//! JavaScript, and the module stays small. Headers, members and trailers of gzip are the caller's.

use crate::{Call, Error, Owned, Reply, Session, repeats, services};
use zlib_rs::crc32::{crc32, crc32_combine};
use zlib_rs::{DeflateConfig, DeflateFlush, InflateFlush, Status};

/// How much is unpacked at a time: cancelling is noticed in between, and the fresh memory is still in the cache.
const STEP: usize = 256 << 10;

record! {
    struct Unpack {
        /// Where in `bytes` the stream begins.
        start: usize,
        /// Most bytes to unpack.
        most: usize,
    }
}

/// `bytes` → `content`, the first `most` bytes of what the stream decodes to, with `{ end, crc }`: the position behind
/// the stream, or null where there is more, and the CRC-32 of `content`.
///
/// Memory grows with what was unpacked, whatever `most` says. Errors: `Truncated`, `BadGzip`, `TooLarge`.
pub(crate) fn unpack(call: &Call, session: &Session) -> Result<Reply, Error> {
    let Unpack { start, most } = services::parse(call)?;
    let bytes = services::bytes(call)?;
    let packed =
        bytes.get(start..).ok_or_else(|| Error::internal(format!("{}: start {start}", call.step)))?;
    let mut stream = zlib_rs::Inflate::new(false, 15);
    let mut content = Vec::new();
    // Most volumes pack to more than an eighth: for those this is the only allocation.
    reserve(&mut content, most.min(8 * packed.len()))?;
    let (mut used, mut made, mut crc) = (0, 0, 0);
    let end = loop {
        session.run.check()?;
        let room = STEP.min(most - made);
        if content.capacity() < made + room {
            let doubled = 2 * content.capacity().max(STEP);
            reserve(&mut content, most.min(doubled))?;
        }
        content.resize(made + room, 0);
        let status = stream
            .decompress(&packed[used..], &mut content[made..], InflateFlush::NoFlush)
            .map_err(|error| damaged(stream.error_message().unwrap_or(error.as_str())))?;
        used = stream.total_in() as usize;
        content.truncate(stream.total_out() as usize);
        crc = crc32(crc, &content[made..]);
        let is_full = content.len() == made + room;
        made = content.len();
        match status {
            Status::StreamEnd => break Some(start + used),
            _ if made == most => break None,
            _ if !is_full => return Err(truncated(bytes.len())),
            _ => {}
        }
    };
    // A small member of a large file has used little of what it was given.
    content.shrink_to_fit();
    let json = object! { end, crc }.to_string();
    Ok(Reply { json, buffers: vec![("content".into(), Owned::Bytes(content))] })
}

record! {
    struct Pack {
        /// 1 to 9.
        level: i32,
        /// Look for few kinds of repeats, whatever the level.
        fast: bool,
        /// Whether the numbers in `bytes` begin at every fourth byte.
        words: bool,
        /// Bytes of a chunk, which is packed by itself, whatever the number of threads.
        chunk: usize,
        /// Whether the stream ends with these bytes.
        last: bool,
        /// The CRC-32 of the bytes that were packed before.
        crc: u32,
    }
}

/// `bytes` → the next part of a raw deflate stream in pieces `0`, `1`, …, with `{ crc }`, the CRC-32 of all bytes so far.
pub(crate) fn pack(call: &Call, session: &Session) -> Result<Reply, Error> {
    let request: Pack = services::parse(call)?;
    let bytes = services::bytes(call)?;
    let mut chunks: Vec<&[u8]> = bytes.chunks(request.chunk.max(1)).collect();
    if chunks.is_empty() {
        chunks.push(bytes);
    }
    let last = chunks.len() - 1;
    let packed = session.run.map_parts(chunks, |index, chunk| {
        let is_last = request.last && index == last;
        let packed = if request.fast {
            repeats::packed(chunk, request.words, is_last)
        } else {
            packed(chunk, request.level, is_last)?
        };
        Some((chunk.len(), crc32(0, chunk), packed))
    })?;
    let (mut crc, mut buffers) = (request.crc, Vec::with_capacity(packed.len()));
    for (index, packed) in packed.into_iter().enumerate() {
        let (length, own, piece) =
            packed.ok_or_else(|| Error::internal(format!("{}: chunk {index} was not packed", call.step)))?;
        crc = crc32_combine(crc, own, length as u64);
        buffers.push((index.to_string(), Owned::Bytes(piece)));
    }
    Ok(Reply { json: object! { crc }.to_string(), buffers })
}

/// The chunk's part of the stream, which ends with a whole byte.
fn packed(chunk: &[u8], level: i32, is_last: bool) -> Option<Vec<u8>> {
    let flush = if is_last { DeflateFlush::Finish } else { DeflateFlush::SyncFlush };
    let config = DeflateConfig { level, window_bits: -15, ..Default::default() };
    let mut stream = zlib_rs::Deflate::new_with_config(config);
    // Beyond the bound, which is that of a stream's end: the empty block that a flush adds.
    let mut packed = vec![0; zlib_rs::compress_bound(chunk.len()) + 64];
    stream.compress(chunk, &mut packed, flush).ok()?;
    let length = stream.total_out() as usize;
    if stream.total_in() as usize != chunk.len() || length == packed.len() {
        return None;
    }
    packed.truncate(length);
    packed.shrink_to_fit();
    Some(packed)
}

fn reserve(content: &mut Vec<u8>, capacity: usize) -> Result<(), Error> {
    content.try_reserve_exact(capacity - content.len()).map_err(|_| {
        Error::new("TooLarge", format!("this machine gives no buffer of {capacity} bytes"))
            .with(object! { bytes: capacity })
    })
}

fn truncated(size: usize) -> Error {
    let message = format!("the compressed data end after {size} bytes, before their own end");
    Error::new("Truncated", message).with(object! { size })
}

fn damaged(reason: &str) -> Error {
    Error::new("BadGzip", format!("the compressed data are damaged: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Buffer;
    fn call(step: &str, request: &str, bytes: &[u8], threads: usize) -> Result<Reply, Error> {
        let session = Session::new(threads, "", &|| false, &|_| ()).unwrap();
        crate::run(
            &Call { step, phase: "run", request, buffers: &[("bytes", Buffer::Bytes(bytes))] },
            Vec::new(),
            &session,
        )
    }

    fn joined(reply: Reply) -> Vec<u8> {
        let pieces = reply.buffers.into_iter().map(|(_, piece)| match piece {
            Owned::Bytes(bytes) => bytes,
            Owned::Floats(_) => unreachable!(),
        });
        pieces.flatten().collect()
    }

    fn unpacked(packed: &[u8], most: usize) -> Result<(String, Vec<u8>), Error> {
        let request = format!(r#"{{ "start": 1, "most": {most} }}"#);
        call("deflate.unpack", &request, &[&[7], packed].concat(), 1)
            .map(|reply| (reply.json.clone(), joined(reply)))
    }

    /// Noise, runs and repeats, so that all kinds of blocks come about.
    fn content(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let noise = |i: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if i % 5000 < 2000 { (state >> 24) as u8 } else { (i / 700) as u8 }
        };
        (0..length).map(noise).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked_and_threads_change_no_byte() {
        for length in [0, 1, 999, 1000, 1001, 300_000] {
            let content = content(length);
            for (level, fast, words) in
                [(1, true, false), (1, true, true), (1, false, false), (2, false, true), (9, false, true)]
            {
                let request = format!(
                    r#"{{ "level": {level}, "fast": {fast}, "words": {words}, "chunk": 1000, "last": true, "crc": 0 }}"#
                );
                let packed = call("deflate.pack", &request, &content, 1).unwrap();
                assert_eq!(packed.buffers.len(), length.div_ceil(1000).max(1));
                let crc = crc32(0, &content);
                assert_eq!(packed.json, object! { crc }.to_string());
                let packed = joined(packed);
                for threads in [2, 5] {
                    assert_eq!(joined(call("deflate.pack", &request, &content, threads).unwrap()), packed);
                }
                let (json, found) = unpacked(&[&packed[..], b"junk"].concat(), length + 1).unwrap();
                assert_eq!(json, object! { end: 1 + packed.len(), crc }.to_string());
                assert_eq!(found, content);
            }
        }
    }

    #[test]
    fn no_more_is_unpacked_than_asked_for_and_no_less_than_there_is() {
        let content = content(3 * STEP + 5);
        let request =
            r#"{ "level": 1, "fast": true, "words": true, "chunk": 1048576, "last": true, "crc": 0 }"#;
        let packed = joined(call("deflate.pack", request, &content, 1).unwrap());
        for most in [1, STEP, STEP + 1, 3 * STEP] {
            let (json, found) = unpacked(&packed, most).unwrap();
            assert_eq!(json, object! { end: None::<usize>, crc: crc32(0, &content[..most]) }.to_string());
            assert_eq!(found, content[..most]);
        }
        // Room without end is not asked of the system.
        assert_eq!(unpacked(&packed, usize::MAX).unwrap().1, content);
        for end in [0, 1, packed.len() / 2, packed.len() - 1] {
            assert_eq!(unpacked(&packed[..end], usize::MAX).unwrap_err().code, "Truncated");
        }
        assert_eq!(unpacked(&[7], 10).unwrap_err().code, "BadGzip");
    }
}
