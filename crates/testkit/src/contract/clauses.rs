//! What an action promises, clause by clause. Each clause builds its own sites.

use shipway_core::action::{Cx, Effect, Fault, Observed, Receipt, Reversal, World};

use super::failing::{FAILURES, Failing};
use super::{Site, Undo};
use crate::crash::{Crashy, Fuse, Killed};
use crate::diff;

type Make = fn() -> Site;
/// An error says what was seen.
type Verdict = Result<(), String>;
type Clause = fn(Make) -> Verdict;

/// All of them, with their names.
pub(super) const ALL: [(&str, Clause); 11] = [
    ("describe is pure", describe_is_pure),
    ("absent, applied, present", applied_is_present),
    ("twice is once", twice_is_once),
    ("undo takes it back", undo_takes_it_back),
    ("undo without the effect does nothing", undo_without_effect),
    ("what is foreign is left alone", foreign_is_left_alone),
    ("killed in apply", killed_in_apply),
    ("killed in undo", killed_in_undo),
    ("a fault in apply tells the truth", fault_in_apply),
    ("a fault in probe claims nothing", fault_in_probe),
    ("a fault in undo can be repeated", fault_in_undo),
];

fn describe_is_pure(make: Make) -> Verdict {
    let site = make();
    let before = (site.snapshot)();
    let change = site.action.describe();
    unchanged(&site, &before, "describe")?;
    site.apply()?;
    require(site.action.describe() == change, || "describe says something else after apply".into())?;
    // An effect that others may have seen may all the same be taken back without a trace in the repository.
    let reversals: &[Reversal] = match site.undo {
        Undo::Exact | Undo::With(_) => &[Reversal::Exact, Reversal::Visible],
        Undo::Answered(_) => &[Reversal::Visible],
        Undo::Never => &[Reversal::Never],
    };
    let fits = reversals.contains(&change.reversal);
    require(fits, || format!("its reversal is {}, and its undo is {:?}", change.reversal.as_str(), site.undo))
}

fn applied_is_present(make: Make) -> Verdict {
    let site = make();
    require(!(site.effect_is_there)(), || "the effect is there on a fresh site".into())?;
    require(site.probe()? == Observed::Absent, || "probe does not see absent on a fresh site".into())?;
    let receipt = site.apply()?;
    require((site.effect_is_there)(), || "the effect is not there after apply".into())?;
    site.expect_present(&receipt)
}

fn twice_is_once(make: Make) -> Verdict {
    let site = make();
    let receipt = site.apply()?;
    let after = (site.snapshot)();
    site.apply_again(&receipt)?;
    unchanged(&site, &after, "the second apply")
}

fn undo_takes_it_back(make: Make) -> Verdict {
    let site = make();
    let before = (site.snapshot)();
    let receipt = site.apply()?;
    if let Undo::Never = site.undo {
        return Ok(());
    }
    site.take_back(&receipt, &before)?;
    let after = (site.snapshot)();
    site.undo_with(&*site.world, &receipt).map_err(|fault| told("the second undo", &fault))?;
    unchanged(&site, &after, "the second undo")?;
    site.judge(&before)
}

fn undo_without_effect(make: Make) -> Verdict {
    let other = make();
    if let Undo::Never = other.undo {
        return Ok(());
    }
    // Sites are alike, so the receipt of another one names an effect that is not there.
    let receipt = other.apply()?;
    let site = make();
    let before = (site.snapshot)();
    site.undo_with(&*site.world, &receipt).map_err(|fault| told("undo", &fault))?;
    unchanged(&site, &before, "undo")
}

fn foreign_is_left_alone(make: Make) -> Verdict {
    let site = make();
    let Some(foreign) = &site.make_foreign else { return Ok(()) };
    foreign();
    survives(&site)?;
    if !matches!(site.undo, Undo::Exact) {
        return Ok(());
    }
    let site = make();
    let receipt = site.apply()?;
    site.undo_with(&*site.world, &receipt).map_err(|fault| told("undo", &fault))?;
    if let Some(foreign) = &site.make_foreign {
        foreign();
    }
    let before = (site.snapshot)();
    // Whether undo complains is its own business.
    let _ = site.undo_with(&*site.world, &receipt);
    unchanged(&site, &before, "undo of what is foreign")?;
    survives(&site)
}

/// Checks that a probe sees something foreign, and that apply refuses and leaves it as it is.
fn survives(site: &Site) -> Verdict {
    let before = (site.snapshot)();
    match site.probe()? {
        Observed::Foreign(_) => {}
        seen @ (Observed::Absent | Observed::Present(_)) => {
            return Err(format!("probe takes something foreign for {seen:?}"));
        }
    }
    if let Ok(receipt) = site.apply_with(&*site.world, 1) {
        return Err(format!("apply claims its effect where something foreign is: {receipt:?}"));
    }
    unchanged(site, &before, "apply where something foreign is")
}

fn killed_in_apply(make: Make) -> Verdict {
    for (number, when) in Fuse::places(count(&make(), |site, world| drop(site.apply_with(world, 1)))) {
        let attempt = || {
            let site = make();
            let before = (site.snapshot)();
            let killed = kill(&site, &Fuse::at(number, when), |world| drop(site.apply_with(world, 1)));
            (site, before, killed.err())
        };
        let (site, before, killed) = attempt();
        let Some(killed) = killed else { continue };
        let at = |seen: String| format!("{killed}: {seen}");
        let traces = !(site.effect_is_there)() && (site.snapshot)() != before;
        after_death_in_apply(&site, &before).map_err(at)?;
        if traces {
            let (site, before, _) = attempt();
            cleared(&site, &before).map_err(at)?;
        }
    }
    Ok(())
}

/// Checks that undo without a receipt clears away what an attempt without its effect left behind.
fn cleared(site: &Site, before: &str) -> Verdict {
    let none = Receipt::none();
    for what in ["undo without a receipt", "the second undo without a receipt"] {
        site.undo_with(&*site.world, &none).map_err(|fault| told(what, &fault))?;
        unchanged(site, before, what)?;
    }
    Ok(())
}

fn after_death_in_apply(site: &Site, before: &str) -> Verdict {
    let seen = site.truth()?;
    let receipt = match seen {
        Some(receipt) => {
            site.apply_again(&receipt)?;
            receipt
        }
        None => site.apply_with(&*site.world, 2).map_err(|fault| told("the next attempt", &fault))?,
    };
    require((site.effect_is_there)(), || "the effect is not there after the next attempt".into())?;
    site.expect_present(&receipt)?;
    site.take_back(&receipt, before)
}

fn killed_in_undo(make: Make) -> Verdict {
    let site = make();
    if let Undo::Never = site.undo {
        return Ok(());
    }
    let receipt = site.apply()?;
    for (number, when) in Fuse::places(count(&site, |site, world| drop(site.undo_with(world, &receipt)))) {
        let site = make();
        let before = (site.snapshot)();
        let receipt = site.apply()?;
        if let Err(killed) =
            kill(&site, &Fuse::at(number, when), |world| drop(site.undo_with(world, &receipt)))
        {
            site.take_back(&receipt, &before).map_err(|seen| format!("{killed}: {seen}"))?;
        }
    }
    Ok(())
}

fn fault_in_apply(make: Make) -> Verdict {
    let calls = count(&make(), |site, world| drop(site.apply_with(world, 1)));
    for (number, failure) in (1..=calls).flat_map(|number| FAILURES.map(|failure| (number, failure))) {
        let attempt = || {
            let site = make();
            let before = (site.snapshot)();
            let result = site.apply_with(&Failing::new(&*site.world, number, failure), 1);
            (site, before, result)
        };
        let at = |seen: String| format!("call {number} {failure:?}: {seen}");
        let (site, before, result) = attempt();
        let traces = !(site.effect_is_there)() && (site.snapshot)() != before;
        after_fault_in_apply(&site, &before, result).map_err(at)?;
        if traces {
            let (site, before, _) = attempt();
            cleared(&site, &before).map_err(at)?;
        }
    }
    Ok(())
}

fn after_fault_in_apply(site: &Site, before: &str, result: Result<Receipt, Fault>) -> Verdict {
    let there = (site.effect_is_there)();
    match result {
        Ok(receipt) => {
            require(there, || "apply claims an effect that is not there".into())?;
            site.expect_present(&receipt)
        }
        Err(Fault { effect: Effect::None, problem, .. }) => {
            require(!there, || {
                format!("apply claims that nothing happened, and its effect is there: {problem}")
            })?;
            unchanged(site, before, "an attempt that claims that nothing happened")
        }
        Err(Fault { effect: Effect::Unknown, .. }) => after_death_in_apply(site, before),
    }
}

fn fault_in_probe(make: Make) -> Verdict {
    for applied in [false, true] {
        let site = make();
        if applied {
            site.apply()?;
        }
        let calls = count(&site, |site, world| drop(site.probe_with(world)));
        for (number, failure) in (1..=calls).flat_map(|number| FAILURES.map(|failure| (number, failure))) {
            let seen = site.probe_with(&Failing::new(&*site.world, number, failure));
            let truth = match &seen {
                Err(_) => true,
                Ok(Observed::Present(_)) => applied,
                Ok(Observed::Absent) => !applied,
                Ok(Observed::Foreign(_)) => false,
            };
            let is = if applied { "there" } else { "absent" };
            require(truth, || {
                format!("call {number} {failure:?}: the effect is {is}, and probe says {seen:?}")
            })?;
        }
    }
    Ok(())
}

fn fault_in_undo(make: Make) -> Verdict {
    let site = make();
    if let Undo::Never = site.undo {
        return Ok(());
    }
    let receipt = site.apply()?;
    let calls = count(&site, |site, world| drop(site.undo_with(world, &receipt)));
    for (number, failure) in (1..=calls).flat_map(|number| FAILURES.map(|failure| (number, failure))) {
        let site = make();
        let before = (site.snapshot)();
        let receipt = site.apply()?;
        let at = |seen: String| format!("call {number} {failure:?}: {seen}");
        if site.undo_with(&Failing::new(&*site.world, number, failure), &receipt).is_ok() {
            site.judge(&before).map_err(|seen| at(format!("undo claims success: {seen}")))?;
        }
        site.take_back(&receipt, &before).map_err(at)?;
    }
    Ok(())
}

impl Site {
    fn apply_with(&self, world: &dyn World, attempt: u32) -> Result<Receipt, Fault> {
        self.with(world, attempt, |action, cx| action.apply(cx))
    }

    fn probe_with(&self, world: &dyn World) -> Result<Observed, Fault> {
        self.with(world, 1, |action, cx: &Cx<'_>| action.probe(cx))
    }

    fn undo_with(&self, world: &dyn World, receipt: &Receipt) -> Result<(), Fault> {
        self.with(world, 1, |action, cx| action.undo(cx, receipt))
    }

    fn apply(&self) -> Result<Receipt, String> {
        self.apply_with(&*self.world, 1).map_err(|fault| told("apply", &fault))
    }

    /// Applies where the effect is there already.
    fn apply_again(&self, receipt: &Receipt) -> Verdict {
        match self.apply_with(&*self.world, 2) {
            Ok(second) => require(self.is_same(receipt, &second), || {
                format!("apply where the effect is there gives {second:?} instead of {receipt:?}")
            }),
            Err(Fault { effect: Effect::None, .. }) => Ok(()),
            Err(fault) => Err(told("apply where the effect is there", &fault)),
        }?;
        require((self.effect_is_there)(), || "the effect is gone after it was applied again".into())
    }

    /// Probes, and checks that it only looks.
    fn probe(&self) -> Result<Observed, String> {
        let before = (self.snapshot)();
        let seen = self.probe_with(&*self.world).map_err(|fault| told("probe", &fault))?;
        unchanged(self, &before, "probe")?;
        Ok(seen)
    }

    /// Probes, checks that it says what is true, and returns the receipt of an effect that is there.
    fn truth(&self) -> Result<Option<Receipt>, String> {
        let there = (self.effect_is_there)();
        match (there, self.probe()?) {
            (true, Observed::Present(receipt)) => Ok(Some(receipt)),
            (false, Observed::Absent) => Ok(None),
            (true, seen) => Err(format!("the effect is there, and probe says {seen:?}")),
            (false, seen) => Err(format!("the effect is not there, and probe says {seen:?}")),
        }
    }

    fn expect_present(&self, receipt: &Receipt) -> Verdict {
        let seen = self.truth()?.ok_or("the effect is not there")?;
        require(self.is_same(receipt, &seen), || format!("probe gives {seen:?} instead of {receipt:?}"))
    }

    /// Undoes and checks that what was done is undone.
    fn take_back(&self, receipt: &Receipt, before: &str) -> Verdict {
        if let Undo::Never = self.undo {
            return Ok(());
        }
        self.undo_with(&*self.world, receipt).map_err(|fault| told("undo", &fault))?;
        self.judge(before)
    }

    fn judge(&self, before: &str) -> Verdict {
        match &self.undo {
            Undo::Exact => {
                require(!(self.effect_is_there)(), || "the effect is there after undo".into())?;
                unchanged(self, before, "apply and undo")?;
                let seen = self.probe()?;
                require(seen == Observed::Absent, || format!("after undo, probe says {seen:?}"))
            }
            Undo::Answered(judge) | Undo::With(judge) => {
                judge().map_err(|seen| format!("after undo: {seen}"))
            }
            Undo::Never => Ok(()),
        }
    }
}

/// Returns how many calls `act` makes.
fn count(site: &Site, act: impl FnOnce(&Site, &dyn World)) -> u64 {
    let fuse = Fuse::count_only();
    act(site, &Crashy::new(&*site.world, &fuse));
    fuse.calls()
}

fn kill(site: &Site, fuse: &Fuse, act: impl FnOnce(&dyn World)) -> Result<(), Killed> {
    let world = Crashy::new(&*site.world, fuse);
    fuse.live(|| act(&world))
}

fn require(kept: bool, seen: impl FnOnce() -> String) -> Verdict {
    if kept { Ok(()) } else { Err(seen()) }
}

fn unchanged(site: &Site, before: &str, what: &str) -> Verdict {
    let now = (site.snapshot)();
    require(now == before, || format!("{what} left a change:\n{}", diff::lines(before, &now)))
}

fn told(what: &str, fault: &Fault) -> String {
    let Fault { effect, problem, .. } = fault;
    let found = problem.found.as_deref().unwrap_or_default();
    format!("{what} faults, effect {effect:?}: {problem} {found} {}", problem.details.join("; "))
}
