//! The kind that makes and verifies a backup.

use serde::{Deserialize, Serialize};

use crate::backup::Spec;
use crate::deployment::Host;

/// The kind of [`Made`].
pub const MADE: &str = "backup.made";

/// Makes a backup and sees that it can be restored. Once there is evidence of it, it is not made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The host that holds what is saved; this machine if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// What is saved, and how.
    pub spec: Spec,
}
