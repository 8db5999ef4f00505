//! Reports of environments whose hosts are this machine.

use std::sync::Mutex;

use shipway_world::preflight::look as look_here;
use shipway_world::shell::LocalShell;

use super::*;

fn host(name: &str) -> Host {
    Host { name: name.into(), address: String::new(), path: ".".into(), ssh: vec![], roles: vec![] }
}

fn look(host: &Host, wants: &[Want]) -> Result<Vec<Seen>, Problem> {
    if host.name == "gone" {
        return Err(Problem::new(Code::Network, "gone does not answer").hint("ssh gone true"));
    }
    Ok(look_here(wants, &LocalShell::new(), &shipway_core::action::Stop::default()))
}

fn eyes<'a>() -> Eyes<'a> {
    Eyes { look: &look, connection: &|host| vec![Row::new("connection", State::Ok, &host.name, "stands")] }
}

fn asked(hosts: &[&str], require: &Require) -> Asked {
    let hosts = hosts.iter().map(|name| (host(name), require.clone())).collect();
    Asked { environment: "production".into(), hosts, mirror: None }
}

fn require() -> Require {
    Require { commands: vec!["sh".into()], ..Require::default() }
}

#[test]
fn an_environment_whose_hosts_have_all_is_ready() {
    let report = report(&asked(&["a", "b"], &require()), eyes());
    let names: Vec<&str> = report.hosts[1].1.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["connection", "clock", "command sh"]);
    assert_eq!(report.hosts[1].1[0].found, "b");
    assert_eq!(report.count(State::Ok), 6, "{report:?}");
    assert_eq!(verdict(&report), Ok(DONE));
}

#[test]
fn a_host_that_cannot_be_reached_is_a_red_line_and_the_others_are_looked_at() {
    let report = report(&asked(&["a", "gone", "b"], &require()), eyes());
    let rows = &report.hosts[1].1;
    assert_eq!((rows.len(), rows[0].found.as_str()), (1, "gone does not answer"));
    assert_eq!(rows[0].fix.as_deref(), Some("ssh gone true"));
    assert_eq!((report.count(State::Ok), report.count(State::Bad)), (6, 1));
    let problems = verdict(&report).unwrap_err();
    assert_eq!((problems.len(), problems[0].code), (1, Code::NotReady));
}

#[test]
fn a_short_answer_is_unknown_and_never_ok() {
    let eyes = Eyes { look: &|_, _| Ok(vec![]), connection: &|_| vec![] };
    let report = report(&asked(&["a"], &require()), eyes);
    assert_eq!((report.count(State::Unknown), report.count(State::Ok)), (2, 0));
}

#[test]
fn the_clock_is_asked_alone() {
    let asked_for = Mutex::new(vec![]);
    let look = |host: &Host, wants: &[Want]| {
        asked_for.lock().unwrap().push(wants.len());
        look(host, wants)
    };
    let eyes = Eyes { look: &look, connection: &|_| vec![] };
    let require = Require { commands: vec!["sh".into(), "env".into()], ..Require::default() };
    report(&asked(&["a"], &require), eyes);
    assert_eq!(*asked_for.lock().unwrap(), [1, 2]);
}

#[test]
fn one_host_can_be_looked_at_alone() {
    let all = asked(&["a", "b"], &require());
    assert_eq!(only(&all, Some("b")).unwrap().hosts.len(), 1);
    assert_eq!(only(&all, None).unwrap().hosts.len(), 2);
    assert_eq!(only(&all, Some("c")).unwrap_err()[0].wanted.as_deref(), Some("a, b"));
}

#[test]
fn staging_that_does_not_mirror_production_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("app.toml");
    let want = |path: &Path| Require { files: vec![path.to_str().unwrap().into()], ..Require::default() };
    fs::write(&file, "x").unwrap();
    let mut asked = asked(&["a"], &want(&file));
    asked.mirror = Some(("staging".into(), vec![(host("s"), want(&file))]));
    assert_eq!(report(&asked, eyes()).differences, vec![]);
    asked.mirror = Some(("staging".into(), vec![(host("s"), want(&dir.path().join("no")))]));
    let found = report(&asked, eyes());
    assert_eq!((found.mirror.as_deref(), found.differences.len()), (Some("staging"), 2));
    asked.mirror = Some(("staging".into(), vec![(host("gone"), want(&file))]));
    assert_eq!(report(&asked, eyes()).differences, vec![]);
}

#[test]
fn the_page_is_fresh_until_the_environment_changes_or_time_passes() {
    let dir = tempfile::tempdir().unwrap();
    let (page, file) = (dir.path().join("production.md"), dir.path().join("app.toml"));
    fs::write(&file, "x").unwrap();
    let require =
        Require { files: vec![file.to_str().unwrap().into()], disk_free: Some(1), ..Require::default() };
    let look = || report(&asked(&["a"], &require), eyes());
    let month = Duration::from_hours(30 * 24);
    assert_eq!(check(&page, &look(), month).unwrap_err().code, Code::Io);
    write(&page, &look()).unwrap();
    assert_eq!(check(&page, &look(), month), Ok(()));
    let later = Report { at: shell::now().after(Duration::from_hours(31 * 24)), ..look() };
    assert_eq!(
        check(&page, &later, month).unwrap_err().found.as_deref(),
        Some("it is 31 days old, and 30 are allowed")
    );
    fs::remove_file(&file).unwrap();
    let problem = check(&page, &look(), month).unwrap_err();
    assert_eq!(problem.code, Code::PageStale);
    assert!(problem.found.unwrap().starts_with("the environment is not as it was seen on"));
    fs::write(&page, "# Ours\n").unwrap();
    assert_eq!(
        check(&page, &look(), month).unwrap_err().found.as_deref(),
        Some("it has no stamp of production")
    );
}
