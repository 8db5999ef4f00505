//! The proxy alone, for measurements and for tests with real processes: `proxy-alone LISTEN CONTROL STATE [THREADS]`.

use std::process::ExitCode;

use shipway_proxy::{Options, serve};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut next = || args.next().expect("proxy-alone LISTEN CONTROL STATE [THREADS]");
    let listen = next().parse().expect("an address and a port");
    let options = Options {
        listen,
        control: next().into(),
        state: next().into(),
        threads: args.next().map(|threads| threads.parse().expect("a number of threads")),
        parting: std::time::Duration::from_mins(1),
    };
    let Err(problem) = serve(&options, None) else { return ExitCode::SUCCESS };
    let text = serde_json::to_string(&problem).expect("a problem is always JSON");
    std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes())
        .expect("stderr is open");
    ExitCode::FAILURE
}
