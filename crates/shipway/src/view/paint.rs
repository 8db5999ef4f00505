//! Colour: decided once, and never the only carrier of a meaning.

use std::ffi::OsString;

use super::text;

/// When to use colour, as asked on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal that takes it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The environment variables that have a say about colour.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `NO_COLOR`: any text but the empty one forbids colour (no-color.org).
    pub no_color: Option<OsString>,
    /// `CLICOLOR_FORCE`: any text but the empty one and `0` asks for colour without a terminal.
    pub clicolor_force: Option<OsString>,
    /// `TERM`: `dumb` is a terminal that takes neither colour nor cursor movement.
    pub term: Option<OsString>,
}

impl Variables {
    /// Tells whether the terminal takes nothing but plain text.
    pub fn dumb(&self) -> bool {
        self.term.as_ref().is_some_and(|term| term == "dumb")
    }

    /// Tells whether a stream is painted. What the command line says wins over what the environment says.
    pub fn colour(&self, when: When, terminal: bool) -> bool {
        let set = |variable: &Option<OsString>| variable.as_ref().is_some_and(|value| !value.is_empty());
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if set(&self.no_color) => false,
            When::Auto if set(&self.clicolor_force) && self.clicolor_force != Some("0".into()) => true,
            When::Auto => terminal && !self.dumb(),
        }
    }
}

/// What a text means, which decides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Nothing special.
    #[default]
    Plain,
    /// The most important thing of a screen.
    Strong,
    /// Worth less attention than the rest.
    Faint,
    /// It went well, or something comes into being.
    Good,
    /// It needs attention, or something changes.
    Care,
    /// It went wrong, or something goes away.
    Bad,
    /// What to do next.
    Hint,
    /// A gate.
    Gate,
}

impl Ink {
    /// Returns the parameters of Select Graphic Rendition (ECMA-48 §8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Care => "33",
            Self::Bad => "1;31",
            Self::Hint => "36",
            Self::Gate => "35",
        }
    }
}

/// The brush of one stream, and the only way of foreign text to the screen: whatever it paints is harmless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// Returns a brush that uses colour or not.
    pub fn new(colour: bool) -> Self {
        Self(colour)
    }

    /// Returns the text as one harmless line in its colour.
    pub fn ink(self, ink: Ink, text: &str) -> String {
        let text = text::clean(text);
        match ink.code() {
            code if self.0 && !code.is_empty() && !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.into_owned(),
        }
    }

    /// Returns the text as one harmless line without colour.
    pub fn plain(self, text: &str) -> String {
        self.ink(Ink::Plain, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: [Option<&str>; 3], when: When, terminal: bool, expect: bool) {
        let [no_color, clicolor_force, term] = variables.map(|value| value.map(OsString::from));
        let variables = Variables { no_color, clicolor_force, term };
        assert_eq!(variables.colour(when, terminal), expect, "{variables:?} {when:?} {terminal}");
    }

    #[test]
    fn the_command_line_wins_then_the_environment_then_the_terminal() {
        check([None, None, None], When::Auto, true, true);
        check([None, None, None], When::Auto, false, false);
        check([Some("1"), None, None], When::Auto, true, false);
        check([Some(""), None, None], When::Auto, true, true);
        check([None, Some("1"), None], When::Auto, false, true);
        check([None, Some("0"), None], When::Auto, false, false);
        check([Some("1"), Some("1"), None], When::Auto, true, false);
        check([None, None, Some("dumb")], When::Auto, true, false);
        check([Some("1"), None, Some("dumb")], When::Always, false, true);
        check([None, Some("1"), None], When::Never, true, false);
    }

    #[test]
    fn a_painted_text_holds_no_escapes_but_ours() {
        let foul = "a\x1b[2Jb";
        assert_eq!(Paint::new(true).ink(Ink::Good, foul), "\x1b[32ma␛[2Jb\x1b[0m");
        assert_eq!(Paint::new(false).ink(Ink::Good, foul), "a␛[2Jb");
        assert_eq!(Paint::new(true).plain(foul), "a␛[2Jb");
    }
}
