//! Wants against answers, in tables.

use std::time::Duration;

use super::*;
use crate::deployment::Host;
use crate::deps::{Installed, Inventory, Markers};
use crate::time::Time;

const NOW: Time = Time(1_795_178_588_000);

#[track_caller]
fn check(want: &Want, seen: &Seen, state: State, found: &str, fix: Option<&str>) {
    let row = judge(want, seen, NOW);
    assert_eq!((row.state, row.found.as_str(), row.fix.as_deref()), (state, found, fix), "{want:?}");
    let text = serde_json::to_string(&(want, seen)).unwrap();
    assert_eq!(serde_json::from_str::<(Want, Seen)>(&text).unwrap(), (want.clone(), seen.clone()));
}

fn os(id: &str, version: &str) -> Seen {
    let machine = ["Linux".to_owned(), "x86_64".to_owned()];
    Seen::Os { id: id.into(), like: vec!["debian".into()], version: version.into(), machine }
}

#[test]
fn operating_systems_are_known_by_name_kind_and_version() {
    let check = |wanted: &str, expect: State| {
        let row = judge(&Want::Os { wanted: wanted.into() }, &os("ubuntu", "22.04"), NOW);
        assert_eq!(row.state, expect, "{wanted}");
    };
    for wanted in ["ubuntu", "Linux", "debian", "ubuntu>=22.04", "ubuntu=22.04", "ubuntu>=20,<24"] {
        check(wanted, State::Ok);
    }
    for wanted in ["fedora", "debian>=10", "ubuntu>=24.04"] {
        check(wanted, State::Bad);
    }
    check("ubuntu>=jammy", State::Unknown);
}

#[test]
fn rights_clock_and_room_are_judged_with_their_commands() {
    let sudo = |allowed, password| Seen::Sudo { allowed, password, why: String::new() };
    let want = Want::Sudo { command: vec!["systemctl".into(), "restart".into(), "a:b".into()] };
    let rule = "echo \"$(id -un) ALL=(root) NOPASSWD: $(command -v systemctl) restart a\\:b\" | \
                sudo EDITOR='tee -a' visudo -f /etc/sudoers.d/shipway";
    check(&want, &sudo(true, Some(false)), State::Ok, "allowed", None);
    check(&want, &sudo(true, Some(true)), State::Bad, "allowed, with a password", Some(rule));
    check(&want, &sudo(false, None), State::Bad, "not allowed", Some(rule));
    let told = "allowed; whether a password is asked for is not told";
    check(&want, &sudo(true, None), State::Warn, told, Some(rule));
    let clock = Want::Clock { within_ms: 2_000 };
    let ntp = Some("sudo timedatectl set-ntp true");
    check(&clock, &Seen::Clock { at: NOW }, State::Ok, "right", None);
    check(&clock, &Seen::Clock { at: Time(NOW.0 - 2_000) }, State::Ok, "2 seconds behind", None);
    check(&clock, &Seen::Clock { at: Time(NOW.0 + 3_600_000) }, State::Bad, "1 hour ahead", ntp);
    let disk = Want::Disk { path: "/srv/my app".into(), bytes: 2_000_000_000, inodes: 100 };
    let seen = |bytes, inodes| Seen::Disk { bytes, inodes };
    check(&disk, &seen(2_500_000_000, Some(100)), State::Ok, "2.5 GB, 100 inodes free", None);
    check(&disk, &seen(2_000_000_000, None), State::Ok, "2.0 GB free", None);
    let (big, many) = (
        "du -xh --max-depth=2 '/srv/my app' | sort -h | tail",
        "du --inodes -x --max-depth=2 '/srv/my app' | sort -n | tail",
    );
    check(&disk, &seen(1_999_999_999, Some(100)), State::Bad, "1.9 GB, 100 inodes free", Some(big));
    check(&disk, &seen(9_000_000_000, Some(99)), State::Bad, "9.0 GB, 99 inodes free", Some(many));
    let memory = Want::Memory { bytes: 1000 };
    check(&memory, &Seen::Memory { bytes: 1000 }, State::Ok, "1.0 kB available", None);
    let top = Some("ps -eo rss,pid,args --sort=-rss | head");
    check(&memory, &Seen::Memory { bytes: 999 }, State::Bad, "999 B available", top);
    check(
        &Want::User { name: "deploy".into() },
        &Seen::User { name: "root".into() },
        State::Bad,
        "root",
        Some("id deploy || sudo useradd --create-home deploy"),
    );
}

#[test]
fn ports_and_services_are_judged() {
    let port = |open| Seen::Port { open, why: String::new() };
    let free = Want::PortFree { port: 8000 };
    check(&free, &port(false), State::Ok, "free", None);
    check(&free, &port(true), State::Bad, "in use", Some("ss -ltnp 'sport = :8000'"));
    let open = Want::PortOpen { address: "db.internal:5432".into() };
    check(&open, &port(true), State::Ok, "open", None);
    let refused = Seen::Port { open: false, why: "connection refused".into() };
    check(&open, &refused, State::Bad, "connection refused", Some("nc -vz db.internal 5432"));
    let service = |keeper| Want::Service { keeper, name: "web".into() };
    let down = Seen::Service { running: false, state: "inactive (dead)".into() };
    for (keeper, fix) in [
        (Keeper::Systemd, "sudo systemctl start web"),
        (Keeper::SystemdUser, "systemctl --user start web"),
        (Keeper::S6, "s6-svc -u web"),
        (Keeper::Runit, "sv up web"),
    ] {
        check(&service(keeper), &down, State::Bad, "inactive (dead)", Some(fix));
    }
}

#[test]
fn interpreters_commands_and_modules_are_judged() {
    let version = |version: &str| Seen::Version { path: "/usr/bin/x".into(), version: version.into() };
    let python = Want::Python { interpreter: "/usr/bin/python3.9".into(), wanted: ">=3.11".into() };
    check(&python, &version("3.11.2"), State::Ok, "3.11.2 at /usr/bin/x", None);
    check(&python, &version("3.9.2"), State::Bad, "3.9.2 at /usr/bin/x", Some("ls /usr/bin/python*"));
    let missing = Seen::Missing { what: "not installed".into() };
    check(
        &python,
        &missing,
        State::Bad,
        "not installed",
        Some("sudo apt-get install python3.9 python3.9-venv"),
    );
    let venv = Want::Venv { path: "/srv/v".into(), interpreter: "python3".into(), wanted: String::new() };
    check(&venv, &missing, State::Bad, "not installed", Some("python3 -m venv /srv/v"));
    let broken = Seen::Broken { why: "its interpreter is gone".into() };
    check(&venv, &broken, State::Bad, "its interpreter is gone", Some("python3 -m venv --clear /srv/v"));
    let command = |name: &str, wanted: &str| Want::Command { name: name.into(), wanted: wanted.into() };
    check(&command("psql", ">=15"), &version("15.8"), State::Ok, "15.8 at /usr/bin/x", None);
    check(
        &command("psql", "=14.1"),
        &version("15.8"),
        State::Bad,
        "15.8 at /usr/bin/x",
        Some("sudo apt-get install postgresql-client"),
    );
    check(&command("node", "^20.1"), &version("20.19.2"), State::Ok, "20.19.2 at /usr/bin/x", None);
    check(&command("rsync", ""), &version(""), State::Ok, "/usr/bin/x", None);
    check(
        &command("rsync", ">=3"),
        &version(""),
        State::Unknown,
        "no version at /usr/bin/x",
        Some("sudo apt-get install rsync"),
    );
    let import = Want::Import { interpreter: "/srv/v/bin/python".into(), module: "flask".into() };
    let error = Seen::Import { error: Some("No module named 'flask'".into()) };
    check(
        &import,
        &error,
        State::Bad,
        "No module named 'flask'",
        Some("/srv/v/bin/python -c 'import flask'"),
    );
}

#[test]
fn variables_files_and_backups_are_judged() {
    let seen = |set, empty| Seen::Variable { set, empty };
    let variable =
        |file: Option<&str>| Want::Variable { name: "KEY".into(), file: file.map(Into::into), secret: true };
    check(&variable(None), &seen(true, false), State::Ok, "set", None);
    let names = "env | cut -d= -f1 | grep -nx KEY";
    check(&variable(None), &seen(false, false), State::Bad, "not set", Some(names));
    let fix = "read -rs value && printf '%s=%s\\n' KEY \"$value\" >>/etc/app.env";
    check(&variable(Some("/etc/app.env")), &seen(true, true), State::Bad, "set to nothing", Some(fix));
    let file = |mode, empty| Seen::File { what: "file".into(), mode, empty };
    let want = |mode, secret| Want::File { path: "/etc/app key".into(), mode, secret };
    check(&want(Some(0o640), false), &file(0o640, true), State::Ok, "file, mode 0640", None);
    check(
        &want(Some(0o640), false),
        &file(0o644, false),
        State::Bad,
        "file, mode 0644",
        Some("chmod 0640 '/etc/app key'"),
    );
    check(
        &want(None, false),
        &Seen::Missing { what: "not there".into() },
        State::Bad,
        "not there",
        Some("ls -la /etc"),
    );
    check(&want(None, true), &file(0o600, false), State::Ok, "file, mode 0600", None);
    let close = Some("chmod o= '/etc/app key' && ls -l '/etc/app key'");
    check(&want(None, true), &file(0o644, false), State::Bad, "file, mode 0644, open to everybody", close);
    check(&want(None, true), &file(0o600, true), State::Bad, "file, mode 0600, empty", close);
    let day = 86_400_000;
    let backup = |age| Seen::Backup { newest: Time(NOW.0 - age), name: "db.age".into(), bytes: 5_000 };
    let want = Want::Backup { dir: "/srv/backup".into(), within_ms: day };
    check(&want, &backup(day), State::Ok, "db.age, 5.0 kB, 1 day old", None);
    check(&want, &backup(3 * day), State::Bad, "db.age, 5.0 kB, 3 days old", Some("ls -lt /srv/backup"));
    let dns = Want::Dns { name: "db.internal".into() };
    check(
        &dns,
        &Seen::Addresses { list: vec!["10.0.0.1".into(), "::1".into()] },
        State::Ok,
        "10.0.0.1, ::1",
        None,
    );
}

#[test]
fn certificates_are_warned_of_before_they_are_too_short() {
    let certificate = |place: &str| Want::Certificate { place: place.into(), days: 14 };
    let until = |days: u64| Seen::Certificate { until: Time(NOW.0 + days * 86_400_000) };
    let file = certificate("/etc/ssl/a.pem");
    let show = Some("openssl x509 -in /etc/ssl/a.pem -noout -subject -enddate");
    check(&file, &until(28), State::Ok, "28 days left, until 2026-12-18", None);
    check(&file, &until(27), State::Warn, "27 days left, until 2026-12-17", show);
    check(&file, &until(13), State::Bad, "13 days left, until 2026-12-03", show);
    check(&file, &Seen::Certificate { until: Time(NOW.0 - 1) }, State::Bad, "expired on 2026-11-20", show);
    let server = "openssl s_client -connect a.example:443 -servername a.example </dev/null";
    check(&certificate("a.example:443"), &until(1), State::Bad, "1 day left, until 2026-11-21", Some(server));
}

#[test]
fn packages_are_one_row_with_all_commands() {
    let place = Place::Debian { names: vec!["libpq5".into()] };
    let declaration = crate::deps::debian("debian", &["libpq5>=15".into()]);
    let want = Want::Packages { place, declaration };
    let inventory = |version: &str| {
        let one = Installed { name: "libpq5".into(), version: version.into(), ..Installed::default() };
        Seen::Packages(Inventory { packages: vec![one], markers: Markers::new() })
    };
    check(&want, &inventory("15.8-0+deb12u1"), State::Ok, "15.8-0+deb12u1", None);
    check(&want, &inventory("14.1"), State::Bad, "14.1", Some("apt-get install libpq5"));
    let mut read = |_: &str| Ok("a==1\nb==2\nc==3\n".to_owned());
    let declaration = crate::deps::requirements("r.txt", &mut read);
    let want = Want::Packages { place: Place::Pip { venv: "/v".into() }, declaration };
    let one = |name: &str, version: &str| Installed {
        name: name.into(),
        version: version.into(),
        ..Installed::default()
    };
    let seen = Seen::Packages(Inventory {
        packages: vec![one("a", "1"), one("b", "1"), one("z", "1")],
        markers: Markers::new(),
    });
    let fix = "/v/bin/pip install 'c==3' && /v/bin/pip install 'b==2'";
    check(&want, &seen, State::Bad, "1 as declared, 1 missing, 1 mismatched, 1 extra", Some(fix));
}

#[test]
fn an_answer_that_does_not_fit_is_unknown_and_never_ok() {
    let wants = wants(&everything());
    assert!(wants.len() > 25);
    for want in &wants {
        for seen in [Seen::Unknown, Seen::Failed { why: "took too long".into() }] {
            assert_eq!(judge(want, &seen, NOW).state, State::Unknown, "{want:?}");
        }
        let other =
            if matches!(want, Want::User { .. }) { os("a", "1") } else { Seen::User { name: "a".into() } };
        assert_eq!(judge(want, &other, NOW).state, State::Unknown, "{want:?}");
        let text = serde_json::to_string(want).unwrap();
        assert_eq!(serde_json::from_str::<Want>(&text).unwrap(), *want);
    }
    assert_eq!(serde_json::from_str::<Want>(r#"{"want": "moon", "phase": 1}"#).unwrap(), Want::Unknown);
    assert_eq!(serde_json::from_str::<Seen>(r#"{"seen": "moon", "phase": 1}"#).unwrap(), Seen::Unknown);
}

#[test]
fn every_red_line_offers_a_command() {
    let mut wants = wants(&everything());
    let pip = Place::Pip { venv: "/v".into() };
    wants.push(Want::Packages { place: pip, declaration: Declaration::default() });
    wants.push(Want::Service { keeper: Keeper::Unknown, name: "web".into() });
    wants.push(Want::Backup { dir: String::new(), within_ms: 1 });
    wants.push(Want::Unknown);
    let failed = [Seen::Missing { what: "not there".into() }, Seen::Broken { why: "odd".into() }];
    let answers = [
        os("arch", "1"),
        Seen::User { name: "root".into() },
        Seen::Sudo { allowed: false, password: None, why: String::new() },
        Seen::Clock { at: Time(0) },
        Seen::Disk { bytes: 0, inodes: Some(0) },
        Seen::Memory { bytes: 0 },
        Seen::Port { open: true, why: String::new() },
        Seen::Port { open: false, why: String::new() },
        Seen::Service { running: false, state: "dead".into() },
        Seen::Version { path: "/x".into(), version: "0.1".into() },
        Seen::Venv { version: "2.7".into(), base: "/usr".into() },
        Seen::Import { error: Some("no".into()) },
        Seen::Variable { set: false, empty: false },
        Seen::File { what: "file".into(), mode: 0o777, empty: true },
        Seen::Certificate { until: Time(0) },
        Seen::Addresses { list: vec![] },
        Seen::Backup { newest: Time(0), name: "a".into(), bytes: 0 },
        Seen::Packages(Inventory { packages: vec![], markers: Markers::new() }),
    ];
    for want in &wants {
        let rows: Vec<Row> = failed.iter().chain(&answers).map(|seen| judge(want, seen, NOW)).collect();
        let red: Vec<&Row> = rows.iter().filter(|row| row.state == State::Bad).collect();
        assert!(red.len() >= 2, "{want:?}");
        for row in red {
            assert!(row.fix.as_ref().is_some_and(|fix| !fix.is_empty()), "{want:?}: {row:?}");
        }
    }
}

#[test]
fn a_host_is_reached_with_its_own_ssh() {
    assert_eq!(reach(&host("web"), &["-v"]), "ssh -v deploy@web");
    let ssh = ["ssh", "-F", "my config"].map(str::to_owned).to_vec();
    assert_eq!(reach(&Host { ssh, ..host("web") }, &[]), "ssh -F 'my config' deploy@web");
}

fn everything() -> Require {
    let list = |text: &str| text.split(' ').map(Into::into).collect::<Vec<String>>();
    Require {
        os: Some("debian>=12".into()),
        user: Some("deploy".into()),
        sudo: vec!["/usr/bin/systemctl restart web".into()],
        disk_free: Some(1000),
        path: "/srv/app".into(),
        needs: (500, 7),
        memory: Some(1000),
        ports_free: vec![8001],
        ports_open: list("5432 db:5432"),
        units: list("web user:worker s6:/run/web runit:/etc/sv/web pid:/run/web.pid process:redis-server"),
        python: Some(">=3.11".into()),
        interpreter: Some("/usr/bin/python3.11".into()),
        venv: Some("/srv/app/venv/".into()),
        imports: list("flask"),
        node: Some(">=20".into()),
        variables: list("MODE MODE@/etc/app.env"),
        files: list("/etc/app.toml:0640 /srv/x:y"),
        secrets: list("KEY KEY@/etc/app.env /etc/key ~/key"),
        certificates: list("/etc/a.pem a:443"),
        certificate_days: None,
        dns: list("db.internal"),
        backup_within: Some(Duration::from_hours(1)),
        backup_dir: "/srv/backup".into(),
        commands: list("psql>=15 rsync"),
        debian: list("libpq5>=15"),
        cargo: list("just@1.36.0"),
        clock_offset: None,
    }
}

#[test]
fn the_words_of_the_configuration_become_wants() {
    let found = wants(&everything());
    let has = |want: Want| assert!(found.contains(&want), "{want:?}");
    has(Want::Disk { path: "/srv/app".into(), bytes: 1500, inodes: 7 });
    has(Want::Clock { within_ms: 5_000 });
    has(Want::Service { keeper: Keeper::S6, name: "/run/web".into() });
    has(Want::Service { keeper: Keeper::Process, name: "redis-server".into() });
    has(Want::Import { interpreter: "/srv/app/venv/bin/python".into(), module: "flask".into() });
    has(Want::Command { name: "psql".into(), wanted: ">=15".into() });
    has(Want::Variable { name: "KEY".into(), file: Some("/etc/app.env".into()), secret: true });
    has(Want::File { path: "/etc/app.toml".into(), mode: Some(0o640), secret: false });
    has(Want::File { path: "/srv/x:y".into(), mode: None, secret: false });
    has(Want::File { path: "~/key".into(), mode: None, secret: true });
    has(Want::Certificate { place: "a:443".into(), days: 14 });
    assert_eq!(wants(&Require::default()), [Want::Clock { within_ms: 5_000 }]);
}

#[test]
fn hosts_that_should_be_alike_are_compared() {
    let packages = |list: &[(&str, &str)]| {
        let one = |(name, version): &(&str, &str)| Installed {
            name: (*name).into(),
            version: (*version).into(),
            ..Installed::default()
        };
        Seen::Packages(Inventory { packages: list.iter().map(one).collect(), markers: Markers::new() })
    };
    let wants = [
        Want::Os { wanted: "debian".into() },
        Want::Packages { place: Place::Pip { venv: "/v".into() }, declaration: Declaration::default() },
        Want::Variable { name: "MODE".into(), file: None, secret: false },
        Want::Memory { bytes: 1 },
    ];
    let report = |host: &str, seen: [Seen; 4]| HostReport {
        host: host.into(),
        seen: wants.iter().cloned().zip(seen).collect(),
    };
    let set = |set| Seen::Variable { set, empty: false };
    let staging = report(
        "s",
        [os("debian", "12"), packages(&[("a", "1"), ("b", "1")]), set(true), Seen::Memory { bytes: 1 }],
    );
    let production = report(
        "p",
        [os("debian", "11"), packages(&[("a", "1"), ("c", "2")]), set(false), Seen::Memory { bytes: 2 }],
    );
    assert_eq!(parity(&staging, &staging), vec![]);
    let found: Vec<String> = parity(&staging, &production)
        .into_iter()
        .map(|one| {
            format!(
                "{}: {} | {}",
                one.what,
                one.one.as_deref().unwrap_or("–"),
                one.other.as_deref().unwrap_or("–")
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "os: debian 12, Linux x86_64 | debian 11, Linux x86_64",
            "pip b: 1 | –",
            "pip c: – | 2",
            "variable MODE: set | not set"
        ]
    );
}

fn host(name: &str) -> Host {
    Host {
        name: name.into(),
        address: format!("deploy@{name}"),
        path: "/srv/app".into(),
        ssh: vec![],
        roles: vec!["web".into()],
    }
}

#[test]
fn a_page_says_what_was_seen_and_when_it_is_stale() {
    let rows = |memory: &str, os: &str| {
        let red = Row::new("venv /srv/v", State::Bad, "not there | at all", "a Python that works")
            .fix("python3 -m venv /srv/v");
        vec![Row::new("os", State::Ok, os, "debian"), Row::new("memory", State::Ok, memory, "1 GB"), red]
    };
    let hosts = [(host("web-1"), rows("2 GB", "debian 12"))];
    let text = page(&Page { environment: "production", hosts: &hosts, differences: &[], at: NOW });
    for part in [
        "# Environment production\n",
        "Seen on 2026-11-20",
        "| web-1 | deploy@web-1 | /srv/app | web |",
        "| bad | venv /srv/v | not there \\| at all | a Python that works |",
        "  - `python3 -m venv /srv/v`",
        "ssh deploy@web-1",
        "/srv/v/bin/pip list",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let stamp = Stamp::read(&text).unwrap();
    let month = Duration::from_hours(30 * 24);
    let stale = |hosts: &[(Host, Vec<Row>)], days: u64| {
        stamp.stale(&digest(hosts, &[]), NOW.after(Duration::from_hours(days * 24)), month)
    };
    assert_eq!((stamp.environment.as_str(), stamp.at), ("production", NOW));
    let ssh = ["ssh", "-F", "deploy/ssh"].map(str::to_owned).to_vec();
    let own = [(Host { ssh, ..host("web-1") }, vec![])];
    let text = self::page(&Page { environment: "production", hosts: &own, differences: &[], at: NOW });
    assert!(text.contains("\nssh -F deploy/ssh deploy@web-1   # web-1\n"), "{text}");
    assert_eq!(stale(&hosts, 30), None);
    assert_eq!(stale(&[(host("web-1"), rows("1 GB", "debian 12"))], 1), None);
    assert_eq!(stale(&hosts, 31).unwrap(), "it is 31 days old, and 30 are allowed");
    let moved = "the environment is not as it was seen on 2026-11-20";
    assert_eq!(stale(&[(host("web-1"), rows("2 GB", "debian 13"))], 1).unwrap(), moved);
    for text in ["", "# A page\n", "<!-- shipway environment a b c -->\n", "<!-- shipway environment -->"] {
        assert_eq!(Stamp::read(text), None, "{text}");
    }
}

#[test]
fn bad_rows_are_told_as_one_problem() {
    let rows = vec![
        Row::new("os", State::Ok, "debian", "debian"),
        Row::new("port 1", State::Bad, "in use", "free").fix("ss"),
        Row::new("dns a", State::Unknown, "no answer", "resolves"),
    ];
    let found = problem("production", &[("a".into(), rows.clone()), ("b".into(), rows)]).unwrap();
    assert_eq!(found.what, "production is not ready: 2 wants are not met");
    assert_eq!(
        found.details,
        ["a: port 1: found in use, wanted free", "b: port 1: found in use, wanted free"]
    );
    assert_eq!(found.hints, ["ss"]);
    assert_eq!(problem("production", &[]), None);
}

#[test]
fn no_certificate_is_too_strange() {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 56).unwrap()
    };
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = (0..random()).map(|_| random()).collect();
        assert!(certificate::until(&bytes).is_none_or(|time| time.0 > 0));
        // The beginning of a real one.
        bytes.splice(0..0, [0x30, 0x20, 0x30, 0x1e, 0xa0, 0x03]);
        let _ = certificate::until(&bytes);
        let _ = certificate::pem(&String::from_utf8_lossy(&bytes));
        let _ = Stamp::read(&String::from_utf8_lossy(&bytes));
    }
    assert_eq!(certificate::until(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    assert_eq!(
        certificate::pem("-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----"),
        Some(vec![0, 1, 2])
    );
}
