use super::*;

fn read(text: &str) -> Window {
    text.parse().unwrap_or_else(|problem| panic!("{problem}"))
}

/// A span of a week: its day, its beginning, how many days later it ends, and when.
type Flat = (u8, (u8, u8), u8, (u8, u8));

fn turns(text: &str) -> Vec<Flat> {
    let Span::Weekly(turns) = read(text).span else { panic!("{text} comes once") };
    let clock = |clock: Clock| (clock.hour, clock.minute);
    turns.iter().map(|turn| (turn.day, clock(turn.from), turn.later, clock(turn.to))).collect()
}

#[test]
fn days_and_times_are_read_as_people_write_them() {
    let five: Vec<_> = (0..5).map(|day| (day, (9, 0), 0, (17, 30))).collect();
    assert_eq!(turns("Mon-Fri 09:00-17:30 Europe/Berlin"), five);
    assert_eq!(read("Mon-Fri 09:00-17:30 Europe/Berlin").zone, "Europe/Berlin");
    assert_eq!(turns("wed,MON 22:00-04:00 UTC"), [(0, (22, 0), 1, (4, 0)), (2, (22, 0), 1, (4, 0))]);
    assert_eq!(turns("Sun 00:00-24:00 UTC"), [(6, (0, 0), 1, (0, 0))]);
    assert_eq!(turns("Sat-Mon 08:00-09:00 UTC").iter().map(|turn| turn.0).collect::<Vec<_>>(), [0, 5, 6]);
    assert_eq!(turns("daily 00:00-24:00 UTC").len(), 7);
}

#[test]
fn a_span_may_go_over_days() {
    assert_eq!(turns("Fri 16:00-Mon 08:00 Europe/Berlin"), [(4, (16, 0), 3, (8, 0))]);
    assert_eq!(turns("Fri 16:00-Fri 18:00 UTC"), [(4, (16, 0), 0, (18, 0))]);
    assert_eq!(turns("Fri 16:00-Fri 08:00 UTC"), [(4, (16, 0), 7, (8, 0))]);
    assert_eq!(turns("Fri 16:00-Sun 24:00 UTC"), [(4, (16, 0), 3, (0, 0))]);
}

#[test]
fn a_span_may_come_once() {
    let Span::Once { from, to } = read("2028-02-29T00:00/2028-03-01T06:15 America/New_York").span else {
        panic!("it comes once")
    };
    assert_eq!((from.year, from.month, from.day, from.clock), (2028, 2, 29, Clock { hour: 0, minute: 0 }));
    assert_eq!((to.month, to.day, to.clock), (3, 1, Clock { hour: 6, minute: 15 }));
}

#[test]
fn what_is_wrong_is_named() {
    let check = |text: &str, why: &str| {
        let problem = text.parse::<Window>().unwrap_err();
        assert_eq!(
            (problem.code, problem.what),
            (Code::WindowSyntax, format!("`{text}` is no span of time: {why}"))
        );
    };
    let days = "they are Mon, Tue, Wed, Thu, Fri, Sat, Sun";
    check("", "it is empty");
    check("UTC", "days and times are wanted before the time zone");
    check("Mon-Fri 09:00-17:00", "it ends without a time zone, such as Europe/Berlin or UTC");
    check("Mon-Fry 09:00-17:00 UTC", &format!("`Fry` is no day of the week; {days}"));
    check("Mon, 09:00-17:00 UTC", &format!("`` is no day of the week; {days}"));
    check("Mon 9:00-17:00 UTC", "`9:00` is no time of day between 00:00 and 24:00");
    check("Mon 09:00-24:01 UTC", "`24:01` is no time of day between 00:00 and 24:00");
    check("Mon 09:00-+7:00 UTC", "`+7:00` is no time of day between 00:00 and 24:00");
    check("Mon 09:00 UTC", "`09:00` is not two times with `-` between them");
    check("Mon 09:00-09:00 UTC", "`09:00-09:00` ends as it begins; a whole day is 00:00-24:00");
    check("Fri 16:00-Fri 16:00 UTC", "it is a whole week, so it never ends");
    check("Fri 16:00 Mon 08:00 UTC", "it has too many words");
    check("2026-02-29T00:00/2026-03-01T00:00 UTC", "`2026-02-29T00:00` is no date like 2026-12-20T06:00");
    check("2026-12-20/2026-12-21 UTC", "`2026-12-20` is no date like 2026-12-20T06:00");
    let order = "2026-12-20T00:00/2026-12-19T00:00";
    check(&format!("{order} UTC"), &format!("`{order}` ends before it begins"));
}
