//! Runtimes: what a release needs beside its own files, made before anything live changes.

use std::path::Path;
use std::time::Duration;

use shipway_core::action::Cmd;
use shipway_core::deployment::{Deployment, Runtime};
use shipway_core::deps::{LOCKS, locked_requirements};
use shipway_core::id::Digest;
use shipway_core::problem::{Code, Problem};

use super::{Place, files, wait};

/// How long an installation may take.
const INSTALL: Duration = Duration::from_mins(30);

/// The file that says that a runtime is whole, and of what it was made.
const READY: &str = ".shipway-ready";

/// Variables that would let another environment shine through.
const FOREIGN: [&str; 4] = ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NODE_PATH"];

/// Makes the runtime of a release.
pub(super) fn prepare(place: &Place<'_>, deployment: &Deployment) -> Result<(), Problem> {
    let root = std::path::absolute(place.root).map_err(|error| files::problem(place.root, &error))?;
    let release = root.join("releases").join(deployment.artifact.as_str());
    let made = root.join("runtimes").join(deployment.artifact.as_str());
    let lock = match &deployment.runtime {
        Runtime::None => return Ok(()),
        Runtime::Python { requirements, .. } => release.join(named(&release, requirements)),
        Runtime::Node { dir, .. } => release.join(dir).join("package-lock.json"),
        Runtime::Unknown => return Err(Problem::new(Code::RuntimeFailed, "a runtime of a newer shipway")),
    };
    let Some(text) = files::read(&lock)? else {
        let problem = Problem::new(Code::RuntimeFailed, format!("{} is not in the release", lock.display()));
        return Err(problem.wanted("the lock file that the runtime is made from"));
    };
    let requirements = match &deployment.runtime {
        Runtime::Python { .. } => locked(&lock, &text)?,
        Runtime::None | Runtime::Node { .. } | Runtime::Unknown => None,
    };
    let wanted = Digest::of_json(&(&deployment.runtime, &text));
    let ready = made.join(READY);
    if files::read(&ready)?.is_some_and(|ready| ready == wanted.as_str()) {
        return Ok(());
    }
    // A virtual environment cannot be moved, so it is made where it stays; the last file says that it is whole.
    files::remove_all(&made)?;
    files::directory(&made)?;
    match &deployment.runtime {
        Runtime::Python { interpreter, pip, .. } => {
            (place.say)(&format!("makes a virtual environment with {interpreter}"));
            python(place, interpreter, &made)?;
            let own = made.join("requirements.txt");
            let (lock, text) = match &requirements {
                Some(lines) => {
                    files::write(&own, lines, 0o644)?;
                    (&own, lines)
                }
                None => (&lock, &text),
            };
            let cmd = pip_install(&made, lock, text).args(pip).dir(&release);
            must(place, cmd, "the packages could not be installed")?;
        }
        Runtime::Node { dir, npm } => {
            (place.say)("installs the Node packages of the lock file");
            node(&release.join(dir), &made)?;
            let cmd = Cmd::new("npm").args(["ci", "--no-audit", "--no-fund"]).args(npm).dir(&made);
            must(place, cmd, "the packages could not be installed")?;
        }
        Runtime::None | Runtime::Unknown => (),
    }
    files::write(&ready, wanted.as_str(), 0o644).map(|_| ())
}

/// Returns the file that says what is installed: the one that is named, else a lock file that is there in its place.
fn named<'a>(release: &Path, requirements: &'a str) -> &'a str {
    let there = |name: &&str| release.join(name).is_file();
    let other =
        LOCKS.into_iter().find(there).filter(|_| requirements == REQUIREMENTS && !there(&requirements));
    other.unwrap_or(requirements)
}

/// The file with requirements where none is named.
const REQUIREMENTS: &str = "requirements.txt";

/// Returns the requirements that a lock file of another tool stands for; nothing if pip reads it itself.
fn locked(lock: &Path, text: &str) -> Result<Option<String>, Problem> {
    let name = lock.file_name().unwrap_or_default().to_string_lossy();
    locked_requirements(&name, text).transpose().map_err(|why| {
        Problem::new(Code::RuntimeFailed, format!("{} cannot be installed from", lock.display()))
            .found(why)
            .wanted("packages of an index, each with its version and hashes")
            .hint("write requirements with hashes: uv export --no-dev --no-emit-project -o requirements.txt")
    })
}

/// Makes the virtual environment. The interpreter is always named: that of the machine belongs to the machine.
fn python(place: &Place<'_>, interpreter: &str, made: &Path) -> Result<(), Problem> {
    if interpreter.is_empty() {
        return Err(Problem::new(Code::RuntimeFailed, "no interpreter is named for the virtual environment"));
    }
    let cmd = Cmd::new(interpreter).args(["-m", "venv"]).arg(made);
    must(place, cmd, &format!("{interpreter} cannot make a virtual environment")).map_err(|problem| {
        let missing = problem.details.iter().any(|line| line.contains("ensurepip"));
        if missing { problem.hint("apt install python3-venv") } else { problem }
    })
}

/// Returns the installation from a lock file, as strict as the lock file allows.
fn pip_install(made: &Path, lock: &Path, text: &str) -> Cmd {
    let cmd = Cmd::new(made.join("bin/python")).args(["-m", "pip", "install"]);
    let cmd = cmd.args(["--no-input", "--disable-pip-version-check", "--require-virtualenv"]);
    let cmd = if text.contains("--hash=") { cmd.arg("--require-hashes") } else { cmd };
    cmd.arg("--requirement").arg(lock)
}

/// Brings what `npm ci` reads to where it installs: the release itself is never written to.
///
/// `app` leads to the release, so that `node --preserve-symlinks --preserve-symlinks-main {runtime}/app/FILE` finds the
/// packages beside it.
fn node(from: &Path, made: &Path) -> Result<(), Problem> {
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        if let Some(text) = files::read(&from.join(name))? {
            files::write(&made.join(name), &text, 0o644)?;
        }
    }
    let app = made.join("app");
    std::os::unix::fs::symlink(from, &app).map_err(|error| files::problem(&app, &error))
}

fn must(place: &Place<'_>, mut cmd: Cmd, what: &str) -> Result<(), Problem> {
    cmd.timeout = Some(INSTALL);
    cmd.unset.extend(FOREIGN.iter().map(Into::into));
    cmd = cmd.env("PYTHONNOUSERSITE", "1");
    let output = match place.shell.run(&cmd, place.stop) {
        Ok(output) => output,
        Err(error) => return Err(Problem::new(Code::RuntimeFailed, what).found(error.to_string())),
    };
    if output.ok() {
        return Ok(());
    }
    let problem = Problem::new(Code::RuntimeFailed, what).found(format!("{:?}", output.ended));
    Err(problem.details(wait::last_lines(&output)))
}
