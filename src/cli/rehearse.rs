//! `autofix fix ID --dry` and `--replay`: says what would be shown and cost, and what became of a
//! conversation that was played again.

use crate::app::{self, rehearse};
use crate::cli::Outcome;
use crate::cli::arguments::FixArguments;
use crate::cli::output::{Out, safe};
use crate::cli::progress::Progress;
use crate::investigate::inquiry;
use crate::model::IncidentId;
use crate::pipeline::drawn::{Again, Drawn};
use serde_json::json;
use std::path::Path;

pub(super) fn dry(
    id: IncidentId,
    arguments: &FixArguments,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let progress = Progress::new();
    let drawn = rehearse::dry(&arguments.state.folder()?, id, progress.log())?;
    if arguments.json {
        out.json(&as_json(id, &drawn));
        return Ok(Outcome::Done);
    }
    for line in drawn.dossier.text.as_str().lines() {
        out.line(&safe(line));
    }
    if !drawn.remedies.is_empty() {
        let names = drawn.remedies.join(", ");
        progress.say(&format!(
            "it could look at the running service and ask for recovery by {names}; nothing is asked for here"
        ));
    }
    progress.say(&cost(&drawn));
    Ok(Outcome::Done)
}

fn cost(drawn: &Drawn) -> String {
    let tokens = drawn.tokens;
    match &drawn.model {
        Some(model) if model.prices.are_none() => format!(
            "the first call would be at most {tokens} tokens, for which {} at {} costs nothing",
            model.model, model.url
        ),
        Some(model) => format!(
            "the first call to {} would be at most {tokens} tokens and {}, the whole investigation at \
             most {}",
            model.model, drawn.first, drawn.most
        ),
        None => format!(
            "{tokens} tokens at most with what stands before it; no model would be asked: none is set, \
             or Egress keeps the service's text from it"
        ),
    }
}

fn as_json(id: IncidentId, drawn: &Drawn) -> serde_json::Value {
    json!({
        "id": id,
        "dossier": drawn.dossier.text,
        "cut": drawn.dossier.cut.iter().map(|part| part.word()).collect::<Vec<_>>(),
        "tokens": drawn.tokens,
        "recovery": drawn.remedies,
        "model": drawn.model.as_ref().map(|model| &model.model),
        "usd_first_call": drawn.first.as_f64(),
        "usd_at_most": drawn.most.as_f64(),
    })
}

pub(super) fn replay(
    id: IncidentId,
    transcript: &Path,
    arguments: &FixArguments,
    out: &mut Out,
) -> Result<Outcome, app::Error> {
    let progress = Progress::new();
    let state = arguments.state.folder()?;
    let again = rehearse::replay(&state, id, transcript, progress.log())?;
    let (outcome, why, patch) = ended(&again);
    if arguments.json {
        out.json(&json!({
            "id": id,
            "outcome": outcome,
            "why": why,
            "patch": patch,
            "entries": again.entries,
        }));
        return Ok(Outcome::Done);
    }
    for entry in &again.entries {
        out.line(&safe(&crate::cli::conversation::line(entry)));
    }
    progress.say(&format!("{outcome}: {}", safe(&why)));
    if let Some(patch) = patch {
        for line in patch.lines() {
            out.line(&safe(line));
        }
    }
    Ok(Outcome::Done)
}

fn ended(again: &Again) -> (&'static str, String, Option<String>) {
    match &again.outcome {
        inquiry::Outcome::Patch(found) => (
            "patch",
            found.0.cause.clone(),
            Some(found.1.patch.text().to_owned()),
        ),
        inquiry::Outcome::NoPatch(end) => ("no patch", end.why.clone(), None),
        inquiry::Outcome::Later { why, .. } | inquiry::Outcome::Unavailable(why) => {
            ("not finished", why.clone(), None)
        }
    }
}
