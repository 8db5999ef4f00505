//! The guard: a push of one commit beside hooks that do nothing, a push of many beside one process for each, and the
//! proof of a branch on which much has landed.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::measure::{Subject, side_by_side};
use super::row::Row;
use super::site::run as ask;

/// How many commits the large push has, and what judging them may take, in milliseconds.
const MANY: (usize, f64) = (10_000, 1000.0);
/// How many of them a hook looks at that starts a process for each: all would take minutes, eleven times.
const SOME: usize = 2500;
/// How many changes have landed on the branch that is proven, and what that may take, in milliseconds.
const LANDED: (usize, f64) = (10_000, 5000.0);
/// Rules of a common policy: messages, paths, sizes, names.
const POLICY: &str = "schema = 1\n[person.ann]\n[branch.main]\npatterns = [\"main\"]\nprotected = true\n\
                      [branch.feature]\npatterns = [\"feature/**\"]\n[commits]\nconventional = true\n[files]\n\
                      size = \"1MiB\"\n";
/// Pushes one new commit under a name of its own.
const PUSH: &str = "n=$(($(cat n) + 1)); echo $n >n; c=$(git commit-tree -p HEAD -m \"feat: $n\" HEAD^{tree}); \
                    git push --quiet origin \"$c:refs/heads/feature/$n\"";

/// Returns the rows.
pub(super) fn rows([shipway, landed]: [&str; 2], scratch: &Path) -> Vec<Row> {
    let mut rows = match Sites::new(shipway, &scratch.join("guard")) {
        Ok(sites) => sites.rows(),
        Err(error) => vec![Row::failed("pre-receive".into(), "-".into(), &error.to_string())],
    };
    rows.push(proof(shipway, landed, &scratch.join("landed")));
    rows
}

/// A guarded repository and one whose hooks do nothing, each with a clone that pushes to it.
struct Sites {
    guarded: PathBuf,
    idle: PathBuf,
}

impl Sites {
    fn new(shipway: &str, scratch: &Path) -> io::Result<Self> {
        let sites = Self { guarded: scratch.join("guarded"), idle: scratch.join("idle") };
        for site in [&sites.guarded, &sites.idle] {
            begin(site)?;
        }
        let bare = |site: &Path| site.join("app.git");
        ask(
            scratch,
            &[shipway, "guard", "install", "--server", &bare(&sites.guarded).to_string_lossy()],
            "",
        )?;
        for hook in ["pre-receive", "post-receive", "reference-transaction"] {
            let path = bare(&sites.idle).join("hooks").join(hook);
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(&path, "#!/bin/sh\nexec true\n")?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        // What a large push brings is there already: what is measured is how it is judged.
        let many = history(MANY.0);
        ask(
            &bare(&sites.guarded),
            &["git", "-c", "core.hooksPath=/dev/null", "fast-import", "--quiet"],
            &many,
        )?;
        Ok(sites)
    }

    fn rows(&self) -> Vec<Row> {
        let push = |site: &Path| Subject::new(&site.join("clone"), &[&["sh", "-c", PUSH]]);
        let costs = side_by_side(&[&push(&self.guarded), &push(&self.idle)]);
        let mut rows = vec![Row::at_most(
            "push of 1 commit, guard, hooks that are `true`".into(),
            &costs[0],
            &costs[1],
            3.0,
        )];
        let bare = self.guarded.join("app.git");
        let judge = |rev: &str| {
            format!(
                "export GIT_DIR=. SHIPWAY_LOGIN=ann; new=$(git rev-parse {rev}); echo \
                 \"$(echo $new | tr 0-9a-f 0) $new refs/heads/feature/many\" | shipway/hooks/pre-receive"
            )
        };
        let each = format!(
            "for c in $(git rev-list --max-count={SOME} refs/bench/many); do git show --format=%B --raw $c; done"
        );
        let some = format!("refs/bench/many~{}", MANY.0 - SOME);
        let subjects = [judge("refs/bench/many"), judge(&some), each];
        let subjects = subjects.map(|script| Subject::new(&bare, &[&["sh", "-c", &script]]));
        let costs = side_by_side(&subjects.each_ref());
        rows.push(Row::limit(format!("pre-receive of {} commits", MANY.0), &costs[0], MANY.1));
        let what = format!("pre-receive of {SOME} commits, one git process for each");
        rows.push(Row::at_most(what, &costs[1], &costs[2], 0.05));
        rows
    }
}

fn begin(site: &Path) -> io::Result<()> {
    let clone = site.join("clone");
    fs::create_dir_all(clone.join(".shipway"))?;
    fs::write(clone.join(".shipway/policy.toml"), POLICY)?;
    fs::write(clone.join("n"), "0\n")?;
    ask(site, &["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "app.git"], "")?;
    for words in [
        &["git", "init", "--quiet", "--template=", "--initial-branch=main"][..],
        &["git", "remote", "add", "origin", "../app.git"],
        &["git", "add", ".shipway"],
        &["git", "commit", "--quiet", "--message=chore: begin"],
        &["git", "push", "--quiet", "origin", "main"],
    ] {
        ask(&clone, words, "")?;
    }
    Ok(())
}

/// Returns a history for `git fast-import`, on top of main.
fn history(count: usize) -> String {
    let commit = |number: usize| {
        let message = format!("feat(part-{}): do thing {number}\n\nIt was not done before.\n", number % 17);
        let from = if number == 1 { "from refs/heads/main\n" } else { "" };
        format!(
            "commit refs/bench/many\ncommitter Ann <ann@example.org> {} +0000\ndata {}\n{message}{from}M 100644 \
             inline src/{}/{}.txt\ndata 7\n{number:06}\n\n",
            1_700_000_000 + number,
            message.len(),
            number % 40,
            number % 900,
        )
    };
    (1..=count).map(commit).collect()
}

fn proof(shipway: &str, landed: &str, dir: &Path) -> Row {
    let what = format!("verify main over {} landings", LANDED.0);
    let made = ask(
        dir.parent().unwrap_or(dir),
        &[landed, shipway, &dir.to_string_lossy(), &LANDED.0.to_string()],
        "",
    );
    // The first time fetches the records, which is no part of the proof.
    let made = made.and_then(|_| ask(&dir.join("clone"), &[shipway, "verify", "main"], ""));
    match made {
        Ok(_) => {
            let verify = Subject::new(&dir.join("clone"), &[&[shipway, "verify", "main"]]);
            Row::limit(what, &side_by_side(&[&verify])[0], LANDED.1)
        }
        Err(error) => Row::failed(what, format!("<= {} ms", LANDED.1), &error.to_string()),
    }
}
