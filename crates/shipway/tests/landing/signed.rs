//! Branches that hold signed commits only: what landing makes is signed by its ticket, what people write by themselves.

use crate::stage::{POLICY, Stage, said};

/// Commits a file as ann, with a signature or without one.
fn write(stage: &Stage, (branch, from): (&str, &str), signed: bool) {
    stage.ok(&["fetch", "-q", "origin"]);
    stage.ok(&["checkout", "-q", "-B", branch, from]);
    stage.repo.file(branch, branch);
    stage.ok(&["add", "--all"]);
    let (key, message) = (stage.key("ann").display().to_string(), format!("feat: {branch}"));
    let key = format!("user.signingkey={key}");
    let sign = if signed { "-S" } else { "--no-gpg-sign" };
    let args = ["-c", "gpg.format=ssh", "-c", &key, "commit", "-q", sign, "-m", &message];
    let output = stage.command("ann", "git", &args).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn what_landing_makes_is_signed_by_its_ticket_and_what_people_write_by_themselves() {
    let policy = POLICY.replace("protected = true\nchecks", "protected = true\nsigned = true\nchecks");
    let merges = policy.replace(
        "\"merge\", \"squash\", \"rebase\", \"fast-forward\"",
        "\"merge\", \"rebase\", \"fast-forward\"",
    );
    let Some(stage) = Stage::with(&merges) else { return };
    // Where nothing is squashed, an unsigned commit is not even taken as a proposal.
    write(&stage, ("none", "origin/main"), false);
    let no = stage.push("ann", &["HEAD:refs/for/main"]);
    assert!(!no.status.success() && said(&no).contains("is not signed by a key"), "{}", said(&no));
    for (number, method) in [("1", "merge"), ("2", "rebase"), ("3", "fast-forward")] {
        // What is behind its target is made anew by a rebase.
        write(&stage, (method, if method == "rebase" { "origin/main^" } else { "origin/main" }), true);
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", number]);
        stage.did("ann", &["change", "land", number, "--method", method]);
    }
    stage.did("cem", &["verify", "main"]);

    let Some(stage) = Stage::with(&policy) else { return };
    for (number, method, code) in [("1", "squash", 0), ("2", "fast-forward", 1)] {
        write(&stage, (method, "origin/main"), false);
        stage.propose("ann", "main", &[]);
        stage.did("ben", &["change", "approve", number]);
        let done = stage.shipway("ann", &["change", "land", number, "--method", method]);
        assert_eq!(done.status.code(), Some(code), "{method}: {}", said(&done));
        assert!(code == 0 || said(&done).contains("is not signed by a key"), "{}", said(&done));
    }
    // By exception as well, what comes along is signed by whoever wrote it.
    let exception = ["change", "land", "2", "--break-glass", "it burns", "--method"];
    stage.refused("ann", &[&exception[..], &["merge"]].concat(), 1);
    stage.did("ann", &[&exception[..], &["squash"]].concat());
}
