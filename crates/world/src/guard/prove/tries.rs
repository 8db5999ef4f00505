//! What is tried on the copy of a repository: a table of ways past its guard, each with the hands that try it. None of them
//! may move anything.

use shipway_core::action::{Cmd, Output};
use shipway_core::change::{Event, Record};
use shipway_core::problem::Problem;
use shipway_core::statement::{Reason, Signed, Statement, Ticket};
use shipway_core::time::Time;

use super::scratch::Scratch;
use crate::records;

/// Settings that would make a repository look for its hooks where there are none.
const NOWHERE: &str = "core.hooksPath=/nonexistent";

/// A time that no test of a date takes for over: the year 2100.
const FAR: Time = Time(4_102_444_800_000);

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// The guard.
    Guard,
    /// Only that whoever tries has no account that may write there.
    Account,
    /// The hooks of a work tree.
    Hooks,
}

/// What has come of trying, before anybody has judged it.
pub enum Attempt {
    /// Git was asked and has answered.
    Done(Output),
    /// There is nothing here to try it on.
    Not(&'static str),
}

/// One way.
pub struct Try {
    /// What is tried, with `{}` for the branch.
    pub what: &'static str,
    /// What is in the way.
    pub stops: Stops,
    /// The hands.
    pub attempt: fn(&Scene<'_>) -> Result<Attempt, Problem>,
}

/// The copy, and what tries need of it.
pub struct Scene<'a> {
    /// The copy.
    pub scratch: &'a Scratch<'a>,
    /// The protected branch, in full.
    pub target: String,
    /// Where it is; nothing if the repository is empty.
    pub tip: Option<String>,
    /// Another protected branch, in full.
    pub second: Option<String>,
    /// A tag that is there for good, in full.
    pub tag: Option<String>,
    /// A commit that follows the tip and changes nothing.
    pub next: String,
    /// A commit with a history of its own.
    pub other: String,
    /// A commit that follows the tip and would open the branch to everybody.
    pub lax: String,
    /// A commit that follows the tip and adds what looks like a private key; nothing if the policy takes any.
    pub leak: Option<String>,
    /// The name of the repository, and the digest of its policy.
    pub names: (String, String),
}

impl Scene<'_> {
    fn done(&self, cmd: &Cmd) -> Result<Attempt, Problem> {
        self.scratch.run(cmd).map(Attempt::Done)
    }

    fn push(&self, options: &[&str], names: &[&str]) -> Result<Attempt, Problem> {
        self.done(&self.scratch.push(options, names))
    }

    fn there(&self, args: &[&str]) -> Result<Attempt, Problem> {
        self.done(&self.scratch.there(args))
    }

    /// Pushes the next commit under a name.
    fn name(&self, name: &str) -> Result<Attempt, Problem> {
        self.push(&[], &[&format!("{}:{name}", self.next)])
    }

    fn to_target(&self, commit: &str) -> String {
        format!("{commit}:{}", self.target)
    }

    /// Returns the branch as a user writes it.
    fn short(&self) -> &str {
        self.target.strip_prefix("refs/heads/").unwrap_or(&self.target)
    }

    /// Puts the next commit into the copy without moving anything there.
    fn objects(&self) -> Result<(), Problem> {
        let commit = self.scratch.expect(&self.scratch.client(&["cat-file", "commit", &self.next]))?.stdout;
        let write = self.scratch.there(&["hash-object", "-w", "-t", "commit", "--stdin"]).stdin(commit);
        self.scratch.expect(&write).map(|_| ())
    }

    fn on_server(&self, args: &[&str]) -> Result<Attempt, Problem> {
        self.objects()?;
        self.there(args)
    }
}

const fn guard(what: &'static str, attempt: fn(&Scene<'_>) -> Result<Attempt, Problem>) -> Try {
    Try { what, stops: Stops::Guard, attempt }
}

const EMPTY: Attempt = Attempt::Not("the branch has no commit yet");
const NO_TAG: Attempt = Attempt::Not("there is no tag that the policy keeps");

/// The table.
pub const TRIES: &[Try] = &[
    guard("push to {}", |s| s.push(&[], &[&s.to_target(&s.next)])),
    guard("push --force of another history to {}", |s| match &s.tip {
        Some(_) => s.push(&["--force"], &[&s.to_target(&s.other)]),
        None => Ok(EMPTY),
    }),
    guard("push --delete of {}", |s| match &s.tip {
        Some(_) => s.push(&[], &[&format!(":{}", s.target)]),
        None => Ok(EMPTY),
    }),
    guard("push --delete of another protected branch", |s| match &s.second {
        Some(second) => s.push(&[], &[&format!(":{second}")]),
        None => Ok(Attempt::Not("there is no other protected branch")),
    }),
    guard("push --prune '+refs/*:refs/*'", |s| match &s.tip {
        Some(_) => {
            let branch = s.scratch.client(&["update-ref", &s.target, &s.next]);
            s.scratch.expect(&branch)?;
            let attempt = s.push(&["--prune"], &["+refs/*:refs/*"]);
            s.scratch.expect(&s.scratch.client(&["update-ref", "-d", &s.target]))?;
            attempt
        }
        None => Ok(EMPTY),
    }),
    guard("push to an open branch and to {} at once", |s| {
        s.push(&[], &[&format!("{}:refs/heads/feature/doctor", s.next), &s.to_target(&s.next)])
    }),
    guard("push to {} with push options", |s| {
        let options = ["-o", "force", "-o", "skip-checks", "-o", "shipway.ticket=0"];
        s.push(&options, &[&s.to_target(&s.next)])
    }),
    guard("push to {} with settings of the client", |s| {
        let settings = ["-c", NOWHERE, "-c", "receive.denyNonFastForwards=false", "push"];
        let server = s.scratch.server.display().to_string();
        let cmd = s.scratch.client(&settings).args(["--", &server, &s.to_target(&s.next)]);
        let cmd = cmd.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.hooksPath");
        s.done(&cmd.env("GIT_CONFIG_VALUE_0", "/nonexistent"))
    }),
    guard("push of a policy that opens {} to everybody", |s| s.push(&[], &[&s.to_target(&s.lax)])),
    guard("push of a private key for {}, past the hooks here", |s| match &s.leak {
        Some(leak) => s.push(&["--no-verify"], &[&format!("{leak}:refs/for/{}", s.short())]),
        None => Ok(Attempt::Not("the policy does not look for secrets")),
    }),
    guard("push to refs/shipway", |s| s.name("refs/shipway/changes/1/log")),
    guard("push of a forged ticket to refs/events/landings", |s| {
        let forged = forge(s)?;
        s.push(&[], &[&format!("{forged}:refs/events/landings")])
    }),
    guard("push of a tag that is there already", |s| match &s.tag {
        Some(tag) => s.push(&["--force"], &[&format!("{}:{tag}", s.next)]),
        None => Ok(NO_TAG),
    }),
    guard("push --delete of a tag", |s| match &s.tag {
        Some(tag) => s.push(&[], &[&format!(":{tag}")]),
        None => Ok(NO_TAG),
    }),
    guard("push to a branch like {} in other case", |s| {
        s.name(&format!("refs/heads/{}", swapped(s.short())))
    }),
    guard("push to a branch that looks like {}", |s| {
        let (first, rest) = s.short().split_at(s.short().chars().next().map_or(0, char::len_utf8));
        s.name(&format!("refs/heads/{first}\u{200b}{rest}"))
    }),
    guard("push to a branch below {}", |s| s.name(&format!("{}/x", s.target))),
    guard("push of a tag called {}", |s| s.name(&format!("refs/tags/{}", s.short()))),
    guard("push to refs/replace, which shows one commit for another", |s| match &s.tip {
        Some(tip) => s.name(&format!("refs/replace/{tip}")),
        None => Ok(EMPTY),
    }),
    guard("on the server: git update-ref {}", |s| s.on_server(&["update-ref", &s.target, &s.next])),
    guard("on the server: git branch -m {}", |s| match &s.tip {
        Some(_) => s.there(&["branch", "-m", s.short(), "feature/doctor"]),
        None => Ok(EMPTY),
    }),
    guard("on the server: git fetch into {}", |s| {
        s.objects()?;
        let client = s.scratch.client.display().to_string();
        s.scratch.expect(&s.scratch.client(&["update-ref", "refs/heads/doctor", &s.next]))?;
        let attempt = s.there(&["fetch", &client, &format!("refs/heads/doctor:{}", s.target)]);
        s.scratch.expect(&s.scratch.client(&["update-ref", "-d", "refs/heads/doctor"]))?;
        attempt
    }),
    guard("on the server: an alias of {}", |s| {
        s.there(&["symbolic-ref", "refs/heads/feature/doctor", &s.target])
    }),
    guard("on the server: another HEAD", |s| s.there(&["symbolic-ref", "HEAD", "refs/heads/feature/doctor"])),
    Try {
        what: "push --receive-pack='git -c core.hooksPath=/nonexistent receive-pack' to {}",
        stops: Stops::Account,
        attempt: |s| s.done(&past(s.scratch, &s.to_target(&s.next))),
    },
];

/// Returns a push that takes no hook along: whoever may write in the repository can do that.
pub fn past(scratch: &Scratch<'_>, name: &str) -> Cmd {
    scratch.push(&[&format!("--receive-pack=git -c {NOWHERE} receive-pack")], &[name])
}

/// Makes the record of a ticket that nobody has signed.
fn forge(scene: &Scene<'_>) -> Result<String, Problem> {
    let ticket = Ticket {
        repository: scene.names.0.clone(),
        reference: scene.target.clone(),
        old: scene.tip.clone().unwrap_or_default(),
        new: scene.next.clone(),
        policy: scene.names.1.clone(),
        reason: Reason::Bootstrap,
        approvals: vec![],
        checks: vec![],
        expires: FAR,
        nonce: "doctor".into(),
    };
    let armour = "-----BEGIN SSH SIGNATURE-----\nZm9yZ2Vk\n-----END SSH SIGNATURE-----\n";
    let signed = Signed { text: Statement::Ticket(ticket).text(), signature: armour.into() };
    let record =
        Record { v: 1, at: Time(0), by: "guard".into(), event: Event::Ticket {}, signed: Some(signed) };
    records::make(&scene.scratch.client_git(), &record, &[&scene.next])
}

/// Returns a name with its case changed.
fn swapped(name: &str) -> String {
    let other =
        |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let mut chars = name.chars();
    let first: String = chars.next().map(other).into_iter().collect();
    first + chars.as_str()
}
