//! Files that nobody wrote by hand.

use super::*;

/// What files are made of.
const PIECES: &[&str] = &[
    "a",
    "é",
    "1",
    "1.0",
    "==",
    ">=",
    "<",
    "~=",
    "===",
    "!",
    "+",
    ".*",
    "*",
    "rc",
    "dev",
    "post",
    "-",
    "_",
    ".",
    ",",
    ";",
    "@",
    "[",
    "]",
    "(",
    ")",
    "'",
    "\"",
    " ",
    "\n",
    "\t",
    "\\\n",
    "#",
    " #",
    "-r ",
    "-c x",
    "--hash=",
    "python_version",
    "extra",
    " and ",
    " or ",
    " in ",
    " not ",
    "\0",
    "[[package]]\n",
    "[project]\n",
    "name = ",
    "{",
    "}",
    ":",
    "null",
    "installed",
    "^",
    "||",
    " - ",
    "99999999999999999999999",
    "漢",
    "\u{feff}",
    "\r\n",
    "{\"packages\": {\"node_modules/a\": {\"version\": \"1\"}}}",
    "=",
];

/// Feeds one text to every reader.
fn feed(text: &str) {
    let declarations = [
        Some(requirements("r", &mut |_| Ok(text.to_owned()))),
        pyproject("p", text).ok(),
        pylock("l", text).ok(),
        poetry_lock("o", text).ok(),
        uv_lock("u", text).ok(),
        npm_lock("n", text).ok().map(|(found, _)| found),
        npm_manifest("m", text).ok(),
        Some(cargo("c", &[text.to_owned()])),
        Some(debian("d", &[text.to_owned()])),
    ];
    let there = Inventory {
        packages: packages(text).into_iter().chain(crates(text).unwrap_or_default()).collect(),
        markers: markers(),
    };
    let mut there = there;
    there.packages.push(Installed {
        name: text.into(),
        version: text.into(),
        requires: vec![text.into()],
        inherited: false,
    });
    let places = [
        venv(),
        Place::Npm { dir: text.into(), workspaces: vec![] },
        Place::Cargo { root: text.into() },
        Place::Debian { names: vec![] },
    ];
    for declaration in declarations.into_iter().flatten() {
        for place in &places {
            compare(&declaration, &there, place);
        }
    }
    for kind in [Kind::Pip, Kind::Npm, Kind::Cargo, Kind::Debian] {
        let _ = (satisfies(kind, text, "1"), satisfies(kind, "1.0.0", text), satisfies(kind, text, text));
    }
    let _ = pep508::applies(text, &markers(), &[]);
}

#[test]
fn no_text_is_too_strange() {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..10_000 {
        let length = random(12);
        feed(&(0..length).map(|_| PIECES[random(PIECES.len())]).collect::<String>());
        let bytes: Vec<u8> = (0..random(40)).map(|_| u8::try_from(random(256)).unwrap()).collect();
        feed(&String::from_utf8_lossy(&bytes));
    }
    for piece in ["(", "[", "{", "not ", "(a or ", "\"", "9", "1.", "~", "a;", "-r a\n"] {
        feed(&piece.repeat(20_000));
    }
}
