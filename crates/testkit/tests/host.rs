//! Hosts of the kit are real: a real client reaches them, loses them, finds them changed, and finds them full.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use shipway_testkit::host::{
    Fleet, Forwarder, Init, LoopDisk, Loss, Machine, Network, Sshd, Supervision, Tmpfs, Wanted, Way,
    copy_web, get, read_only, until,
};
use shipway_testkit::skip::skip;

/// Goes on with what could be had, or skips the test.
macro_rules! had {
    ($what:expr) => {
        match $what {
            Ok(what) => what,
            Err(why) => return skip(&why),
        }
    };
}

/// Says whether a child is still there after it has had time to end.
fn hangs(child: &mut Child) -> bool {
    std::thread::sleep(Duration::from_millis(300));
    child.try_wait().unwrap().is_none()
}

fn ends(child: &mut Child) -> bool {
    let mut status = None;
    until("ssh has ended", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap().success()
}

#[test]
fn three_hosts_answer_and_one_behind_a_cut_line_hangs_until_it_is_healed() {
    let fleet = had!(Fleet::new(3));
    for host in fleet.iter() {
        assert_eq!(host.say("echo $HOME"), host.home().to_str().unwrap());
        let output = fleet.ssh(host.name(), "echo from here >told; cat told").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "from here\n");
    }
    let [first, second, ..] = &*fleet else { panic!("there are three") };
    first.say("echo more >~/mine");
    assert!(first.home().join("mine").exists() && !second.home().join("mine").exists());

    let mut open =
        second.ssh("echo begun; cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (open.stdin.take().unwrap(), open.stdout.take().unwrap());
    let mut begun = [0; 6];
    output.read_exact(&mut begun).unwrap();
    second.cut();
    input.write_all(b"over the cut\n").unwrap();
    drop(input);
    let mut new = second.ssh("true").spawn().unwrap();
    assert!(hangs(&mut open) && hangs(&mut new));
    assert!(first.run("true").status.success());
    second.heal();
    assert!(ends(&mut open) && ends(&mut new));
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "over the cut\n");
}

#[test]
fn a_host_that_is_down_refuses_and_comes_back_with_its_key_and_its_files() {
    let mut host = had!(Sshd::new("web"));
    let address = host.address();
    host.say("echo kept >~/file");
    host.at_boot("greet", "echo up >>~/greeted; exec sleep 1000");
    until("the script has run", || host.home().join("greeted").exists());
    host.stop();
    assert_eq!(host.run("true").status.code(), Some(255));
    host.start();
    assert_eq!(host.address(), address);
    assert_eq!(host.say("cat ~/file"), "kept");
    until("the script has run again", || host.say("cat ~/greeted") == "up\nup");
}

#[test]
fn a_host_that_goes_down_takes_all_its_processes_along() {
    let mut host = had!(Sshd::new("web"));
    let beat = host.home().join("beat");
    host.say("(while :; do echo >>~/beat; sleep 0.01; done) </dev/null >/dev/null 2>&1 &");
    until("it beats", || beat.exists());
    host.stop();
    let length = fs::metadata(&beat).unwrap().len();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(fs::metadata(&beat).unwrap().len(), length);
}

#[test]
fn a_client_of_a_host_without_power_is_told_only_when_it_is_back() {
    let mut host = had!(Sshd::new("web"));
    let mut client = host.ssh("echo begun; exec sleep 1000").stdout(Stdio::piped()).spawn().unwrap();
    client.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    host.crash();
    assert!(hangs(&mut client));
    host.start();
    assert!(!ends(&mut client));
    assert!(host.run("true").status.success());
}

#[test]
fn a_changed_host_key_is_refused_by_ssh() {
    let host = had!(Sshd::new("web"));
    host.new_host_key();
    let output = host.run("true");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(255) && errors.contains("HOST IDENTIFICATION HAS CHANGED"),
        "{errors}"
    );
    host.know_host_key();
    assert!(host.run("true").status.success());
}

#[test]
fn a_connection_is_lost_after_exactly_so_many_bytes() {
    let echo = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = echo.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in echo.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut stream));
        }
    });
    let forwarder = Forwarder::new([127, 0, 0, 1].into(), target).unwrap();
    // Returns how many bytes came before the end. A reset takes away what has arrived and was not read yet.
    let seen = |bytes: u64| {
        forwarder.cut_after(Way::Down, bytes, Loss::Closed);
        let mut stream = std::net::TcpStream::connect(forwarder.address()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let sending = std::thread::spawn(move || drop(writer.write_all(&vec![7; 200_000])));
        let mut got = vec![];
        // How the end is told depends on what was still under way.
        let _ = stream.read_to_end(&mut got);
        sending.join().unwrap();
        got.len() as u64
    };
    for bytes in [0, 1, 7, 100_000] {
        let seen: Vec<u64> = (0..20).map(|_| seen(bytes)).collect();
        assert!(seen.iter().all(|seen| *seen <= bytes), "{bytes}: {seen:?}");
        assert!(seen.contains(&bytes), "{bytes}: {seen:?}");
    }
    forwarder.cut_after(Way::Up, 3, Loss::Silent);
    let mut stream = std::net::TcpStream::connect(forwarder.address()).unwrap();
    stream.write_all(b"abcdef").unwrap();
    let before = forwarder.passed(Way::Up);
    forwarder.heal();
    let mut got = [0; 6];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"abcdef");
    assert!(forwarder.passed(Way::Up) > before - 1);
}

#[test]
fn a_slow_line_still_brings_everything() {
    let host = had!(Sshd::new("web"));
    host.slow(200_000);
    let begun = std::time::Instant::now();
    assert_eq!(host.say("head -c 100000 /dev/zero | tr '\\0' x").len(), 100_000);
    assert!(begun.elapsed() >= Duration::from_millis(400));
    host.slow(None);
    assert!(host.run("true").status.success());
}

#[test]
fn hosts_in_a_network_have_addresses_and_names_of_their_own() {
    let network = had!(Network::new());
    let wanted = ["web", "db"].map(|name| Wanted::new(name).network(&network)).to_vec();
    let mut fleet = had!(Fleet::of(wanted));
    let (web, db) = (fleet[0].address(), fleet[1].address());
    assert!(web.port() == 22 && web.ip() != db.ip());
    assert_eq!(fleet[0].say("hostname"), "web");
    assert_eq!(
        fleet[0].say("echo one >/srv/number; pwd; cat /srv/number"),
        fleet[0].say("echo ~root; echo one")
    );
    assert_eq!(fs::read_to_string(fleet[0].srv().join("number")).unwrap(), "one\n");
    assert!(!fleet[1].srv().join("number").exists());

    fleet[0].cut();
    let mut new = fleet[0].ssh("true").spawn().unwrap();
    assert!(hangs(&mut new));
    fleet[0].heal();
    assert!(ends(&mut new));

    fleet[1].stop();
    fleet[1].start();
    assert_eq!(fleet[1].address(), db);
    assert_eq!(fleet[1].say("hostname"), "db");
}

#[test]
fn a_host_with_a_small_disk_runs_full() {
    let host = had!(Wanted::new("web").disk(2 << 20).start());
    let output = host.run("head -c 4000000 /dev/zero >~/big");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("No space left on device"), "{errors}");
    host.say("rm ~/big && echo fits >~/small");
}

#[test]
fn small_disks_hold_exactly_what_they_hold() {
    let disk = had!(Tmpfs::new(1 << 20));
    fs::write(disk.path().join("first"), vec![7; (1 << 20) - 4096]).unwrap();
    let error = fs::write(disk.path().join("second"), vec![7; 8192]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let disk = had!(LoopDisk::new(4 << 20, 16));
    let error = (0..16).try_for_each(|file| fs::write(disk.path().join(file.to_string()), "")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    had!(disk.read_only(true));
    assert!(fs::write(disk.path().join("0"), "").is_err());
}

#[test]
fn a_read_only_directory_is_writable_again_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let refused = had!(read_only(dir.path(), || fs::write(&file, "").is_err()));
    assert!(refused);
    fs::write(&file, "").unwrap();
}

fn supervised(init: Init) {
    let host = had!(Sshd::new("web"));
    let supervision = had!(Supervision::start(init, &host));
    let (dir, address) = (host.srv().join("one"), host.free_address());
    copy_web(&dir, "1.2.3", "");
    supervision.add(&host, "web", &dir, &["./web", "--listen", &address.to_string()]);
    until("the service answers", || get(address, "/health").is_ok());
    let answer = get(address, "/").unwrap();
    assert_eq!((answer.status, answer.release()), (200, "1.2.3"));
    let first = supervision.pid(&host, "web");
    assert_eq!(answer.pid(), first);
    host.say(&format!("kill -9 {}", first.unwrap()));
    until("the service is started again", || get(address, "/").is_ok_and(|answer| answer.pid() != first));
    supervision.stop(&host);
    assert!(get(address, "/").is_err());
    let log = fs::read_to_string(supervision.log("web")).unwrap();
    assert_eq!(log.matches("release 1.2.3 pid").count() - log.matches("ends").count(), 2, "{log}");
}

#[test]
fn s6_starts_the_web_service_again() {
    supervised(Init::S6);
}

#[test]
fn runit_starts_the_web_service_again() {
    supervised(Init::Runit);
}

#[test]
fn supervisor_starts_the_web_service_again() {
    supervised(Init::Supervisor);
}

#[test]
fn services_are_back_after_a_reboot() {
    let mut host = had!(Sshd::new("web"));
    let supervision = had!(Supervision::start(Init::S6, &host));
    let (dir, address) = (host.srv().join("one"), host.free_address());
    copy_web(&dir, "1.2.3", "");
    supervision.add(&host, "web", &dir, &["./web", "--listen", &address.to_string()]);
    until("the service answers", || get(address, "/health").is_ok());
    host.crash();
    assert!(get(address, "/health").is_err());
    host.start();
    until("the service answers again", || get(address, "/health").is_ok());
}

#[test]
fn a_machine_with_systemd_keeps_its_services_over_a_reboot_and_a_crash() {
    let network = had!(Network::new());
    let mut machine = had!(Machine::new("web", &network));
    assert_eq!(machine.say("hostname"), "web");
    copy_web(&machine.root().join("srv/web"), "3.0.0", "");
    let unit = "[Service]\nExecStart=/srv/web/web\nWorkingDirectory=/srv/web\n[Install]\nAlso=web.socket\n";
    let socket = "[Socket]\nListenStream=8080\n[Install]\nWantedBy=sockets.target\n";
    for (name, text) in [("web.service", unit), ("web.socket", socket)] {
        fs::write(machine.root().join("etc/systemd/system").join(name), text).unwrap();
    }
    machine.say("systemctl daemon-reload && systemctl enable --now web.socket");
    let address = (machine.address().ip(), 8080).into();
    let answers = || get(address, "/").is_ok_and(|answer| answer.release() == "3.0.0");
    assert!(answers());
    until("the start is in its journal", || machine.journal("web.service").contains("release 3.0.0"));
    machine.reboot();
    assert!(answers());
    machine.crash();
    machine.start();
    assert!(answers());
    machine.stop();
    assert!(!machine.run("true").status.success());
}

/// Starts the web service without a host.
fn web(dir: &Path, args: &[&str]) -> (Child, std::net::SocketAddr) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = std::process::Command::new(dir.join("web"));
    command.args(["--listen", &address.to_string()]).args(args).current_dir(dir);
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    until("the service listens", || std::net::TcpStream::connect(address).is_ok());
    (child, address)
}

#[test]
fn the_web_service_misbehaves_as_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    copy_web(dir.path(), "2.0.0", "");
    let (mut child, address) = web(dir.path(), &[]);
    let check = |modes: &str, path: &str, statuses: &[u16]| {
        fs::write(dir.path().join("MODES"), modes).unwrap();
        let seen: Vec<u16> = statuses.iter().map(|_| get(address, path).unwrap().status).collect();
        assert_eq!(seen, statuses, "{modes} {path}");
    };
    check("", "/", &[200, 200]);
    check("", "/nowhere", &[404, 404]);
    check("fail-health", "/health", &[503, 503]);
    check("fail-health", "/", &[200, 200]);
    check("flap", "/health", &[200, 503, 200, 503]);
    check("login-redirect", "/health", &[302, 302]);
    check("login-redirect", "/login", &[200, 200]);
    check("error-rate 100", "/", &[500, 500]);
    check("error-rate 50", "/health", &[200, 200]);
    fs::write(dir.path().join("MODES"), "error-rate 10").unwrap();
    let errors = (0..100).filter(|_| get(address, "/").unwrap().status == 500).count();
    assert_eq!(errors, 10);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_web_service_ends_after_the_answers_that_are_due() {
    let dir = tempfile::tempdir().unwrap();
    copy_web(dir.path(), "2.0.0", "");
    for (args, graceful) in [(&[][..], true), (&["--no-graceful"][..], false)] {
        let (mut child, address) = web(dir.path(), args);
        let mut idle = std::net::TcpStream::connect(address).unwrap();
        let mut due = std::net::TcpStream::connect(address).unwrap();
        due.write_all(b"GET /sleep/500 HTTP/1.1\r\n\r\n").unwrap();
        // It is at work once both connections have been accepted and the sleep has begun; the answer to a later request
        // says so.
        assert_eq!(get(address, "/").unwrap().status, 200);
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut answer = String::new();
        let read = due.read_to_string(&mut answer);
        assert_eq!(read.is_ok() && answer.starts_with("HTTP/1.1 200"), graceful, "{answer}");
        assert_eq!(child.wait().unwrap().success(), graceful);
        let _ = idle.read_to_string(&mut answer);
    }
}

#[test]
fn the_web_service_takes_a_socket_from_its_manager() {
    let dir = tempfile::tempdir().unwrap();
    copy_web(dir.path(), "2.0.0", "");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The shell puts the socket where a manager puts it; a standard stream is how it gets there.
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec ./web";
    let mut shell = std::process::Command::new("/bin/sh");
    let shell =
        shell.args(["-c", script]).current_dir(dir.path()).stdin(std::os::fd::OwnedFd::from(listener));
    let mut child = shell.stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(get(address, "/").unwrap().release(), "2.0.0");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nothing_is_left_of_a_host() {
    let (dir, pid);
    {
        let host = had!(Sshd::new("web"));
        (dir, pid) = (host.root(), host.main_pid().unwrap());
        assert!(Path::new(&format!("/proc/{pid}")).exists());
    }
    assert!(!dir.exists() && !Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn ten_hosts_are_up_at_once() {
    let fleet = had!(Fleet::new(10));
    let mut clients: Vec<Child> =
        fleet.iter().map(|host| fleet.ssh(host.name(), "true").spawn().unwrap()).collect();
    assert!(clients.iter_mut().all(ends));
}
