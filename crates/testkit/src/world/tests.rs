use super::*;

fn run(cmd: &Cmd) -> Output {
    PlainShell::hermetic().run(cmd, &Stop::default()).unwrap()
}

fn sh(script: &str) -> Cmd {
    Cmd::new("/bin/sh").args(["-c", script])
}

#[test]
fn a_command_reads_and_writes() {
    let many = vec![b'x'; 1 << 20];
    assert_eq!(run(&Cmd::new("cat").stdin(many.clone())).stdout, many);
    assert_eq!(run(&Cmd::new("cat")).stdout, b"");
    let output = run(&sh("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (output.ended, output.text().as_str(), output.error_text().as_str()),
        (Ended::Exit(3), "out", "err")
    );
    assert!(run(&Cmd::new("true").stdin(many)).ok());
}

#[test]
fn a_command_runs_in_its_directory_with_its_variables() {
    let dir = tempfile::tempdir().unwrap();
    let cmd = sh("pwd -P; echo $A $LC_ALL ${TZ-none}").dir(dir.path()).env("A", "b").unset("TZ");
    let path = dir.path().canonicalize().unwrap();
    assert_eq!(run(&cmd).text(), format!("{}\nb C none", path.display()));
    assert_eq!(run(&sh("echo $TZ").unset("TZ").env("TZ", "CET")).text(), "CET");
    let shell = PlainShell::hermetic().env("B", "all");
    assert_eq!(shell.run(&sh("echo $B"), &Stop::default()).unwrap().text(), "all");
    assert_eq!(shell.run(&sh("echo $B").env("B", "one"), &Stop::default()).unwrap().text(), "one");
}

#[test]
fn the_end_of_a_command_is_told_apart() {
    assert_eq!(run(&sh("kill -15 $$")).ended, Ended::Signal(15));
    assert_eq!(run(&sh("exec sleep 60").timeout(Duration::from_millis(20))).ended, Ended::TimedOut);
    let stop = Stop::default();
    stop.ask();
    assert!(PlainShell::new().run(&Cmd::new("true"), &stop).unwrap().ok());
    stop.ask();
    assert_eq!(PlainShell::new().run(&sh("exec sleep 60"), &stop).unwrap().ended, Ended::Stopped);
    let error = PlainShell::new().run(&Cmd::new("/nonexistent/program"), &stop).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(
        PlainShell::new().run(&Cmd::default(), &stop).unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
}

#[test]
fn the_orphan_of_a_killed_command_is_not_waited_for() {
    let begun = Instant::now();
    let output = run(&sh("echo early; sleep 30 & exec sleep 30").timeout(Duration::from_millis(200)));
    assert_eq!(output.ended, Ended::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn resting_takes_no_time_and_moves_the_clock() {
    let (world, stop) = (TestWorld::new(), Stop::default());
    world.rest(Duration::from_hours(1), &stop);
    assert_eq!(world.now(), NOON.after(Duration::from_hours(1)));
    stop.ask();
    world.rest(Duration::from_hours(1), &stop);
    assert_eq!(world.rested(), Duration::from_hours(1));
}

#[test]
fn the_clock_does_as_it_is_told() {
    let (world, second) = (TestWorld::new(), Duration::from_secs(1));
    let looks = || [world.now().0, world.now().0, world.now().0];
    assert_eq!(world.set(Time(5000)).clone().now(), Time(5000));
    assert_eq!(world.forward(second).now(), Time(6000));
    assert_eq!(world.backward(second * 2).now(), Time(4000));
    world.pace(Pace::Forward(second));
    assert_eq!(looks(), [4000, 5000, 6000]);
    world.pace(Pace::Backward(second * 4));
    assert_eq!(looks(), [7000, 3000, 0]);
    world.set(Time(1)).pace(Pace::Stopped).rest(second, &Stop::default());
    assert_eq!((looks(), world.rested()), ([1, 1, 1], second));
}

#[test]
fn an_address_answers_from_the_table() {
    let world = TestWorld::new();
    world.answer("http://a/", &[503, 200]);
    let ask = |url: &str| world.http_status(url, Duration::from_secs(1)).map_err(|error| error.kind());
    assert_eq!([ask("http://a/"), ask("http://a/"), ask("http://a/")], [Ok(503), Ok(200), Ok(200)]);
    assert_eq!(ask("http://b/"), Err(io::ErrorKind::ConnectionRefused));
    assert_eq!(world.asked().len(), 4);
}
