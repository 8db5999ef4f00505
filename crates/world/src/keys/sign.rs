//! Signing, which is done by ssh-keygen: it alone opens keys, and asks for passphrases, PINs and touches.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::PublicKey;
use shipway_core::statement::{Signed, Statement};

use super::{SigningKey, prove};

/// Signs a statement, in which it is written down how the key is used. What ssh-keygen says meanwhile, such as that a
/// device waits to be touched, is told.
pub fn sign(key: &SigningKey, statement: Statement, tell: &dyn Fn(&str)) -> Result<Signed, Problem> {
    let statement = statement.with_use(key.key_use);
    let text = statement.text();
    let written = key.written.then(|| Written::new(&key.public)).transpose();
    let written = written.map_err(|error| failed(&[error.to_string()], key))?;
    let path = written.as_ref().map_or(&key.path, |written| &written.0);
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-n", statement.namespace(), "-f"]).arg(path);
    // A dialog could be answered by a program; a terminal at least has somebody before it.
    command.env_remove("SSH_ASKPASS").env("SSH_ASKPASS_REQUIRE", "never").env("LC_ALL", "C");
    // ssh-keygen prefers an agent that has the key, and an agent that asks nobody proves nothing.
    match &key.agent {
        Some(agent) => command.env("SSH_AUTH_SOCK", agent),
        None => command.env_remove("SSH_AUTH_SOCK"),
    };
    // It stays in our process group, or it could not ask at the terminal.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| {
        failed(&[format!("ssh-keygen cannot be started: {error}")], key).hint("install OpenSSH")
    })?;
    let signature = finish(child, &text, tell).map_err(|said| failed(&said, key))?;
    prove(&key.public, statement.namespace(), text.as_bytes(), &signature)?;
    Ok(Signed { text, signature })
}

/// Gives ssh-keygen the text, and returns the signature, or what it has said instead.
fn finish(mut child: Child, text: &str, tell: &dyn Fn(&str)) -> Result<String, Vec<String>> {
    let mut stdin = child.stdin.take().expect("the standard input is a pipe");
    // One that does not read says why on its standard error.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let mut said = vec![];
    let stderr = BufReader::new(child.stderr.take().expect("the standard error is a pipe"));
    for line in stderr.lines().map_while(Result::ok) {
        if line.starts_with("Signing data on ") {
            continue;
        }
        tell(&line);
        said.push(line);
    }
    let mut signature = String::new();
    let read = child.stdout.take().expect("the standard output is a pipe").read_to_string(&mut signature);
    match (read, child.wait()) {
        (Ok(_), Ok(status)) if status.success() => Ok(signature),
        (Err(error), _) | (_, Err(error)) => Err(vec![error.to_string()]),
        (Ok(_), Ok(status)) => {
            said.push(format!("ssh-keygen ended with {status}"));
            Err(said)
        }
    }
}

/// A public key in a file that is gone when it is not needed any more: ssh-keygen takes keys from files only.
struct Written(PathBuf);

impl Written {
    fn new(key: &PublicKey) -> io::Result<Self> {
        let name = Digest::of(format!("{} {}", key.to_line(), crate::shell::now()).as_bytes());
        let path = std::env::temp_dir().join(format!("shipway-{}-{}.pub", std::process::id(), name.short()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = Self(path);
        file.write_all(key.to_line().as_bytes())?;
        Ok(written)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn failed(said: &[String], key: &SigningKey) -> Problem {
    Problem::new(Code::KeyUnusable, format!("nothing could be signed with {}", key.public.fingerprint()))
        .at(key.path.display().to_string())
        .details(said)
        .hint("see whether the key works: ssh-keygen -Y sign -n test -f KEY FILE")
}
