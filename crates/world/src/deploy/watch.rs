//! Watching a release for a time: its processes, its traffic against that of the release before, its logs, and
//! whatever else the project asks.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use shipway_core::action::{Cx, Fault, Urgency};
use shipway_core::deployment::{Host, Limits, Traffic, Verdict, fill, judge};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds::deploy as kinds;
use shipway_core::problem::{Code, Problem};

use super::Hands;
use super::well::{closely, stranger, unwatched};
use crate::agent::protocol::{Command, Look, Request, Response};
use crate::check::{advice, blocks};
use crate::host::By;

/// The check.
#[derive(Debug)]
pub struct Watch {
    /// The hands.
    pub hands: Hands,
    /// What.
    pub args: kinds::Watch,
}

/// How often in a row a host may not be heard of. One lost packet is no verdict about a release.
const UNHEARD: u32 = 3;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen of all hosts at once.
struct Glance {
    now: Traffic,
    before: Traffic,
}

impl Check for Watch {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let (begun, span) = (cx.world.uptime(), Duration::from_millis(self.args.span_ms));
        let mut unheard = 0;
        // What is in front may have counted requests of an older release under the same name.
        let mut first: Option<Traffic> = None;
        loop {
            match self.glance(cx) {
                Ok(Ok(glance)) => {
                    unheard = 0;
                    let now = glance.now.since(first.get_or_insert_with(|| glance.now.clone()));
                    let verdict = judge(self.limits(), &now, Some(&glance.before));
                    if let Verdict::Fail { found, wanted } = verdict {
                        return Ok(blocks(self.unwell("traffic").found(found).wanted(wanted)));
                    }
                    if cx.world.uptime().saturating_sub(begun) >= span {
                        let states = self.args.hosts.iter();
                        let states = states.map(|well| self.hands.look(cx, &well.host, Look::default()));
                        let died = states.filter_map(|state| unwatched(&state.ok()?, cx)).flat_map(advice);
                        return Ok(self.end(verdict).into_iter().chain(died).collect());
                    }
                }
                Ok(Err(problem)) => return Ok(blocks(problem)),
                Err(fault) => {
                    unheard += 1;
                    if unheard >= UNHEARD {
                        return Ok(blocks(fault.problem));
                    }
                }
            }
            if cx.stop.urgency() > Urgency::None {
                return Err(Fault::clean(Problem::new(Code::Stopped, "the watch was stopped")));
            }
            cx.world.rest(Duration::from_millis(self.args.every_ms), cx.stop);
        }
    }
}

impl Watch {
    fn limits(&self) -> Limits {
        Limits { errors: self.args.errors, slower: self.args.slower, samples: self.args.samples }
    }

    fn unwell(&self, what: &str) -> Problem {
        let version = self.args.hosts.first().map_or("the release", |well| well.deployment.version.as_str());
        Problem::new(Code::WatchFailed, format!("{what} says that {version} is not well"))
    }

    /// Returns the findings at the end of the time.
    fn end(&self, verdict: Verdict) -> Vec<Finding> {
        match verdict {
            Verdict::Pass => vec![],
            Verdict::Fail { found, wanted } => blocks(self.unwell("traffic").found(found).wanted(wanted)),
            Verdict::NotEnough(found) => {
                let problem = Problem::new(Code::WatchNoData, "there was too little traffic for a verdict");
                let problem = problem
                    .found(found)
                    .hint("set how much is enough, and what too little means: shipway explain SW1096");
                if self.args.pass_without_data { advice(problem) } else { blocks(problem) }
            }
        }
    }

    /// Looks at everything once. The outer error is a host that was not heard of, the inner one is bad news.
    fn glance(&self, cx: &Cx<'_>) -> Result<Result<Glance, Problem>, Fault> {
        let looked: Vec<Result<Result<Glance, Problem>, Fault>> = thread::scope(|scope| {
            let looks: Vec<_> =
                self.args.hosts.iter().map(|well| scope.spawn(move || self.host(cx, well))).collect();
            looks.into_iter().filter_map(|look| look.join().ok()).collect()
        });
        let mut all = Glance { now: Traffic::default(), before: Traffic::default() };
        for looked in looked {
            match looked? {
                Ok(glance) => {
                    all = Glance { now: all.now.and(&glance.now), before: all.before.and(&glance.before) };
                }
                Err(problem) => return Ok(Err(problem)),
            }
        }
        if let Some((server, query, limit)) = &self.args.prometheus {
            match self.prometheus(cx, (server, query, limit)) {
                Ok(()) => {}
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok(all))
    }

    fn host(&self, cx: &Cx<'_>, well: &kinds::Well) -> Result<Result<Glance, Problem>, Fault> {
        let host = &well.host;
        let state = self.hands.look(cx, host, closely(well))?;
        if let Some(problem) = stranger(&state, cx, well.share) {
            return Ok(Err(problem.at(format!("host {}", host.name))));
        }
        if !self.args.command.is_empty()
            && let Some(problem) = self.command(cx, host)?
        {
            return Ok(Err(problem));
        }
        let request = Request::Watch { text: self.args.log.clone() };
        let limit = cx.timeout.min(PATIENCE);
        match self.hands.fleet.call(host, &By { run: Some(cx.run), limit, stop: cx.stop }, request)? {
            Response::Watched { lines, .. } if !lines.is_empty() => {
                let problem = self.unwell("a log").at(format!("host {}", host.name)).details(lines);
                Ok(Err(problem
                    .wanted(format!("no line with `{}`", self.args.log.as_deref().unwrap_or_default()))))
            }
            Response::Watched { now, before, .. } => Ok(Ok(Glance { now, before })),
            other => Err(super::unexpected(host, &other)),
        }
    }

    fn command(&self, cx: &Cx<'_>, host: &Host) -> Result<Option<Problem>, Fault> {
        let deployment = self.args.hosts.first().map(|well| &well.deployment);
        let values = [
            ("version", deployment.map_or("", |deployment| deployment.version.as_str())),
            ("environment", deployment.map_or("", |deployment| deployment.environment.as_str())),
        ];
        let command = Command {
            argv: self.args.command.iter().map(|word| fill(word, &values)).collect(),
            timeout_ms: 10_000,
            looks: true,
            ..Command::default()
        };
        let limit = cx.timeout.min(PATIENCE * 2);
        match self.hands.fleet.call(
            host,
            &By { run: Some(cx.run), limit, stop: cx.stop },
            Request::Command(command),
        )? {
            Response::Output { code: Some(0), .. } => Ok(None),
            Response::Output { stdout, stderr, ended, code } => {
                let found = code.map_or(ended, |code| format!("code {code}"));
                let lines = format!("{stdout}\n{stderr}");
                let lines: Vec<&str> =
                    lines.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
                let problem = self.unwell("the watch command").at(format!("host {}", host.name));
                Ok(Some(problem.found(found).wanted("code 0").details(lines)))
            }
            other => Err(super::unexpected(host, &other)),
        }
    }

    /// Asks Prometheus for the value of the query (its HTTP API, `/api/v1/query`).
    fn prometheus(&self, cx: &Cx<'_>, (server, query, limit): (&str, &str, &str)) -> Result<(), Problem> {
        let url = format!("{}/api/v1/query?query={}", server.trim_end_matches('/'), percent_encoded(query));
        let unusable = |found: String| {
            Problem::new(Code::WatchFailed, format!("the query `{query}` has no usable answer"))
                .found(found)
                .hint(format!("curl '{url}'"))
        };
        let text = cx.world.http_text(&url, PATIENCE).map_err(|error| unusable(error.to_string()))?;
        let answer: Value = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let limit: f64 = limit.parse().map_err(|_| unusable(format!("limit {limit}")))?;
        // An empty vector is no data, which is not the same as well.
        for value in values(&answer).ok_or_else(|| unusable(text.chars().take(200).collect()))? {
            if value.is_nan() || value > limit {
                let problem = self.unwell("Prometheus").found(format!("{value}"));
                return Err(problem.wanted(format!("at most {limit} for {query}")));
            }
        }
        Ok(())
    }
}

/// Returns the values of an instant query: those of a vector, or the one of a scalar.
fn values(answer: &Value) -> Option<Vec<f64>> {
    let number = |sample: &Value| sample.get(1)?.as_str()?.parse().ok();
    let result = answer.pointer("/data/result")?;
    match answer.pointer("/data/resultType")?.as_str()? {
        "vector" => result.as_array()?.iter().map(|series| number(series.get("value")?)).collect(),
        "scalar" => Some(vec![number(result)?]),
        _ => None,
    }
}

/// Returns a text as a part of a query (RFC 3986, section 2.3).
fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_query_are_read_and_no_data_is_not_zero() {
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"0.5"]},{"value":[1,"NaN"]}]}}"#;
        let found = values(&serde_json::from_str(vector).unwrap()).unwrap();
        assert!((found[0] - 0.5).abs() < 1e-9 && found[1].is_nan());
        let scalar = r#"{"data":{"resultType":"scalar","result":[1,"2"]}}"#;
        assert_eq!(values(&serde_json::from_str(scalar).unwrap()), Some(vec![2.0]));
        let matrix = r#"{"data":{"resultType":"matrix","result":[]}}"#;
        assert_eq!(values(&serde_json::from_str(matrix).unwrap()), None);
        assert_eq!(percent_encoded("rate(x[5m]) > 0"), "rate%28x%5B5m%5D%29%20%3E%200");
    }
}
