//! Makes a guarded repository on whose main branch many changes have landed, each approved and with its ticket.
//!
//! Usage: `landed-bench SHIPWAY DIR COUNT`; the repository is `DIR/app.git`, a clone of it `DIR/clone`. What a client and
//! the guard would write one by one is written in two streams, so that ten thousand landings take a minute.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use shipway_core::change::{Event, FILE, LANDINGS, Record, Version};
use shipway_core::id::Digest;
use shipway_core::policy::{self, Method};
use shipway_core::statement::{Reason, Review, Signed, Statement, Ticket, Use, Word};
use shipway_core::time::Time;
use shipway_world::shell::now;

/// The policy of the repository.
const POLICY: &str = "schema = 1\n[person.ann]\n[person.ben]\n[branch.main]\npatterns = [\"main\"]\nprotected = true\n\
                      approvals = 1\n[[branch.main.merge]]\nfrom = [\"*\"]\nmethod = [\"squash\"]\n";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [shipway, dir, count] = args.as_slice() else { return ExitCode::from(2) };
    let Ok(count) = count.parse() else { return ExitCode::from(2) };
    match (Maker { dir: PathBuf::from(dir), at: now() }).make(shipway, count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// What makes the repository.
struct Maker {
    dir: PathBuf,
    at: Time,
}

impl Maker {
    fn make(&self, shipway: &str, count: usize) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let bare = self.dir.join("app.git");
        let first = self.begin(&bare)?;
        let named = bare.display().to_string();
        run(&self.dir, &[shipway, "guard", "install", "--server", &named], "")?;
        let commits = self.commits(&bare, (&first, count))?;
        let digest = policy::read(POLICY, policy::PATH).map_err(|_| other("the policy is wrong"))?.digest();
        let statements = self.statements(&first, &commits, digest.as_str());
        let signed = self.signed(&statements)?;
        self.records(&bare, (&commits, &signed))?;
        run(&bare, &["git", "pack-refs", "--all"], "")?;
        run(&self.dir, &["git", "clone", "--quiet", "app.git", "clone"], "").map(|_| ())
    }

    /// Makes the keys and the first commit; returns its object id.
    fn begin(&self, bare: &Path) -> io::Result<String> {
        let work = self.dir.join("work");
        for dir in [work.join(".shipway"), bare.to_owned()] {
            fs::create_dir_all(dir)?;
        }
        let mut signers = String::new();
        for name in ["ann", "ben"] {
            run(&self.dir, &["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name], "")?;
            let public = fs::read_to_string(self.dir.join(name).with_extension("pub"))?;
            let key: Vec<&str> = public.split(' ').take(2).collect();
            let _ = writeln!(signers, "{name} {}", key.join(" "));
        }
        fs::write(work.join(policy::PATH), POLICY)?;
        fs::write(work.join(policy::SIGNERS), signers)?;
        run(bare, &["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main"], "")?;
        let path = bare.display().to_string();
        for words in [
            &["git", "init", "--quiet", "--initial-branch=main"][..],
            &["git", "add", "."],
            &["git", "commit", "--quiet", "--message=chore: begin"],
            &["git", "push", "--quiet", &path, "main"],
        ] {
            run(&work, words, "")?;
        }
        run(&work, &["git", "rev-parse", "HEAD"], "")
    }

    /// Makes the heads of the changes and the commits that they land as; returns both, change by change.
    fn commits(&self, bare: &Path, (first, count): (&str, usize)) -> io::Result<Vec<[String; 2]>> {
        let mut stream = String::new();
        let mut parent = first.to_owned();
        for number in 1..=count {
            let (head, landed) = (2 * number - 1, 2 * number);
            let file = format!("M 100644 inline src/{}/{number}\ndata 2\nx\n", number % 100);
            self.commit(&mut stream, &format!("refs/shipway/changes/{number}/1"), (head, "feat: x"));
            let _ = write!(stream, "from {parent}\n{file}\n");
            self.commit(&mut stream, "refs/heads/main", (landed, &format!("feat: x\n\nChange: {number}")));
            let _ = write!(stream, "from {parent}\n{file}\n");
            parent = format!(":{landed}");
        }
        let marks = self.dir.join("marks");
        import(bare, &[&format!("--export-marks={}", marks.display())], &stream)?;
        let mut ids = vec![String::new(); 2 * count];
        for line in fs::read_to_string(marks)?.lines() {
            let (mark, id) = line.trim_start_matches(':').split_once(' ').ok_or_else(|| other("no marks"))?;
            let mark: usize = mark.parse().map_err(|_| other("no marks"))?;
            id.clone_into(&mut ids[mark - 1]);
        }
        Ok(ids.chunks(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect())
    }

    fn commit(&self, stream: &mut String, reference: &str, (mark, message): (usize, &str)) {
        // Nothing lands twice in a second for long.
        let at = self.at.seconds() - 1_000_000 + u64::try_from(mark).unwrap_or_default();
        let size = message.len();
        let _ = write!(
            stream,
            "commit {reference}\nmark :{mark}\ncommitter Ann <ann@example.org> {at} +0000\ndata {size}\n{message}\n"
        );
    }

    /// Returns what is signed for each change: the review, and the ticket that rests on it.
    fn statements(&self, first: &str, commits: &[[String; 2]], digest: &str) -> Vec<[Statement; 2]> {
        let expires = Time(self.at.0 + 60_000);
        let olds = std::iter::once(first).chain(commits.iter().map(|[_, landed]| landed.as_str()));
        let statement = |((index, [head, landed]), old): ((usize, &[String; 2]), &str)| {
            let change = index as u64 + 1;
            let review = Statement::Review(Review {
                repository: "app".into(),
                change,
                version: 1,
                head: head.clone(),
                patch: head.clone(),
                target: "main".into(),
                policy: digest.into(),
                word: Word::Approve,
                text: String::new(),
                expires,
                nonce: change.to_string(),
                key_use: Use::File,
            });
            let ticket = Statement::Ticket(Ticket {
                repository: "app".into(),
                reference: "refs/heads/main".into(),
                old: old.into(),
                new: landed.clone(),
                policy: digest.into(),
                reason: Reason::Change { change, version: 1, method: Method::Squash },
                approvals: vec![Digest::of(review.text().as_bytes())],
                checks: vec![],
                expires,
                nonce: change.to_string(),
            });
            [review, ticket]
        };
        commits.iter().enumerate().zip(olds).map(statement).collect()
    }

    /// Signs all statements: ben the reviews, ann the tickets.
    fn signed(&self, statements: &[[Statement; 2]]) -> io::Result<Vec<[Signed; 2]>> {
        let dir = self.dir.join("statements");
        fs::create_dir_all(&dir)?;
        let path = |index: usize, place: usize| dir.join(format!("{index}-{place}"));
        for (place, key) in ["ben", "ann"].into_iter().enumerate() {
            let indexes: Vec<usize> = (0..statements.len()).collect();
            for some in indexes.chunks(500) {
                let mut words = vec!["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n"];
                words.push(statements[some[0]][place].namespace());
                let paths: Vec<String> =
                    some.iter().map(|index| path(*index, place).display().to_string()).collect();
                for (index, path) in some.iter().zip(&paths) {
                    fs::write(path, statements[*index][place].text())?;
                }
                words.extend(paths.iter().map(String::as_str));
                run(&self.dir, &words, "")?;
            }
        }
        let one = |index: usize, place: usize| -> io::Result<Signed> {
            let signature = fs::read_to_string(path(index, place).with_extension("sig"))?;
            Ok(Signed { text: statements[index][place].text(), signature })
        };
        (0..statements.len()).map(|index| Ok([one(index, 0)?, one(index, 1)?])).collect()
    }

    /// Writes the logs of the changes and of the landings.
    fn records(&self, bare: &Path, (commits, signed): (&[[String; 2]], &[[Signed; 2]])) -> io::Result<()> {
        let (mut stream, mut mark) = (String::new(), 0);
        let mut add = |log: &str, event: Event, by: &str, signed: Option<&Signed>| {
            let record = Record { v: 1, at: self.at, by: by.into(), event, signed: signed.cloned() };
            let text = serde_json::to_string(&record).expect("a record has a JSON form");
            mark += 1;
            self.commit(&mut stream, log, (mark, "record"));
            let _ = write!(stream, "M 100644 inline {FILE}\ndata {}\n{text}\n", text.len());
        };
        for (index, ([head, landed], [review, ticket])) in commits.iter().zip(signed).enumerate() {
            let log = format!("refs/shipway/changes/{}/log", index + 1);
            let opened = Event::Opened {
                target: "main".into(),
                source: String::new(),
                title: "feat: x".into(),
                description: String::new(),
                draft: false,
            };
            add(&log, opened, "ann", None);
            let version =
                Version { version: 1, head: head.clone(), patch: head.clone(), ..Version::default() };
            add(&log, Event::Pushed(version), "ann", None);
            add(&log, Event::Reviewed {}, "ben", Some(review));
            add(LANDINGS, Event::Ticket {}, "ann", Some(ticket));
            let (commit, ticket) = (landed.clone(), ticket.digest());
            let landed = Event::Landed { commit, ticket, exception: None, lander: None };
            add(&log, landed, "guard", None);
        }
        import(bare, &[], &stream)
    }
}

/// Writes commits and refs past the guard.
fn import(bare: &Path, more: &[&str], stream: &str) -> io::Result<()> {
    let words = ["git", "-c", "core.hooksPath=/dev/null", "fast-import", "--quiet", "--date-format=raw"];
    run(bare, &[&words[..], more].concat(), stream).map(|_| ())
}

/// Runs a command as ann and returns what it says.
fn run(dir: &Path, words: &[&str], input: &str) -> io::Result<String> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env_remove("SSH_AUTH_SOCK").env("SHIPWAY_LOGIN", "ann");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ann").env(format!("GIT_{who}_EMAIL"), "ann@example.org");
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| other("no input"))?;
    let writer = std::thread::spawn({
        let input = input.to_owned();
        move || stdin.write_all(input.as_bytes())
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let words = words[..words.len().min(6)].join(" ");
    Err(other(&format!("{words}: {}", String::from_utf8_lossy(&output.stderr))))
}

fn other(why: &str) -> io::Error {
    io::Error::other(why.to_owned())
}
