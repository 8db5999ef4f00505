//! Change windows and freezes: when something may happen, as people write it. Time zones are looked up elsewhere.
//!
//! `Mon-Fri 09:00-17:00 Europe/Berlin`, `Mon,Wed 22:00-04:00 UTC`, `daily 00:00-24:00 UTC`,
//! `Fri 16:00-Mon 08:00 Europe/Berlin` and `2026-12-20T00:00/2027-01-02T06:00 Europe/Berlin`.

#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::problem::{Code, Problem};

/// A span of time in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When.
    pub span: Span,
    /// The name of the time zone, such as `Europe/Berlin`; whether there is one is not known here.
    pub zone: String,
}

/// When, by the clocks on the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Every week.
    Weekly(Vec<Turn>),
    /// Once.
    Once {
        /// From then on.
        from: Local,
        /// Until before then.
        to: Local,
    },
}

/// One span of a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The day on which it begins, from 0 for Monday.
    pub day: u8,
    /// When it begins.
    pub from: Clock,
    /// How many days later it ends.
    pub later: u8,
    /// When it ends.
    pub to: Clock,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    /// From 0; 24 only with no minutes, as the end of a day.
    pub hour: u8,
    /// From 0.
    pub minute: u8,
}

/// A time of a calendar day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    /// The year.
    pub year: i16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
    /// The time of day.
    pub clock: Clock,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl FromStr for Window {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        window(text).map_err(|why| {
            Problem::new(Code::WindowSyntax, format!("`{text}` is no span of time: {why}"))
                .wanted("such as `Mon-Fri 09:00-17:00 Europe/Berlin` or `Fri 16:00-Mon 08:00 Europe/Berlin`")
                .hint("a span that comes once: 2026-12-20T00:00/2027-01-02T06:00 Europe/Berlin")
        })
    }
}

fn window(text: &str) -> Result<Window, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (&zone, span) = words.split_last().ok_or("it is empty")?;
    // Only times have a colon.
    if zone.contains(':') {
        return Err("it ends without a time zone, such as Europe/Berlin or UTC".into());
    }
    let span = match span {
        [once] if once.contains('/') => dated(once)?,
        [days, times] => Span::Weekly(daily(days, times)?),
        [day, middle, time] => Span::Weekly(vec![weekly(day, middle, time)?]),
        [] | [_] => return Err("days and times are wanted before the time zone".into()),
        _ => return Err("it has too many words".into()),
    };
    Ok(Window { span, zone: zone.into() })
}

/// Reads `Mon-Fri` and `09:00-17:00`.
fn daily(days: &str, times: &str) -> Result<Vec<Turn>, String> {
    let (from, to) = pair(times, '-', "two times")?;
    let (from, to) = (clock(from)?, clock(to)?);
    if from == to {
        return Err(format!("`{times}` ends as it begins; a whole day is 00:00-24:00"));
    }
    let turn = |day| turn(day, from, u8::from(to < from), to);
    Ok(week(days)?.into_iter().map(turn).collect())
}

/// Reads `Fri`, `16:00-Mon` and `08:00`.
fn weekly(day_from: &str, middle: &str, time_to: &str) -> Result<Turn, String> {
    let (from, day_to) = pair(middle, '-', "a time and a day")?;
    let (first, from, last, to) = (day(day_from)?, clock(from)?, day(day_to)?, clock(time_to)?);
    let later = match (last + 7 - first) % 7 {
        0 if to <= from => 7,
        later => later,
    };
    if later == 7 && to == from {
        return Err("it is a whole week, so it never ends".into());
    }
    Ok(turn(first, from, later, to))
}

/// Returns a span of a week; the end of a day is the beginning of the next.
fn turn(day: u8, from: Clock, later: u8, to: Clock) -> Turn {
    match to.hour {
        24 => Turn { day, from, later: later + 1, to: Clock { hour: 0, minute: 0 } },
        _ => Turn { day, from, later, to },
    }
}

/// Reads `daily`, `Mon`, `Mon,Wed` and `Mon-Fri`, also around the weekend.
fn week(text: &str) -> Result<Vec<u8>, String> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok((0..7).collect());
    }
    let mut days = vec![];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        days.extend((0..=(last + 7 - first) % 7).map(|more| (first + more) % 7));
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

fn day(text: &str) -> Result<u8, String> {
    let found = (0..7).find(|day| DAYS[usize::from(*day)].eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("`{text}` is no day of the week; they are Mon, Tue, Wed, Thu, Fri, Sat, Sun"))
}

fn clock(text: &str) -> Result<Clock, String> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        Some(Clock { hour: number(hour, 2)?, minute: number(minute, 2)? })
    };
    read()
        .filter(|clock| (clock.hour < 24 && clock.minute < 60) || (clock.hour, clock.minute) == (24, 0))
        .ok_or_else(|| format!("`{text}` is no time of day between 00:00 and 24:00"))
}

/// Reads `2026-12-20T00:00/2027-01-02T06:00`.
fn dated(text: &str) -> Result<Span, String> {
    let (from, to) = pair(text, '/', "two dates")?;
    let (from, to) = (local(from)?, local(to)?);
    if to <= from {
        return Err(format!("`{text}` ends before it begins"));
    }
    Ok(Span::Once { from, to })
}

fn local(text: &str) -> Result<Local, String> {
    let wrong = || format!("`{text}` is no date like 2026-12-20T06:00");
    let (date, time) = text.split_once('T').ok_or_else(wrong)?;
    let mut parts = date.splitn(3, '-');
    let mut part = |digits| parts.next().and_then(|part| number::<i16>(part, digits));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return Err(wrong()) };
    let (clock, leap) = (clock(time)?, year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let days = match month {
        2 => 28 + i16::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if year < 1970 || !(1..=days).contains(&day) || clock.hour == 24 {
        return Err(wrong());
    }
    let small = |number: i16| u8::try_from(number).map_err(|_| wrong());
    Ok(Local { year, month: small(month)?, day: small(day)?, clock })
}

fn pair<'a>(text: &'a str, by: char, wanted: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(by).ok_or_else(|| format!("`{text}` is not {wanted} with `{by}` between them"))
}

fn number<T: FromStr>(text: &str, digits: usize) -> Option<T> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}
