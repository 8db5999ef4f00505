//! The counters as text for Prometheus (text format 0.0.4).

use std::fmt::Write as _;

use shipway_core::proxy::{BUCKETS_US, Counters};

pub(crate) fn text(counters: &[Counters]) -> String {
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, lines: &dyn Fn(&Counters, &str, &mut String)| {
        let _ = writeln!(out, "# TYPE {name} {kind}");
        for counters in counters {
            lines(counters, &labels(counters), &mut out);
        }
    };
    family("shipway_proxy_requests_total", "counter", &|of, labels, out| {
        let _ = writeln!(out, "shipway_proxy_requests_total{{{labels}}} {}", of.requests);
    });
    family("shipway_proxy_answers_total", "counter", &|of, labels, out| {
        for (class, count) in (1..).zip(of.classes) {
            let _ = writeln!(out, "shipway_proxy_answers_total{{{labels},class=\"{class}xx\"}} {count}");
        }
    });
    family("shipway_proxy_errors_total", "counter", &|of, labels, out| {
        for (kind, count) in [("connect", of.connect_errors), ("reset", of.resets), ("timeout", of.timeouts)]
        {
            let _ = writeln!(out, "shipway_proxy_errors_total{{{labels},kind=\"{kind}\"}} {count}");
        }
    });
    family("shipway_proxy_in_flight", "gauge", &|of, labels, out| {
        let _ = writeln!(out, "shipway_proxy_in_flight{{{labels}}} {}", of.in_flight);
    });
    family("shipway_proxy_tunnels", "gauge", &|of, labels, out| {
        let _ = writeln!(out, "shipway_proxy_tunnels{{{labels}}} {}", of.tunnels);
    });
    family("shipway_proxy_latency_seconds", "histogram", &histogram);
    out
}

fn histogram(of: &Counters, labels: &str, out: &mut String) {
    const NAME: &str = "shipway_proxy_latency_seconds";
    let mut sum = 0;
    let ends = BUCKETS_US.iter().map(|us| seconds(*us)).chain(["+Inf".into()]);
    for (end, count) in ends.zip(&of.latency) {
        sum += count;
        let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"{end}\"}} {sum}");
    }
    let _ = writeln!(out, "{NAME}_sum{{{labels}}} {}", seconds(of.latency_sum_us));
    let _ = writeln!(out, "{NAME}_count{{{labels}}} {sum}");
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn labels(of: &Counters) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("release=\"{}\",address=\"{}\"", quoted(&of.release), quoted(&of.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_by_prometheus() {
        let mut latency = vec![0; BUCKETS_US.len() + 1];
        (latency[0], latency[16]) = (2, 1);
        let counters = Counters {
            release: "1\"0".into(),
            address: "127.0.0.1:1".into(),
            requests: 3,
            classes: [0, 2, 0, 0, 1],
            connect_errors: 4,
            latency,
            latency_sum_us: 1_000_250,
            ..Counters::default()
        };
        let text = text(&[counters]);
        let labels = r#"release="1\"0",address="127.0.0.1:1""#;
        for line in [
            format!("shipway_proxy_requests_total{{{labels}}} 3"),
            format!("shipway_proxy_answers_total{{{labels},class=\"5xx\"}} 1"),
            format!("shipway_proxy_errors_total{{{labels},kind=\"connect\"}} 4"),
            format!("shipway_proxy_latency_seconds_bucket{{{labels},le=\"0.000250\"}} 2"),
            format!("shipway_proxy_latency_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("shipway_proxy_latency_seconds_sum{{{labels}}} 1.000250"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
