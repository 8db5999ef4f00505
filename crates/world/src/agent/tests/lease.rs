use std::fs;

use shipway_core::id::Fence;
use shipway_core::problem::Code;

use super::host::{TestHost, built, run};
use crate::agent::protocol::Request;

#[test]
fn one_run_at_a_time_has_the_lease_and_its_numbers_grow() {
    let host = TestHost::new();
    let mut first = host.client(run(1));
    assert_eq!(first.lease().unwrap(), Fence(1));
    let mut second = host.client(run(2));
    let fault = second.lease().unwrap_err();
    assert_eq!(fault.problem.code, Code::HostLeased);
    assert!(fault.problem.found.unwrap().contains("a test, for 1 s"));
    // The same run may take it again, from another process; the old one is out.
    let mut again = host.client(run(1));
    assert_eq!(again.lease().unwrap(), Fence(2));
    let one = built("one");
    assert_eq!(first.stage(&one).unwrap_err().problem.code, Code::HostFenced);
    again.stage(&one).unwrap();
    again.ask(Request::Release).unwrap();
    assert_eq!(again.stage(&one).unwrap_err().problem.code, Code::HostFenced);
    assert_eq!(second.lease().unwrap(), Fence(3));
    assert_eq!(host.state().lease.unwrap().run, run(2));
    assert_eq!(host.client(run(1)).stage(&one).unwrap_err().problem.code, Code::HostFenced);
}

#[test]
fn a_lease_ends_by_the_clock_of_the_host_unless_it_is_renewed() {
    let host = TestHost::new();
    let (mut first, mut second) = (host.leased(run(1)), host.client(run(2)));
    for _ in 0..5 {
        host.forward(900);
        first.ask(Request::Ping).unwrap();
        assert_eq!(second.lease().unwrap_err().problem.code, Code::HostLeased);
    }
    // It is over, but nobody has taken it.
    host.forward(1_000);
    first.ask(Request::Ping).unwrap();
    second.lease().unwrap_err();
    host.forward(1_000);
    second.lease().unwrap();
    assert_eq!(first.ask(Request::Ping).unwrap_err().problem.code, Code::HostFenced);
    assert_eq!(first.ask(Request::Discard).unwrap_err().problem.code, Code::HostFenced);
}

#[test]
fn a_new_start_of_the_host_ends_a_lease_and_no_number_comes_twice() {
    let host = TestHost::new();
    host.leased(run(1));
    host.boot("two");
    assert_eq!(host.state().lease.unwrap().left_ms, 0);
    assert_eq!(host.client(run(2)).lease().unwrap(), Fence(2));
    fs::remove_file(host.root().join("lease.json")).unwrap();
    assert_eq!(host.client(run(3)).lease().unwrap(), Fence(3));
}
