//! The way of a release into environments, and back.

use std::process::Stdio;

use shipway_testkit::host::{self, free_port};
use shipway_testkit::load::{Load, Method};

use crate::site::{Ends, FILES, STAGING, Site};

const TWO: &str = r#"SERVICE
[environment.staging]
hosts = ["local"]
path = "ROOT/staging"
watch = { for = false }
host = { local = { roles = ["web"] } }
[environment.production]
hosts = ["a", "b"]
from = "staging"
watch = { for = false }
host = { a = { address = "local", path = "ROOT/a" }, b = { address = "local", path = "ROOT/b" } }
"#;

fn two() -> String {
    TWO.replace("SERVICE", &crate::site::SERVICE.replace("[service.web]", "[service.web]\nroles = [\"web\"]"))
}

#[test]
fn a_push_goes_through_staging_waits_at_the_gate_and_brings_the_same_bytes_to_production() {
    let site = Site::new(&two());
    site.code(0, &["incident", "open", "the pilot is ill", "--env", "production"]);
    site.change("feat: a light", "");
    let plan = site.code(0, &["plan", "--to", "production"]);
    assert!(plan.contains("production/gate") && plan.contains("proven in staging"), "{plan}");
    let said = site.code(3, &["push", "--to", "production"]);
    assert!(said.contains("the pilot is ill"), "{said}");
    site.serves("1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");
    assert_eq!(site.current("a"), None);
    // Waiting costs nothing, and another look changes nothing.
    site.code(3, &["resume"]);
    let id = site.code(0, &["incident", "list", "--json"]);
    let id = id.split("\"id\":\"").nth(1).unwrap()[..8].to_owned();
    site.code(0, &["incident", "close", &id]);
    site.code(0, &["resume"]);
    assert_eq!(site.live("production").into_values().collect::<Vec<_>>(), ["1.1.0", "1.1.0"]);
    assert_eq!(site.current("a"), site.current("staging"));
    assert_eq!(site.current("b"), site.current("staging"));
    assert_eq!(site.remote.tags(), ["v1.0.0", "v1.1.0"]);
    assert_eq!(site.repo.rev("main"), site.remote.tip("main"));
}

#[test]
fn production_refuses_bytes_that_staging_has_not_proven() {
    let site = Site::new(&two());
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: two", "");
    site.code(0, &["push"]);
    // It is built before its gate, and yet refused: the world is as it was.
    let said = site.code(1, &["deploy", "production", "1.2.0"]);
    assert!(said.contains("SW1090") && said.contains("1.1.0"), "{said}");
    assert!(said.contains("refused") && said.contains("nothing was changed"), "{said}");
    assert!(site.code(0, &["status", "--no-hosts"]).contains("refused"));
    assert_eq!(site.current("a"), None);
    // What staging has may go on, and is not built again.
    site.code(0, &["promote", "production"]);
    assert_eq!(site.current("a"), site.current("staging"));
    site.configure(&two().replace("from = \"staging\"", "from = \"staging\"\nunproven = true"));
    let said = site.code(0, &["deploy", "production", "1.2.0"]);
    assert!(said.contains("SW1090"), "{said}");
    assert_eq!(site.live("production")["b"], "1.2.0");
}

#[test]
fn a_rollback_goes_to_the_last_good_release_and_never_to_one_that_failed() {
    let site = Site::new(STAGING);
    site.change("feat: good", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: bad", "fail-health");
    let said = site.code(4, &["push", "--to", "staging"]);
    assert!(
        said.contains("first: git pull --ff-only origin main\ntry again: shipway push --to staging\n"),
        "{said}"
    );
    site.serves("1.1.0");
    site.repo.git(["pull", "--quiet", "--rebase", "origin", "main"]);
    site.change("feat: good again", "");
    site.code(0, &["push", "1.3.0", "--to", "staging"]);
    site.serves("1.3.0");
    site.code(0, &["rollback", "staging"]);
    site.serves("1.1.0");
    assert_eq!(site.live("staging")["local"], "1.1.0");
    let said = site.code(1, &["rollback", "staging", "--to", "1.2.0"]);
    assert!(said.contains("SW1019") && said.contains("1.3.0"), "{said}");
    site.serves("1.1.0");
}

#[test]
fn a_drill_goes_back_and_forward_and_opens_the_gate_that_asks_for_it() {
    let gate = "drill = true\ndrill-within = \"1h\"\nwatch = { for = false }";
    let site = Site::new(STAGING);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    let said = site.code(1, &["drill", "rollback", "staging"]);
    assert!(said.contains("not marked for drills"), "{said}");
    site.configure(&STAGING.replace("watch = { for = false }", gate));
    site.change("feat: three", "");
    site.code(0, &["push"]);
    let said = site.code(1, &["deploy", "staging"]);
    assert!(said.contains("SW1097"), "{said}");
    site.code(0, &["drill", "rollback", "staging"]);
    site.serves("1.2.0");
    site.code(0, &["deploy", "staging"]);
    site.serves("1.3.0");
}

/// A proxy in front of the service of a site, which ends with the test.
pub(crate) struct Front {
    pub(crate) port: u16,
    pub(crate) ports: [u16; 2],
    /// The configuration with the service behind it.
    pub(crate) text: String,
    proxy: Ends,
}

impl Front {
    pub(crate) fn new(site: &Site) -> Self {
        let (port, ports) = (free_port(), [free_port(), free_port()]);
        let control = site.repo.home().join("proxy.sock");
        let mut serve =
            site.command(&["proxy", "serve", "--listen", &format!("127.0.0.1:{port}"), "--control"]);
        serve.arg(&control).arg("--state").arg(site.repo.home().join("proxy.json"));
        let proxy = Ends(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        host::until("the proxy is there", || control.exists());
        let control = control.display();
        let switch = format!("switch = {{ kind = \"proxy\", control = '{control}', ports = {ports:?} }}");
        let text = STAGING.replace("SERVICE", crate::site::SERVICE);
        let text = text.replace("PORT/", "{port}/").replace("127.0.0.1:PORT\"", "127.0.0.1:{port}\"");
        let text = text.replace("stop-timeout", &format!("{switch}\nstop-timeout"));
        Self { port, ports, text, proxy }
    }

    #[track_caller]
    pub(crate) fn serves(&self, version: &str) {
        let answer = host::get(([127, 0, 0, 1], self.port).into(), "/").unwrap();
        assert_eq!((answer.status, answer.release()), (200, version));
    }
}

#[test]
fn another_switch_that_is_not_well_is_taken_back_whichever_port_it_took() {
    let site = Site::new(STAGING);
    let front = Front::new(&site);
    site.configure(&front.text);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    front.serves("1.1.0");
    for (at, port) in front.ports.into_iter().enumerate() {
        // The same service without the proxy, on a port that one of its copies had.
        let alone = STAGING.replace("SERVICE", crate::site::SERVICE).replace("PORT", &port.to_string());
        site.configure(&alone);
        site.change(&format!("feat: bad {at}"), "fail-health");
        site.code(4, &["push", "--to", "staging"]);
        front.serves("1.1.0");
        site.repo.git(["pull", "--quiet", "--rebase", "origin", "main"]);
    }
    // One that is well gets there, and back behind the proxy.
    let alone = STAGING.replace("SERVICE", crate::site::SERVICE).replace("PORT", &front.ports[0].to_string());
    site.configure(&alone);
    site.change("feat: good", "");
    site.code(0, &["push", "--to", "staging"]);
    let answer = host::get(([127, 0, 0, 1], front.ports[0]).into(), "/").unwrap();
    assert_eq!(answer.status, 200);
    site.code(0, &["rollback", "staging"]);
    front.serves("1.1.0");
}

#[test]
fn a_service_that_is_renamed_takes_the_port_of_the_one_before() {
    let site = Site::new(STAGING);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    for (at, name) in ["front", "web", "front"].into_iter().enumerate() {
        let service = crate::site::SERVICE.replace("[service.web]", &format!("[service.{name}]"));
        site.configure(&STAGING.replace("SERVICE", &service));
        site.change(&format!("feat: called {name}"), "");
        site.code(0, &["push", "--to", "staging"]);
        site.serves(&format!("1.{}.0", at + 2));
    }
}

#[test]
fn a_switch_of_the_proxy_loses_no_request() {
    let site = Site::new(STAGING);
    let front = Front::new(&site);
    site.configure(&front.text);
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let load = Load::start(
        ([127, 0, 0, 1], front.port).into(),
        4,
        Method::Post,
        std::time::Duration::from_millis(2),
    );
    load.wait_for(50);
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    site.change("feat: bad", "fail-health");
    site.code(4, &["push", "--to", "staging"]);
    load.wait_for(50);
    let report = load.stop();
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert!(report.by_release.contains_key("1.1.0") && report.by_release.contains_key("1.2.0"));
    assert!(!report.by_release.contains_key("1.3.0"), "{:?}", report.by_release);
    // Without the proxy nobody knows which copy is in use, but the host is reached and says what was brought.
    drop(front.proxy);
    let shown = site.code(0, &["status"]);
    assert!(shown.lines().any(|line| line.contains("1.2.0") && line.contains("drift")), "{shown}");
    assert!(shown.contains("its services cannot be looked at: the proxy does not answer"), "{shown}");
}

#[test]
fn a_gate_looks_again_at_what_may_have_changed_while_it_waited() {
    let soak = two().replace("from = \"staging\"", "from = \"staging\"\nsoak = \"3s\"");
    let site = Site::new(&soak);
    site.change("feat: a light", "");
    site.code(3, &["push", "--to", "production"]);
    // It had seen that there was none; now there is one, and the soak time is over.
    site.code(0, &["incident", "open", "the pilot is ill", "--env", "production"]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    let said = site.code(3, &["resume"]);
    assert!(said.contains("the pilot is ill"), "{said}");
    assert_eq!(site.current("a"), None);
    let plan = site.code(0, &["promote", "production", "--plan"]);
    assert!(plan.contains("the pilot is ill"), "{plan}");
}

#[test]
fn what_a_plan_brings_to_the_environment_before_is_not_missed_there() {
    let site = Site::new(&two());
    site.change("feat: a light", "");
    let plan = site.code(0, &["plan", "--to", "production"]);
    assert!(!plan.contains("SW1090"), "{plan}");
}

#[test]
fn a_project_keeps_its_name_when_it_has_tags_and_in_every_work_tree() {
    let environment = "[environment.staging]\nhosts = [\"local\"]\nwatch = { for = false }\n";
    let site = Site::new(&format!("[release]\npackages = [\"npm\"]\n{FILES}{environment}"));
    site.repo.file("package.json", "{\"name\":\"lantern\",\"version\":\"1.0.0\"}\n");
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    assert_eq!(site.live("staging")["local"], "1.1.0");
    site.change("feat: two", "");
    site.code(0, &["push", "--to", "staging"]);
    site.code(0, &["rollback", "staging"]);
    site.code(0, &["env", "verify", "staging"]);
    assert_eq!(site.live("staging")["local"], "1.1.0");
    assert!(site.repo.home().join("shipway/lantern/staging/current").exists());

    let site = Site::new(&format!("{FILES}{environment}"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    let other = site.repo.home().join("hot");
    site.repo.git(["worktree", "add", "--quiet", "--detach", other.to_str().unwrap()]);
    let mut status = site.command(&["env", "status", "staging", "--json"]);
    let output = status.current_dir(&other).output().unwrap();
    let told = crate::site::said(0, &output);
    assert!(told.contains("\"version\":\"1.1.0\""), "{told}");
}
