//! Crashes of real programs through real Fluent Bits, with a played model over Anthropic's API, up
//! to a patch that `autofix fix` proves; and what becomes of them when the model, the router or
//! the command dies in the middle. Which routers are used says `router.rs`.

#[path = "played/anthropic/mod.rs"]
mod anthropic_server;
#[path = "router_fix/faults.rs"]
mod faults;
mod git;
mod host;
#[path = "router_fix/killed.rs"]
mod killed;
#[path = "router_fix/programs.rs"]
mod programs;
#[path = "router/running.rs"]
mod running;
#[path = "router_fix/site.rs"]
mod site;

use anthropic_server::play;
use autofix::model::Status;
use autofix::patch::verify::{Limits, hindrance};
use git::git;
use host::told;
use programs::{GO, PYTHON, Program};
use running::{STARTED, routers};
use serde_json::Value;
use site::{Site, is_about, mends, shown};

/// The programs that can run here; says which cannot.
fn programs(test: &str) -> Vec<&'static Program> {
    let mut found: Vec<&'static Program> = vec![&PYTHON, &GO];
    found.retain(|program| match program.missing() {
        None => true,
        Some(why) => {
            println!("SKIPPED {test}: {} needs more: {why}", program.name);
            false
        }
    });
    found
}

/// Whether tests can be run on a patch here; says why not.
fn can_verify(test: &str) -> bool {
    let scratch = tempfile::TempDir::new().unwrap();
    let hindrance = hindrance(scratch.path(), &Limits::default());
    if let Some(why) = &hindrance {
        println!("SKIPPED {test}: {why}");
    }
    hindrance.is_none()
}

#[test]
fn crashes_become_patches_in_the_router_and_proven_ones_in_fix() {
    let test = "crashes_become_patches_in_the_router_and_proven_ones_in_fix";
    let programs = programs(test);
    let verifies = can_verify(test);
    for router in routers(test, (1, 9, 0)) {
        let server = play(|request| {
            let of = [&PYTHON, &GO]
                .into_iter()
                .find(|of| is_about(request, of.cry));
            mends(of.unwrap_or(&PYTHON), request)
        });
        let mut site = Site::new();
        let mut crashes = Vec::new();
        for program in &programs {
            let tests = format!("test = \"{}\"", program.test);
            // The same program twice: once to be mended at once, once only with proof.
            let proven = format!("{}-proven", program.name);
            let tested = format!("{tests}\nverify = true");
            crashes.push((
                program.name.to_owned(),
                site.add(program.name, program, &tests),
            ));
            crashes.push((proven.clone(), site.add(&proven, program, &tested)));
        }
        let configuration = site.configure(&router, &server.url, "");
        let mut running = site.place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        for (service, said) in &crashes {
            site.place.append(&format!("{service}.log"), said);
            site.place
                .append(&format!("{service}.log"), "started again\n");
        }
        let status = |service: &str| site.incident(service).map(|one| one.status);
        running.wait("the patches, and incidents that wait for proof", |_| {
            programs.iter().all(|program| {
                let proven = format!("{}-proven", program.name);
                status(program.name) == Some(Status::Proposed) && status(&proven).is_some()
            })
        });
        running.end_well(&router);
        for program in &programs {
            let one = site.incident(program.name).unwrap();
            let proposal = one.proposal.clone().unwrap();
            assert_eq!(
                (proposal.fixer.as_str(), proposal.files.len()),
                ("anthropic", 2),
                "{router:?} {:#}",
                site.report(&one)["by_model"]
            );
            let repo = site.place.path(&format!("{}-repo", program.name));
            git(&repo, &["apply", "--check", &proposal.patch]);
            let said = site.report(&one)["verified"].to_string();
            assert!(said.contains("inside the log router"), "{said}");
            let heard = server.heard().into_iter().map(|heard| heard.body);
            let about: Vec<Value> = heard.filter(|body| is_about(body, program.cry)).collect();
            let results = [shown(&about, 1), shown(&about, 2)].concat();
            assert_eq!(results.len(), 5, "{about:?}");
            for (result, must) in results.iter().zip(program.must_show()) {
                assert!(result.contains(must), "{must}: {result}");
            }
            let proven = site.incident(&format!("{}-proven", program.name)).unwrap();
            assert_eq!(proven.status, Status::Open, "{}", proven.reason);
        }
        // Nobody was asked about what waits for proof.
        assert_eq!(server.heard().len(), 3 * programs.len());
        assert_eq!(server.faults(), Vec::<String>::new());
        if !verifies {
            continue;
        }
        let done = site.fix(&["--pending"]);
        assert!(done.status.success(), "{}", told(&done));
        for program in &programs {
            let one = site.incident(&format!("{}-proven", program.name)).unwrap();
            assert_eq!(one.status, Status::Proposed, "{}", one.reason);
            let verified = site.report(&one)["verified"]["Ran"].clone();
            assert_eq!(verified["verdict"], "Proven", "{verified:#}");
            assert_eq!(verified["before"]["passed"], true, "{verified:#}");
            assert_eq!(verified["without_fix"]["passed"], false, "{verified:#}");
            assert_eq!(verified["with_fix"]["passed"], true, "{verified:#}");
        }
        assert_eq!(site.calls(), 6 * programs.len() as u64);
    }
}
