//! Reads the error codes and the exit codes from the source of `core::problem`.
//!
//! Chores import nothing of ours, so that they can run while the product does not compile.

/// Where the codes are declared.
pub(crate) const PROBLEM_RS: &str = "crates/core/src/problem.rs";

/// A declared error code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Its name, such as `SW0101`.
    pub(crate) name: String,
    /// The kind, such as `Usage`.
    pub(crate) kind: String,
    /// What it means, in a few words.
    pub(crate) title: String,
}

/// Returns the codes in their order, or what cannot be understood.
pub(crate) fn codes(problem_rs: &str) -> Result<Vec<Code>, String> {
    let start = problem_rs.find("\ncodes! {").ok_or("there is no `codes! {` block")?;
    let block = problem_rs[start..].lines().skip(2).take_while(|line| *line != "}");
    let codes: Vec<Code> = block
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .map(|line| code(line).ok_or_else(|| format!("`{}` declares no code", line.trim())))
        .collect::<Result<_, _>>()?;
    if codes.is_empty() { Err("the `codes! {` block is empty".into()) } else { Ok(codes) }
}

/// Reads `Name = "SW0101", Kind, "title";`.
fn code(line: &str) -> Option<Code> {
    let (_variant, rest) = line.split_once(" = \"")?;
    let (name, rest) = rest.split_once("\", ")?;
    let (kind, rest) = rest.split_once(", \"")?;
    let title = rest.strip_suffix("\";")?;
    let number = name.strip_prefix("SW")?;
    let well_formed = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| Code { name: name.into(), kind: kind.into(), title: title.into() })
}

/// Returns the exit code of a kind, or what cannot be understood.
pub(crate) fn exit_code(problem_rs: &str, kind: &str) -> Result<u8, String> {
    let function = problem_rs.split_once("fn exit_code").ok_or("there is no `fn exit_code`")?.1;
    let arm = format!("Self::{kind} => ");
    let (_, rest) = function.split_once(&arm).ok_or_else(|| format!("kind {kind} has no exit code"))?;
    let digits = rest.split([',', '\n']).next().unwrap_or_default();
    digits.trim().parse().map_err(|_| format!("the exit code of kind {kind} is not a number"))
}

#[cfg(test)]
pub(crate) const SAMPLE: &str = "\
fn exit_code(self) -> u8 {
    match self {
        Self::Refused => 1,
        Self::Nothing => 10,
    }
}

codes! {
    NoCommits = \"SW0103\", Refused, \"the branch has no commits yet\";
    NothingToRelease = \"SW0307\", Nothing, \"there is nothing to release\";
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_order() {
        let codes = codes(SAMPLE).unwrap();
        assert_eq!(codes.iter().map(|code| code.name.as_str()).collect::<Vec<_>>(), ["SW0103", "SW0307"]);
        assert_eq!(codes[0].kind, "Refused");
        assert_eq!(codes[1].title, "there is nothing to release");
    }

    #[test]
    fn a_line_that_is_no_code_is_refused() {
        for line in
            ["Broken = \"SW01\", Refused, \"short\";", "Broken", "Broken = \"SW01ab\", Refused, \"x\";"]
        {
            let text = format!("\ncodes! {{\n    {line}\n}}\n");
            assert!(codes(&text).unwrap_err().contains("declares no code"), "{line}");
        }
        assert!(codes("fn main() {}").is_err());
        assert!(codes("\ncodes! {\n}\n").is_err());
    }

    #[test]
    fn exit_codes_are_read() {
        assert_eq!(exit_code(SAMPLE, "Refused"), Ok(1));
        assert_eq!(exit_code(SAMPLE, "Nothing"), Ok(10));
        assert!(exit_code(SAMPLE, "Bug").is_err());
    }
}
