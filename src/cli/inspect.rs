//! `autofix inspect`: what autofix reads out of a log.

use crate::app::inspect::{InspectOptions, TemplatesOptions, learnt, open, templates, traces};
use crate::app::{self};
use crate::cli::Outcome;
use crate::cli::arguments::{Inspect, TemplatesArguments, TracesArguments};
use crate::cli::output::{Out, STRONG, safe};
use crate::template::Learnt;
use crate::trace::Inspected;

pub(super) fn run(what: &Inspect, out: &mut Out) -> Result<Outcome, app::Error> {
    match what {
        Inspect::Traces(arguments) => run_traces(arguments, out),
        Inspect::Templates(arguments) => run_templates(arguments, out),
    }
}

fn run_traces(arguments: &TracesArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let input = open(arguments.file.as_deref())?;
    let options = InspectOptions {
        json_lines: arguments.jsonl,
        stream_key: arguments.stream_key.clone(),
    };
    traces(&options, input, &mut |trace| {
        if arguments.json {
            out.json(&trace);
        } else {
            print(&trace, out);
        }
    })?;
    Ok(Outcome::Done)
}

fn run_templates(arguments: &TemplatesArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    if let Some(folder) = &arguments.state {
        let wanted = |learnt: &Learnt| match &arguments.service {
            Some(name) => learnt.service.as_ref() == Some(name),
            None => true,
        };
        let learnt = learnt(&super::folder()?.join(folder))?;
        learnt
            .iter()
            .filter(|one| wanted(one))
            .for_each(|one| out.json(one));
        return Ok(Outcome::Done);
    }
    let input = open(arguments.file.as_deref())?;
    let options = TemplatesOptions {
        seed: arguments.seed.clone(),
    };
    let learnt = templates(&options, input, &mut |id, template| {
        if !arguments.export {
            out.line(&format!("{id}\t{}", safe(template)));
        }
        !out.is_closed()
    })?;
    if arguments.export {
        for template in learnt.export() {
            out.json(&Learnt {
                service: arguments.service.clone(),
                ..template
            });
        }
    }
    Ok(Outcome::Done)
}

fn print(trace: &Inspected, out: &mut Out) {
    let kind = trace.exception_type.as_deref().unwrap_or("no type");
    let message = trace.message.as_deref().unwrap_or_default();
    let title = format!("{} {kind}: {message}", trace.language);
    let title = out.paint(STRONG, &safe(&title));
    // People count lines from 1.
    out.line(&format!(
        "lines {}-{}: {title}",
        trace.first + 1,
        trace.last + 1
    ));
    for frame in &trace.frames {
        let file = frame.file.as_deref().unwrap_or("?");
        let line = frame.line.map_or(String::new(), |line| format!(":{line}"));
        let function = frame.function.as_deref().unwrap_or("?");
        out.line(&safe(&format!("    {file}{line} in {function}")));
    }
}
