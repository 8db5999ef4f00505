use super::*;

const ED: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzHu1DzcvHBpk0FywppJV8GzYhk3mRYQnoZ9f5kMQcD";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

fn key(text: &str) -> PublicKey {
    PublicKey::from_file(text).unwrap()
}

fn read(text: &str) -> (Signers, Vec<Problem>) {
    Signers::read(text, "")
}

/// Reads one line and expects whose it is.
fn person(line: &str, expected: Option<&str>) {
    let (signers, problems) = read(line);
    assert_eq!(problems, [], "{line}");
    assert_eq!(signers.person(&key(ED), "file", Time(0)).ok(), expected, "{line}");
}

/// Reads one line and expects why it cannot be understood.
fn refuses(line: &str, why: &str) {
    let (signers, problems) = read(&format!("# first\n{line}\n"));
    assert!(signers.is_empty(), "{line}");
    let [problem] = &problems[..] else { panic!("{line}: {problems:?}") };
    assert!(problem.what.contains(why), "{line}: {}", problem.what);
    assert_eq!(problem.place.as_deref(), Some(".shipway/allowed_signers:2"));
}

#[test]
fn whose_key_it_is() {
    person(&format!("ann {ED}"), Some("ann"));
    person(&format!("  \tann\t{ED} laptop of ann\r"), Some("ann"));
    person(&format!("ann,ann@example.org {ED}"), Some("ann"));
    person(&format!("*@example.org,!eve@example.org,ann@example.org {ED}"), Some("ann@example.org"));
    person(&format!("\"Ann Author\" {ED}"), Some("Ann Author"));
    person(&format!("Ann\" Author\" {ED}"), Some("Ann Author"));
    person(&format!("*@example.org {ED}"), None);
    person(&format!("ann,!ann {ED}"), None);
    person(&format!("ann {OTHER}"), None);
    person("", None);
    person(" # nobody", None);
}

#[test]
fn lines_that_cannot_be_understood_are_named() {
    refuses("ann", "no key");
    refuses("ann ssh-ed25519", "no such key");
    refuses(&format!("ann cert-authority {ED}"), "keys that sign other keys");
    refuses(&format!("ann CERT-Authority,namespaces=\"git\" {ED}"), "keys that sign other keys");
    refuses(&format!("ann verify-required {ED}"), "there is no option `verify-required`");
    refuses(&format!("ann namespaces=git {ED}"), "quotation marks");
    refuses(&format!("ann namespaces=\"git {ED}"), "not closed");
    refuses(&format!("\"ann {ED}"), "not closed");
    refuses(&format!("ann namespaces=\"git\",namespaces=\"file\" {ED}"), "twice");
    refuses(&format!("ann namespaces=\"git\", {ED}"), "missing behind the comma");
    refuses(&format!("ann namespaces=\"git\"x {ED}"), "no option `x`");
    refuses(&format!("ann valid-before=\"tomorrow\" {ED}"), "not a time");
    refuses(&format!("ann valid-before=\"20261320\" {ED}"), "not a time");
    refuses(&format!("ann valid-after=\"19700101Z\" {ED}"), "not a time");
    refuses(&format!("ann {}", &ED[..ED.len() - 4]), "no such key");
    refuses("ann ssh-dss AAAA", "count for nothing");
    refuses(&ED.replace("ssh-ed25519", "ann ssh-rsa"), "no such key");
}

#[test]
fn a_key_of_two_people_is_a_problem_and_counts_for_the_first() {
    let (signers, problems) = read(&format!("ann {ED}\nbob {ED}\nann namespaces=\"git\" {ED}\n"));
    assert_eq!(signers.person(&key(ED), "file", Time(0)).unwrap(), "ann");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].what.contains("that of ann on line 1"), "{}", problems[0].what);
}

#[test]
fn a_person_goes_by_all_plain_principals_of_all_lines() {
    let (signers, _) =
        read(&format!("ann,*@work.org,a@b.org {ED}\nann,ann@c.org {OTHER}\nbob,x@y.org {OTHER}\n"));
    assert_eq!(signers.names("ann"), ["ann", "a@b.org", "ann@c.org"]);
    assert_eq!(signers.names("kim"), ["kim"]);
}

#[test]
fn namespaces_and_times_bound_a_key() {
    let check = |options: &str, namespace: &str, at: &str, expected: &str| {
        let (signers, problems) = read(&format!("ann {options} {ED}"));
        assert_eq!(problems, [], "{options}");
        let said = signers.check("ann", &key(ED), namespace, at.parse().unwrap());
        let found = said.err().and_then(|problem| problem.found).unwrap_or_default();
        assert!(if expected.is_empty() { found.is_empty() } else { found.contains(expected) }, "{found}");
    };
    let now = "2026-11-20T12:43:08Z";
    check("namespaces=\"review@shipway,ticket@*\"", "ticket@shipway", now, "");
    check("namespaces=\"review@shipway,ticket@*\"", "plan@shipway", now, "not for plan@shipway");
    check("Namespaces=\"*,!plan@shipway\"", "plan@shipway", now, "not for plan@shipway");
    check("valid-before=\"20261120124308Z\"", "git", now, "");
    check("valid-before=\"20261120124307utc\"", "git", now, "counted until 2026-11-20T12:43:07");
    check("valid-after=\"202611201243\",valid-before=\"20270101\"", "git", now, "");
    check("valid-after=\"202611201244z\"", "git", now, "counts from");
    check("valid-after=\"20261121Z\"", "git", now, "counts from");
}

#[test]
fn a_second_line_of_the_same_key_may_allow_what_the_first_does_not() {
    let text = format!("ann valid-before=\"20200101Z\" {ED}\nann {ED}\n");
    assert_eq!(read(&text).0.check("ann", &key(ED), "git", Time(2_000_000_000_000)), Ok(()));
}

#[test]
fn a_time_without_a_zone_is_noticed() {
    let (signers, _) =
        read(&format!("ann valid-before=\"20260101\" {ED}\nann valid-before=\"20260101Z\" {ED}"));
    assert_eq!(signers.lines().iter().map(|line| line.zoneless).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_revoked_key_counts_no_more_from_its_time_on() {
    let name = key(ED).fingerprint();
    let check = |revoked: &str, at: u64, counts: bool, problems: usize| {
        let (signers, found) = Signers::read(&format!("ann {ED}\n"), revoked);
        assert_eq!(found.len(), problems, "{found:?}");
        let said = signers.check("ann", &key(ED), "git", Time(at));
        assert_eq!(said.is_ok(), counts, "{said:?}");
    };
    let time = "2001-09-09T01:46:40Z";
    check(&format!("# lost\n\n{name} {time} lost\n"), 999_999_999_999, true, 0);
    check(&format!("{name} {time} lost\n"), 1_000_000_000_000, false, 0);
    check(&format!("{name} 20010909014640Z\n"), 1_000_000_000_000, false, 0);
    check(&format!("{name} yesterday\n"), 1, false, 1);
    check(&format!("{name}\n"), 1, false, 1);
    check("what is this\n", 1, true, 1);
}

#[test]
fn patterns_are_those_of_ssh() {
    let check = |list: &str, text: &str, fits: bool| {
        assert_eq!(pattern::list(list, text), fits, "{list} {text}");
    };
    check("*", "anything", true);
    check("a*b*c", "aXbXbXc", true);
    check("a*b*c", "aXbX", false);
    check("a?c", "abc", true);
    check("a?c", "ac", false);
    check("!a*,*", "abc", false);
    check("*,!a*", "abc", false);
    check("!b*", "abc", false);
    check("A", "a", false);
    check("a,,b", "", true);
    check(&"a*".repeat(60), &"a".repeat(10_000), true);
}

#[test]
fn keys_are_read_from_their_wire_form_and_nothing_else() {
    for text in [ED, OTHER] {
        let key = key(text);
        assert_eq!(key.to_line(), text);
        assert!((0..key.blob().len()).all(|end| PublicKey::read(&key.blob()[..end]).is_none()));
        let mut long = key.blob().to_vec();
        long.push(0);
        assert!(PublicKey::read(&long).is_none());
    }
}
