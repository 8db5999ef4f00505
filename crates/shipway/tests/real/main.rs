//! Real histories: a release, the next one, its withdrawal and the one after that, in every git bundle of a directory
//! that `SHIPWAY_REPOS` names, or of `../shared/data` beside this repository.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use semver::Version;
use shipway_testkit::repo::Repo;
use shipway_testkit::skip::skip;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");
const CHECK: &str = "[[check]]\nname = \"true\"\nrun = [\"true\"]\n";

/// A clone of a bundle, and the bare repository that it pushes to.
struct Clone {
    home: Repo,
    name: String,
    dir: PathBuf,
    bare: PathBuf,
}

#[test]
fn real_histories_are_released_and_withdrawn() {
    let bundles = bundles();
    if bundles.is_empty() {
        return skip("no bundles of real histories: name their directory in SHIPWAY_REPOS");
    }
    for bundle in bundles {
        let clone = Clone::of(&bundle);
        let first = clone.release("feat: a release made here", None);
        let second = clone.release("fix: one more thing\n\nCloses #1234", Some(&first));
        assert_eq!((second.major, second.minor, second.patch), (first.major, first.minor, first.patch + 1));
        assert!(clone.show("HEAD:CHANGELOG.md").contains("#1234"), "{}", clone.name);
        clone.withdraw(&second, &first);
        // What was withdrawn is to be released again.
        let third = clone.release("docs: nothing that releases by itself", Some(&second));
        assert!(third > second, "{}: {third}", clone.name);
    }
}

fn bundles() -> Vec<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = env::var_os("SHIPWAY_REPOS").map_or(beside, PathBuf::from);
    let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut bundles: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ext| ext == "bundle")).collect();
    bundles.sort();
    bundles
}

impl Clone {
    /// Clones a bundle, gives it a remote, and configures a check that passes. Lock files without their content go.
    fn of(bundle: &Path) -> Self {
        let home = Repo::new();
        let name = bundle.file_stem().unwrap().to_str().unwrap().to_owned();
        let (dir, bare) = (home.home().join(&name), home.home().join(format!("{name}.git")));
        let (from, to) = (bundle.to_str().unwrap(), bare.to_str().unwrap());
        home.git(["clone", "--quiet", "--bare", from, to]);
        home.git(["clone", "--quiet", to, dir.to_str().unwrap()]);
        let clone = Self { home, name, dir, bare };
        for (key, value) in [("user.name", "Ann Author"), ("user.email", "ann@example.org"), ("gc.auto", "0")]
        {
            clone.git(&["config", key, value]);
        }
        clone.git(&["rm", "--quiet", "--ignore-unmatch", "package-lock.json", "Cargo.lock"]);
        fs::write(clone.dir.join("shipway.toml"), CHECK).unwrap();
        clone.git(&["add", "shipway.toml"]);
        clone.commit("build: a check");
        clone
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        self.home.command(program).current_dir(&self.dir).args(args).output().unwrap()
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> String {
        let output = self.run("git", args);
        self.good(&output)
    }

    /// Runs shipway, which must do well.
    #[track_caller]
    fn shipway(&self, args: &[&str]) -> String {
        let output = self.run(SHIPWAY, args);
        self.good(&output)
    }

    #[track_caller]
    fn good(&self, output: &Output) -> String {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}\n{errors}", self.name, output.status);
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn there(&self, name: &str) -> String {
        let mut git = self.home.command("git");
        git.current_dir(&self.bare).args(["rev-parse", "--verify", name]);
        self.good(&git.output().unwrap())
    }

    fn show(&self, object: &str) -> String {
        self.git(&["cat-file", "blob", object])
    }

    fn commit(&self, message: &str) {
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn plan(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.shipway(&[&["plan", "--json"], args].concat())).unwrap()
    }

    /// Returns the plan of the next release; where its version is taken already, of the one that a hint names.
    fn next(&self) -> serde_json::Value {
        let output = self.run(SHIPWAY, &["plan"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        match text.split_once("hint: shipway push ").filter(|_| text.contains("is tagged already")) {
            Some((_, hint)) => self.plan(&[hint.lines().next().unwrap()]),
            None => self.plan(&[]),
        }
    }

    /// Commits, releases what the plan says, and looks at all that must hold then.
    fn release(&self, message: &str, after: Option<&Version>) -> Version {
        self.commit(message);
        let plan = self.next();
        let from = released(&plan)["from"].as_str().map(|text| text.parse::<Version>().unwrap());
        assert!(after.is_none_or(|after| Some(after) >= from.as_ref()), "{}: {from:?}", self.name);
        let (digest, release) = (plan["digest"].as_str().unwrap(), released(&plan).clone());
        let (version, tag) = (release["to"].as_str().unwrap(), release["tag"].as_str().unwrap());
        let (base, branch) = (self.git(&["rev-parse", "HEAD"]), self.git(&["branch", "--show-current"]));
        self.shipway(&["push", &digest[..12]]);
        let head = self.git(&["rev-parse", "HEAD"]);
        assert_eq!(self.git(&["rev-parse", "HEAD^"]), base, "{}", self.name);
        assert_eq!(self.git(&["log", "-1", "--format=%s"]), format!("chore: release version {version}"));
        assert_eq!(self.there(&format!("refs/heads/{branch}")), head);
        assert_eq!(self.there(&format!("refs/tags/{tag}^{{commit}}")), head);
        assert_eq!(self.there(&format!("refs/tags/{tag}")), self.git(&["rev-parse", tag]));
        assert_eq!(self.git(&["status", "--porcelain"]), "", "{}", self.name);
        self.changelog(version, message.lines().next().unwrap());
        self.version_files(release["from"].as_str().unwrap_or_default(), version);
        assert_eq!(self.run(SHIPWAY, &["push"]).status.code(), Some(10), "{}", self.name);
        let version: Version = version.parse().unwrap();
        assert!(after.is_none_or(|after| *after < version), "{}: {after:?} {version}", self.name);
        version
    }

    /// The section is the first of all versions; nothing above or below it has changed.
    fn changelog(&self, version: &str, subject: &str) {
        let new = self.show("HEAD:CHANGELOG.md");
        let heading =
            new.lines().find(|line| line.starts_with("## ") && line.contains('.')).unwrap_or_default();
        assert!(heading.starts_with(&format!("## [{version}]")), "{}: {heading}", self.name);
        if !subject.starts_with("docs") {
            assert!(new.contains(subject.split(": ").nth(1).unwrap()), "{}: {subject}", self.name);
        }
        let stat = self.git(&["diff", "--numstat", "HEAD^", "HEAD", "--", "CHANGELOG.md"]);
        assert_eq!(stat.split('\t').nth(1), Some("0"), "{}: {stat}", self.name);
    }

    /// The version files that stated the last version state the new one, in as many lines.
    fn version_files(&self, from: &str, to: &str) {
        let changed = self.git(&["diff", "--name-only", "HEAD^", "HEAD"]);
        for path in changed.lines().filter(|path| *path != "CHANGELOG.md") {
            let diff = self.git(&["diff", "--unified=0", "HEAD^", "HEAD", "--", path]);
            let lines = |mark: char, version: &str| {
                let body = diff.lines().filter(|line| {
                    line.starts_with(mark) && !line.starts_with(&[mark; 3].iter().collect::<String>())
                });
                let all: Vec<&str> = body.collect();
                (all.len(), all.iter().filter(|line| line.contains(version)).count())
            };
            assert_eq!(lines('+', to), lines('-', from), "{}: {diff}", self.name);
            assert!(lines('+', to).0 > 0, "{}: {diff}", self.name);
        }
    }

    /// Withdraws the last release: the files are as before it, and the tag stays.
    fn withdraw(&self, version: &Version, before: &Version) {
        let (head, subject) = (self.git(&["rev-parse", "HEAD"]), self.git(&["log", "-1", "--format=%s"]));
        assert_eq!(subject, format!("chore: release version {version}"));
        let tag = self.git(&["tag", "--points-at", "HEAD"]);
        self.shipway(&["rollback"]);
        assert_eq!(self.git(&["rev-parse", "HEAD^"]), head);
        assert_eq!(self.there("HEAD"), self.git(&["rev-parse", "HEAD"]));
        assert_eq!(self.there(&format!("refs/tags/{tag}^{{commit}}")), head);
        let changed = self.git(&["diff", "--name-only", "HEAD~2", "HEAD"]);
        assert_eq!(
            changed, "CHANGELOG.md",
            "{}: only the withdrawal of {version} after {before} shows",
            self.name
        );
        assert!(self.show("HEAD:CHANGELOG.md").contains(&format!("## [{version}]")));
        assert!(self.show("HEAD:CHANGELOG.md").contains("[WITHDRAWN]"));
        assert_eq!(self.git(&["status", "--porcelain"]), "");
    }
}

fn released(plan: &serde_json::Value) -> &serde_json::Value {
    let inner = &plan["plan"]["release"];
    if inner.is_null() { &plan["release"] } else { inner }
}
