//! Deployments as data: what an artifact is made of, what runs where, and how a host goes from one release to the next.
//!
//! A host receives a [`Deployment`] and makes it current; nothing here does so.

mod health;
mod home;
mod line;
mod manifest;
mod schema;
mod service;
mod traffic;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, RunId};

pub use health::{Health, Probe};
pub use home::{home, owner};
pub use line::{before, line, merge};
pub use manifest::{File, Manifest, directories};
pub use schema::{Contract, Schema, Since, Stands, to_undo};
pub use service::{Keeper, Service, Switch, fill};
pub use traffic::{ALL, Limits, Traffic, Verdict, judge, percent};

/// A place that releases are made current on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Host {
    /// The name in plans and reports, unique in its environment.
    pub name: String,
    /// Where ssh finds it, as ssh takes it, such as `deploy@web-1` or `ssh://web-1:2222`; this machine if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The directory of the environment on it; relative to the home directory of the user there.
    pub path: String,
    /// The ssh client with its arguments; `ssh` if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh: Vec<String>,
    /// What it is there for; services name the roles they run on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

impl Host {
    /// Tells whether it is this machine, without ssh.
    pub fn is_local(&self) -> bool {
        self.address.is_empty()
    }

    /// Tells whether something that wants one of some roles runs here; without roles, it runs everywhere.
    pub fn has_role(&self, roles: &[String]) -> bool {
        roles.is_empty() || roles.iter().any(|role| self.roles.contains(role))
    }
}

/// One release made current on one host: everything the host needs to know, now and when it goes back to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The run that brought it.
    pub run: RunId,
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The version, for people and for `{version}`.
    pub version: String,
    /// The artifact, by the digest of its manifest.
    pub artifact: Digest,
    /// What runs on this host.
    pub services: Vec<Service>,
    /// How the release is made ready to run.
    #[serde(default, skip_serializing_if = "Runtime::is_none")]
    pub runtime: Runtime,
    /// The digest of the secrets that its services are given, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Digest>,
    /// What it does to the schema of databases, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Schema>,
    /// Whether it puts back a release that was live before, rather than going on to one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
    /// The run that put files of it right while it was live: what runs may have read the wrong ones, and begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<RunId>,
    /// Where the project is at home, as [`home`] tells it from the address of its remote: the same in every clone,
    /// whatever that is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

impl Deployment {
    /// Returns the digest of everything that decides how it runs, besides the run that brought it.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&Self {
            run: RunId::new(""),
            schema: None,
            back: false,
            mended: None,
            home: None,
            ..self.clone()
        })
    }

    /// Tells whether it is the same release: the same version, and the same bytes.
    pub fn is_release_of(&self, other: &Self) -> bool {
        (&self.version, &self.artifact) == (&other.version, &other.artifact)
    }
}

/// How a release is made ready before it is switched to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runtime {
    /// It runs as it is: static binaries, static sites, images.
    #[default]
    None,
    /// A virtual environment made by the production interpreter from a lock file.
    Python {
        /// The interpreter, such as `/usr/bin/python3.11`.
        interpreter: String,
        /// The file with the requirements, relative to the release.
        requirements: String,
        /// Further arguments of `pip install`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pip: Vec<String>,
    },
    /// `npm ci` from the lock file.
    Node {
        /// The directory with the lock file, relative to the release; the release itself if empty.
        dir: String,
        /// Further arguments of `npm ci`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        npm: Vec<String>,
    },
    /// A runtime of a newer shipway.
    #[serde(other)]
    Unknown,
}

impl Runtime {
    /// Tells whether there is nothing to make ready.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}
