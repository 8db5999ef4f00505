//! Small real service managers on a host.

use std::fs;
use std::path::{Path, PathBuf};

use super::sshd::Sshd;
use super::{Unable, program, quote, until};
use crate::hermetic;

/// A service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// `s6-svscan` over a directory of services.
    S6,
    /// `runsvdir` over a directory of services.
    Runit,
    /// `supervisord` with a configuration of its own.
    Supervisor,
}

/// A service manager that runs on a host and starts with it.
#[derive(Debug)]
pub struct Supervision {
    init: Init,
    dir: PathBuf,
}

impl Supervision {
    /// Starts a manager on a host, below the root of its files.
    pub fn start(init: Init, host: &Sshd) -> Result<Self, Unable> {
        let this = Self { init, dir: host.root().join(this_name(init)) };
        for name in programs(init) {
            program(name)?;
        }
        fs::create_dir_all(this.services()).map_err(|error| error.to_string())?;
        fs::write(this.config(), this.supervisor_config()).map_err(|error| error.to_string())?;
        let command = match init {
            Init::S6 => format!("s6-svscan {}", quote(this.services())),
            Init::Runit => format!("runsvdir -P {}", quote(this.services())),
            Init::Supervisor => format!("supervisord -n -c {}", quote(this.config())),
        };
        let pid = quote(this.pid_file());
        host.at_boot(this_name(init), &format!("echo $$ >{pid}\nexec {command}"));
        until("the service manager runs", || host.run(&this.asks_whether_it_runs()).status.success());
        Ok(this)
    }

    /// Returns the directory of the services: one directory for each, or one configuration for supervisor.
    pub fn services(&self) -> PathBuf {
        self.dir.join("services")
    }

    /// Returns the directory of a service as its manager wants to be told of it; for supervisor it is a name.
    pub fn service(&self, name: &str) -> PathBuf {
        match self.init {
            Init::S6 | Init::Runit => self.services().join(name),
            Init::Supervisor => name.into(),
        }
    }

    /// Returns the configuration that `supervisorctl -c` wants.
    pub fn config(&self) -> PathBuf {
        self.dir.join("supervisord.conf")
    }

    /// Adds a service that runs a command in a directory, and waits until it is supervised. What the service says goes
    /// to [`log`](Self::log).
    pub fn add(&self, host: &Sshd, name: &str, dir: &Path, command: &[&str]) {
        let words: Vec<String> = command.iter().map(quote).collect();
        let (dir, log, words) = (quote(dir), quote(self.log(name)), words.join(" "));
        let script = format!("exec >>{log} 2>&1\ncd {dir}\nexec {words}");
        let service = self.services().join(name);
        hermetic::write_program(&service.join("run"), &script);
        match self.init {
            Init::S6 => {
                host.say(&format!("s6-svscanctl -a {}", quote(self.services())));
                until("s6 knows the service", || {
                    host.run(&format!("s6-svok {}", quote(&service))).status.success()
                });
            }
            // It looks every five seconds.
            Init::Runit => until("runit knows the service", || self.pid(host, name).is_some()),
            Init::Supervisor => {
                let run = service.join("run");
                let entry =
                    format!("[program:{name}]\ncommand={}\nstartsecs=0\nstopwaitsecs=30\n", run.display());
                fs::write(service.with_extension("conf"), entry).expect("the directory is the test's own");
                host.say(&format!("supervisorctl -c {} update", quote(self.config())));
            }
        }
    }

    /// Returns the file of what a service has said.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    /// Returns the process of a service as its host sees it, if it runs.
    pub fn pid(&self, host: &Sshd, name: &str) -> Option<i32> {
        let service = quote(self.services().join(name));
        let output = host.run(&match self.init {
            Init::S6 => format!("s6-svstat -o pid {service}"),
            Init::Runit => format!("cat {service}/supervise/pid"),
            Init::Supervisor => format!("supervisorctl -c {} pid {}", quote(self.config()), quote(name)),
        });
        let pid = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
        (pid > 0).then_some(pid)
    }

    /// Stops the manager and all its services; it does not start with the host any more.
    pub fn stop(&self, host: &Sshd) {
        let signal = match self.init {
            Init::S6 | Init::Supervisor => "TERM",
            // It brings down its services for this one only.
            Init::Runit => "HUP",
        };
        let (pid, boot) = (quote(self.pid_file()), quote(host.boot_script(this_name(self.init))));
        host.say(&format!("rm -f {boot}\nkill -{signal} $(cat {pid})"));
        until("the service manager has ended", || {
            !host.run(&format!("kill -0 $(cat {pid})")).status.success()
        });
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.join("pid")
    }

    fn asks_whether_it_runs(&self) -> String {
        match self.init {
            Init::S6 => format!("s6-svscanctl -a {}", quote(self.services())),
            Init::Runit => format!("kill -0 $(cat {})", quote(self.pid_file())),
            Init::Supervisor => format!("supervisorctl -c {} pid", quote(self.config())),
        }
    }

    fn supervisor_config(&self) -> String {
        let dir = self.dir.display();
        format!(
            "[supervisord]\nlogfile={dir}/supervisord.log\npidfile={dir}/supervisord.pid\nchildlogdir={dir}\n\
             [unix_http_server]\nfile={dir}/socket\n[supervisorctl]\nserverurl=unix://{dir}/socket\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [include]\nfiles={dir}/services/*.conf\n"
        )
    }
}

fn this_name(init: Init) -> &'static str {
    match init {
        Init::S6 => "s6",
        Init::Runit => "runit",
        Init::Supervisor => "supervisor",
    }
}

fn programs(init: Init) -> &'static [&'static str] {
    match init {
        Init::S6 => &["s6-svscan", "s6-svc", "s6-svstat"],
        Init::Runit => &["runsvdir", "runsv", "sv"],
        Init::Supervisor => &["supervisord", "supervisorctl"],
    }
}
