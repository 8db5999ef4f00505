use std::path::Path;

use shipway_core::action::{Cmd, Output, Shell, Stop};
use shipway_core::deployment::{Deployment, Runtime, Service};
use shipway_core::id::{Digest, RunId};

use super::*;
use crate::live::Place;

struct NoShell;

impl Shell for NoShell {
    fn run(&self, cmd: &Cmd, _: &Stop) -> std::io::Result<Output> {
        panic!("nothing is run to write a text: {:?}", cmd.argv)
    }
}

/// Gives the texts of a service to a check.
fn with(switch: Switch, user: bool, check: impl FnOnce(&Instance<'_>)) {
    let run = ["bin/app", "--a b", "100%", "$HOME", "say \"hi\" \\", "{version}"];
    let service = Service {
        name: "web".into(),
        run: run.map(Into::into).into(),
        env: [("QUOTED".to_owned(), "a \"b\" $c `d` \\ 'e' 5%\nline".to_owned())].into(),
        manager: Keeper::Systemd { unit: "shop".into(), user, extra: vec!["User=www-{environment}".into()] },
        switch,
        health: None,
        smoke: vec![],
        overlap: false,
        stop_ms: 1500,
        drain_ms: 0,
    };
    let deployment = Deployment {
        run: RunId::new("0badcafe"),
        project: "shop".into(),
        environment: "live".into(),
        version: "1.2.3".into(),
        artifact: Digest::new("d1"),
        services: vec![service],
        runtime: Runtime::None,
        secrets: None,
        schema: None,
        back: false,
        mended: None,
        home: None,
    };
    let (stop, say) = (Stop::default(), |_: &str| ());
    let place = Place { root: Path::new("/srv/shop 1%"), shell: &NoShell, stop: &stop, say: &say };
    let service = &deployment.services[0];
    check(&Instance { place: &place, deployment: &deployment, service, slot: None });
}

#[test]
fn a_service_names_its_release_and_quotes_its_command() {
    with(Switch::Restart, false, |instance| {
        let expected = format!(
            r#"# Written by shipway; it is written again with each release.
[Unit]
Description=shop live: web
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
WorkingDirectory=/srv/shop 1%%/releases/d1
Environment=SHIPWAY_MARK={mark}
Environment=SHIPWAY_RELEASE=d1
EnvironmentFile=/srv/shop 1%%/live/web.env
ExecStart="/srv/shop 1%%/releases/d1/bin/app" "--a b" "100%%" "$$HOME" "say \"hi\" \\" "1.2.3"
Restart=always
RestartSec=1
TimeoutStopSec=1500ms
User=www-live

[Install]
WantedBy=multi-user.target
"#,
            mark = instance.mark()
        );
        assert_eq!(service(instance, "shop"), expected);
        assert_eq!(socket(instance), None);
        let line = r#"QUOTED="a \"b\" \$c \`d\` \\ 'e' 5%
line""#;
        assert!(variables(instance).unwrap().contains(line));
    });
}

#[test]
fn a_socket_stays_while_its_service_is_restarted() {
    with(Switch::Socket { listen: "127.0.0.1:80".into() }, true, |instance| {
        let text = service(instance, "shop");
        assert!(text.contains("Requires=shop.socket\nAfter=shop.socket\n"));
        assert!(text.ends_with("[Install]\nWantedBy=default.target\n"));
        let text = socket(instance).unwrap();
        assert!(text.contains("[Socket]\nListenStream=127.0.0.1:80\n"), "{text}");
    });
}

#[test]
fn the_mark_changes_with_what_decides_how_it_runs_and_not_with_the_run() {
    with(Switch::Restart, false, |instance| {
        let mark = |change: fn(&mut Deployment)| {
            let mut deployment = instance.deployment.clone();
            change(&mut deployment);
            Instance { deployment: &deployment, service: &deployment.services[0], ..*instance }.mark()
        };
        let same = mark(|_| ());
        assert_eq!(mark(|deployment| deployment.run = RunId::new("other")), same);
        assert_ne!(mark(|deployment| deployment.artifact = Digest::new("d2")), same);
        assert_ne!(mark(|deployment| deployment.secrets = Some(Digest::new("s"))), same);
        assert_ne!(mark(|deployment| deployment.version = "1.2.4".into()), same);
        assert_ne!(mark(|deployment| deployment.services[0].env.clear()), same);
    });
}
