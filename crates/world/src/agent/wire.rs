//! Frames: a header in JSON and a body of bytes, each with its length in front.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first bytes that an agent writes. What a login shell prints before them is skipped.
pub const GREETING: &[u8] = b"\nSHIPWAY-AGENT\n";
/// How long a header may be: a manifest of half a million files.
pub const LONGEST_HEADER: u32 = 64 << 20;
/// How long a body may be.
pub const LONGEST_BODY: u32 = 16 << 20;
/// How much a login shell may print before the greeting.
const LONGEST_NOISE: usize = 256 << 10;

/// Writes a frame.
pub fn write(out: &mut impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let header = serde_json::to_vec(header)?;
    let length = |bytes: &[u8], limit: u32| {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= limit);
        length.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the frame is too long"))
    };
    let mut start = Vec::with_capacity(8 + header.len());
    start.extend(length(&header, LONGEST_HEADER)?.to_be_bytes());
    start.extend(length(body, LONGEST_BODY)?.to_be_bytes());
    start.extend(header);
    out.write_all(&start)?;
    out.write_all(body)?;
    out.flush()
}

/// Reads a frame, or nothing where the stream ends between two frames.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0; 8];
    let mut have = 0;
    while have < lengths.len() {
        match from.read(&mut lengths[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => have += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| lengths[at + byte]));
    let (header, body) = (number(0), number(4));
    if header > LONGEST_HEADER || body > LONGEST_BODY {
        return Err(io::Error::new(ErrorKind::InvalidData, "the frame is too long"));
    }
    let header = take(from, header)?;
    let body = take(from, body)?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}

/// Reads so many bytes; memory is taken as they come, not as they are announced.
fn take(from: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    from.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// Skips what a login shell prints before one of some marks and the mark itself; returns which one it was, or what was
/// skipped where none comes.
pub fn skip_to(from: &mut impl Read, marks: &[&[u8]]) -> Result<usize, String> {
    let mut seen = vec![];
    let mut byte = [0];
    loop {
        if let Some(mark) = marks.iter().position(|mark| seen.ends_with(mark)) {
            return Ok(mark);
        }
        match from.read(&mut byte) {
            Ok(1) if seen.len() < LONGEST_NOISE => seen.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return Err(String::from_utf8_lossy(&seen).trim().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_limits_hold() {
        let mut bytes = b"motd\n".to_vec();
        bytes.extend(GREETING);
        write(&mut bytes, &"one", b"body").unwrap();
        write(&mut bytes, &"two", b"").unwrap();
        let mut from = &bytes[..];
        assert_eq!(skip_to(&mut from, &[b"never", GREETING]), Ok(1));
        assert_eq!(read::<String>(&mut from).unwrap(), Some(("one".into(), b"body".to_vec())));
        let cut = &from[..from.len() - 1];
        assert_eq!(read::<String>(&mut from).unwrap(), Some(("two".into(), vec![])));
        assert_eq!(read::<String>(&mut from).unwrap(), None);
        assert_eq!(read::<String>(&mut &cut[..]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(read::<String>(&mut &[255; 16][..]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(skip_to(&mut &b"only noise"[..], &[GREETING]), Err("only noise".into()));
        assert!(write(&mut vec![], &"", &vec![0; (16 << 20) + 1]).is_err());
    }
}
