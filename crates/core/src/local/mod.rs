//! What is decided in a clone, apart from the policy: which rules its hooks skip and why, the template of a message, what
//! is noted of commits that went past them, and the files that a governed repository begins with.

mod block;
mod govern;
mod note;
mod skip;
mod template;

pub use block::managed;
pub use govern::{CHANGE_TEMPLATE, Founder, agents, change_request, owners, policy, signers};
pub use note::{Kind, Note};
pub use skip::{Skip, skips};
pub use template::{issue_of, template};
