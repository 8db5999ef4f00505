//! The hook `commit-msg`, from cold, as git starts it for every commit; beside the tools that people use for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::measure::{Subject, side_by_side};
use super::row::Row;
use super::site::run as ask;

/// What the hook may take, in milliseconds.
const LIMIT: f64 = 10.0;
/// The peers, and what part of their time ours may take.
const PEERS: [(&str, f64); 3] = [("commitlint", 1.0 / 30.0), ("lefthook", 0.2), ("prek", 0.2)];
/// The message that is judged.
const MESSAGE: &str = "feat(parser): read numbers with underscores\n\nThey are easier to read.\n";

/// Returns the rows. Peers are installed below `tools` when `install` is set; else only those that are there are asked.
pub(super) fn rows(shipway: &str, scratch: &Path, (tools, install): (&Path, bool)) -> Vec<Row> {
    let peers = PEERS.map(|(name, _)| peer(name, tools, install));
    match site(shipway, scratch, &peers) {
        Ok(dirs) => measured(&dirs, &peers),
        Err(error) => vec![Row::failed("commit-msg hook, cold".into(), "-".into(), &error.to_string())],
    }
}

fn measured([ours, theirs]: &[PathBuf; 2], peers: &[Result<Vec<String>, String>]) -> Vec<Row> {
    let ours = Subject::new(ours, &[&[".git/hooks/commit-msg", "message"]]);
    let theirs: Vec<Option<Subject>> = peers
        .iter()
        .map(|peer| {
            let words: Vec<&str> = peer.as_ref().ok()?.iter().map(String::as_str).collect();
            Some(Subject::new(theirs, &[&words]))
        })
        .collect();
    let subjects: Vec<&Subject> = [&ours].into_iter().chain(theirs.iter().flatten()).collect();
    let costs = side_by_side(&subjects);
    let mut rows = vec![Row::limit("commit-msg hook, cold".into(), &costs[0], LIMIT)];
    let mut next = 1;
    for ((name, goal), peer) in PEERS.iter().zip(peers) {
        let what = format!("commit-msg hook, cold, {name}");
        rows.push(match peer {
            Ok(_) => {
                next += 1;
                Row::at_most(what, &costs[0], &costs[next - 1], *goal)
            }
            Err(why) => Row::skipped(what, format!("<= {goal:.2}"), why),
        });
    }
    rows
}

/// Makes a repository with our hooks and a policy, and one with the configurations of the peers: where those are found,
/// our hooks would run theirs as well.
fn site(shipway: &str, scratch: &Path, peers: &[Result<Vec<String>, String>]) -> io::Result<[PathBuf; 2]> {
    let dirs = ["ours", "theirs"].map(|name| scratch.join("hooks").join(name));
    for dir in &dirs {
        fs::create_dir_all(dir)?;
        ask(dir, &["git", "init", "--quiet", "--template="], "")?;
        fs::write(dir.join("message"), MESSAGE)?;
    }
    let [ours, theirs] = &dirs;
    fs::create_dir(ours.join(".shipway"))?;
    fs::write(ours.join(".shipway/policy.toml"), "preset = \"gitflow\"\n")?;
    ask(ours, &[shipway, "guard", "install"], "")?;
    fs::write(
        theirs.join("commitlint.config.js"),
        "module.exports = { extends: ['@commitlint/config-conventional'] };\n",
    )?;
    fs::write(theirs.join("lefthook.yml"), "commit-msg:\n  commands:\n    look:\n      run: \"true\"\n")?;
    fs::write(
        theirs.join(".pre-commit-config.yaml"),
        "repos:\n  - repo: local\n    hooks:\n      - {id: look, name: look, entry: \"true\", language: system, \
         stages: [commit-msg]}\n",
    )?;
    // Where its rules are found by name.
    if let Some(modules) = peers[0].as_ref().ok().and_then(|words| modules(words)) {
        std::os::unix::fs::symlink(modules, theirs.join("node_modules"))?;
    }
    ask(theirs, &["git", "add", "lefthook.yml", ".pre-commit-config.yaml"], "")?;
    Ok(dirs)
}

fn modules(words: &[String]) -> Option<PathBuf> {
    let program = words.iter().find(|word| word.contains("/node_modules/"))?;
    let at = program.find("/node_modules/")?;
    Some(PathBuf::from(&program[..at]).join("node_modules"))
}

/// Returns the command of a peer, or why there is none.
fn peer(name: &str, tools: &Path, install: bool) -> Result<Vec<String>, String> {
    let dir = tools.join(name);
    let modules = dir.join("node_modules");
    let (program, packages): (PathBuf, &[&str]) = match name {
        "commitlint" => (
            modules.join("@commitlint/cli/cli.js"),
            &["@commitlint/cli@21", "@commitlint/config-conventional@21"],
        ),
        // The program itself: what npm puts in front of it costs several times as much.
        "lefthook" => (modules.join("lefthook-linux-x64/bin/lefthook"), &["lefthook@2"]),
        _ => (dir.join("bin/prek"), &["prek"]),
    };
    if !program.exists() {
        if !install {
            return Err(format!("{name} is not there; bench --hooks installs it"));
        }
        get(&dir, packages, name == "prek").map_err(|error| error.to_string())?;
    }
    if !program.exists() {
        return Err(format!("{name} could not be installed"));
    }
    let program = program.to_string_lossy().into_owned();
    let words: Vec<&str> = match name {
        "commitlint" => vec!["node", &program, "--edit", "message"],
        "lefthook" => vec![&program, "run", "commit-msg", "message"],
        _ => vec![&program, "run", "--hook-stage", "commit-msg", "--commit-msg-filename", "message"],
    };
    Ok(words.into_iter().map(str::to_owned).collect())
}

fn get(dir: &Path, packages: &[&str], python: bool) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    if python {
        ask(dir, &["python3", "-m", "venv", &dir.to_string_lossy()], "")?;
        let pip = dir.join("bin/pip").to_string_lossy().into_owned();
        return ask(dir, &[&[pip.as_str(), "install", "--quiet"], packages].concat(), "").map(|_| ());
    }
    // No script of a package is run.
    let npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    ask(dir, &[&npm[..], &[&dir.to_string_lossy()], packages].concat(), "").map(|_| ())
}
