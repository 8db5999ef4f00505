//! `explain`: the page of an error code.

use serde_json::json;
use shipway_core::problem::{Code, Problem};

use super::{DONE, End};
use crate::pages::PAGES;
use crate::view::{Document, View};

/// Shows the page of a code, or the list of all codes.
pub fn run(code: Option<&str>, view: &dyn View) -> End {
    let Some(code) = code else {
        let lines: Vec<String> = Code::ALL.iter().map(|code| format!("{code}  {}", code.title())).collect();
        let codes: Vec<_> =
            Code::ALL.iter().map(|code| json!({ "code": code, "title": code.title() })).collect();
        view.answer(Document::Codes, &json!({ "codes": codes }), &lines.join("\n"));
        return Ok(DONE);
    };
    let wanted = code.to_ascii_uppercase();
    let Some((code, page)) = PAGES.iter().find(|(known, _)| *known == wanted) else {
        let problem = Problem::new(Code::Usage, format!("there is no error code {code}"));
        return Err(vec![problem.hint("see all codes: shipway explain")]);
    };
    view.answer(Document::Explain, &json!({ "code": code, "page": page }), page.trim_end());
    Ok(DONE)
}
