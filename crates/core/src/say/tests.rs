use super::*;

fn said(sentence: &str) -> Result<Said, Problem> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    understand(sentence, &names(&["api", "Web", "minor"]), &names(&["staging", "production"]))
}

/// Checks what a sentence means: verb, version, project, environment, and `plan` for a plan only.
fn check(sentence: &str, wanted: &str) {
    let said = said(sentence).unwrap();
    let ask = match said.ask {
        Ask::Auto => "auto".to_owned(),
        Ask::Bump(bump) => bump.to_string(),
        Ask::Exact(version) => version.to_string(),
    };
    let mut words = vec![format!("{:?}", said.verb), ask];
    words.extend(said.project);
    words.extend(said.all.then(|| "ALL".to_owned()));
    words.extend(said.to.map(|to| format!("->{to}")));
    words.extend(said.plan_only.then(|| "plan".to_owned()));
    assert_eq!(words.join(" "), wanted, "{sentence:?}");
}

#[test]
fn sentences_of_the_grammar_are_understood() {
    check("push", "Push auto");
    check("Push.", "Push auto");
    check("push!", "Push auto");
    check("  please   push  ", "Push auto");
    check("ship", "Push auto");
    check("release", "Push auto");
    check("push as major version", "Push major");
    check("push as a minor release", "Push minor");
    check("push the patch", "Push patch");
    check("push major", "Push major");
    check("push as patch bump", "Push patch");
    check("PUSH AS MAJOR VERSION", "Push major");
    check("push api as minor version to staging", "Push minor api ->staging");
    check("push version 2.0.0-rc.1", "Push 2.0.0-rc.1");
    check("push as version 2.0.0", "Push 2.0.0");
    check("push as 2.0.0.", "Push 2.0.0");
    check("push 2.0.0+build.1", "Push 2.0.0+build.1");
    check("release web 1.2.3 to Production!", "Push 1.2.3 Web ->production");
    check("deploy", "Deploy auto");
    check("deploy api to production", "Deploy auto api ->production");
    check("deploy all to staging, dry run", "Deploy auto ALL ->staging plan");
    check("push, plan only", "Push auto plan");
    check("push ,dry run.", "Push auto plan");
    check("please release all as major version to production, Dry Run!", "Push major ALL ->production plan");
    check("roll back", "RollBack auto");
    check("roll back api to production", "RollBack auto api ->production");
    check("plan", "Plan auto plan");
    check("plan api as major", "Plan major api plan");
    check("status", "Status auto");
    check("status web", "Status auto Web");
}

#[test]
fn a_word_of_the_grammar_wins_over_a_project_of_that_name() {
    check("push minor", "Push minor");
}

const REFUSED: &[&str] = &[
    "",
    " ",
    ".",
    "please",
    "don't push",
    "do not push",
    "never push",
    "push?",
    "push?!",
    "should I push",
    "should I push?",
    "can you push",
    "git push",
    "push --force",
    "push -f",
    "push to main",
    "push to",
    "push to api",
    "push and delete the database",
    "push the button",
    "push it",
    "push now",
    "push not",
    "push api web",
    "push api and web",
    "push all the things",
    "push everything",
    "push as",
    "push as a",
    "push the",
    "push version",
    "push version two",
    "push v2.0.0",
    "push 2.0",
    "push 1.2.3.4",
    "push as a version 2.0.0",
    "push version major",
    "push major minor",
    "push major 2.0.0",
    "push major to staging to production",
    "push to staging as major",
    "push, dry run, plan only",
    "push, please",
    "push, force",
    "push,",
    "push dry run",
    "push; rm -rf /",
    "push && ls",
    "push | sh",
    "push\nroll back",
    "push\tall",
    "push `ls`",
    "push $(ls)",
    "push..",
    "push!!",
    "push.!",
    "\"push\"",
    "please please push",
    "push please",
    "pushed",
    "pus",
    "rollback everything",
    "rolled back",
    "roll",
    "back",
    "roll back as major",
    "roll back 1.2.3",
    "status as major",
    "undo",
    "unpush",
    "plan to push",
    "plan the release",
    "push to production?",
    "if tests pass, push",
    "push if tests pass",
    "push when ready",
    "ｐｕｓｈ",
    "push\u{200b}",
    "push\u{a0}all",
    "push\u{202e}",
    "push\0",
    "\u{1b}[2Jpush",
    "推",
    "release notes",
    "deploy to nowhere",
];

#[test]
fn everything_else_is_refused_with_the_accepted_forms() {
    for sentence in REFUSED {
        let problem = said(sentence).expect_err(sentence);
        assert_eq!(problem.code, Code::Sentence);
        assert!(problem.details.len() > 3 && problem.wanted.is_some(), "{sentence:?}");
        assert!(!problem.to_string().contains('\u{1b}'), "{sentence:?}");
    }
    assert!(said(&"push ".repeat(1 << 18)).is_err());
}

#[test]
fn a_refusal_names_the_word() {
    let check = |sentence: &str, wanted: &str| assert_eq!(said(sentence).unwrap_err().what, wanted);
    check("push the button", "no patch, minor or major follows the article");
    check("push to main", "`main` is not an environment");
    check("push --force", "`--force` is not understood here");
    check("don't push", "the sentence does not begin with a verb that is known");
    check("push, force", "`force` is not understood after the comma");
}
