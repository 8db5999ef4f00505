//! Looks at this machine, at things that the tests put there.

mod packages;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use shipway_core::action::{Cmd, Output};
use shipway_core::deployment::Host;
use shipway_core::preflight::{Keeper, Page, Row, State, judge, page, problem};
use shipway_core::time::Time;
use shipway_testkit::skip::skip;

use super::*;
use crate::shell::{LocalShell, now};

/// The real shell, with variables of the test and, if set, another time limit.
#[derive(Default)]
struct With {
    shell: LocalShell,
    variables: Vec<(String, String)>,
    limit: Option<Duration>,
}

impl Shell for With {
    fn run(&self, cmd: &Cmd, stop: &Stop) -> io::Result<Output> {
        let mut cmd = cmd.clone();
        cmd.env.extend(self.variables.iter().map(|(name, value)| (name.into(), value.into())));
        cmd.timeout = self.limit.or(cmd.timeout);
        self.shell.run(&cmd, stop)
    }
}

fn see(want: Want) -> Seen {
    look(&[want], &LocalShell::new(), &Stop::default()).remove(0)
}

fn row(want: Want) -> Row {
    let wants = [want];
    let seen = look(&wants, &LocalShell::new(), &Stop::default());
    judge(&wants[0], &seen[0], now())
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn the_machine_tells_its_system_user_memory_and_room() {
    let dir = tempfile::tempdir().unwrap();
    let kernel = output(Command::new("uname").arg("-s")).unwrap();
    assert_eq!(row(Want::Os { wanted: kernel }).state, State::Ok);
    assert_eq!(row(Want::Os { wanted: "plan9".into() }).state, State::Bad);
    let user = output(Command::new("id").arg("-un")).unwrap();
    assert_eq!(row(Want::User { name: user.clone() }).state, State::Ok);
    assert_eq!(row(Want::User { name: format!("not-{user}") }).found, user);
    assert_eq!(row(Want::Memory { bytes: 1 }).state, State::Ok);
    assert_eq!(row(Want::Memory { bytes: u64::MAX }).state, State::Bad);
    let disk = |path: &Path, bytes, inodes| row(Want::Disk { path: text(path), bytes, inodes });
    assert_eq!(disk(&dir.path().join("not/there/yet"), 1, 1).state, State::Ok);
    assert_eq!(disk(dir.path(), u64::MAX, 0).state, State::Bad);
    assert_eq!(row(Want::Clock { within_ms: 60_000 }).state, State::Ok);
}

#[test]
fn ports_that_the_test_listens_on_are_seen() {
    let listeners = [TcpListener::bind("127.0.0.1:0"), TcpListener::bind("[::1]:0")];
    for listener in listeners.into_iter().flatten() {
        let address = listener.local_addr().unwrap();
        let port = address.port();
        assert_eq!(row(Want::PortFree { port }).found, "in use");
        for address in [address.to_string(), port.to_string()] {
            assert_eq!(row(Want::PortOpen { address }).state, State::Ok);
        }
    }
    // Nobody can listen on port 0.
    assert_eq!(row(Want::PortFree { port: 0 }).state, State::Ok);
    let closed = row(Want::PortOpen { address: "127.0.0.1:0".into() });
    assert_eq!(closed.state, State::Bad);
    assert_ne!(closed.found, "open");
}

#[test]
fn names_resolve_or_do_not() {
    let local = row(Want::Dns { name: "localhost".into() });
    assert_eq!(local.state, State::Ok, "{local:?}");
    // Without a network the answer may not come at all (RFC 6761 §6.4).
    assert_ne!(row(Want::Dns { name: "nobody.invalid".into() }).state, State::Ok);
}

#[test]
fn processes_are_seen_by_pid_file_and_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let Some(sleep) = output(Command::new("sh").args(["-c", "command -v sleep"])) else {
        return skip("there is no sleep");
    };
    let name = format!("shipway-looks-for-{}", std::process::id());
    let program = dir.path().join(&name);
    fs::copy(sleep, &program).unwrap();
    let pid_file = dir.path().join("pid");
    let by_file = || row(Want::Service { keeper: Keeper::PidFile, name: text(&pid_file) });
    let by_name = || row(Want::Service { keeper: Keeper::Process, name: name.clone() });
    assert_eq!((by_file().found, by_name().found), ("not there".into(), "no such process".into()));
    let mut child = match Command::new(&program).arg("600").spawn() {
        Ok(child) => child,
        Err(error) => return skip(&format!("a copy of sleep does not start: {error}")),
    };
    fs::write(&pid_file, format!("{}\n", child.id())).unwrap();
    // The process has its name only once it has become the program.
    while fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap().trim() != &name[..15] {
        std::thread::yield_now();
    }
    let rows = [by_file(), by_name()];
    child.kill().unwrap();
    child.wait().unwrap();
    for row in rows {
        assert_eq!(row.state, State::Ok, "{row:?}");
    }
    assert_eq!((by_file().state, by_name().state), (State::Bad, State::Bad));
    fs::write(&pid_file, "soon\n").unwrap();
    assert_eq!(by_file().found, "it holds no number");
}

#[test]
fn a_unit_that_is_not_there_is_never_well() {
    for keeper in [Keeper::Systemd, Keeper::SystemdUser, Keeper::S6, Keeper::Runit] {
        let row = row(Want::Service { keeper, name: "shipway-no-such-unit".into() });
        assert_ne!(row.state, State::Ok, "{row:?}");
        assert!(!row.found.is_empty(), "{row:?}");
    }
}

#[test]
fn sudo_says_what_is_allowed_and_whether_it_asks() {
    let rights = |allowed, text: &str, error: &str| machine::rights(allowed, text, error);
    let free =
        "Sudoers entry:\n    RunAsUsers: root\n    Options: !authenticate\n    Commands:\n\t/bin/true\n";
    let asks = "Sudoers entry:\n    RunAsUsers: root\n    Commands:\n\t/bin/true\n";
    let seen = |allowed, password, why: &str| Seen::Sudo { allowed, password, why: why.into() };
    assert_eq!(rights(true, free, ""), seen(true, Some(false), ""));
    assert_eq!(rights(true, asks, ""), seen(true, Some(true), ""));
    assert_eq!(rights(true, "/bin/true", ""), seen(true, None, ""));
    let refused = "sudo: a password is required\n";
    assert_eq!(rights(false, "", refused), seen(false, None, "sudo: a password is required"));
}

#[test]
fn commands_are_found_with_their_versions() {
    let command = |name: &str, wanted: &str| row(Want::Command { name: name.into(), wanted: wanted.into() });
    assert_eq!(command("sh", "").state, State::Ok);
    assert_eq!(command("git", ">=1.0").state, State::Ok);
    assert_eq!(command("git", ">=999").state, State::Bad);
    let missing = command("shipway-no-such-command", ">=1");
    assert_eq!((missing.state, missing.found.as_str()), (State::Bad, "not installed"));
    assert_eq!(command("-p", "").state, State::Bad);
}

#[test]
fn files_are_seen_with_their_modes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.toml");
    let file = |mode, secret| row(Want::File { path: text(&path), mode, secret });
    assert_eq!(file(None, false).found, "not there");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(file(Some(0o644), false).state, State::Ok);
    let wrong = file(Some(0o640), false);
    assert_eq!((wrong.state, wrong.fix), (State::Bad, Some(format!("chmod 0640 {}", text(&path)))));
    assert_eq!(file(None, true).found, "file, mode 0644, open to everybody");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(file(None, true).state, State::Ok);
    fs::write(&path, "").unwrap();
    assert_eq!(file(None, true).found, "file, mode 0600, empty");
    let directory = row(Want::File { path: text(dir.path()), mode: None, secret: false });
    assert!(directory.found.starts_with("directory"), "{directory:?}");
}

#[test]
fn the_newest_backup_counts() {
    let dir = tempfile::tempdir().unwrap();
    let backup = |path: &Path, within_ms| row(Want::Backup { dir: text(path), within_ms });
    assert_eq!(row(Want::Backup { dir: String::new(), within_ms: 1 }).state, State::Unknown);
    assert_eq!(backup(&dir.path().join("no"), 1).found, "not there");
    assert_eq!(backup(dir.path(), 1).found, "there is no backup");
    fs::create_dir(dir.path().join("db")).unwrap();
    for (name, age) in [("db/old.age", 7_200), ("db/new.age", 3_600), (".half", 0)] {
        let file = fs::File::create(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name), "bytes").unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    let found = backup(dir.path(), 86_400_000);
    assert_eq!((found.state, found.found.as_str()), (State::Ok, "new.age, 5 B, 1 hour old"));
    assert_eq!(backup(dir.path(), 60_000).state, State::Bad);
}

/// Makes a certificate with its key, or returns none where there is no openssl.
fn make_certificate(dir: &Path, days: &str) -> Option<[String; 2]> {
    let [key, certificate] = [format!("{days}.key"), format!("{days}.pem")].map(|name| text(&dir.join(name)));
    let args = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=test",
    ];
    output(Command::new("openssl").args(args).args(["-days", days, "-keyout", &key, "-out", &certificate]))?;
    Some([key, certificate])
}

/// Returns when openssl says that a certificate ends.
fn ends(certificate: &str) -> Time {
    let args = ["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", certificate];
    let text = output(Command::new("openssl").args(args)).unwrap();
    text.strip_prefix("notAfter=").unwrap().replace(' ', "T").parse().unwrap()
}

#[test]
fn certificates_are_read_from_files() {
    let dir = tempfile::tempdir().unwrap();
    // After 2049 times are written in another way (RFC 5280 §4.1.2.5).
    for days in ["30", "20000"] {
        let Some([_, path]) = make_certificate(dir.path(), days) else { return skip("there is no openssl") };
        let end = ends(&path);
        let want = Want::Certificate { place: path.clone(), days: 14 };
        let seen = see(want.clone());
        assert_eq!(seen, Seen::Certificate { until: end });
        let day = 86_400_000;
        let state = |now: u64| judge(&want, &seen, Time(now)).state;
        assert_eq!(state(end.0), State::Bad);
        assert_eq!(state(end.0 - 13 * day), State::Bad);
        assert_eq!(state(end.0 - 15 * day), State::Warn);
        assert_eq!(state(end.0 - 28 * day), State::Ok);
        let der = format!("{path}.der");
        output(Command::new("openssl").args(["x509", "-outform", "der", "-in", &path, "-out", &der]))
            .unwrap();
        assert_eq!(see(Want::Certificate { place: der, days: 14 }), seen);
    }
    let other = dir.path().join("other.pem");
    fs::write(&other, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert_eq!(row(Want::Certificate { place: text(&other), days: 1 }).found, "no certificate is in it");
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn certificates_are_read_from_servers() {
    let dir = tempfile::tempdir().unwrap();
    let Some([key, path]) = make_certificate(dir.path(), "30") else { return skip("there is no openssl") };
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", "127.0.0.1:0", "-key", &key, "-cert", &path]);
    let mut server =
        Server(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let accepts = lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
    let Some(place) = accepts else { return skip("this openssl does not tell its port") };
    let want = Want::Certificate { place, days: 14 };
    assert_eq!(see(want), Seen::Certificate { until: ends(&path) });
    let nobody = row(Want::Certificate { place: "127.0.0.1:0".into(), days: 14 });
    assert_eq!(nobody.state, State::Unknown, "{nobody:?}");
}

#[test]
fn a_secret_is_seen_and_its_value_is_nowhere() {
    const VALUE: &str = "hunter2-correct-horse";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("app.env");
    fs::write(&file, format!("MODE=live\nIN_FILE=\"{VALUE}\"\nEMPTY=\n")).unwrap();
    let key = dir.path().join("key");
    fs::write(&key, VALUE).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let variable = |name: &str, file: Option<&Path>| Want::Variable {
        name: name.into(),
        file: file.map(text),
        secret: true,
    };
    let wants = [
        variable("SHIPWAY_LOOKED_AT", None),
        variable("IN_FILE", Some(&file)),
        Want::File { path: text(&key), mode: None, secret: true },
        variable("EMPTY", Some(&file)),
        variable("SHIPWAY_NOT_THERE", None),
        variable("IN_FILE", Some(&dir.path().join("no.env"))),
    ];
    let shell = With { variables: vec![("SHIPWAY_LOOKED_AT".into(), VALUE.into())], ..With::default() };
    let seen = look(&wants, &shell, &Stop::default());
    let rows: Vec<Row> = wants.iter().zip(&seen).map(|(want, seen)| judge(want, seen, now())).collect();
    let states: Vec<State> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [State::Ok, State::Ok, State::Ok, State::Bad, State::Bad, State::Bad], "{rows:?}");
    let host =
        Host { name: "web".into(), address: String::new(), path: ".".into(), ssh: vec![], roles: vec![] };
    let told = problem("production", &[("web".into(), rows.clone())]);
    let hosts = [(host, rows)];
    let page = page(&Page { environment: "production", hosts: &hosts, differences: &[], at: now() });
    let all = format!("{page}{}{told:?}{hosts:?}{seen:?}", serde_json::to_string(&seen).unwrap());
    assert!(all.contains("IN_FILE") && !all.contains(VALUE), "{all}");
}

#[test]
fn a_look_that_takes_too_long_or_is_stopped_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let slow = dir.path().join("python");
    fs::write(&slow, "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let want = Want::Python { interpreter: text(&slow), wanted: String::new() };
    let shell = With { limit: Some(Duration::from_millis(50)), ..With::default() };
    let seen = look(std::slice::from_ref(&want), &shell, &Stop::default()).remove(0);
    let found = judge(&want, &seen, now());
    assert_eq!((found.state, found.found.contains("took longer")), (State::Unknown, true), "{found:?}");
    let stop = Stop::default();
    stop.ask();
    let seen = look(&[want, Want::Memory { bytes: 1 }], &LocalShell::new(), &stop);
    assert_eq!(seen, [failed("it was asked to stop"), failed("it was asked to stop")]);
}

#[test]
fn answers_come_in_the_order_of_the_wants() {
    let dir = tempfile::tempdir().unwrap();
    let wants: Vec<Want> = (0..100)
        .map(|index| {
            if index % 2 == 0 {
                Want::Command { name: "sh".into(), wanted: String::new() }
            } else {
                Want::File { path: text(dir.path()), mode: None, secret: false }
            }
        })
        .collect();
    let seen = look(&wants, &LocalShell::new(), &Stop::default());
    for (want, seen) in wants.iter().zip(&seen) {
        assert_eq!(judge(want, seen, now()).state, State::Ok, "{seen:?}");
    }
    assert_eq!(look(&[], &LocalShell::new(), &Stop::default()), []);
    assert_eq!(see(Want::Unknown), Seen::Unknown);
}

#[test]
fn a_virtual_environment_that_is_none_or_has_lost_its_python_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("venv");
    let venv = || row(Want::Venv { path: text(&path), interpreter: "python3".into(), wanted: String::new() });
    assert_eq!(venv().found, "not there");
    fs::create_dir_all(path.join("bin")).unwrap();
    assert_eq!(venv().found, "a directory, but no virtual environment");
    fs::write(path.join("pyvenv.cfg"), "home = /nowhere\n").unwrap();
    symlink("/nowhere/python3", path.join("bin/python")).unwrap();
    let broken = venv();
    assert_eq!((broken.state, broken.found.as_str()), (State::Bad, "its interpreter is gone"));
    assert_eq!(broken.fix, Some(format!("python3 -m venv --clear {}", text(&path))));
}
