//! Change windows and freezes: changes are made when a window is open and no freeze is in force, by the clocks of their
//! time zones.

use std::path::Path;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use shipway_core::action::{Cx, Fault};
use shipway_core::gate::{Check, Finding};
use shipway_core::kinds;
use shipway_core::problem::{Code, Problem};
use shipway_core::time::Time;
use shipway_core::window::{Clock, Local, Span, Turn, Window as Text};

use super::waits;

/// The rules of time zones that the system keeps up to date; where there are none, those of this binary count.
const ZONES: &str = "/usr/share/zoneinfo";
/// How many windows and freezes one after the other are gone through; beyond that a gate counts as never open.
const TURNS: usize = 2_000;

/// The check.
#[derive(Debug)]
pub struct Window {
    windows: Vec<Zoned>,
    freezes: Vec<Zoned>,
}

#[derive(Debug)]
struct Zoned {
    text: String,
    span: Span,
    zone: TimeZone,
}

/// Whether an edge that the wall clock shows twice counts the first or the second time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lean {
    Early,
    Late,
}

impl Window {
    /// Returns the check, or what is wrong with its texts; a planner asks here while there is no run yet.
    pub fn new(args: &kinds::Window) -> Result<Self, Problem> {
        let read = |texts: &[String]| texts.iter().map(|text| zoned(text)).collect::<Result<Vec<_>, _>>();
        Ok(Self { windows: read(&args.windows)?, freezes: read(&args.freezes)? })
    }

    /// Returns when it is open next: `now` when it is open, and nothing when it never is.
    pub fn next(&self, now: Time) -> Option<Time> {
        let mut at = timestamp(now)?;
        for _ in 0..TURNS {
            // An edge that comes twice is on the shut side of it both times.
            let frozen =
                self.freezes.iter().filter_map(|one| one.around(at, (Lean::Early, Lean::Late))).max();
            if let Some(end) = frozen {
                at = end;
                continue;
            }
            let lean = (Lean::Late, Lean::Early);
            if self.windows.is_empty() || self.windows.iter().any(|one| one.around(at, lean).is_some()) {
                return u64::try_from(at.as_millisecond()).ok().map(Time);
            }
            at = self.windows.iter().filter_map(|one| one.after(at, lean)).min()?;
        }
        None
    }

    fn shut(&self, now: Time, next: Option<Time>) -> Problem {
        let frozen = timestamp(now).and_then(|at| {
            self.freezes.iter().find(|one| one.around(at, (Lean::Early, Lean::Late)).is_some())
        });
        let problem = match frozen {
            Some(freeze) => Problem::new(Code::WindowShut, "a freeze is in force").found(&freeze.text),
            None => Problem::new(Code::WindowShut, "no change window is open"),
        };
        let windows: Vec<&str> = self.windows.iter().map(|one| one.text.as_str()).collect();
        let problem = match next {
            Some(time) => problem.wanted(format!("a time from {time}")),
            None => problem.wanted("a time that never comes: the freezes cover all windows"),
        };
        if windows.is_empty() {
            problem
        } else {
            problem.details([format!("windows: {}", windows.join("; "))])
        }
    }
}

impl Check for Window {
    fn look(&self, cx: &Cx<'_>) -> Result<Vec<Finding>, Fault> {
        let now = cx.world.now();
        let next = self.next(now);
        Ok(if next == Some(now) { vec![] } else { waits(self.shut(now, next), next) })
    }
}

fn zoned(text: &str) -> Result<Zoned, Problem> {
    let window: Text = text.parse()?;
    let zone = zone(Path::new(ZONES), &window.zone).map_err(|_| {
        Problem::new(Code::TimeZoneUnknown, format!("there is no time zone `{}`", window.zone))
            .at(format!("`{text}`"))
            .wanted("a name such as Europe/Berlin, America/New_York or UTC")
    })?;
    Ok(Zoned { text: text.into(), span: window.span, zone })
}

fn zone(system: &Path, name: &str) -> Result<TimeZone, jiff::Error> {
    let known = TimeZoneDatabase::from_dir(system).and_then(|zones| zones.get(name));
    known.or_else(|_| TimeZoneDatabase::bundled().get(name))
}

impl Zoned {
    /// Returns the end of the span that a time is in. The end itself is outside.
    fn around(&self, at: Timestamp, lean: (Lean, Lean)) -> Option<Timestamp> {
        self.spans(at, lean)
            .into_iter()
            .filter(|(from, to)| (*from..*to).contains(&at))
            .map(|(_, to)| to)
            .max()
    }

    /// Returns the first beginning after a time.
    fn after(&self, at: Timestamp, lean: (Lean, Lean)) -> Option<Timestamp> {
        self.spans(at, lean).into_iter().map(|(from, _)| from).filter(|from| *from > at).min()
    }

    /// Returns all spans that begin or end within a week of a time.
    fn spans(&self, at: Timestamp, lean: (Lean, Lean)) -> Vec<(Timestamp, Timestamp)> {
        let edges = |from, to| {
            let (from, to) = (instant(&self.zone, from, lean.0)?, instant(&self.zone, to, lean.1)?);
            (from < to).then_some((from, to))
        };
        match &self.span {
            Span::Once { from, to } => {
                local(*from).zip(local(*to)).and_then(|(from, to)| edges(from, to)).into_iter().collect()
            }
            Span::Weekly(turns) => {
                let today = self.zone.to_datetime(at).date();
                let days = (-8_i64..=8).filter_map(|more| today.checked_add(more.days()).ok());
                let turns = |day: Date| {
                    let here = day.weekday().to_monday_zero_offset();
                    turns
                        .iter()
                        .filter(move |turn| i8::try_from(turn.day) == Ok(here))
                        .map(move |turn| (day, turn))
                };
                days.flat_map(turns)
                    .filter_map(|(day, turn)| turned(day, *turn))
                    .filter_map(|(from, to)| edges(from, to))
                    .collect()
            }
        }
    }
}

fn turned(day: Date, turn: Turn) -> Option<(DateTime, DateTime)> {
    let last = day.checked_add(i64::from(turn.later).days()).ok()?;
    Some((time(day, turn.from)?, time(last, turn.to)?))
}

fn local(local: Local) -> Option<DateTime> {
    let small = |number: u8| i8::try_from(number).ok();
    time(Date::new(local.year, small(local.month)?, small(local.day)?).ok()?, local.clock)
}

fn time(day: Date, clock: Clock) -> Option<DateTime> {
    let small = |number: u8| i8::try_from(number).ok();
    Some(day.to_datetime(jiff::civil::Time::new(small(clock.hour)?, small(clock.minute)?, 0, 0).ok()?))
}

/// Returns when a wall clock shows a time. One that it skips is the moment of the jump, and of one that it shows twice
/// the lean decides.
fn instant(zone: &TimeZone, time: DateTime, lean: Lean) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(time);
    match (found.offset(), lean) {
        (AmbiguousOffset::Gap { .. }, _) => {
            let before = found.earlier().ok()?;
            zone.following(before).next().map(|jump| jump.timestamp())
        }
        (AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. }, Lean::Early) => {
            found.earlier().ok()
        }
        (AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. }, Lean::Late) => {
            found.later().ok()
        }
    }
}

fn timestamp(time: Time) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(time.0).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "Mon-Fri 09:00-17:00 Europe/Berlin";

    fn window(windows: &[&str], freezes: &[&str]) -> Window {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Window::new(&kinds::Window { windows: texts(windows), freezes: texts(freezes) }).unwrap()
    }

    #[track_caller]
    fn check(window: &Window, now: &str, open: &str) {
        let time = |text: &str| text.parse::<Time>().unwrap();
        let found = window.next(time(now)).map(|time| time.to_string());
        assert_eq!(
            found.as_deref(),
            (open != "never").then(|| time(open).to_string()).as_deref(),
            "at {now}"
        );
    }

    #[test]
    fn a_window_is_open_from_its_beginning_to_before_its_end() {
        let berlin = window(&[BERLIN], &[]);
        // 2026-11-20 is a Friday, and Berlin is an hour ahead of UTC.
        check(&berlin, "2026-11-20T07:59:59.999Z", "2026-11-20T08:00:00Z");
        check(&berlin, "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z");
        check(&berlin, "2026-11-20T15:59:59.999Z", "2026-11-20T15:59:59.999Z");
        check(&berlin, "2026-11-20T16:00:00Z", "2026-11-23T08:00:00Z");
        let night = window(&["Mon 22:00-04:00 UTC", "Wed 01:00-02:00 UTC"], &[]);
        check(&night, "2026-11-24T03:59:00Z", "2026-11-24T03:59:00Z");
        check(&night, "2026-11-24T04:00:00Z", "2026-11-25T01:00:00Z");
        check(&window(&["daily 00:00-24:00 UTC"], &[]), "2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z");
        check(&window(&[], &[]), "2026-11-24T04:00:00Z", "2026-11-24T04:00:00Z");
    }

    #[test]
    fn a_freeze_shuts_every_window() {
        let weekly = window(&[BERLIN], &["Fri 16:00-Mon 10:00 Europe/Berlin"]);
        check(&weekly, "2026-11-20T14:59:00Z", "2026-11-20T14:59:00Z");
        check(&weekly, "2026-11-20T15:00:00Z", "2026-11-23T09:00:00Z");
        let winter = window(&[BERLIN], &["2026-12-19T00:00/2027-01-02T06:00 Europe/Berlin"]);
        // The second of January 2027 is a Saturday.
        check(&winter, "2026-12-20T12:00:00Z", "2027-01-04T08:00:00Z");
        let alone = window(&[], &["2026-12-19T00:00/2027-01-02T06:00 Europe/Berlin"]);
        check(&alone, "2026-12-20T12:00:00Z", "2027-01-02T05:00:00Z");
        check(&window(&[BERLIN], &["Mon 00:00-Sat 00:00 UTC"]), "2026-11-20T12:00:00Z", "never");
    }

    #[test]
    fn clocks_that_jump_forward_skip_no_window_and_add_none() {
        // On 2026-03-29 at 01:00Z the clocks of Berlin jump from 02:00 to 03:00.
        let skipped = window(&["Sun 02:30-04:00 Europe/Berlin"], &[]);
        check(&skipped, "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z");
        check(&skipped, "2026-03-29T02:00:00Z", "2026-04-05T00:30:00Z");
        let gone = window(&["Sun 02:15-02:45 Europe/Berlin"], &[]);
        check(&gone, "2026-03-29T00:00:00Z", "2026-04-05T00:15:00Z");
        let across = window(&["Sun 01:00-02:30 Europe/Berlin"], &[]);
        check(&across, "2026-03-29T01:00:00Z", "2026-04-04T23:00:00Z");
        let day = window(&[BERLIN], &[]);
        check(&day, "2026-03-27T16:00:00Z", "2026-03-30T07:00:00Z");
    }

    #[test]
    fn what_clocks_show_twice_is_shut_both_times_at_an_edge() {
        // On 2026-10-25 at 01:00Z the clocks of Berlin go back from 03:00 to 02:00; 02:30 is 00:30Z and 01:30Z.
        let begins = window(&["Sun 02:30-05:00 Europe/Berlin"], &[]);
        check(&begins, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
        let ends = window(&["Sun 01:00-02:30 Europe/Berlin"], &[]);
        check(&ends, "2026-10-25T00:29:59Z", "2026-10-25T00:29:59Z");
        check(&ends, "2026-10-25T00:30:00Z", "2026-11-01T00:00:00Z");
        let freeze = window(&[], &["Sun 02:30-02:45 Europe/Berlin"]);
        check(&freeze, "2026-10-25T00:29:00Z", "2026-10-25T00:29:00Z");
        check(&freeze, "2026-10-25T00:50:00Z", "2026-10-25T01:45:00Z");
    }

    #[test]
    fn zones_of_the_other_side_of_the_world_have_their_own_days() {
        let auckland = window(&["Mon 09:00-10:00 Pacific/Auckland"], &[]);
        check(&auckland, "2026-11-22T12:00:00Z", "2026-11-22T20:00:00Z");
        let new_york = window(&["Sun 22:00-23:00 America/New_York"], &[]);
        check(&new_york, "2026-11-23T03:30:00Z", "2026-11-23T03:30:00Z");
    }

    #[test]
    fn a_system_without_rules_of_its_own_has_those_of_this_binary() {
        let dir = tempfile::tempdir().unwrap();
        for system in [dir.path(), &dir.path().join("none")] {
            let berlin = zone(system, "Europe/Berlin").unwrap();
            let noon = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0);
            assert_eq!(berlin.to_timestamp(noon).unwrap().to_string(), "2026-07-01T10:00:00Z");
            assert!(zone(system, "Europe/Berlim").is_err());
        }
    }

    #[test]
    fn a_text_that_cannot_be_understood_and_an_unknown_zone_are_errors_beforehand() {
        let check = |text: &str, code: Code| {
            let args = kinds::Window { windows: vec![], freezes: vec![text.into()] };
            assert_eq!(Window::new(&args).unwrap_err().code, code);
        };
        check("Mon-Fri 09:00-17:00 Europe/Berlim", Code::TimeZoneUnknown);
        check("Mon-Fri 09:00-17:00 ../../etc/passwd", Code::TimeZoneUnknown);
        check("Mon-Fri nine to five UTC", Code::WindowSyntax);
    }
}
