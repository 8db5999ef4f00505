//! Signed approvals in the entries of a run: looked at anew whenever somebody takes the wheel, because the journal is a
//! file, and whoever can write to it could write a grade.

use crate::action::Catalog;
use crate::gate::{Vouched, Yes};
use crate::id::{Actor, Digest};
use crate::journal::{Entry, Event};
use crate::run::Run;

/// Returns the entries of a run with its signed approvals as they are found now.
pub fn vouched(catalog: &dyn Catalog, entries: Vec<Entry>) -> Vec<Entry> {
    let Some(Entry { by, event: Event::Opened { plan, digest }, .. }) = entries.first() else {
        return entries;
    };
    let (by, digest, project) = (by.clone(), digest.clone(), plan.release.project.clone());
    let begun =
        entries.iter().rfind(|entry| matches!(entry.event, Event::Started { .. })).map(|entry| entry.seq);
    let used = |entry: &Entry| begun.is_some_and(|begun| entry.seq < begun);
    let look = |entry: Entry| {
        let used = used(&entry);
        look_into(catalog, entry, (&project, &digest, &by, used))
    };
    entries.into_iter().map(look).collect()
}

/// Returns an entry that was just written, with a signed approval as it is found now.
pub(super) fn proven(catalog: &dyn Catalog, run: &Run, entry: Entry) -> Entry {
    look_into(catalog, entry, (&run.plan.release.project, &run.digest, &run.by, false))
}

fn look_into(
    catalog: &dyn Catalog,
    mut entry: Entry,
    (project, plan, requester, used): (&str, &Digest, &Actor, bool),
) -> Entry {
    if let Event::Approved { signed: Some(signed), .. } = &mut entry.event {
        let (run, at) = (&entry.run, entry.at);
        let yes = Yes { project, run, plan, requester, signed: &signed.signed, at, used };
        **signed = match catalog.vouch(&yes) {
            Ok(vouched) => vouched,
            Err(problem) => Vouched { grade: 0, flaw: Some(Box::new(problem)), ..(**signed).clone() },
        };
    }
    entry
}
