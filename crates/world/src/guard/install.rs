//! Installing a guard: wrapper scripts, settings, and what holds until the repository has a policy of its own.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use shipway_core::action::Output;
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::transaction::LEDGER;
use super::{Guard, Settings, see};
use crate::hooks::staged::InHook;

/// The hooks of a guard, as git calls them.
pub const HOOKS: [&str; 4] = ["pre-receive", "proc-receive", "post-receive", "reference-transaction"];

/// Settings that a guarded repository has, besides those that name its own paths. A setting that stands here several
/// times has several values.
pub const SETTINGS: [(&str, &str); 11] = [
    // What is broken or made to be misread does not get in.
    ("receive.fsckObjects", "true"),
    ("transfer.fsckObjects", "true"),
    ("receive.maxInputSize", "1g"),
    ("receive.shallowUpdate", "false"),
    // A change request is a push to refs/for; its options are title and description.
    ("receive.advertisePushOptions", "true"),
    ("receive.procReceiveRefs", "refs/for"),
    ("receive.procReceiveRefs", "refs/events"),
    // The records can be fetched, and are written by the guard alone.
    ("receive.hideRefs", "refs/shipway"),
    ("core.useReplaceRefs", "false"),
    ("core.logAllRefUpdates", "always"),
    ("gpg.format", "ssh"),
];

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The bare repository.
    pub repository: PathBuf,
    /// Its name in everything that is signed for it.
    pub name: Option<String>,
    /// The program that the hooks start.
    pub program: PathBuf,
    /// The first people, each with the line of a public key.
    pub admins: Vec<(String, String)>,
}

/// One thing that installing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file is written: its content and whether it is a script.
    File(PathBuf, String, u32),
    /// A setting gets these values.
    Setting(String, Vec<String>),
}

impl Step {
    /// Returns the step in words.
    pub fn words(&self) -> String {
        match self {
            Self::File(path, ..) => format!("write {}", path.display()),
            Self::Setting(key, values) => format!("set {key} = {}", values.join(", ")),
        }
    }
}

/// Returns what installing would do; nothing of what is there already.
pub fn plan(git: &InHook<'_>, asked: &Asked) -> Result<Vec<Step>, Problem> {
    let repository =
        fs::canonicalize(&asked.repository).map_err(|error| unusable(asked, &error.to_string()))?;
    let bare = git.run(&git.git().args(["rev-parse", "--is-bare-repository"]))?;
    if !bare.ok() || bare.text() != "true" {
        return Err(unusable(asked, "it is not a bare repository").hint("git init --bare REPO.git"));
    }
    let dir = repository.join("shipway");
    let hooks = dir.join("hooks");
    let before = before(git, &repository, &hooks)?;
    let mut steps = vec![];
    let kept = Guard::open(&repository).ok().map(|guard| guard.settings);
    let settings = Settings {
        name: asked
            .name
            .clone()
            .or(kept.as_ref().map(|kept| kept.name.clone()))
            .unwrap_or_else(|| name_of(&repository)),
        policy: kept.map_or_else(|| pinned(git), |kept| kept.policy),
        program: asked.program.clone(),
    };
    let text = serde_json::to_string_pretty(&settings).expect("three texts have a JSON form") + "\n";
    steps.push(Step::File(dir.join("guard.json"), text, 0o600));
    for name in HOOKS {
        steps.push(Step::File(hooks.join(name), script(name, &asked.program, &before.join(name)), 0o755));
    }
    if !dir.join("token").exists() {
        steps.push(Step::File(dir.join("token"), secret()? + "\n", 0o600));
    }
    // What is there when the guard comes is where an audit begins.
    if !dir.join(LEDGER).exists() {
        steps.push(Step::File(dir.join(LEDGER), beginning(git)?, 0o600));
    }
    if !dir.join("policy.toml").exists() || !asked.admins.is_empty() {
        steps.push(Step::File(dir.join("policy.toml"), bootstrap(&asked.admins), 0o600));
        let line = |keys: String, (name, key): &(String, String)| keys + name + " " + key.trim() + "\n";
        let keys = asked.admins.iter().fold(String::new(), line);
        steps.push(Step::File(dir.join("allowed_signers"), keys, 0o600));
    }
    steps.retain(|step| match step {
        Step::File(path, text, mode) => !is_written(path, text, *mode),
        Step::Setting(..) => true,
    });
    let path = |path: &Path| path.display().to_string();
    let mut wanted: Vec<(String, Vec<String>)> = vec![
        ("core.hooksPath".into(), vec![path(&hooks)]),
        ("gpg.ssh.allowedSignersFile".into(), vec![path(&dir.join("allowed_signers"))]),
    ];
    for (key, value) in SETTINGS {
        match wanted.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => values.push(value.into()),
            None => wanted.push((key.into(), vec![value.into()])),
        }
    }
    if values(git, "receive.certNonceSeed")?.is_empty() {
        wanted.push(("receive.certNonceSeed".into(), vec![secret()?]));
    }
    for (key, values_wanted) in wanted {
        if values(git, &key)? != values_wanted {
            steps.push(Step::Setting(key, values_wanted));
        }
    }
    Ok(steps)
}

/// Does what was planned.
pub fn carry_out(git: &InHook<'_>, steps: &[Step]) -> Result<(), Problem> {
    for step in steps {
        match step {
            Step::File(path, text, mode) => write(path, text, *mode).map_err(|error| {
                Problem::new(Code::GuardUnusable, format!("{} cannot be written: {error}", path.display()))
            })?,
            Step::Setting(key, values) => {
                // Exit code 5: there was nothing to unset.
                git.run(&git.git().args(["config", "--local", "--unset-all", key]))?;
                for value in values {
                    git.expect(&git.git().args(["config", "--local", "--add", key, value]))?;
                }
            }
        }
    }
    Ok(())
}

/// Takes the guard out again. The records and the keys stay.
pub fn remove(git: &InHook<'_>, repository: &Path) -> Result<(), Problem> {
    let guard = Guard::open(repository)?;
    for key in ["core.hooksPath", "receive.procReceiveRefs", "receive.hideRefs", "gpg.ssh.allowedSignersFile"]
    {
        git.run(&git.git().args(["config", "--local", "--unset-all", key]))?;
    }
    for path in ["guard.json", "token"] {
        fs::remove_file(guard.dir().join(path)).map_err(|error| {
            Problem::new(Code::GuardUnusable, format!("{path} cannot be removed: {error}"))
        })?;
    }
    Ok(())
}

/// Returns the values that a setting of the repository itself has.
pub fn values(git: &InHook<'_>, key: &str) -> Result<Vec<String>, Problem> {
    let output = git.run(&git.git().args(["config", "--local", "--get-all", key]))?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Returns the script of a hook. A script, and never a link: git passes over a link that leads nowhere without a word.
pub fn script(name: &str, program: &Path, next: &Path) -> String {
    let quote = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let (program, next) = (quote(program), quote(next));
    // One push moves refs in three steps: the one that was called off says nothing.
    let early = if name == "reference-transaction" { "test \"$1\" != aborted || exit 0\n" } else { "" };
    let body = format!(
        "{early}if test ! -x {program}; then\n  echo 'shipway: '{program}' is missing, so the guard refuses everything' >&2\n  \
         echo '  put it back, or say where it is now: shipway guard install --server REPO.git' >&2\n  exit 1\nfi\n\
         exec {program} guard-hook {name} --next {next} -- \"$@\"\n"
    );
    format!("#!/bin/sh\n# shipway guard {}\n{body}", Digest::of(body.as_bytes()))
}

/// Returns where the hooks were before the guard came, so that they run after it.
fn before(git: &InHook<'_>, repository: &Path, ours: &Path) -> Result<PathBuf, Problem> {
    let set = values(git, "core.hooksPath")?.pop().map(PathBuf::from).filter(|path| path != ours);
    Ok(set.map_or_else(|| repository.join("hooks"), |path| repository.join(path)))
}

fn name_of(repository: &Path) -> String {
    let name = repository.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".git").unwrap_or(&name).to_owned()
}

/// Returns the ref that the policy will be read from: what HEAD says now, and from then on by this name.
fn pinned(git: &InHook<'_>) -> String {
    let head = git.run(&git.git().args(["symbolic-ref", "HEAD"]));
    head.ok().filter(Output::ok).map_or_else(|| "refs/heads/main".into(), |output| output.text())
}

/// Returns the first lines of the ledger: all branches and tags that are there.
fn beginning(git: &InHook<'_>) -> Result<String, Problem> {
    let refs = see::refs(git)?;
    let kept = refs.iter().filter(|known| {
        known.target.is_none()
            && (known.name.starts_with(b"refs/heads/") || known.name.starts_with(b"refs/tags/"))
    });
    let line = |known: &see::Ref| {
        let zeros = "0".repeat(known.id.len());
        format!("0 {zeros} {} {} install\n", known.id, String::from_utf8_lossy(&known.name))
    };
    Ok(kept.map(line).collect())
}

/// Returns the policy that holds until the pinned ref has one.
fn bootstrap(admins: &[(String, String)]) -> String {
    let names: Vec<String> = admins.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let list = names.join(", ");
    let mut text = String::from("# Holds until the pinned branch has a .shipway/policy.toml.\nschema = 1\n");
    if admins.len() == 1 {
        text.push_str("# One person is all there is: authors may approve their own changes.\nsolo = true\n");
    }
    for name in &names {
        text.push_str(&format!("\n[person.{name}]\n"));
    }
    text.push_str("\n[branch.main]\npatterns = [\"main\", \"master\"]\nprotected = true\n");
    if !admins.is_empty() {
        text.push_str(&format!("approvals = 1\nrelease = [{list}]\nbreak-glass = [{list}]\n"));
    }
    text
}

fn secret() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut bytes))
        .map_err(|error| Problem::new(Code::Io, format!("the system gives no random bytes: {error}")))?;
    Ok(shipway_core::id::hex(&bytes))
}

fn is_written(path: &Path, text: &str, mode: u32) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found == text)
        && fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o777 == mode)
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().mode(0o755).recursive(true).create(dir)?;
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(draft, path)
}

fn unusable(asked: &Asked, found: &str) -> Problem {
    Problem::new(Code::GuardUnusable, format!("{} cannot be guarded", asked.repository.display()))
        .found(found)
        .wanted("a bare repository of this account")
}
