//! What is not right with keys here, for `doctor`.

use shipway_core::grade;
use shipway_core::problem::{Code, Problem};
use shipway_core::signers::Signers;
use shipway_core::statement::Use;
use shipway_core::time::Time;

use super::{Choice, Keys, SigningKey, find};
use crate::facts::Git;

/// For what a key must count at least, so that its owner can approve anything.
const NAMESPACES: [&str; 2] = ["review@shipway", "plan@shipway"];

/// Returns what is not right with the keys that count and with the one that signs here; nothing where no keys are used.
pub fn findings(choice: &Choice, git: Git<'_>, now: Time) -> Result<Vec<Problem>, Problem> {
    let known = Keys::of_base(git)?;
    let mut problems = known.problems.clone();
    problems.extend(known.signers.lines().iter().filter(|line| line.zoneless).map(|line| {
        Problem::new(Code::SignersUnreadable, format!("a time on line {} has no zone", line.number))
            .at(known.from.clone())
            .found("a time that ssh-keygen takes for a local one")
            .wanted("a Z behind it")
    }));
    if known.signers.is_empty() {
        return Ok(problems);
    }
    match find(choice, git) {
        Ok(key) => problems.extend(of_key(&key, &known, now)),
        Err(problem) => problems.push(problem),
    }
    Ok(problems)
}

fn of_key(key: &SigningKey, known: &Keys, now: Time) -> Vec<Problem> {
    let mut problems: Vec<Problem> = NAMESPACES
        .iter()
        .filter_map(|namespace| known.signers.person(&key.public, namespace, now).err())
        .map(|problem| problem.at(known.from.clone()))
        .collect();
    problems.dedup();
    problems.extend(weak(key));
    problems.extend(soon(key, &known.signers, now));
    problems
}

/// Names a key that anything can use.
fn weak(key: &SigningKey) -> Option<Problem> {
    let (found, hint) = match key.key_use {
        Use::Agent => {
            ("an agent holds it, and asks nobody", "use a key in a file: shipway approve --key FILE")
        }
        Use::File => ("its file has no passphrase", "give it one: ssh-keygen -p -f FILE"),
        Use::ConfirmedAgent | Use::Passphrase | Use::Device => return None,
    };
    let what = format!(
        "the key {} proves no more than {}, the weakest grade",
        key.public.fingerprint(),
        grade::name(0)
    );
    let problem = Problem::new(Code::KeyWeak, what).at(key.path.display().to_string());
    Some(problem.found(found).wanted("a passphrase, or a key on a device").hint(hint))
}

/// Names a key that soon counts no more.
fn soon(key: &SigningKey, signers: &Signers, now: Time) -> Option<Problem> {
    let month = now.after(std::time::Duration::from_hours(30 * 24));
    let lines = signers.lines().iter().filter(|line| line.key == key.public);
    let end = lines.map(|line| line.before.unwrap_or(Time(u64::MAX))).max()?;
    (now <= end && end < month).then(|| {
        let what = format!("the key {} counts until {end}", key.public.fingerprint());
        Problem::new(Code::KeyInvalid, what)
            .wanted("a later time, or a new key")
            .hint("ssh-keygen -t ed25519")
    })
}
