//! The log of a run: the same lines that were on the screen, with times and actors.

use shipway_core::id::Actor;
use shipway_core::journal::Entry;
use shipway_core::run::{Corrupt, Run};

use super::lines::Lines;
use super::paint::{Ink, Paint};
use super::problem::quote;
use super::{summary, text};

/// Returns the run of some entries as far as this shipway understands them, shown entry by entry to `each`.
///
/// An entry that does not fit is passed over, because a log is for reading and nothing is driven by it.
pub(super) fn replay(entries: &[Entry], mut each: impl FnMut(&Run, &Entry)) -> Result<Run, Corrupt> {
    let Some((first, rest)) = entries.split_first() else { return Run::fold(entries) };
    let mut run = Run::begin(first)?;
    each(&run, first);
    for entry in rest {
        let _ = run.add(entry);
        each(&run, entry);
    }
    Ok(run)
}

/// Returns the whole log, with the report at its end.
pub(super) fn render(entries: &[Entry], driven: bool, paint: Paint) -> Result<String, Corrupt> {
    let mut out = String::new();
    let mut lines: Option<Lines> = None;
    let mut page: Option<(String, Actor)> = None;
    let run = replay(entries, |run, entry| {
        let lines = lines.get_or_insert_with(|| Lines::new(&run.plan));
        let Some(line) = lines.entry(run, entry) else { return };
        let now = (entry.at.date(), entry.by.clone());
        if page.as_ref() != Some(&now) {
            let space = if page.is_some() { "\n" } else { "" };
            let head = format!("{}  {} on {}", now.0, text::actor(&now.1), now.1.host);
            text::put(&mut out, format_args!("{space}{}\n", paint.ink(Ink::Faint, &head)));
            page = Some(now);
        }
        let clock = entry.at.to_string().get(11..19).unwrap_or_default().to_owned();
        text::put(
            &mut out,
            format_args!("{} {}\n", paint.ink(Ink::Faint, &clock), lines.render(&line, paint)),
        );
        if let shipway_core::journal::Event::Faulted { problem, .. } = &entry.event {
            out.push_str(&quote(&problem.details, paint));
        }
    })?;
    Ok(out + "\n" + &summary::render(&run, entries, driven, paint))
}

#[cfg(test)]
mod tests {
    use shipway_core::id::ActorKind;
    use shipway_core::journal::Event;

    use super::*;
    use crate::view::sample;

    #[test]
    fn a_log_has_times_and_names_whoever_took_over() {
        let mut story = sample::stuck();
        story.tell(Event::Resumed {});
        let last = story.entries.last_mut().unwrap();
        last.by = Actor { kind: ActorKind::Agent, name: "Rowan".into(), host: "pier".into() };
        let expect = "\
2026-11-20  Jane Doe on quay
12:00:00 · harbour 1.3.2 → 1.4.0   run 7f3a12cd   plan DIGEST
12:00:01 ◆ checks   test ✓                                  12s
12:00:03 ◆ checks   lint ✓ 1 warning                        12s
12:00:04 · commit   started
12:00:06 ✓ commit   commit chore: release version 1.4.0    1.5s
12:00:07 · push     started
12:00:09 ? push     in doubt: origin does not answer       1.5s
12:00:10 ? push     cannot be looked at: origin does not answer
12:00:12 ! push     stuck: step push: it is not known whether it happened

2026-11-20  Rowan (agent) on pier
12:00:13 · resumed by Rowan (agent)

";
        let text = render(&story.entries, false, Paint::new(false)).unwrap();
        let expect = expect.replace("DIGEST", story.run().digest.short());
        assert_eq!(text.get(..expect.len()), Some(&*expect), "{text}");
        assert!(text[expect.len()..].contains("stopped harbour 1.3.2 → 1.4.0   nothing is lost"), "{text}");
    }

    #[test]
    fn an_event_of_a_newer_shipway_does_not_stop_the_log() {
        let mut story = sample::stopped();
        story.tell(Event::Unknown).started("push");
        let text = render(&story.entries, false, Paint::new(false)).unwrap();
        assert!(text.contains("? something that only a newer shipway knows\n"), "{text}");
        assert!(text.contains("· push     started\n"), "{text}");
    }

    #[test]
    fn a_log_without_its_first_entry_is_corrupt() {
        assert!(render(&[], false, Paint::new(false)).is_err());
        assert!(render(&sample::stopped().entries[1..], false, Paint::new(false)).is_err());
    }
}
