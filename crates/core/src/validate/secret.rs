//! Untracked files that look like secrets, by name alone: one `git add .` later they would be public.

use crate::facts::Facts;
use crate::policy::looks_secret;
use crate::problem::{Code, Problem};

use super::words::{CAP, capped, quoted};

/// Returns the problem of all untracked files that look like secrets.
pub(super) fn problem(facts: &Facts) -> Option<Problem> {
    let paths: Vec<&String> = facts.untracked.iter().filter(|path| looks_secret(path)).collect();
    let first = paths.first()?;
    let what = match paths.len() {
        1 => format!("untracked file {first} looks like a secret"),
        count => format!("{count} untracked files look like secrets"),
    };
    let ignored: Vec<String> = paths.iter().take(CAP).map(|path| quoted(&format!("/{path}"))).collect();
    let problem = Problem::new(Code::SecretLookingFile, what)
        .found(format!("{first}, not ignored"))
        .wanted("secrets ignored or outside the work tree")
        .details(capped(&paths))
        .hint(format!("printf '%s\\n' {} >> .gitignore", ignored.join(" ")));
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_their_examples() {
        let secret = [
            ".env",
            ".env.local",
            "config/.env.production",
            "prod.env",
            "server.pem",
            "ID_RSA",
            "home/.ssh/id_ed25519",
            "tls/private.key",
            "cert.p12",
            "cert.pfx",
            "credentials.json",
            ".npmrc",
            ".pypirc",
            "passwords.kdbx",
            "service-account-prod.json",
        ];
        for path in secret {
            assert!(looks_secret(path), "{path}");
        }
        let harmless = [
            ".env.example",
            ".env.local.sample",
            ".env.template",
            "example.env",
            "id_rsa.pub",
            "server.pem.example",
            "environment",
            "monkey",
            "keys/",
            "notes.txt",
            "service-accounts.md",
            "credentials.json.md",
        ];
        for path in harmless {
            assert!(!looks_secret(path), "{path}");
        }
    }
}
