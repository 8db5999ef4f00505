//! What local hooks decide, apart from the policy: which rules are skipped and why, the template of a message, and what
//! is noted of commits that went past them.

mod note;
mod skip;
mod template;

pub use note::{Kind, Note};
pub use skip::{Skip, skips};
pub use template::{issue_of, template};
