//! Heads of requests and answers: which fields end at each hop (RFC 9110, 7.6.1), and which are added.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Returns the protocol that a head asks to change to.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    headers.get(header::UPGRADE).filter(|_| asks).cloned()
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::CONNECTION).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Removes the fields that are meant for the next hop alone, and those that `Connection` names.
pub(crate) fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = tokens(headers).filter_map(|token| token.parse().ok()).collect();
        // What says where a message ends, or for whom it is, is never up to a list.
        for name in named.iter().filter(|name| ![header::HOST, header::CONTENT_LENGTH].contains(name)) {
            headers.remove(name);
        }
    }
    for name in &HOP {
        headers.remove(name);
    }
}

/// Makes the head of a request that of the next hop.
pub(crate) fn forwarded(headers: &mut HeaderMap, peer: IpAddr) {
    let upgrade = upgrade(headers);
    let trailers = headers.get(header::TE).is_some_and(|value| {
        value
            .to_str()
            .is_ok_and(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("trailers")))
    });
    strip(headers);
    headers.remove(header::TE);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    // The proxy says "continue" by itself when the upstream reads.
    headers.remove(header::EXPECT);
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    let before: Vec<&str> = headers.get_all(&FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let chain =
        before.into_iter().map(str::to_owned).chain([peer.to_string()]).collect::<Vec<_>>().join(", ");
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(FOR, chain);
    }
    // Whoever ends TLS in front of this has said it already.
    if !headers.contains_key(&PROTO) {
        headers.insert(PROTO, HeaderValue::from_static("http"));
    }
    if !headers.contains_key(&HOST)
        && let Some(host) = headers.get(header::HOST).cloned()
    {
        headers.insert(HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &[(&'static str, &'static str)], expected: &[(&str, &str)]) {
        let mut headers = HeaderMap::new();
        for (name, value) in before {
            headers.append(*name, HeaderValue::from_static(value));
        }
        forwarded(&mut headers, "10.0.0.9".parse().unwrap());
        let mut found: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn fields_of_one_hop_end_there() {
        let added = [("x-forwarded-for", "10.0.0.9"), ("x-forwarded-proto", "http")];
        check(&[("connection", "close, X-Mine"), ("x-mine", "1"), ("keep-alive", "5")], &added);
        check(
            &[("connection", "content-length"), ("content-length", "3"), ("te", "gzip")],
            &[("content-length", "3"), added[0], added[1]],
        );
        check(
            &[("te", "trailers, gzip"), ("transfer-encoding", "chunked"), ("expect", "100-continue")],
            &[("te", "trailers"), added[0], added[1]],
        );
    }

    #[test]
    fn an_upgrade_is_asked_for_again() {
        check(
            &[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")],
            &[
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("x-forwarded-for", "10.0.0.9"),
                ("x-forwarded-proto", "http"),
            ],
        );
    }

    #[test]
    fn who_asked_is_passed_on() {
        check(
            &[("host", "shop.example"), ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")],
            &[
                ("host", "shop.example"),
                ("x-forwarded-for", "1.1.1.1, 10.0.0.9"),
                ("x-forwarded-host", "shop.example"),
                ("x-forwarded-proto", "https"),
            ],
        );
    }
}
