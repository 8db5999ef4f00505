//! Brings a directory to hosts, all at once, and says how long it took.
//!
//! Usage: `host-bench STORE AGENT DIR SSH-CONFIG ADDRESS:PATH...`; a host without an address is this machine.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use shipway_core::action::Stop;
use shipway_core::deployment::{Deployment, Host, Runtime};
use shipway_core::id::RunId;
use shipway_core::problem::Problem;
use shipway_world::artifact::{Selection, Store, manifest};
use shipway_world::host::{AgentBinary, Fleet};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [store, agent, dir, config, hosts @ ..] = args.as_slice() else { return ExitCode::from(2) };
    match bring([store, agent, dir, config], hosts) {
        Ok(line) => {
            let _ = writeln!(io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            let _ = writeln!(io::stderr(), "{problem} {:?} {:?}", problem.found, problem.details);
            ExitCode::FAILURE
        }
    }
}

fn bring([store, agent, dir, config]: [&String; 4], hosts: &[String]) -> Result<String, Problem> {
    let host = |text: &String| {
        let (address, path) = text.rsplit_once(':').unwrap_or(("", text));
        let ssh = ["ssh", "-F", config].map(str::to_owned).to_vec();
        Host { name: text.clone(), address: address.into(), path: path.into(), ssh, roles: vec![] }
    };
    let hosts: Vec<Host> = hosts.iter().map(host).collect();
    let begun = Instant::now();
    let store = Arc::new(Store::open(store).expect("the store can be opened"));
    let dir = Path::new(dir);
    let manifest = manifest(dir, &Selection::default())?;
    store.put_dir(dir, &manifest)?;
    let stored = begun.elapsed();
    let fleet = Fleet::new(store, AgentBinary::new(agent), BTreeMap::new());
    let run = RunId::new(format!("{:08x}", std::process::id()));
    let deployment = Deployment {
        run: run.clone(),
        project: "bench".into(),
        environment: "bench".into(),
        version: "1".into(),
        artifact: manifest.digest(),
        services: vec![],
        runtime: Runtime::None,
        secrets: None,
        schema: None,
        back: false,
        mended: None,
        home: None,
    };
    let stop = Stop::default();
    let staged = fleet.each(&hosts, |host| {
        let staged = fleet.stage(host, &deployment, (&manifest, &[]), &stop);
        // The next one is another run.
        let _ = fleet.release(host, &run, &stop);
        staged
    });
    let (mut files, mut bytes) = (0, 0);
    for staged in staged {
        let staged = staged.map_err(|fault| fault.problem)?;
        (files, bytes) = (files + staged.sent_files, bytes + staged.sent_bytes);
    }
    fleet.disconnect();
    let all = begun.elapsed();
    Ok(format!(
        "stored {:.3} s, all {:.3} s, {files} files, {bytes} bytes",
        stored.as_secs_f64(),
        all.as_secs_f64()
    ))
}
