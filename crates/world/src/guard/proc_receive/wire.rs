//! The talk of git with its `proc-receive` hook, in packet lines (gitprotocol-common(5)).

use std::io::{self, Read, Write};

/// How many packets one part of a talk may have.
const MOST: usize = 10_000;

/// What git asks for.
pub(super) struct Asked {
    pub(super) commands: Vec<Command>,
    pub(super) options: Vec<String>,
}

/// One ref that is pushed.
pub(super) struct Command {
    pub(super) new: String,
    pub(super) name: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    name: String,
    refused: Option<String>,
    /// The ref that moved in its place, and to what.
    moved: Option<(String, String, String)>,
}

impl Report {
    /// Returns the report of a ref that was taken and became nothing that the client needs to know.
    pub(super) fn taken() -> Self {
        Self { name: String::new(), refused: None, moved: None }
    }

    /// Returns the report of a ref in whose place another one moved.
    pub(super) fn moved(name: String, old: String, new: String) -> Self {
        Self { moved: Some((name, old, new)), ..Self::taken() }
    }

    pub(super) fn refused(name: String, why: &str) -> Self {
        let why = why.replace(['\n', '\r'], " ");
        Self { name, refused: Some(why), moved: None }
    }

    pub(super) fn named(self, name: String) -> Self {
        Self { name, ..self }
    }
}

/// Agrees on a version and reads the commands and the push options.
pub(super) fn read(input: &mut dyn Read, output: &mut dyn Write) -> io::Result<Asked> {
    let hello = part(input)?;
    let first = hello.first().cloned().unwrap_or_default();
    let features = first.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    let pushes_options = features.split(|byte| *byte == b' ').any(|feature| feature == b"push-options");
    if !first.starts_with(b"version=1") {
        return Err(io::Error::other("git talks another version than 1"));
    }
    packet(output, if pushes_options { b"version=1\0push-options" } else { b"version=1\0" })?;
    flush(output)?;
    let commands = part(input)?.into_iter().filter_map(|line| command(&line)).collect();
    let options = if pushes_options { part(input)? } else { vec![] };
    let options =
        options.into_iter().map(|line| String::from_utf8_lossy(&line).trim_end().to_owned()).collect();
    Ok(Asked { commands, options })
}

/// Tells git what became of its commands.
pub(super) fn report(output: &mut dyn Write, reports: &[Report]) -> io::Result<()> {
    for report in reports {
        if let Some(why) = &report.refused {
            packet(output, format!("ng {} {why}", report.name).as_bytes())?;
            continue;
        }
        packet(output, format!("ok {}", report.name).as_bytes())?;
        if let Some((name, old, new)) = &report.moved {
            packet(output, format!("option refname {name}").as_bytes())?;
            packet(output, format!("option old-oid {old}").as_bytes())?;
            packet(output, format!("option new-oid {new}").as_bytes())?;
        }
    }
    flush(output)
}

fn command(line: &[u8]) -> Option<Command> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    let mut parts = text.splitn(3, ' ');
    let (_, new, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Command { new: new.to_owned(), name: name.to_owned() })
}

/// Reads packets up to a flush.
fn part(input: &mut dyn Read) -> io::Result<Vec<Vec<u8>>> {
    let mut lines = vec![];
    while let Some(line) = next(input)? {
        if lines.len() == MOST {
            return Err(io::Error::other("there are too many lines"));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn next(input: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 4];
    input.read_exact(&mut head)?;
    let bad = || io::Error::other("a packet has no length");
    let length = std::str::from_utf8(&head)
        .ok()
        .and_then(|hex| usize::from_str_radix(hex, 16).ok())
        .ok_or_else(bad)?;
    if length == 0 {
        return Ok(None);
    }
    let mut line = vec![0; length.checked_sub(4).ok_or_else(bad)?];
    input.read_exact(&mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

fn packet(output: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    // The length counts itself and the line feed.
    write!(output, "{:04x}", line.len() + 5)?;
    output.write_all(line)?;
    output.write_all(b"\n")
}

fn flush(output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"0000")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_is_read_and_answered() {
        let mut input = vec![];
        packet(&mut input, b"version=1\0push-options atomic").unwrap();
        flush(&mut input).unwrap();
        let (zero, new) = ("0".repeat(40), "a".repeat(40));
        packet(&mut input, format!("{zero} {new} refs/for/main").as_bytes()).unwrap();
        flush(&mut input).unwrap();
        packet(&mut input, b"title=feat: x").unwrap();
        flush(&mut input).unwrap();
        let mut output = vec![];
        let asked = read(&mut input.as_slice(), &mut output).unwrap();
        assert_eq!(output, b"001bversion=1\0push-options\n0000");
        assert_eq!(
            (asked.commands[0].name.as_str(), asked.options[0].as_str()),
            ("refs/for/main", "title=feat: x")
        );
        let reports =
            [Report::taken().named("refs/events/x".into()), Report::refused("refs/for/y".into(), "no\nway")];
        let mut answer = vec![];
        report(&mut answer, &reports).unwrap();
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "0015ok refs/events/x\n0019ng refs/for/y no way\n0000"
        );
    }

    #[test]
    fn broken_packets_are_errors() {
        for input in [&b""[..], b"zzzz", b"0003", b"00", b"0009abc"] {
            assert!(part(&mut &input[..]).is_err(), "{input:?}");
        }
    }
}
