//! The commands that git starts, at every commit and every push.
//!
//! They are read without the definitions of all others, which take longer than most of the hooks do.

use std::env;

use clap::{Parser, Subcommand};

use super::guard::{GuardHook, Hook};
use super::{Args, Color, Command};

#[derive(Debug, Parser)]
#[command(name = "shipway", version)]
struct OfGit {
    #[command(subcommand)]
    command: Started,
}

#[derive(Debug, Subcommand)]
enum Started {
    Hook(Hook),
    GuardHook(GuardHook),
}

impl Args {
    /// Returns the command line of this process if it is one that git has begun.
    pub fn of_git() -> Option<Self> {
        let first = env::args_os().nth(1)?;
        if !["hook", "guard-hook"].iter().any(|name| first == *name) {
            return None;
        }
        let command = match OfGit::parse().command {
            Started::Hook(hook) => Command::Hook(hook),
            Started::GuardHook(hook) => Command::GuardHook(hook),
        };
        Some(Self { directory: None, json: false, quiet: false, verbose: false, color: Color::Auto, command })
    }
}
