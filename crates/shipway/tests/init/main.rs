//! The files of a governed repository: shown first, written once, and never over what is there.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::process::Output;

use serde_json::Value;
use shipway_testkit::repo::Repo;

const SHIPWAY: &str = env!("CARGO_BIN_EXE_shipway");
const ALL: [&str; 8] = [
    ".gitmessage",
    ".shipway/allowed_signers",
    ".shipway/change_request.md",
    ".shipway/policy.toml",
    "AGENTS.md",
    "CODEOWNERS",
    "docs/branching.md",
    "shipway.toml",
];

fn init(repo: &Repo, args: &[&str]) -> Output {
    let mut command = repo.command(SHIPWAY);
    command.arg("init").args(args).stdin(std::process::Stdio::null()).output().unwrap()
}

#[track_caller]
fn code(code: i32, output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    out + &err
}

fn begun() -> Repo {
    let repo = Repo::new();
    repo.file("README.md", "hello\n").commit("feat: begin");
    repo
}

fn untracked(repo: &Repo) -> Vec<String> {
    let list = repo.git(["ls-files", "--others"]);
    list.lines().map(str::to_owned).collect()
}

#[test]
fn it_is_shown_first_and_written_when_asked() {
    for flow in ["gitflow", "github-flow", "trunk"] {
        let repo = begun();
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake ann@box\n";
        fs::create_dir(repo.home().join(".ssh")).unwrap();
        fs::write(repo.home().join(".ssh/id_ed25519.pub"), key).unwrap();
        let shown = code(0, &init(&repo, &["--flow", flow, "--dry-run"]));
        assert!(shown.contains("flowchart LR") && shown.contains("nothing was written"), "{shown}");
        assert!(untracked(&repo).is_empty());
        code(0, &init(&repo, &["--flow", flow]));
        assert!(untracked(&repo).is_empty(), "without a terminal and --yes nothing is written");
        code(0, &init(&repo, &["--flow", flow, "--yes"]));
        assert_eq!(untracked(&repo), ALL);
        assert!(repo.read(".shipway/policy.toml").contains(&format!("preset = \"{flow}\"")));
        assert!(repo.read(".shipway/allowed_signers").contains("\nann-author ssh-ed25519 AAAA"));
        assert!(!repo.read(".shipway/allowed_signers").contains("ann@box"));
        assert!(repo.read(".shipway/change_request.md").contains("- [ ]"));
        assert!(repo.read("AGENTS.md").contains("Never `git push` to a protected branch"));
        let again = code(0, &init(&repo, &["--flow", flow, "--yes"]));
        assert!(again.contains("everything is there already"), "{again}");
        // What was written is what the other commands read.
        code(0, &init_checks(&repo));
    }
}

/// Installs hooks and commits what was written, which its own rules must let pass.
fn init_checks(repo: &Repo) -> Output {
    let installed = repo.command(SHIPWAY).args(["guard", "install"]).output().unwrap();
    assert!(installed.status.success());
    repo.git(["add", ".shipway", "CODEOWNERS"]);
    repo.git(["commit", "-qm", "chore: set the policy"]);
    repo.git(["add", "--all"]);
    repo.command("git").args(["commit", "-qm", "docs: say how changes land here"]).output().unwrap()
}

#[test]
fn what_is_there_stays_byte_for_byte() {
    let repo = begun();
    repo.file("AGENTS.md", "# Mine\r\n\r\nKeep this.\r\n").file("CLAUDE.md", "see AGENTS.md");
    repo.file("CODEOWNERS", "* @somebody\n")
        .file("docs/branching.md", "ours\n")
        .file("shipway.toml", "schema = 1\n");
    let output = init(&repo, &["--flow", "gitflow", "--yes", "--json"]);
    code(0, &output);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let state = |path: &str| {
        let files = value["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).map(|file| file["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state("CODEOWNERS").as_deref(), Some("kept"));
    assert_eq!(state("AGENTS.md").as_deref(), Some("block"));
    assert_eq!(state("shipway.toml"), None);
    assert_eq!(repo.read("CODEOWNERS"), "* @somebody\n");
    assert_eq!(repo.read("docs/branching.md"), "ours\n");
    assert_eq!(repo.read("shipway.toml"), "schema = 1\n");
    assert!(repo.read("AGENTS.md").starts_with("# Mine\r\n\r\nKeep this.\r\n\r\n<!-- shipway:begin -->\r\n"));
    assert!(repo.read("CLAUDE.md").starts_with("see AGENTS.md\n\n<!-- shipway:begin -->\n"));
    repo.file("CLAUDE.md", "<!-- shipway:begin -->\n");
    let text = code(1, &init(&repo, &["--flow", "gitflow", "--yes"]));
    assert!(text.contains("marks of shipway"), "{text}");
}

#[test]
fn without_a_flow_it_writes_the_configuration_only() {
    let repo = begun();
    code(0, &init(&repo, &["--yes"]));
    assert_eq!(untracked(&repo), ["shipway.toml"]);
    let text = code(1, &init(&repo, &["--yes"]));
    assert!(text.contains("SW0205"), "{text}");
}
