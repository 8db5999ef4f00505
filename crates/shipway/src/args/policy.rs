//! What `policy` takes.

use std::path::PathBuf;

use clap::Subcommand;

/// What is done with a policy.
#[derive(Clone, Debug, Subcommand)]
pub enum Policy {
    /// Show what a policy says, class by class, with its digest and every default filled in
    #[command(after_help = "examples:\n  shipway policy show                      that of the work tree\n  \
                      shipway policy show --ref origin/main    that of a branch, as the guard reads it\n  \
                      shipway policy show --json | jq .policy.branches\n\n\
                      A guarded repository reads its policy from one pinned branch. Tickets and approvals name the\n\
                      digest: a change of the policy ends those that were given under another.")]
    Show {
        /// Read it from this branch, tag or commit, not from the work tree
        #[arg(long = "ref", value_name = "REF")]
        reference: Option<String>,
    },
    /// Find everything that is wrong with a policy, with the line of each problem; and with CODEOWNERS
    #[command(after_help = "examples:\n  shipway policy check\n  shipway policy check proposal.toml\n\n\
                      Besides misspelt keys and wrong values it finds rules that cannot be meant: people who are\n\
                      nobody, approvals that can never be given, branches that can never be merged, and checks that\n\
                      shipway.toml does not have, so that they could never pass.")]
    Check {
        /// The file; .shipway/policy.toml if left out
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Put the cases of the repository to the evaluator, and tell which are decided otherwise
    #[command(
        after_help = "examples:\n  shipway policy test\n  shipway policy test cases/*.toml\n  shipway policy test --json\n\n\
                      With this .shipway/policy.toml, in which people are known by name:\n\n  \
                      preset = \"gitflow\"\n  [person.anna]\n  [person.boris]\n  [person.carla]\n  \
                      [branch.main]\n  approvals = 1\n  checks = [\"test\"]\n\n\
                      these cases in .shipway/policy_test.toml hold:\n\n  \
                      [[case]]\n  name = \"nobody pushes to main\"\n  by = \"boris\"\n  ref = \"main\"\n  \
                      expect = \"push-restricted\"\n\n  \
                      [[case]]\n  name = \"an approved hotfix lands\"\n  by = \"anna\"\n  ref = \"main\"\n  land = \"anna\"\n  \
                      from = \"hotfix/1\"\n  author = \"boris\"\n  approvals = [\"carla\"]\n  checks = [\"test\"]\n  expect = \"allow\""
    )]
    Test {
        /// The files; `.shipway/policy_test.toml` if left out
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}
