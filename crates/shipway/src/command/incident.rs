//! `incident`: what is broken right now, for the gates that wait while something is.

use serde_json::json;
use shipway_core::id::ActorKind;
use shipway_core::problem::{Code, Problem};
use shipway_world::incident::{Incident, Incidents, Report};
use shipway_world::shell::now;

use super::{DONE, End};
use crate::args::{self, IncidentVerb};
use crate::session::Session;
use crate::view::Document;

/// Opens or closes an incident, or shows those that are open.
pub fn run(session: &Session<'_>, asked: &args::Incident) -> End {
    act(session, asked).map_err(|problem| vec![problem])
}

fn act(session: &Session<'_>, asked: &args::Incident) -> Result<u8, Problem> {
    let incidents = Incidents::new(&session.repository.state_dir());
    match (asked.what, asked.text.as_deref().map(str::trim).filter(|text| !text.is_empty())) {
        (IncidentVerb::Open, Some(text)) => {
            let report = Report { text, environment: asked.env.as_deref() };
            let incident = incidents.open(report, session.actor(), now())?;
            let text =
                format!("{}\nwhen it is over: shipway incident close {}", line(&incident), incident.id);
            session.view.answer(Document::Incident, &json!({ "incident": incident, "closed": false }), &text);
        }
        (IncidentVerb::Close, Some(id)) => {
            let actor = session.actor();
            // To close one opens gates.
            if actor.kind == ActorKind::Agent {
                return Err(Problem::new(Code::NotAPerson, "an agent does not close an incident")
                    .found(actor.to_string()));
            }
            let incident = incidents.close(id, actor, now())?;
            let text = format!("closed: {}", line(&incident));
            session.view.answer(Document::Incident, &json!({ "incident": incident, "closed": true }), &text);
        }
        (IncidentVerb::List, None) => {
            let open = incidents.open_ones()?;
            let lines: Vec<String> = open.iter().map(line).collect();
            let text = if lines.is_empty() { "no incident is open".into() } else { lines.join("\n") };
            session.view.answer(Document::Incidents, &json!({ "incidents": open }), &text);
        }
        (IncidentVerb::Open, None) => {
            return Err(usage("what is broken is to be said", "open \"the queue stands\""));
        }
        (IncidentVerb::Close, None) => return Err(usage("which incident is over is to be said", "close ID")),
        (IncidentVerb::List, Some(_)) => return Err(usage("a list takes nothing else", "list")),
    }
    Ok(DONE)
}

fn line(incident: &Incident) -> String {
    let place = incident.environment.as_deref().unwrap_or("everywhere");
    format!("{}  {place}  since {} by {}: {}", incident.id, incident.at, incident.by, incident.text)
}

fn usage(what: &str, form: &str) -> Problem {
    Problem::new(Code::Usage, what).hint(format!("shipway incident {form}"))
}
