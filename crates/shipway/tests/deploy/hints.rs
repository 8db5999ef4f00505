//! What is said before anything is published, and what is said to come next.

use crate::site::{FILES, Site};

const STAGING: &str = r#"FILES
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
"#;

fn staging() -> Site {
    Site::new(&STAGING.replace("FILES", FILES))
}

#[test]
fn a_push_to_an_environment_that_is_not_ready_publishes_nothing() {
    let site = staging();
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let lacks = "watch = { for = false }\nrequire = { commands = [\"no-such-tool\"] }";
    site.configure(&STAGING.replace("FILES", FILES).replace("watch = { for = false }", lacks));
    site.change("feat: two", "");
    let told = |said: &str| said.lines().find(|line| line.contains("SW1051")).map(str::to_owned);
    let plan = site.code(0, &["plan", "--to", "staging"]);
    assert!(plan.contains("no-such-tool"), "{plan}");
    let tip = site.remote.tip("main");
    let said = site.code(1, &["push", "--to", "staging"]);
    assert!(said.contains("no-such-tool"), "{said}");
    assert_eq!((site.remote.tip("main"), site.remote.tags()), (tip, vec!["v1.0.0".into(), "v1.1.0".into()]));
    // A deployment is refused for the same reason.
    let deployed = site.code(1, &["deploy", "staging", "HEAD"]);
    assert_eq!(told(&said), told(&deployed), "{said}{deployed}");
}
