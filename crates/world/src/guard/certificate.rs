//! Signed pushes: who has signed one, by the keys that count now.
//!
//! Git checks certificates itself, but by a file beside the repository; the keys of the pinned ref decide here. Git tells
//! `pre-receive` of the certificate, and `proc-receive` not: so the first leaves a note for the second.

use std::fs;
use std::io;
use std::path::PathBuf;

use shipway_core::policy::Identity;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;

use super::Guard;
use crate::hooks::staged::InHook;
use crate::keys;

/// What stands before the signature.
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";

/// How a push is known that somebody has signed.
const HOW: &str = "push certificate";

impl Guard {
    /// Returns who has signed the push that git is about to take; nobody if it is not signed. A certificate that is not
    /// good is a refusal: who signs wants to be held to it.
    pub fn certified(
        &self,
        git: &InHook<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
        now: Time,
    ) -> Result<Option<Identity>, Vec<Problem>> {
        let Some(id) = variable("GIT_PUSH_CERT").filter(|id| !id.is_empty()) else { return Ok(None) };
        let bad = |why: String| {
            vec![
                Problem::new(Code::LoginRefused, "the certificate of the push does not count")
                    .found(why)
                    .wanted("a signature by a key of .shipway/allowed_signers")
                    .hint("git push --signed=false"),
            ]
        };
        let status = variable("GIT_PUSH_CERT_NONCE_STATUS").unwrap_or_default();
        if status != "OK" {
            return Err(bad(format!("its nonce is {status}: it may be an old one")));
        }
        let base = self.base(git)?;
        let text = git.contents(&[&id]).map_err(|problem| vec![problem])?.pop().unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| bad("it is not UTF-8".into()))?;
        let start = text.find(BEGIN).ok_or_else(|| bad("it is not signed by a key of ssh".into()))?;
        let (certificate, signature) = text.split_at(start);
        let signer = keys::verify_bytes(&base.signers, "git", certificate.as_bytes(), (signature, now))
            .map_err(|problem| bad(problem.what))?;
        // A person is told by a login, where the policy lists some.
        let login = base.policy.people.get(&signer.person).and_then(|person| person.logins.first());
        let login = login.unwrap_or(&signer.person).clone();
        Ok(Some(Identity { login, how: HOW.to_owned() }))
    }

    /// Leaves a note of who has signed the push, for the hooks of the same push that git does not tell; or takes away an
    /// older one, since numbers of processes come again.
    pub fn note_certified(&self, by: Option<&Identity>) -> io::Result<()> {
        let path = self.note_path();
        match by.filter(|by| by.how == HOW) {
            Some(by) => {
                fs::create_dir_all(self.dir().join("pushes"))?;
                fs::write(path, &by.login)
            }
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }

    /// Returns who has signed the push, as the note says.
    pub fn noted_certified(&self) -> Option<Identity> {
        let login = fs::read_to_string(self.note_path()).ok()?;
        Some(Identity { login, how: HOW.to_owned() })
    }

    /// The hooks of one push are children of one process.
    fn note_path(&self) -> PathBuf {
        let push = rustix::process::getppid().map_or(0, |parent| parent.as_raw_nonzero().get());
        self.dir().join("pushes").join(push.to_string())
    }
}
