//! When a certificate expires, read from its bytes (X.509 in DER, RFC 5280 §4.1). Nothing is verified.

use crate::time::Time;

/// Returns when the validity of a certificate in DER ends, or none if the bytes are not one.
pub fn until(der: &[u8]) -> Option<Time> {
    let (certificate, _) = element(der, 0x30)?;
    let (body, _) = element(certificate, 0x30)?;
    // The version has a tag of its own and may be left out; serial number, algorithm and issuer follow.
    let rest = if body.first() == Some(&0xa0) { skip(body)? } else { body };
    let validity = skip(skip(skip(rest)?)?)?;
    let (validity, _) = element(validity, 0x30)?;
    let until = skip(validity)?;
    let (tag, content, _) = any(until)?;
    let text = std::str::from_utf8(content).ok()?;
    match tag {
        // Two digits of a year: 50 and above are of the last century.
        0x17 => {
            let year: u64 = text.get(..2)?.parse().ok()?;
            time(if year >= 50 { 1900 + year } else { 2000 + year }, text.get(2..)?)
        }
        0x18 => time(text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => None,
    }
}

/// Returns the bytes of the first certificate in a PEM text (RFC 7468).
pub fn pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let mut out = vec![];
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in body.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(out)
}

/// Returns month to seconds of a time, as `0102030405Z`, as a time.
fn time(year: u64, rest: &str) -> Option<Time> {
    let part = |at: usize| rest.get(at..at + 2);
    let digits = rest.strip_suffix('Z')?;
    if digits.len() != 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Such a certificate has expired, whenever it was.
    if year < 1970 {
        return Some(Time(0));
    }
    let text = format!("{year:04}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    text.parse().ok()
}

/// Returns the content of an element with this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(bytes)?;
    (found == tag).then_some((content, rest))
}

fn skip(bytes: &[u8]) -> Option<&[u8]> {
    any(bytes).map(|(_, _, rest)| rest)
}

/// Returns tag and content of an element, and what follows it (X.690 §8.1).
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}
