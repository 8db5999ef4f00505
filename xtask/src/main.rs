//! Chores of this repository: `cargo xtask tidy`, `cargo xtask docs` and `cargo xtask bench`.

mod bench;
mod codes;
mod docs;
mod mask;
mod repository;
mod tidy;

use std::io::{self, Write};
use std::process::ExitCode;

use repository::Repository;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  tidy   check what the compiler cannot: import order, budgets, words, pages, packages
  docs   write the generated pages under docs/src/reference
  bench [REPO…]   measure speed and memory side by side with git and git-cliff, in repositories, bundles, or a made one
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut out = io::stdout().lock();
    let ended = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => Repository::open().and_then(|repository| tidy::run(&repository, &mut out)),
        ["docs"] => Repository::open().and_then(|repository| docs::run(&repository, &mut out)),
        ["bench", ..] => {
            Repository::open().and_then(|repository| bench::run(&repository.root, &args[1..], &mut out))
        }
        ["help" | "--help" | "-h"] => out.write_all(USAGE.as_bytes()).map(|()| true),
        _ => Err(io::Error::other(USAGE)),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // There is nobody left to tell when standard error is closed too.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}
