//! The web service of the kit, and a client that does not forgive.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

/// What a web service has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Returns the release that has answered.
    pub fn release(&self) -> &str {
        self.headers.get("x-release").map_or("", String::as_str)
    }

    /// Returns the process that has answered, as its host sees it.
    pub fn pid(&self) -> Option<i32> {
        self.body.split_whitespace().find_map(|word| word.strip_prefix("pid=")?.parse().ok())
    }
}

/// Asks a web service once, over a connection of its own: no retry, no redirect.
pub fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    stream.write_all(
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    read(&text)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("this is no answer: {text:?}")))
}

fn read(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Some(Answer { status, headers, body: body.to_owned() })
}

/// Puts a release of the web service into a directory: the program `web`, `VERSION`, and `MODES` if it is to
/// misbehave (the words are those of its flags, one on a line).
pub fn copy_web(dir: &Path, release: &str, modes: &str) {
    fs::create_dir_all(dir).expect("a directory can be made in the test's own directory");
    // Linked or copied by another process: nothing that this one starts meanwhile holds it open for writing.
    let status = Command::new("cp").arg(web_program()).arg(dir.join("web")).status();
    assert!(status.is_ok_and(|status| status.success()), "the web service cannot be copied");
    fs::write(dir.join("VERSION"), format!("{release}\n")).expect("the directory is the test's own");
    if !modes.is_empty() {
        fs::write(dir.join("MODES"), modes).expect("the directory is the test's own");
    }
}

/// Returns the built web service. Cargo does not build the programs of a crate for the tests of another one, so it is
/// built here if need be.
pub fn web_program() -> PathBuf {
    let own = env::current_exe().expect("a process knows its program");
    let dir =
        own.ancestors().skip(1).find(|dir| !dir.ends_with("deps")).expect("a program is in a directory");
    let path = dir.join("web");
    if !path.exists() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--locked", "--package", "shipway-testkit", "--bin", "web"]);
        if dir.ends_with("release") {
            build.arg("--release");
        }
        // The directory of this profile is one below that of the build.
        let target = dir.parent().expect("a profile has a directory above it");
        build.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().is_ok_and(|status| status.success()), "the web service cannot be built");
    }
    path
}
