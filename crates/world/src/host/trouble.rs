//! Why ssh ended, told from what it wrote: it has one exit code for all of it.

use std::time::Duration;

use shipway_core::action::Fault;
use shipway_core::deployment::Host;
use shipway_core::preflight::reach;
use shipway_core::problem::{Code, Problem};
use shipway_core::validate::quoted;

/// How many lines of what ssh wrote are shown.
const SHOWN: usize = 8;
/// When another attempt may help.
const AGAIN: Duration = Duration::from_secs(2);

/// What ssh writes, in which form, and what it means. The first that fits counts.
const WORDS: &[(&str, Code, &str)] = &[
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Code::HostKeyChanged, "the key of {} has changed"),
    ("Host key verification failed", Code::HostKeyUnknown, "the key of {} is not known here"),
    ("Could not resolve hostname", Code::HostUnknown, "the name of {} is not known"),
    ("Permission denied (", Code::HostDenied, "{} does not accept the login"),
    ("Too many authentication failures", Code::HostDenied, "{} does not accept the login"),
    ("no matching host key type", Code::HostDenied, "{} and ssh here have no method in common"),
    ("no matching key exchange", Code::HostDenied, "{} and ssh here have no method in common"),
    ("Connection refused", Code::HostRefused, "{} refuses the connection"),
    ("timed out", Code::HostUnreachable, "{} does not answer"),
    ("No route to host", Code::HostUnreachable, "there is no way to {}"),
    ("Network is unreachable", Code::HostUnreachable, "there is no way to {}"),
    ("Connection closed", Code::HostUnreachable, "{} closed the connection at once"),
    ("Connection reset", Code::HostUnreachable, "{} closed the connection at once"),
    ("kex_exchange_identification", Code::HostUnreachable, "{} closed the connection at once"),
];

/// Returns the fault of a connection that was never made. Nothing was asked yet, so nothing happened.
pub(super) fn of_start(host: &Host, code: Option<i32>, words: &str) -> Fault {
    let known = WORDS.iter().find(|(said, _, _)| words.contains(said)).filter(|_| !host.is_local());
    let name = &host.name;
    let problem = match known {
        Some((_, code, what)) => Problem::new(*code, what.replace("{}", name)),
        // 255 is ssh's own; anything else is what ended over there.
        None if code == Some(255) && !host.is_local() => {
            Problem::new(Code::HostUnreachable, format!("{name} cannot be reached"))
        }
        None => Problem::new(Code::AgentUnusable, format!("the agent does not run on {name}")),
    };
    let lines: Vec<&str> = words.lines().map(str::trim_end).filter(|line| !is_decoration(line)).collect();
    let problem = problem.details(lines[lines.len().saturating_sub(SHOWN)..].iter().copied());
    let code = problem.code;
    let fault = Fault::clean(hint(problem, host, words));
    match code {
        Code::HostRefused | Code::HostUnreachable | Code::HostUnknown => fault.retry_after(AGAIN),
        _ => fault,
    }
}

fn is_decoration(line: &str) -> bool {
    line.trim().is_empty() || line.contains("@@@@") || line.starts_with("Warning: Permanently added")
}

fn hint(problem: Problem, host: &Host, words: &str) -> Problem {
    match problem.code {
        Code::HostKeyChanged => {
            let own = words.lines().map(str::trim).find(|line| line.starts_with("ssh-keygen "));
            let forget = own
                .map_or_else(|| format!("ssh-keygen -R {}", quoted(&known_as(&host.address))), str::to_owned);
            problem.hint(forget).hint(format!("{} true", reach(host, &[])))
        }
        Code::HostKeyUnknown => problem.hint(format!("{} true", reach(host, &[]))),
        Code::HostUnknown => problem.hint(format!("{} | grep -i hostname", reach(host, &["-G"]))),
        Code::HostDenied => problem.hint("ssh-add -l").hint(format!("{} true", reach(host, &["-v"]))),
        _ if host.is_local() => problem,
        _ => problem.hint(format!("{} true", reach(host, &["-v"]))),
    }
}

/// Returns the name under which `known_hosts` has an address.
fn known_as(address: &str) -> String {
    let uri = address.strip_prefix("ssh://");
    let rest = uri.unwrap_or(address);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host).trim_end_matches('/');
    match host.rsplit_once(':') {
        Some((name, port)) if uri.is_some() && port != "22" => format!("[{name}]:{port}"),
        Some((name, _)) if uri.is_some() => name.to_owned(),
        Some(_) | None => host.to_owned(),
    }
}

/// Returns the fault of a connection that is gone; whether it can have had an effect is known to who asked.
pub(super) fn lost(host: &Host, why: &str, in_doubt: bool) -> Fault {
    let problem = Problem::new(Code::HostLost, format!("the connection to {} was lost", host.name));
    let problem = if why.is_empty() { problem } else { problem.found(why) };
    let fault = if in_doubt { Fault::in_doubt(problem) } else { Fault::clean(problem) };
    fault.retry_after(AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(address: &str) -> Host {
        let (ssh, roles) = (vec![], vec![]);
        Host { name: "web-1".into(), address: address.into(), path: "app".into(), ssh, roles }
    }

    fn check(words: &str, code: Option<i32>, expected: Code, hint: &str) {
        let fault = of_start(&host("deploy@web"), code, words);
        assert_eq!(fault.problem.code, expected, "{words}");
        assert_eq!(fault.problem.hints.first().map_or("", String::as_str), hint, "{words}");
    }

    #[test]
    fn what_ssh_says_is_told_apart() {
        let own = "@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\n  ssh-keygen -f \"/h\" -R \"web\"\n\
                   Host key verification failed.";
        check(own, Some(255), Code::HostKeyChanged, "ssh-keygen -f \"/h\" -R \"web\"");
        check(
            "REMOTE HOST IDENTIFICATION HAS CHANGED!",
            Some(255),
            Code::HostKeyChanged,
            "ssh-keygen -R web",
        );
        check("Host key verification failed.", Some(255), Code::HostKeyUnknown, "ssh deploy@web true");
        check(
            "ssh: Could not resolve hostname web: Name or service not known",
            Some(255),
            Code::HostUnknown,
            "ssh -G deploy@web | grep -i hostname",
        );
        check("deploy@web: Permission denied (publickey).", Some(255), Code::HostDenied, "ssh-add -l");
        check(
            "ssh: connect to host web port 22: Connection refused",
            Some(255),
            Code::HostRefused,
            "ssh -v deploy@web true",
        );
        check(
            "ssh: connect to host web port 22: Connection timed out",
            Some(255),
            Code::HostUnreachable,
            "ssh -v deploy@web true",
        );
        check("something new", Some(255), Code::HostUnreachable, "ssh -v deploy@web true");
        check("sh: 1: .local/x: Permission denied", Some(126), Code::AgentUnusable, "ssh -v deploy@web true");
    }

    #[test]
    fn what_is_to_be_pasted_uses_the_ssh_of_the_environment() {
        let ssh = ["ssh", "-F", "deploy/ssh"].map(str::to_owned).to_vec();
        let fault = of_start(&Host { ssh, ..host("web") }, Some(255), "Connection refused");
        assert_eq!(fault.problem.hints, ["ssh -F deploy/ssh -v web true"]);
    }

    #[test]
    fn an_address_has_the_name_of_known_hosts() {
        for (address, name) in [
            ("web", "web"),
            ("deploy@web", "web"),
            ("ssh://deploy@web:2222", "[web]:2222"),
            ("ssh://web:22/", "web"),
            ("ssh://web", "web"),
        ] {
            assert_eq!(known_as(address), name);
        }
    }
}
