//! `init --flow`: the files of a governed repository. All of it is shown first; what is there already stays as it is,
//! apart from a block of ours between two marks.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shipway_core::flow::{self, Flow, slug};
use shipway_core::local::{self, Founder};
use shipway_core::policy;
use shipway_core::problem::{Code, Problem};

use super::agreed;
use crate::args::Init;
use crate::command::{DONE, End};
use crate::session::Session;
use crate::view::Document;

/// A file, and what becomes of it.
struct File {
    path: PathBuf,
    text: String,
    fate: Fate,
}

/// What becomes of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is written.
    New,
    /// Our block in it is written, and nothing else changes.
    Block,
    /// It is as it would be written.
    Same,
    /// It is there and is another; it stays.
    Kept,
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Block => "block",
            Self::Same => "same",
            Self::Kept => "kept",
        }
    }
}

/// Shows the files, and writes those that are not there: at once with `--yes`, after a question at a terminal.
pub(super) fn run(session: &Session<'_>, asked: &Init, preset: &str) -> End {
    let files = files(session, preset)?;
    let fields: Vec<Value> = files
        .iter()
        .map(|file| json!({ "path": shown(&file.path), "state": file.fate.word(), "text": file.text }))
        .collect();
    session.view.answer(Document::Init, &json!({ "flow": preset, "files": fields }), &page(&files));
    let open: Vec<&File> = files.iter().filter(|file| matches!(file.fate, Fate::New | Fate::Block)).collect();
    for file in files.iter().filter(|file| file.fate == Fate::Kept) {
        session.view.note(&format!("{} is there and stays as it is", shown(&file.path)));
    }
    if open.is_empty() {
        session.view.note("everything is there already");
        return Ok(DONE);
    }
    if asked.dry_run || !(asked.yes || agreed(session, "write these files?")) {
        session.view.note(&format!("nothing was written; write it: shipway init --flow {preset} --yes"));
        return Ok(DONE);
    }
    for file in &open {
        write(&session.repository.top.join(&file.path), file).map_err(|error| {
            let what = format!("{} cannot be written: {error}", shown(&file.path));
            vec![Problem::new(Code::NotWritable, what)]
        })?;
    }
    session.view.note(&format!("wrote {} files; next:", open.len()));
    // What governs the repository changes in commits of its own, from the first one on.
    session.view.note("git add .shipway CODEOWNERS && git commit -m 'chore: say who may do what'");
    session.view.note("git add --all && git commit -m 'docs: say how changes land here'");
    session.view.note("shipway guard install");
    Ok(DONE)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn page(files: &[File]) -> String {
    let mut text = String::new();
    for file in files {
        text += &format!("{:<5} {}\n", file.fate.word(), file.path.display());
        if matches!(file.fate, Fate::New) {
            text.extend(file.text.lines().map(|line| format!("      | {line}").trim_end().to_owned() + "\n"));
        }
    }
    text.trim_end().to_owned()
}

fn files(session: &Session<'_>, preset: &str) -> Result<Vec<File>, Vec<Problem>> {
    let founder = founder(session);
    let own = local::policy(preset, &founder);
    let top = &session.repository.top;
    // A policy that is there already is the one that the page is about.
    let text = fs::read_to_string(top.join(policy::PATH)).unwrap_or_else(|_| own.clone());
    let read = policy::read(&text, policy::PATH)?;
    let branch = session
        .git()
        .glance(&session.repository)
        .ok()
        .and_then(|glance| glance.head.branch().map(str::to_owned));
    let flow = Flow::of(&read, &branch.into_iter().collect::<Vec<_>>());
    let mut files = vec![
        plain(top, policy::PATH, own),
        plain(top, policy::SIGNERS, local::signers(&founder)),
        plain(top, local::CHANGE_TEMPLATE, local::change_request().to_owned()),
        plain(top, ".gitmessage", local::template("#", &read.commits.types, None)),
        plain(top, "docs/branching.md", flow::page(&flow, &read)),
        block(top, "AGENTS.md", &local::agents(&flow.lasting()))?,
    ];
    // Owners are looked for in several places; one file of them is enough.
    if !policy::OWNERS.iter().any(|path| top.join(path).exists() && *path != "CODEOWNERS") {
        files.push(plain(top, "CODEOWNERS", local::owners(&founder)));
    }
    if top.join("CLAUDE.md").exists() {
        files.push(block(top, "CLAUDE.md", &local::agents(&flow.lasting()))?);
    }
    if !top.join("shipway.toml").exists() {
        let detected = super::detected(session)?;
        files.push(plain(top, "shipway.toml", shipway_core::config::template(&detected)));
    }
    Ok(files)
}

fn plain(top: &Path, path: &str, text: String) -> File {
    let fate = match fs::read(top.join(path)) {
        Ok(bytes) if bytes == text.as_bytes() => Fate::Same,
        Ok(_) => Fate::Kept,
        Err(_) => Fate::New,
    };
    File { path: path.into(), text, fate }
}

fn block(top: &Path, path: &str, block: &str) -> Result<File, Vec<Problem>> {
    let old = fs::read(top.join(path)).ok();
    let text = old.as_ref().map_or(Ok(""), |bytes| std::str::from_utf8(bytes));
    let new = text.ok().and_then(|text| local::managed(text, block));
    let Some(new) = new else {
        let what = format!("{path} has marks of shipway that do not go together");
        let problem = Problem::new(Code::ReadmeConflict, what).at(path);
        return Err(vec![
            problem.wanted("one `<!-- shipway:begin -->`, and one `<!-- shipway:end -->` after it"),
        ]);
    };
    let fate = match &old {
        None => Fate::New,
        Some(old) if old == new.as_bytes() => Fate::Same,
        Some(_) => Fate::Block,
    };
    Ok(File { path: path.into(), text: new, fate })
}

fn write(path: &Path, file: &File) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    match file.fate {
        // Written by somebody else since it was looked at, it is theirs.
        Fate::New => {
            use std::io::Write as _;
            let mut new = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
            new.write_all(file.text.as_bytes())
        }
        Fate::Block => {
            let draft = path.with_extension(format!("{}.draft", std::process::id()));
            fs::write(&draft, &file.text)?;
            fs::set_permissions(&draft, fs::metadata(path)?.permissions())?;
            fs::rename(draft, path)
        }
        Fate::Same | Fate::Kept => Ok(()),
    }
}

/// Returns who sets this up, as git and ssh know them.
fn founder(session: &Session<'_>) -> Founder {
    let git = session.git();
    let setting = |key: &str| git.setting(key).filter(|value| !value.is_empty());
    let name = setting("user.name").map(|name| slug(&[name])).filter(|name| !name.is_empty());
    let home = session.environment.get("HOME").map(PathBuf::from);
    let named = setting("user.signingKey").filter(|_| setting("gpg.format").as_deref() == Some("ssh"));
    let named = named.and_then(|key| public(&key, home.as_deref()));
    let usual = || {
        let ssh = home.as_ref()?.join(".ssh");
        let keys = ["id_ed25519_sk.pub", "id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"];
        keys.iter().find_map(|name| fs::read_to_string(ssh.join(name)).ok())
    };
    Founder {
        name: name.unwrap_or_else(|| "me".into()),
        email: setting("user.email"),
        key: named.or_else(usual),
    }
}

/// Returns the public key that `user.signingKey` means: the key itself, or a file (git-config(1)).
fn public(key: &str, home: Option<&Path>) -> Option<String> {
    let text = key.strip_prefix("key::").unwrap_or(key);
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
        return Some(text.to_owned());
    }
    let path = match key.strip_prefix("~/") {
        Some(rest) => home?.join(rest),
        None => PathBuf::from(key),
    };
    let beside = PathBuf::from(format!("{}.pub", path.display()));
    // The private key is never read.
    let public = if path.extension().is_some_and(|ending| ending == "pub") { path } else { beside };
    fs::read_to_string(public).ok()
}
