//! Who is who: one person may have several logins and addresses, and is still one.

use super::{BranchClass, Policy, TagClass, glob};
use crate::id::Digest;

impl Policy {
    /// Returns the digest by which tickets and approvals name this policy.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Returns the person or agent that a transport means by a login: one that lists it, or that is called so and
    /// lists none.
    pub fn person_of_login(&self, login: &str) -> Option<&str> {
        let listed = self.people.iter().find(|(_, person)| person.logins.iter().any(|known| known == login));
        let called = || self.people.get_key_value(login).filter(|(_, person)| person.logins.is_empty());
        listed.or_else(called).map(|(name, _)| name.as_str())
    }

    /// Tells whether a person goes by a name, a login or an address. Case makes no difference: this is what keeps
    /// authors from approving their own work.
    pub fn is_called(&self, person: &str, called: &str) -> bool {
        person.eq_ignore_ascii_case(called)
            || self.people.get(person).is_some_and(|known| {
                known.logins.iter().chain(&known.emails).any(|name| name.eq_ignore_ascii_case(called))
            })
    }

    /// Tells whether a name is that of a person of the policy, and not of an agent.
    pub fn is_person(&self, name: &str) -> bool {
        self.people.get(name).is_some_and(|person| !person.agent)
    }

    /// Tells whether a list of people and groups names a person; `*` names everybody.
    pub fn names(&self, list: &[String], person: Option<&str>) -> bool {
        list.iter().any(|entry| {
            entry == "*"
                || person.is_some_and(|person| {
                    entry == person || self.groups.get(entry).is_some_and(|g| g.iter().any(|m| m == person))
                })
        })
    }

    /// Tells whether an owner, as a file of owners writes it, is a person: by name, login, address or group.
    pub fn owns(&self, owner: &str, person: &str) -> bool {
        let plain = owner.trim_start_matches('@');
        let group = plain.rsplit('/').next().unwrap_or(plain);
        let listed = |name: &str| {
            self.groups.iter().any(|(known, members)| {
                known.eq_ignore_ascii_case(name) && members.iter().any(|member| member == person)
            })
        };
        self.is_called(person, plain) || listed(plain) || listed(group)
    }

    /// Returns the classes that a branch belongs to, each with its name.
    ///
    /// A name below a protected prefix that no pattern lists, such as `release/a/b` where `release/*` is protected,
    /// belongs to the class of that prefix, so that there is no way past a class by one more slash. So does a name below
    /// a branch that a pattern names in full, and one that would be a directory of the class, such as `release`: git
    /// cannot hold both, so whoever makes `main/x` first keeps `main` away.
    pub fn classes_of(&self, branch: &[u8]) -> Vec<(&str, &BranchClass)> {
        let patterns = || self.branches.values().flat_map(|class| &class.patterns);
        let nearest = patterns()
            .filter(|pattern| glob::fits(pattern, branch))
            .map(|pattern| glob::literal(pattern))
            .max();
        let in_directory = |directory: &str| {
            branch.starts_with(directory.as_bytes()) && nearest.is_none_or(|listed| listed <= directory.len())
        };
        let below = |pattern: &String| match glob::directory(pattern) {
            Some(directory) => in_directory(directory),
            None if !glob::is_name(pattern) => false,
            None => branch.strip_prefix(pattern.as_bytes()).is_some_and(|rest| rest.starts_with(b"/")),
        };
        let above = |pattern: &String| {
            let literal = glob::directory(pattern).or(glob::is_name(pattern).then_some(pattern));
            let rest = literal.and_then(|literal| literal.as_bytes().strip_prefix(branch));
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        };
        let belongs = |class: &BranchClass| {
            class
                .patterns
                .iter()
                .any(|p| glob::fits(p, branch) || (class.protected && (below(p) || above(p))))
        };
        self.branches
            .iter()
            .filter(|(_, class)| belongs(class))
            .map(|(name, class)| (name.as_str(), class))
            .collect()
    }

    /// Tells whether a branch may be called so: it is in a class, or fits one of the names, or any name will do.
    pub fn takes_name(&self, branch: &[u8]) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|pattern| glob::fits(pattern, branch))
            || !self.classes_of(branch).is_empty()
    }

    /// Returns the classes that a tag belongs to, each with its name.
    pub fn tag_classes_of(&self, tag: &[u8]) -> Vec<(&str, &TagClass)> {
        self.tags
            .iter()
            .filter(|(_, class)| class.patterns.iter().any(|pattern| glob::fits(pattern, tag)))
            .map(|(name, class)| (name.as_str(), class))
            .collect()
    }

    /// Tells whether only landings move a branch.
    pub fn is_protected(&self, branch: &[u8]) -> bool {
        self.classes_of(branch).iter().any(|(_, class)| class.protected)
    }
}
