//! A machine with its own systemd, which keeps the watchdog of a host: without a client, and over a new start.

use std::fs;

use shipway_testkit::host::{self, Machine, Network};
use shipway_testkit::skip::skip;

use crate::site::{FILES, Site, over_ssh};

/// Returns the version that the machine has live, as its files tell it.
fn on(machine: &Machine) -> String {
    fs::read_to_string(machine.root().join("root/app/current/VERSION")).unwrap_or_default().trim().to_owned()
}

/// Deploys 1.2.0 and kills the client when it is live.
fn lost_after_the_switch(site: &Site, machine: &Machine) {
    let mut client = site.command(&["deploy", "staging"]).spawn().unwrap();
    host::until("it is switched", || on(machine) == "1.2.0");
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn the_watchdog_that_systemd_keeps_fires_without_a_client_and_after_a_new_start() {
    let machine = Network::new().and_then(|network| Machine::new("web", &network));
    let mut machine = match machine {
        Ok(machine) => machine,
        Err(why) => return skip(&why),
    };
    let config = machine.ssh_config();
    let environment = |more: &str| over_ssh(FILES, &["web"], &config, more);
    let site = Site::new(&environment("watch = { for = false }"));
    site.change("feat: one", "");
    site.code(0, &["push", "--to", "staging"]);
    site.configure(&environment("confirm = \"3s\"\nwatch = { for = \"5m\", every = \"200ms\" }"));
    site.change("feat: two", "");
    site.code(0, &["push"]);

    lost_after_the_switch(&site, &machine);
    assert!(machine.say("systemctl list-units 'shipway-watchdog-*'").contains("running"));
    host::until("the host is back", || on(&machine) == "1.1.0");
    site.code(4, &["resume"]);
    assert!(!machine.say("ls /etc/systemd/system").contains("shipway-watchdog"));

    // So long that only the new start can be the reason.
    site.configure(&environment("confirm = \"30m\"\nwatch = { for = \"5m\", every = \"200ms\" }"));
    lost_after_the_switch(&site, &machine);
    machine.crash();
    machine.start();
    host::until("the host is back after a new start", || on(&machine) == "1.1.0");
    site.code(4, &["resume"]);
    site.code(0, &["env", "status"]);
    assert!(!machine.say("ls /etc/systemd/system").contains("shipway-watchdog"));
}
